"""Whatever a page is like: discovery neither fails nor proposes a table that is none."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from policyfeed.discovery import described, feed_links, propose
from policyfeed.probe import board_of
from policyfeed.sources import page

URL = "https://www.example.go.kr/board/list.do?menuNo=200"
CASES = [
    file.read_text(encoding="utf-8")
    for file in sorted((Path(__file__).parents[1] / "cases" / "discovery").glob("*.html"))
]
SCRAPS = st.sampled_from(
    ["<tr>", "</td>", "<a href='javascript:go(1,2'>", "2026.05.20", 'onclick="go(', "\x00", "</ul>", "＜", "{id}"]
)


@st.composite
def torn(draw: st.DrawFn) -> str:
    """A page with parts cut out and scraps put in."""
    text = draw(st.sampled_from(CASES))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text)))
        text = text[:start] + draw(SCRAPS) + text[start + draw(st.integers(0, 300)) :]
    return text


@settings(max_examples=150, deadline=None)
@given(torn())
def test_torn_pages_give_usable_tables_or_none(text: str) -> None:
    feed_links(text, URL)
    described(text)
    proposal = propose(text, URL)
    if proposal is not None:
        assert page.check(board_of(URL, proposal)) == ()
