"""What holds for every text."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from policyfeed.relevance import Judge, judge_text, load_topics
from policyfeed.relevance.text import plain, squeeze
from policyfeed.types import Kind

TOPICS = Path(__file__).parents[2] / "config" / "topics"
WORDS = [
    "탄소중립",
    "온실 가스",
    "수출",
    "임금체불",
    "ESG",
    "간담회",
    "하도급",
    "투자환경",
    "제43회",
    "·",
    "〈",
    "İ",
    "\n",
    "개최",
]
TITLES = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))


@cache
def judge() -> Judge:
    return Judge(load_topics(TOPICS))


@settings(max_examples=60, deadline=None)
@given(
    title=TITLES,
    lead=TITLES,
    body=TITLES,
    ministry=st.sampled_from(["", "환경부", "외교부"]),
    kind=st.sampled_from(Kind),
)
def test_reasons_add_up_and_point_into_the_text(title: str, lead: str, body: str, ministry: str, kind: Kind) -> None:
    verdict = judge_text(judge(), title=title, lead=lead, body=body, ministry=ministry, kind=kind)
    assert 0 <= verdict.score <= 100
    assert verdict.kept is (verdict.score >= judge().rules.settings.keep)
    assert verdict.kept or not verdict.alert
    assert math.isclose(math.fsum(reason.points for reason in verdict.reasons), verdict.score, abs_tol=1e-9)
    fields = {"title": title, "summary": lead, "content": body, "": ""}
    assert all(-1 <= reason.offset <= len(fields[reason.field]) for reason in verdict.reasons)


@settings(max_examples=40, deadline=None)
@given(
    words=st.lists(
        st.sampled_from(["탄소중립", "재생에너지", "미세먼지", "개인정보", "생물다양성"]), min_size=1, max_size=3
    )
)
def test_spaces_inside_terms_change_nothing(words: list[str]) -> None:
    close = judge_text(judge(), title=", ".join(words))
    apart = judge_text(judge(), title=", ".join(f"{word[:2]} {word[2:]}" for word in words))
    assert (apart.score, apart.topics) == (close.score, close.topics)


@given(text=st.text(max_size=200))
def test_squeezing_twice_changes_nothing(text: str) -> None:
    once = squeeze(text).text
    assert squeeze(once).text == once


@given(text=st.text(alphabet="<>&;ab 가", max_size=60))
def test_blanking_markup_keeps_every_place(text: str) -> None:
    assert len(plain(text)) == len(text)
