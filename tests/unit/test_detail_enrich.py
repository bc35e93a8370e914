"""What an article's own page adds: the summary of a list gets the white space that the list took away."""

from __future__ import annotations

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
