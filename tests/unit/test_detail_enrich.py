"""What an article's own page adds: white space that the list took away, a time of day where only the day is known."""

from __future__ import annotations

from datetime import timedelta

import pytest

from policyfeed.normalize.detail import enrich
from policyfeed.types import Detail
from tests.alerts import NOW, article
from tests.fakes import source

TEXT = "<p>총리, 공정한 선거 지원에 총력</p><p>- 관계장관회의 주재</p><p>□ 총리는 20일 회의를 열었다.</p>"


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        (
            "총리, 공정한 선거 지원에 총력- 관계장관회의 주재□ 총리는…",
            "총리, 공정한 선거 지원에 총력 - 관계장관회의 주재 □ 총리는…",
        ),
        ("총리,공정한 선거 지원에 총력", "총리, 공정한 선거 지원에 총력"),
        ("전혀 다른 첫머리- 이어짐…", "전혀 다른 첫머리- 이어짐…"),
        (
            "총리, 공정한 선거 지원에 총력- 관계장관회의 주재□ 총리는 21일…",
            "총리, 공정한 선거 지원에 총력- 관계장관회의 주재□ 총리는 21일…",
        ),
        ("", "총리, 공정한 선거 지원에 총력 - 관계장관회의 주재 □ 총리는 20일 회의를 열었다."),
    ],
)
def test_a_lists_summary_is_spaced_as_the_text_that_it_begins(listed: str, kept: str) -> None:
    found = enrich(article(summary=listed, content=""), Detail(content=TEXT), source(), NOW)
    assert found.summary == kept
    again = enrich(found, Detail(content=TEXT), source(), NOW, own_text=True)
    assert again.summary == kept


def test_a_page_gives_a_time_to_a_day_and_to_nothing_else() -> None:
    known = article(published=NOW)
    later, tomorrow = NOW + timedelta(minutes=5), NOW + timedelta(days=1)
    assert enrich(known, Detail(published=later.isoformat()), source(), NOW).published == NOW
    day = article(published=NOW, dated=True)
    timed = enrich(day, Detail(published=later.isoformat()), source(), NOW)
    assert (timed.published, timed.dated) == (later, False)
    kept = enrich(day, Detail(published=tomorrow.isoformat()), source(), NOW)
    assert (kept.published, kept.dated) == (NOW, True)
