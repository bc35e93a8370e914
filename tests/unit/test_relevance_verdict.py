"""Verdicts: what they say and why."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policyfeed.relevance import Judge, judge_text, load_topics
from policyfeed.relevance.case import text_case
from policyfeed.relevance.evidence import SPOKEN, Gatherer
from policyfeed.relevance.rules import Rules
from policyfeed.relevance.verdict import points, sigmoid
from policyfeed.types import Article, Kind, MinistryName, Verdict

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "cases" / "relevance"
DAY = datetime(2026, 5, 20, tzinfo=UTC)


@cache
def judge(topics: str = "config/topics") -> Judge:
    return Judge(load_topics(ROOT / topics))


def article(title: str, **facts: Any) -> Article:
    ministry = MinistryName(id="mcee", name="기후에너지환경부")
    return Article(title=title, ministry=ministry, url="https://example.kr/1", first_seen=DAY, changed=DAY, **facts)


def adds_up(verdict: Verdict) -> bool:
    return math.isclose(math.fsum(reason.points for reason in verdict.reasons), verdict.score, abs_tol=1e-9)


def cases() -> Iterator[Any]:
    for path in sorted(CASES.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            case = json.loads(line)
            yield pytest.param(case, id=case["why"])


@pytest.mark.parametrize("case", list(cases()))
def test_case(case: dict[str, Any]) -> None:
    verdict = judge_text(judge(), title=case["title"], ministry=case["ministry"])
    assert verdict.kept is case["kept"], verdict.reasons
    assert set(case.get("topics", ())) <= set(verdict.topics)
    assert verdict.alert is case.get("alert", verdict.alert)
    assert adds_up(verdict)


def test_every_reason_shows_its_text() -> None:
    title, lead = "제주 앞바다 해양 보호구역 넓힌다", "멸종위기 남방큰돌고래 서식지를 지킨다"
    verdict = judge_text(judge(), title=title, lead=lead, ministry="해양수산부")
    told = {reason.term: (reason.field, reason.offset) for reason in verdict.reasons if reason.topic == "E7"}
    assert told["보호구역"] == ("title", title.index("보호구역"))
    assert told["멸종위기"] == ("summary", lead.index("멸종위기"))


def test_drops_carry_reasons_too() -> None:
    verdict = judge_text(judge(), title="9월 소비자물가 동향", ministry="통계청")
    assert not verdict.kept
    assert {"genre", "ministry", "base"} <= {reason.rule for reason in verdict.reasons}
    assert adds_up(verdict)


def test_the_text_of_html_counts_at_its_place() -> None:
    content = "<p>새 기준을 <strong>알립니다</strong>.</p><p>온실&nbsp;가스 배출권 할당</p>"
    verdict = judge().judge(article("새 소식을 알립니다", content=content))
    found = next(reason for reason in verdict.reasons if reason.term == "배출권")
    assert (found.field, found.offset) == ("content", content.index("배출권"))
    assert adds_up(verdict)


def test_the_lead_of_an_article_is_not_counted_twice() -> None:
    text = "배출권 할당계획을 확정했다."
    once = judge().judge(article("새 소식", summary=text))
    twice = judge().judge(article("새 소식", summary=text, content=f"<p>{text}</p>"))
    assert twice.score == once.score


@pytest.mark.parametrize(
    "facts", [{"kind": Kind.ACTIVITY}, {"tags": ("장관동정",)}, {"title": "[장관동정] 수질 개선 현장 방문"}]
)
def test_kinds_and_tags_are_one_genre(facts: dict[str, Any]) -> None:
    facts = {"title": "수질 개선 현장 방문"} | facts
    plain = judge().judge(article("수질 개선 현장 방문"))
    tagged = judge().judge(article(facts.pop("title"), **facts))
    assert tagged.score < plain.score


def test_a_ministry_counts_by_any_of_its_names() -> None:
    by_name = judge_text(judge(), title="전체회의 결과", ministry="공정거래위원회")
    unknown = judge_text(judge(), title="전체회의 결과", ministry="한국무명원")
    assert by_name.score > unknown.score
    assert next(reason for reason in by_name.reasons if reason.rule == "ministry").topic == "G1"


def test_a_ministrys_own_topic_is_named_where_no_term_is() -> None:
    verdict = judge_text(judge(), title="전체회의 결과", ministry="공정거래위원회")
    assert verdict.topics == ("G1",)


def test_a_ministry_counts_less_where_the_title_names_a_subject() -> None:
    def bias(title: str) -> float:
        case = text_case(judge().rules, title=title, ministry="산업통상자원부")
        evidence = Gatherer(judge().rules).gather(case)
        return next(one.written for one in evidence if one.rule == "ministry")

    assert bias("분산에너지 특화지역 지정 설명회") == pytest.approx(SPOKEN * bias("전체회의 결과"))


def test_a_kept_article_has_topics_and_their_pillars() -> None:
    verdict = judge_text(judge(), title="산업단지 태양광 확대와 하도급대금 연동제 지원", ministry="중소벤처기업부")
    assert {"E2", "G1"} <= set(verdict.topics)
    assert verdict.pillars == ("E", "G")
    assert verdict.rule_version == judge().rules.version


def test_a_term_of_two_topics_counts_once() -> None:
    rules = load_topics(ROOT / "docs" / "examples" / "ai-regulation")
    terms = tuple(replace(term, topic="A2") for term in rules.topics[0].terms)
    doubled = replace(rules.topics[0], id="A2", terms=terms)
    both = Judge(replace(rules, topics=(*rules.topics, doubled)))
    title = "인공지능 기본법 설명회"
    assert judge_text(both, title=title).score == judge_text(Judge(rules), title=title).score
    assert set(judge_text(both, title=title).topics) == {"A1", "A2"}


def without_background(rules: Rules) -> Rules:
    plain = [
        replace(topic, terms=tuple(replace(term, background=False) for term in topic.terms)) for topic in rules.topics
    ]
    return replace(rules, topics=tuple(plain))


def test_how_something_is_done_names_a_topic_only_where_no_subject_is_named() -> None:
    title, ministry = "추석 명절 원산지 표시 위반 특별단속", "관세청"
    verdict = judge_text(judge(), title=title, ministry=ministry)
    plain = judge_text(Judge(without_background(judge().rules)), title=title, ministry=ministry)
    assert (verdict.pillars, plain.pillars) == (("S",), ("S", "G"))
    assert (verdict.score, verdict.kept, verdict.alert) == (plain.score, plain.kept, plain.alert)
    assert verdict.reasons == plain.reasons
    assert judge_text(judge(), title="하반기 특별단속 결과").topics == ("G3",)


def test_topics_come_strongest_first_and_a_pillar_may_ask_less_of_its_own() -> None:
    title = "플라스틱 순환이용과 순환경제 규제특례"
    rules = judge().rules
    asking = {
        share: Judge(replace(rules, pillars=tuple(replace(one, topic_share=share) for one in rules.pillars)))
        for share in (0.2, 1.0)
    }
    assert judge_text(asking[0.2], title=title).topics == ("E6", "G4")
    assert judge_text(asking[1.0], title=title).topics == ("E6",)


def test_the_short_list_wants_urgency() -> None:
    quiet = judge_text(judge(), title="탄소중립 생활실천 이야기", ministry="기후에너지환경부")
    urgent = judge_text(judge(), title="탄소중립기본법 개정안 입법예고", ministry="기후에너지환경부")
    assert (quiet.kept, quiet.alert) == (True, False)
    assert (urgent.kept, urgent.alert) == (True, True)


def test_nothing_in_the_code_is_about_esg() -> None:
    other = judge("docs/examples/ai-regulation")
    verdict = judge_text(other, title="개인정보 유출 은행에 과징금", ministry="개인정보보호위원회")
    assert (verdict.kept, verdict.alert, verdict.topics, verdict.pillars) == (True, True, ("D1",), ("D",))
    assert not judge_text(other, title="온실가스 감축목표 상향", ministry="기후에너지환경부").kept


def test_an_empty_article_has_a_verdict() -> None:
    verdict = judge_text(judge(), title="")
    assert not verdict.kept
    assert adds_up(verdict)


def test_points_follow_the_curve_between_base_and_result() -> None:
    shares = points(0.0, [2.0, -2.0], 50.0)
    assert shares == [50.0, 50.0, -50.0]
    assert points(0.0, [2.0, 2.0], 98.2) == [50.0, 24.1, 24.1]
    assert points(-2.0, [], round(100 * sigmoid(-2.0), 2)) == [11.92]


@pytest.mark.parametrize("text", ["가", "<", "&", "정책 ", "장관 ", "제1차"])
def test_long_monotonous_texts_come_to_an_end(text: str) -> None:
    verdict = judge_text(judge(), title=text * 20_000, body=text * 20_000)
    assert adds_up(verdict)


@pytest.mark.parametrize(
    ("title", "topic"),
    [
        ("중대재해 감축 로드맵 발표", "S2"),
        ("해운부문 감축 로드맵 발표", "E1"),
        ("2030 국가 감축 로드맵 수정", "E1"),
    ],
)
def test_a_roadmap_is_of_the_climate_beside_a_word_of_it(title: str, topic: str) -> None:
    assert judge_text(judge(), title=title).topics == (topic,)
