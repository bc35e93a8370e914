"""Plain feeds read as feedparser reads them, and what is not plain is left to feedparser."""

from __future__ import annotations

import io
from html import escape
from typing import Any

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyfeed.normalize import plain_feed
from policyfeed.normalize.wishes import wishes
from policyfeed.sources import feed
from policyfeed.types import Entry

BASE = "https://www.example.go.kr/rss.xml"
SPACES = (
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:media="http://search.yahoo.com/mrss/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" '
    'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:go="urn:x:our:own" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
)
BASES = ("", ' xml:base="https://y.kr/b/"', ' xml:base="c/"', ' xml:lang="ko"')
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
            "Écologie",
            "가<!-- 나 -->다",
        ]
    ),
)
LINKS = st.sampled_from(
    [
        *["https://x.kr/v?no=1&m=2"] * 5,
        "/v/1",
        "v?no=1",
        "",
        "http:////x.kr/1",
        "//x.kr/1",
        "https://x.kr/a&b;c",
        "urn:x:1",
    ]
)
DATES = st.sampled_from(["Wed, 20 May 2026 09:00:00 +0900", "2026.05.20", "2026-05-20 17:00:00.0", ""])


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def element(name: str, text: str, *, wrapped: bool, attributes: str = "") -> str:
    return f"<{name}{attributes}>{cdata(text) if wrapped else escape(text)}</{name.partition(' ')[0]}>"


def name_of(part: str) -> str:
    return part.lstrip("<").replace(">", " ").split()[0]


def said(name: str, texts: st.SearchStrategy[str], attributes: tuple[str, ...] = ("",)) -> st.SearchStrategy[str]:
    return st.builds(
        lambda text, wrapped, extra: element(name, text, wrapped=wrapped, attributes=extra),
        texts,
        st.booleans(),
        st.sampled_from(attributes),
    )


