"""OPML: what is written reads back, what readers export is read, and nothing hostile comes in."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policyfeed.errors import UsageError
from policyfeed.normalize.xml import mended
from policyfeed.opml import Outline, read, write

FEEDS = (
    Outline(
        title='기후부 "보도·설명" <1>', url="https://www.example.go.kr/rss?a=1&b=2", page="https://www.example.go.kr/"
    ),
    Outline(title="EU news", url="https://eu.example/feed", language="en"),
)


def test_what_is_written_reads_back() -> None:
    assert read(write("목록", FEEDS).decode(), "x.opml") == FEEDS


def test_it_is_opml_2_and_the_same_each_time() -> None:
    assert b'<opml version="2.0">' in write("목록", FEEDS)
    assert write("목록", FEEDS) == write("목록", FEEDS)
    stamped = write("목록", (), datetime(2026, 5, 20, tzinfo=UTC))
    assert b"<dateCreated>Wed, 20 May 2026 00:00:00 +0000</dateCreated>" in stamped


def test_folders_are_opened_and_doubles_are_one() -> None:
    data = """<opml version="1.0"><body><outline text="정부">
      <outline text="산림" title="산림청" xmlURL=" https://a.example/rss "/>
      <outline text="폴더"><outline title="산림청 다시" xmlUrl="https://a.example/rss"/></outline></outline>
      <outline text="링크만" htmlUrl="https://a.example/"/></body></opml>"""
    assert read(data, "x") == (Outline(title="산림청", url="https://a.example/rss"),)


@pytest.mark.parametrize("data", ["", "<html/>", "주소록", '{"a": 1}'])
def test_other_files_are_refused_by_name(data: str) -> None:
    with pytest.raises(UsageError, match=r"x\.opml is no OPML"):
        read(data, "x.opml")


def test_entities_are_not_resolved() -> None:
    data = """<!DOCTYPE opml [<!ENTITY f SYSTEM "file:///etc/hostname">]>
      <opml><body><outline text="a&f;b" xmlUrl="https://a.example/rss"/></body></opml>"""
    (outline,) = read(data, "x")
    assert outline.url == "https://a.example/rss"
    assert outline.title in ("ab", "a&f;b")


def test_a_bare_ampersand_leaves_an_address_whole() -> None:
    outline = '<outline text="R&D" xmlUrl="https://a.example/rss?a=1&b=2"/>'
    data = f'<?xml version="1.0" encoding="euc-kr"?><opml><body>{outline}</body></opml>'
    assert read(mended(data), "x") == (Outline(title="R&D", url="https://a.example/rss?a=1&b=2"),)
