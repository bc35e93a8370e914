"""Where Korean and Latin terms count."""

from __future__ import annotations

import pytest

from policyfeed.relevance.matching import Matcher
from policyfeed.relevance.rules import Mask, Strength, Term
from policyfeed.relevance.terms import needles
from policyfeed.relevance.text import plain, squeeze


def term(text: str, topic: str = "T1") -> Term:
    return Term(text=text, topic=topic, strength=Strength.STRONG)


def found(text: str, *sought: Term | Mask) -> list[str]:
    return [one.sought.text for one in Matcher(sought).find(squeeze(text))]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("탄소중립", "탄소 중립 이행계획"),
        ("탄소 중립", "‘탄소중립’을 향해"),
        ("탄소중립", "국가 탄소·중립 전략"),
        ("일·가정", "일․가정 양립"),  # U+2024 ONE DOT LEADER
        ("일·가정", "일가정 양립"),
        ("보호구역", "해양보호구역 지정"),
        ("규제개선", "산림규제 개선의 답을 찾다"),
        ("수질", "하천수질을 살핀다"),
        ("댐", "댐에서 물을 내보낸다"),
        ("|지역|", "지역의 활력"),
        ("전세|", "오늘부터 전세를 지원"),
        ("*수질*", "해양수질오염도"),
        ("net zero", "A Net-Zero roadmap"),
        ("emission", "cutting emissions by half"),
        ("ESG", "기업의 ESG경영"),
        ("RE100", "RE100은 약속이다"),
        ("외국인 + 체불", "외국인 노동자의 임금 체불을 줄인다"),
    ],
)
def test_counts(written: str, text: str) -> None:
    assert found(text, term(written)) == [written]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("출산", "수출산업 육성"),
        ("과적", "효과적인 방안"),
        ("쟁의", "경쟁의 원칙"),
        ("한파", "대한 파급 효과"),
        ("환경차", "친환경 차량 보급"),
        ("경차량", "친환경 차량 보급"),
        ("댐", "댐퍼 교체"),
        ("숲", "수풀숲길"),
        ("|전세", "안전세미나"),
        ("지역|", "지역난방 요금"),
        ("ESS", "the process"),
        ("EV", "Every day"),
        ("외국인 + 체불", "외국인을 만났다. " + "가" * 60 + " 체불"),
        ("이사회", "이사. 회의를 열다"),
    ],
)
def test_does_not_count(written: str, text: str) -> None:
    assert found(text, term(written)) == []


def test_the_longest_expression_wins() -> None:
    assert found("탄소중립 기본계획", term("탄소"), term("탄소중립", "T2")) == ["탄소중립"]


def test_a_mask_hides_terms_of_all_topics_or_of_its_own() -> None:
    assert found("투자환경 개선", term("환경"), Mask(text="투자환경")) == []
    assert found("투자환경 개선", term("*환경*"), term("*환경*", "T2"), Mask(text="투자환경", topic="T1")) == ["*환경*"]


def test_a_term_longer_than_the_mask_counts() -> None:
    assert found("위해식품 회수", term("위해식품"), Mask(text="위해")) == ["위해식품"]
    for topic in ("", term("위해식품").topic):
        assert found("식품위해식품 회수", term("위해식품"), Mask(text="식품위해", topic=topic)) == ["위해식품"]


def test_offsets_lead_back_to_the_text_as_stored() -> None:
    text = "‘탄소 중립’, 수소 경제"
    spans = [(one.offset, one.until) for one in Matcher([term("탄소중립"), term("수소경제")]).find(squeeze(text))]
    assert [text[start:end] for start, end in spans] == ["탄소 중립", "수소 경제"]


def test_decomposed_letters_are_composed_first() -> None:
    assert found("탄소중립".encode().decode(), term("탄소중립")) == ["탄소중립"]
    assert squeeze("\u1110\u1161\u11ab\u1109\u1169").text == "탄소"


def test_letters_that_grow_in_lower_case_shift_nothing() -> None:
    text = "İİİ 탄소중립"
    assert [text[one.offset : one.until] for one in Matcher([term("탄소중립")]).find(squeeze(text))] == ["탄소중립"]


def test_markup_is_blanked_character_for_character() -> None:
    html = "<p>탄소&nbsp;<b>중립</b></p>"
    assert len(plain(html)) == len(html)
    assert plain(html).split() == ["탄소", "중립"]


def test_a_term_of_signs_only_has_nothing_to_search() -> None:
    assert needles("|*") == ()
    assert needles("·") == ()
