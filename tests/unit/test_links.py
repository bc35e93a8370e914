"""Links made absolute and canonical; the links are in ``tests/cases/links/links.toml``."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.normalize.links import _PLAIN, _SOUND, MOST, _key, absolute, canonical, is_site

CASES = tomllib.loads((Path(__file__).parents[1] / "cases" / "links" / "links.toml").read_text(encoding="utf-8"))
BASE = "https://www.example.go.kr/rss/feed.xml"


@pytest.mark.parametrize(("printed", "link", "key"), CASES["absolute"])
def test_a_link_is_made_absolute_and_canonical(printed: str, link: str, key: str) -> None:
    assert absolute(printed, BASE) == link
    assert (canonical(link) if link else "") == key


@pytest.mark.parametrize("pages", CASES["same"])
def test_links_of_one_page_have_one_key(pages: list[str]) -> None:
    assert len({canonical(absolute(page, BASE)) for page in pages}) == 1


@pytest.mark.parametrize("pages", CASES["different"])
def test_links_of_different_pages_have_different_keys(pages: list[str]) -> None:
    assert len({canonical(absolute(page, BASE)) for page in pages}) == len(pages)


@given(st.from_regex(_SOUND, fullmatch=True))
def test_what_is_taken_for_sound_is_what_mending_gives(link: str) -> None:
    """With a space before it the link is taken apart and put together."""
    path = link[link.index("/", 8) :]
    assert absolute(f" {link}", BASE) == absolute(link, BASE) == link
    assert absolute(f" {path}", link) == absolute(path, link) == link


def test_a_host_longer_than_names_may_be_is_none() -> None:
    link = f"http://{'0.' * 130}kr/"
    assert absolute(link, BASE) == absolute(f" {link}", BASE) == ""


@given(st.from_regex(_PLAIN, fullmatch=True))
def test_a_key_that_is_read_off_is_the_one_that_taking_apart_gives(link: str) -> None:
    assert canonical(link) == _key(link)


@pytest.mark.parametrize("site", ["https://www.example.go.kr", "http://example.com:8080"])
@pytest.mark.parametrize("after", ["", "/", "?board=/7", "#/7", "/rss/feed.xml"])
@pytest.mark.parametrize("link", ["/view.do?no=7", "/view.do;jsessionid=1?no=7"])
def test_a_link_from_the_root_stays_on_the_site_whatever_the_base_has_after_it(
    site: str, after: str, link: str
) -> None:
    assert absolute(link, f"{site}{after}") == f"{site}/view.do?no=7"


def test_lone_surrogates_are_dropped() -> None:
    assert absolute("/7\ud800", BASE) == "https://www.example.go.kr/7"


def test_a_link_as_long_as_a_book_is_none() -> None:
    assert absolute("/" + "가" * MOST, BASE) == ""


@pytest.mark.parametrize(("link", "site"), [("https://a.go.kr/", True), ("https://a.go.kr/?no=7", False), ("", True)])
def test_a_home_page_is_no_article(link: str, site: bool) -> None:
    assert is_site(link) is site


@given(st.text(max_size=200))
def test_any_text_is_a_web_link_or_nothing(printed: str) -> None:
    link = absolute(printed, BASE)
    assert link == "" or link.startswith(("http://", "https://"))
    assert link.isascii()
    assert absolute(link, BASE) == link
    assert canonical(link).encode().decode() == canonical(link)
