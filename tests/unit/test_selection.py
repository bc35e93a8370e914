"""Which articles a feed, an alert or a search takes."""

from __future__ import annotations

import pytest

from policyfeed.selection import Selection
from policyfeed.types import Kind
from tests import releases


@pytest.mark.parametrize(
    ("words", "title", "taken"),
    [
        (("탄소 중립",), "탄소중립 도시 선정", True),
        (("탄소 중립",), "2050 탄소  중립", True),
        (("탄소중립",), "2050 탄소 중립", False),
        (("esg",), "ESG 공시 기준", True),
        (("esg", "녹조"), "ESG 공시 기준", False),
        (("c++ (",), "C++ ( 교육", True),
        ((" ",), "무엇이든", True),
    ],
)
def test_words_occur_with_or_without_their_spaces(words: tuple[str, ...], title: str, taken: bool) -> None:
    judged = releases.judged(1, title=title, summary="", content="")
    assert Selection(kept_only=False, words=words).takes(judged) is taken


@pytest.mark.parametrize(
    ("word", "taken"),
    [
        ("R&D", True),
        ("탄소중립", True),
        ("5 < 7", True),
        ("예산감축", False),
        ("strong", False),
        ("example.go.kr", False),
    ],
)
def test_words_are_sought_in_what_a_text_says_and_not_in_its_markup(word: str, taken: bool) -> None:
    content = (
        '<p>내년 R&amp;D 예산</p><p><strong>감축</strong> 없이 5 &lt; 7, <b>탄소</b><span lang="ko">중립</span>: '
        '<a href="https://example.go.kr/7">자세히</a></p>'
    )
    judged = releases.judged(1, title="예산안", summary="", content=content)
    assert Selection(kept_only=False, words=(word,)).takes(judged) is taken


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(), True),
        (Selection(topics=("S2", "E1")), True),
        (Selection(topics=("S2",)), False),
        (Selection(pillars=("E",)), True),
        (Selection(pillars=("S", "G")), False),
        (Selection(ministries=("mcee",)), True),
        (Selection(ministries=("moel",)), True),
        (Selection(ministries=("forest",)), False),
        (Selection(kinds=(Kind.NOTICE, Kind.PRESS_RELEASE)), True),
        (Selection(kinds=(Kind.NOTICE,)), False),
        (Selection(min_score=82.4), True),
        (Selection(min_score=82.5), False),
        (Selection(alert_only=True), False),
        (Selection(topics=("E1",), pillars=("G",)), False),
    ],
)
def test_every_condition_that_is_given_must_hold(selection: Selection, taken: bool) -> None:
    """A joint release is each of its ministries'."""
    assert selection.takes(releases.joint()) is taken


def test_what_was_dropped_is_taken_where_it_is_asked_for() -> None:
    dropped = releases.judged(1, releases.DROPPED)
    assert not Selection().takes(dropped)
    assert Selection(kept_only=False).takes(dropped)
