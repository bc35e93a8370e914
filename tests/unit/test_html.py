"""What upstream calls HTML: nothing runs, nothing loads, and words in brackets stay; ``tests/cases/html``."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.normalize.html import DEEPEST, MOST, flat, is_html, opening, sanitize, title, to_line, to_text

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "html" / "sanitize.toml").read_text(encoding="utf-8"))
BASE = "https://www.example.go.kr/board/view.do?no=7"
# No tables: HTML's own rules move misplaced parts of them about, and a second reading moves them again
PIECES = (
    "<p>", "</p>", "<b onclick=x>", "</b>", "<script>", "</script>", "<svg onload=x>", "<a href='javascript:x'>",
    "<a href=/7>", "</a>", "<!--", "-->", "&lt;", "&amp;", "&#60;", "&nbsp;", "<", ">", '"', "'", "가", "나 다", "\n",
    "<K-푸드>", "<style>", "</style>", "<iframe src=x>", "<img src=x onerror=y>", "\x00", "\u202e", "<math>",
    "<textarea>", "<title>", "<plaintext>", "\u1100", "\u1161",
)  # fmt: skip
MARKUP = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)


@pytest.mark.parametrize(("markup", "safe", "text"), CASES["case"])
def test_markup_is_sanitized_and_read(markup: str, safe: str, text: str) -> None:
    assert sanitize(markup, BASE) == safe
    assert to_text(markup) == text
    assert sanitize(safe, BASE) == safe
    assert opening(safe, len(safe)) == to_line(safe)


@pytest.mark.parametrize(("printed", "text"), CASES["title"])
def test_a_title_is_text(printed: str, text: str) -> None:
    assert title(printed) == text


@pytest.mark.parametrize(
    ("text", "html"),
    [("<p>", True), ("&nbsp;", True), ("<창업>", False), ("<K-푸드>", False), ("1 < 2", False), ("</B>", True)],
)
def test_what_counts_as_html(text: str, html: bool) -> None:
    assert is_html(text) is html


def test_a_line_is_a_line() -> None:
    assert to_line("<p>가</p>\n<p>나&nbsp;다</p>") == "가 나 다"


@pytest.mark.parametrize("text", ["가" * (MOST + 1), "<p>" + "가" * MOST + "</p>", "<b>" * 20_000 + "가"])
def test_a_book_is_cut(text: str) -> None:
    assert len(sanitize(text, BASE)) <= MOST + 20
    assert len(to_text(text)) <= MOST


@pytest.mark.parametrize("nest", ["<div>", "<DIV a='<'>", "<div></span>", "<x><blockquote>", "<span>", "<ul><li>"])
def test_what_is_nested_too_deep_keeps_its_text_alone(nest: str) -> None:
    """A parser's effort grows with the square of the depth: 50,000 of these had cost 6 s at each view."""
    markup = f"<p>앞</p>{nest * 50_000}<b>가</b>{'<p>나</p>' * 1000}"
    began = process_time()
    safe = sanitize(markup, BASE)
    assert "가" in to_text(markup)
    assert process_time() - began < 5
    assert max(safe.count(f"<{tag}>") for tag in ("div", "blockquote", "span", "ul")) <= DEEPEST
    assert safe.startswith("<p>앞</p>")
    assert safe.count("<p>나</p>") == 1000


def test_a_long_table_is_not_deep() -> None:
    rows = "<tr><td>가<br><td>나" * 2000
    assert flat(f"<table>{rows}</table><div>") == f"<table>{rows}</table><div>"
    sections = "<div><p>가</div>" * 2000
    assert flat(sections) == sections


@given(MARKUP)
def test_nothing_runs_whatever_the_markup(markup: str) -> None:
    safe = sanitize(markup, BASE)
    tags = re.findall(r"<[^>]*>", safe)
    assert not any(re.search(r"\son\w+=|javascript:|style=", tag, re.IGNORECASE) for tag in tags)
    assert not re.search(r"<(script|style|iframe|svg|math|img|textarea|title|plaintext)", safe, re.IGNORECASE)


@given(MARKUP)
def test_sanitizing_twice_changes_nothing(markup: str) -> None:
    safe = sanitize(markup, BASE)
    assert sanitize(safe, BASE) == safe


@given(MARKUP)
def test_a_title_is_one_line_without_controls(markup: str) -> None:
    text = title(markup)
    assert text == " ".join(text.split())
    assert "\x00" not in text
    assert "\u202e" not in text


@given(MARKUP)
def test_the_opening_of_sanitized_html_is_its_text(markup: str) -> None:
    safe = sanitize(markup, BASE)
    assert opening(safe, len(safe)) == to_line(safe)