BESIDES = st.sampled_from(
    [
        "<!-- 아님 -->",
        '<enclosure url="/f.hwp" type="Application/HWP" length="1"/>',
        "<description><b>나</b></description>",
        "<views>3</views>",
        '<dept no="1">기획과</dept>',
        "<date>2026-05-21</date>",
        "<links>없음</links>",
        "<go:views>3</go:views>",
        "<go:title>다른 제목</go:title>",
        '<views xmlns="urn:x:other">3</views>',
        '<title xmlns="urn:x:other">다른 제목</title>',
        "<dc:title>다른 제목</dc:title>",
        '<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">과</dc:creator>',
        '<dc:views xmlns:dc="urn:x:other">과</dc:views>',
        "<copyright>부처</copyright><keywords>가,나</keywords><language>en</language>",
        "<dc:subject>환경</dc:subject><dc:rights>공공누리</dc:rights><dc:language>ko</dc:language>",
        '<media:content url="/a.jpg" medium="image"/><media:thumbnail url="/a.jpg"/>',
        '<media:content url="/a.jpg"><media:title>사진</media:title></media:content>',
        "<media:description>사진</media:description>",
        "<media:credit>홍보담당관</media:credit><media:keywords>가,나</media:keywords>",
        "<slash:comments>3</slash:comments><wfw:commentRss>https://x.kr/1/feed</wfw:commentRss>",
        '<atom:link rel="self" href="/feed"/>',
        '<atom:link rel="Enclosure" href="/g.pdf" title="붙임" type="Application/PDF"/>',
        '<source url="https://x.kr/rss">원문</source>',
        "<image><url>/a.png</url><title>가</title></image>",
    ]
)
ITEM = st.tuples(
    said("title", TEXT),
    said("link", LINKS),
    st.lists(
        st.one_of(
            said("description", TEXT),
            said("content:encoded", TEXT, BASES),
            said("pubDate", DATES),
            said("PUBDATE", DATES),
            said("dc:date", DATES),
            said("guid", LINKS, ("", ' isPermaLink="false"', ' isPermaLink="true"')),
            said("author", TEXT),
            said("dc:creator", TEXT),
            said("category", TEXT, ("", ' domain="x"')),
            said("comments", LINKS),
            BESIDES,
            BESIDES,
        ),
        max_size=6,
        unique_by=name_of,
    ),
).flatmap(lambda parts: st.permutations([parts[0], parts[1], *parts[2]]))
KINDS = (
    "",
    ' type="text"',
    ' type="html"',
    ' type="HTML"',
    ' type="text/plain"',
    ' type="image/png"',
    ' mode="base64"',
)
DIVS = st.sampled_from(
    [
        "<p>온실가스 &amp; <b>감축</b><br/> 끝</p>",
        '<a href="/v?a=1&amp;b=2" REL="Next" title="&quot;가&quot;">가</a>',
        "가</div><div>나",
        "<!-- 아님 --><P CLASS='x'>가 &lt;b&gt; ê°</P>",
        '<p xml:lang="ko">가</p>',
        '<svg xmlns="http://www.w3.org/2000/svg"><title>그림</title></svg>',
        '<title xmlns="http://www.w3.org/2005/Atom">가</title>',
        "<body>가</body>",
        "<img src='/a.png' alt=''/>",
        "",
    ]
)
XHTML = st.builds(
    lambda name, around, inner, kind, base: (
        f'<{name} type="{kind}"{base}>{around}<div xmlns="http://www.w3.org/1999/xhtml">{inner}</div>{around}</{name}>'
    ),
    st.sampled_from(["content", "summary", "title"]),
    st.sampled_from(["", "\n  ", "앞"]),
    DIVS,
    st.sampled_from(["xhtml", "xhtml", "html"]),
    st.sampled_from(BASES),
)
LINK = st.builds(
    lambda rel, kind, href: f'<link{rel}{kind} href="{escape(href)}"/>',
    st.sampled_from(["", ' rel="alternate"', ' rel="self"', ' rel="Enclosure"', ' rel="edit"']),
    st.sampled_from(["", ' type="text/html"', ' type="application/json"', ' title="붙임"']),
    LINKS,
)
AUTHOR = st.builds(
    lambda name, more: f"<author>{more}<name>{escape(name)}</name></author>",
    TEXT,
    st.sampled_from(["", "<email>a@b.kr</email>", "\n <uri>/me</uri>\n", "가", "<email/>", "<name>나</name>"]),
)
ENTRY = st.tuples(
    said("title", TEXT, KINDS),
    st.one_of(LINK, st.just('<link href="https://x.kr/v?no=1"/>')),
    st.lists(
        st.one_of(
            LINK,
            XHTML,
            said("summary", TEXT, (*KINDS, *BASES)),
            said("content", TEXT, (*KINDS, *BASES, ' src="/v"')),
            said("id", LINKS),
            said("published", DATES),
            said("updated", DATES),
            AUTHOR,
            st.just('<category term="환경" scheme="x"/><rights>공공누리</rights>'),
            BESIDES,
        ),
        max_size=6,
        unique_by=name_of,
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


def atom(head: list[str], items: list[list[str]], base: str = "", around: str = "") -> str:
    listed = "".join(f"<entry{base}>{''.join(parts)}</entry>" for parts in items)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"{around} {SPACES}>{"".join(head)}{listed}</feed>'


def rdf(head: list[str], items: list[list[str]], about: str = "") -> str:
    listed = "".join(f"<item{about}>{''.join(parts)}</item>" for parts in items)
    channel = f'<channel rdf:about="https://x.kr/">{"".join(head)}<items><rdf:Seq/></items></channel>'
    return f'<rdf:RDF xmlns="http://purl.org/rss/1.0/" {SPACES}>{channel}{listed}</rdf:RDF>'


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


def check(text: str) -> None:
    plain = plain_feed.parse(text)
    if plain is not None:
        entries, theirs = by_feedparser(text)
        assert [feed._entry(one, BASE) for one in plain.entries] == entries
        assert wishes(plain.feed, text) == wishes(theirs, text)
        assert nexts(plain.feed) == nexts(theirs)


@settings(max_examples=300, deadline=None)
@given(HEAD, st.lists(ITEM, min_size=1, max_size=2))
def test_plain_rss_reads_as_feedparser_reads_it(head: list[str], items: list[list[str]]) -> None:
    check(document(head, items))


@settings(max_examples=200, deadline=None)
@given(HEAD, st.lists(ITEM, min_size=1, max_size=2), st.sampled_from(["", ' rdf:about="https://x.kr/1"', ' href="/1"']))
def test_plain_rdf_reads_as_feedparser_reads_it(head: list[str], items: list[list[str]], about: str) -> None:
    check(rdf(head, items, about))


@settings(max_examples=400, deadline=None)
@given(HEAD, st.lists(ENTRY, min_size=1, max_size=3), st.sampled_from(BASES), st.sampled_from(BASES))
def test_plain_atom_reads_as_feedparser_reads_it(
    head: list[str], items: list[list[str]], base: str, around: str
) -> None:
    check(atom(head, items, base, around))


PLAIN = (
    "<title><![CDATA[[부처합동] 탄소중립·녹색성장]]></title>",
    "<link>https://x.kr/view?no=1</link>",
    '<guid isPermaLink="false">1</guid>',
    "<description><![CDATA[<p>온실가스 &nbsp; 감축</p>]]></description>",
    "<pubDate>2026-09-23 17:00:00.0</pubDate>",
    "<category>환경</category><category>경제</category>",
)


WORDPRESS = (
    *("<title>Énergie &#8211; 계획</title>", "<link>https://x.kr/1</link>", "<comments>https://x.kr/1#r</comments>"),
    *("<dc:creator><![CDATA[홍보]]></dc:creator>", "<pubDate>Wed, 20 May 2026 09:00:00 +0000</pubDate>"),
    *("<category><![CDATA[환경]]></category>", '<guid isPermaLink="false">https://x.kr/?p=1</guid>'),
    *(
        "<description><![CDATA[요약 [&#8230;]]]></description>",
        "<content:encoded><![CDATA[<p>글</p>]]></content:encoded>",
    ),
    *("<wfw:commentRss>https://x.kr/1/feed/</wfw:commentRss>", "<slash:comments>0</slash:comments>"),
)
WORDPRESS_ATOM = (
    *("<author><name>홍보</name><uri>https://x.kr/</uri></author>", '<title type="html"><![CDATA[계획]]></title>'),
    *('<link rel="alternate" type="text/html" href="https://x.kr/1"/>', "<id>https://x.kr/?p=1</id>"),
    *("<updated>2026-05-20T00:00:00Z</updated>", "<published>2026-05-20T00:00:00Z</published>"),
    *('<category scheme="https://x.kr" term="환경"/>', '<summary type="html"><![CDATA[요약]]></summary>'),
    '<content type="html" xml:base="https://x.kr/1"><![CDATA[<p>글</p>]]></content>',
    '<link rel="replies" type="text/html" href="https://x.kr/1#comments"/>',
)
MARKUP = '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>글 &amp; <br/></p></div></content>'
HEADS = ["<title>가</title>", '<link rel="self" href="https://x.kr/feed"/>', "<updated>2026-05-20T00:00:00Z</updated>"]


@pytest.mark.parametrize(
    "text",
    [
        document(["<title>가</title><ttl>5</ttl>"], [list(PLAIN), list(PLAIN[:2])]),
        document([], [[*PLAIN[:2], "<description>가 &lt;b&gt; 나</description>", "<hit>3</hit>"]]),
        document(['<atom:link href="https://x.kr/feed/" rel="self"/><language>ko</language>'], [list(WORDPRESS)]),
        rdf(["<title>가</title>"], [[*PLAIN[:2], "<dc:date>2026-05-20</dc:date>"]], ' rdf:about="https://x.kr/1"'),
        atom(HEADS, [list(WORDPRESS_ATOM)] * 2, around=' xml:lang="ko" xml:base="https://x.kr/wp-atom.php"'),
        atom(HEADS, [["<title>가</title>", '<link href="https://x.kr/1"/>', "<id>urn:x:1</id>", MARKUP]]),
    ],
)
def test_what_is_mostly_published_is_plain(text: str) -> None:
    assert plain_feed.parse(text) is not None
    check(text)


@pytest.mark.parametrize(
    "odd",
    [
        document([], [[*PLAIN, "<guidislink>3</guidislink>"]]),
        document([], [[*PLAIN, "<views><all>3</all></views>"]]),
        document([], [[*PLAIN, "<author>가</author><dc:creator>나</dc:creator>"]]),
        document([], [["<title>제목만</title>"]]),
        document(["<item-list><item/></item-list>"], [list(PLAIN)]),
        document([], [list(PLAIN)]).replace("<item>", '<item xml:base="/x/">'),
        document([], [list(PLAIN)]).replace("[부처합동]", "\u0093부처합동\u0094"),
        document([], [list(PLAIN)]).replace("2.0", "2.0\" xml:base=\"v/", 1),
        atom([], [["<title>가</title>", "<link href='https://x.kr/1'/>", "<content src='/v' type='text/html'/>"]]),
        atom([], [["<title>가</title>", "<link href='https://x.kr/1'/>", "<content type='xhtml'>가</content>"]]),
        document([], [list(PLAIN)], root="rdf"),
        "<!DOCTYPE rss>" + document([], [list(PLAIN)]),
        document([], [list(PLAIN)])[:-3],
        document([], [[*PLAIN, "<category>R&D</category>"]]),
    ],
)  # fmt: skip
def test_what_is_out_of_the_ordinary_is_not(odd: str) -> None:
    assert plain_feed.parse(odd) is None
