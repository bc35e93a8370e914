"""Plain RSS reads as feedparser reads it, and what is not plain is left to feedparser."""

from __future__ import annotations

import io
from html import escape
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyfeed.normalize import plain_rss
from policyfeed.normalize.wishes import wishes
from policyfeed.sources import feed
from policyfeed.types import Entry

BASE = "https://www.example.go.kr/rss.xml"
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:atom="http://www.w3.org/2005/Atom"'
)
TEXT = st.one_of(
    st.text(st.sampled_from("탄소중립 계획 a<&>]\"'\u00a0\u0093é·\n\t"), max_size=20),
    st.sampled_from(
        [
            "",
            "가 &amp; 나",
            "R&amp;D &lt;b&gt;",
            "<p>하도급<br/>거래</p>",
            "Ã«",
            "ê°",
            "&#150;",
            "\xe9t\xe9",
            "홍보 (a@b.kr)",
        ]
    ),
)
LINKS = st.sampled_from(
    ["https://x.kr/v?no=1&m=2", "/v/1", "v?no=1", "", "http:////x.kr/1", "//x.kr/1", "https://x.kr/a&b;c", "urn:x:1"]
)
DATES = st.sampled_from(["Wed, 20 May 2026 09:00:00 +0900", "2026.05.20", "2026-05-20 17:00:00.0", ""])


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def element(name: str, text: str, *, wrapped: bool, attributes: str = "") -> str:
    return f"<{name}{attributes}>{cdata(text) if wrapped else escape(text)}</{name.partition(' ')[0]}>"


def said(name: str, texts: st.SearchStrategy[str], attributes: tuple[str, ...] = ("",)) -> st.SearchStrategy[str]:
    return st.builds(
        lambda text, wrapped, extra: element(name, text, wrapped=wrapped, attributes=extra),
        texts,
        st.booleans(),
        st.sampled_from(attributes),
    )


ITEM = st.tuples(
    said("title", TEXT),
    said("link", LINKS),
    st.lists(
        st.one_of(
            said("description", TEXT),
            said("content:encoded", TEXT),
            said("pubDate", DATES),
            said("dc:date", DATES),
            said("guid", LINKS, ("", ' isPermaLink="false"', ' isPermaLink="true"')),
            said("author", TEXT),
            said("dc:creator", TEXT),
            said("category", TEXT, ("", ' domain="x"')),
            said("comments", LINKS),
            said("views", TEXT),
            st.just('<enclosure url="/f.hwp" type="Application/HWP" length="1"/>'),
            st.just("<description><b>나</b></description>"),
            st.just("<!-- 아님 -->"),
        ),
        max_size=6,
    ),
).flatmap(lambda parts: st.permutations([parts[0], parts[1], *parts[2]]))
HEAD = st.lists(
    st.sampled_from(
        [
            "<title>보도자료</title>",
            "<link>https://x.kr/</link>",
            "<ttl>30</ttl>",
            "<TTL>60</TTL>",
            "<sy:updatePeriod>daily</sy:updatePeriod>",
            "<sy:updateFrequency>2</sy:updateFrequency>",
            '<atom:link rel="Next" href="/rss.xml?p=2"/>',
            "<image><url>/a.png</url><title>가</title><link>https://x.kr/</link></image>",
            "<lastBuildDate>Wed, 20 May 2026 09:00:00 +0900</lastBuildDate>",
        ]
    ),
    max_size=5,
    unique=True,
)


def document(head: list[str], items: list[list[str]], root: str = "rss") -> str:
    listed = "".join(f"<item>{''.join(parts)}</item>" for parts in items)
    return f'<{root} version="2.0" {SPACES}><channel>{"".join(head)}{listed}</channel></{root}>'


def by_feedparser(text: str) -> tuple[list[Entry], Any]:
    parsed = feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    return [feed._entry(one, BASE) for one in parsed.entries], parsed.feed


def nexts(head: Any) -> list[Any]:
    return [one.get("href") for one in head.get("links", ()) if one.get("rel") == "next"]


@settings(max_examples=300, deadline=None)
@given(HEAD, st.lists(ITEM, min_size=1, max_size=2))
def test_plain_rss_reads_as_feedparser_reads_it(head: list[str], items: list[list[str]]) -> None:
    text = document(head, items)
    plain = plain_rss.parse(text)
    if plain is not None:
        entries, theirs = by_feedparser(text)
        assert [feed._entry(one, BASE) for one in plain.entries] == entries
        assert wishes(plain.feed, text) == wishes(theirs, text)
        assert nexts(plain.feed) == nexts(theirs)


PLAIN = (
    "<title><![CDATA[[부처합동] 탄소중립·녹색성장]]></title>",
    "<link>https://x.kr/view?no=1</link>",
    '<guid isPermaLink="false">1</guid>',
    "<description><![CDATA[<p>온실가스 &nbsp; 감축</p>]]></description>",
    "<pubDate>2026-09-23 17:00:00.0</pubDate>",
    "<category>환경</category><category>경제</category>",
)


def test_what_ministries_publish_is_plain() -> None:
    for parts in (PLAIN, PLAIN[:2], (*PLAIN[:2], "<description>가 &lt;b&gt; 나</description>")):
        text = document(["<title>가</title><ttl>5</ttl>"], [list(parts)])
        plain = plain_rss.parse(text)
        assert plain is not None
        assert [feed._entry(one, BASE) for one in plain.entries] == by_feedparser(text)[0]


@pytest.mark.parametrize(
    "odd",
    [
        document([], [[*PLAIN, "<views>3</views>"]]),
        document([], [[*PLAIN, "<author>가</author><dc:creator>나</dc:creator>"]]),
        document([], [["<title>제목만</title>"]]),
        document(["<item-list><item/></item-list>"], [list(PLAIN)]),
        document([], [list(PLAIN)]).replace("<item>", '<item xml:base="/x/">'),
        document([], [list(PLAIN)]).replace("[부처합동]", "\u0093부처합동\u0094"),
        document([], [list(PLAIN)]).replace("2.0", "2.0\" xml:lang=\"ko", 1),
        document([], [list(PLAIN)], root="rdf"),
        "<!DOCTYPE rss>" + document([], [list(PLAIN)]),
        document([], [list(PLAIN)])[:-3],
        document([], [[*PLAIN, "<category>R&D</category>"]]),
    ],
)  # fmt: skip
def test_what_is_out_of_the_ordinary_is_not(odd: str) -> None:
    assert plain_rss.parse(odd) is None
