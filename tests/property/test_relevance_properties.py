"""What holds for every text."""

from __future__ import annotations

import math
import re
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from policyfeed.relevance import Judge, judge_text, load_topics
from policyfeed.relevance.genres import words
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
TRICKY = [
    "가나?다",
    "(?:가|나)다*라",
    "가{0,2}나다",
    "[(]가[)]+",
    r"\(가\)",
    "가|나다",
    "가|.",
    "가나+다?",
    r"가\d{2}나|[다라]마",
    "(가)?나",
]


@cache
def judge() -> Judge:
    return Judge(load_topics(TOPICS))


@cache
def patterns() -> list[str]:
    return [*TRICKY, *(pattern for genre in judge().rules.genres for pattern in genre.patterns)]


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


@given(text=st.text(alphabet=" \t\xa0·-가나A", max_size=40))
def test_every_place_in_squeezed_text_leads_back(text: str) -> None:
    squeezed, places = squeeze(text), [place for place, char in enumerate(text) if char in "가나A"]
    assert squeezed.text == "".join(text[place] for place in places).lower()
    assert [squeezed.origin(offset) for offset in range(len(squeezed.text))] == places


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_genre_is_not_overlooked_for_want_of_its_words(data: st.DataObject) -> None:
    pattern = data.draw(st.sampled_from(patterns()))
    found = re.search(pattern, data.draw(st.from_regex(pattern)))
    assert found is not None
    assert not words(pattern) or any(word in found[0] for word in words(pattern))


def test_most_genres_are_known_by_words() -> None:
    assert sum(bool(words(pattern)) for pattern in patterns()) > 0.9 * len(patterns())
    assert words("가|나다") == ("가", "나다")
    assert words("가|.") == words("(가)?") == words(r"\x41") == ()
    assert words(".{0,3}(?:가나|다라).(?:마|바)") == ("가나", "다라")
    assert words("(?!가나).") == words("(?i:ab).") == words("(?:가|.)나?") == ()
