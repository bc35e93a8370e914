"""A feed read slice by slice gives the same entries as the feed read as a whole."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policyfeed.documents import SIZES, read_document
from policyfeed.normalize.slicing import sameness, slice_feed
from policyfeed.normalize.xml import mended
from policyfeed.sources import feed
from policyfeed.types import Article, Document, Entry
from tests.fakes import MINISTRIES, source

FEED = source()
NOW = datetime(2026, 5, 20, tzinfo=UTC)
TEXTS = st.text(st.sampled_from("탄소중립 계획 확정 a<&>]\"'\u00a0"), min_size=1, max_size=30)
WORDS = st.sampled_from(
    ["온실가스 감축", "<p>하도급 & 거래</p>", "<item>아님</item>", "]]>", "</item>", "<!-- 아님 -->"]
)
BODY = st.one_of(TEXTS, WORDS, st.tuples(TEXTS, WORDS).map(" ".join))


def cdata(text: str) -> str:
    return f"<![CDATA[{text.replace(']]>', ']]]]><![CDATA[>')}]]>"


def item(number: int, title: str, body: str, style: int, link: int) -> str:
    said = cdata(body) if style % 2 else escape(body)
    noise = ("", "<!-- <item> -->", "<dc:creator>홍보담당관</dc:creator>", "\n  ")[style % 4]
    return (
        f"<item>{noise}<title>{escape(title)} {number}</title><link>https://x.kr/view?no={link}</link>"
        f"<description>{said}</description><pubDate>Wed, 20 May 2026 0{number % 8}:00:00 +0900</pubDate></item>"
    )


def entry(number: int, title: str, body: str, style: int, link: int) -> str:
    kind = ' xml:base="https://y.kr/"' if style % 2 else ""
    return (
        f"<entry{kind}><id>urn:x:{number}</id><title>{escape(title)} {number}</title>"
        f'<link href="/view?no={link}"/><updated>2026-05-20T0{number % 8}:00:00Z</updated>'
        f'<content type="html">{escape(body)}</content></entry>'
    )


RSS = (
    '<?xml version="1.0" encoding="{encoding}"?>\n<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    "<channel><title>보도자료</title><lastBuildDate>{built}</lastBuildDate>{items}<ttl>30</ttl></channel></rss>"
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>가</title><dc:date>{built}</dc:date>'
    f"<items><rdf:Seq>{'<rdf:li/>' * 300}</rdf:Seq></items></channel>{{items}}</rdf:RDF>"
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://x.kr/"><title>가</title><updated>{built}</updated>'
    "{items}</feed>"
)
SHAPES = ((RSS, item), (RDF, item), (ATOM, entry))
ITEM = st.tuples(TEXTS, BODY, st.integers(0, 7))


def document(body: str, encoding: str) -> Document:
    data = body.encode("cp949" if encoding == "euc-kr" else encoding, "xmlcharrefreplace")
    return Document(url=FEED.url, status=200, body=data, fetched=NOW)


def articles(found: tuple[Article, ...]) -> dict[str, Article]:
    return {one.origins[0].key: one for one in found}


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(SHAPES),
    st.lists(ITEM, min_size=1, max_size=6),
    st.sets(st.integers(0, 5)),
    st.sampled_from(["utf-8", "euc-kr"]),
    st.sampled_from(["", "\n  ", "<!-- <item> -->", "\n<!-- 사이 -->\n"]),
)
@example(SHAPES[0], [("가", "]]>", 1), ("나", "</item>", 1)], {1}, "utf-8", "")
@example(SHAPES[0], [("가", "]]>", 1), ("나", "</item>", 1), ("다", "가", 0)], {0, 1}, "utf-8", "\n")
def test_slices_and_the_whole_read_the_same(
    shape: Any, listed: list[Any], known: set[int], encoding: str, between: str
) -> None:
    frame, make = shape
    items = [make(number, *said, number) + between for number, said in enumerate(listed)]
    before = [one for number, one in enumerate(items) if number in known]
    old = document(frame.format(items="".join(before), built="어제", encoding=encoding), encoding)
    new = document(frame.format(items="".join(items), built="오늘", encoding=encoding), encoding)
    first = read_document(FEED, {}, old, MINISTRIES)
    second = read_document(FEED, first.memory, new, MINISTRIES)
    whole = read_document(FEED, {}, new, MINISTRIES)
    assert second.listed == whole.listed == len(items)
    assert second.parsed == len(items) - len(before)
    assert second.memory == whole.memory
    sizeless = {name: value for name, value in first.memory.items() if name != SIZES}  # as earlier versions wrote it
    assert read_document(FEED, sizeless, new, MINISTRIES) == second
    fresh = articles(second.articles)
    assert {**articles(first.articles), **fresh} == articles(whole.articles)
    assert len(fresh) == len(items) - len(before)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(SHAPES), st.lists(ITEM, min_size=1, max_size=5))
def test_what_is_cut_out_of_a_feed_leaves_the_other_entries_as_they_were(shape: Any, listed: list[Any]) -> None:
    frame, make = shape
    items = [make(number, *said, number) for number, said in enumerate(listed)]
    body = frame.format(items="".join(items), built="오늘", encoding="utf-8").encode()
    whole = read(body)
    all_marks = slice_feed(mended(body.decode()).encode(), {})
    assert all_marks is not None
    for number, mark in enumerate(all_marks.marks):
        sliced = slice_feed(mended(body.decode()).encode(), {mark: 0})
        assert sliced is not None
        assert read(sliced.body) == (*whole[:number], *whole[number + 1 :])


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SHAPES), st.lists(ITEM, min_size=1, max_size=3), st.integers(0, 2))
def test_feeds_are_the_same_when_only_the_date_of_their_making_moved(
    shape: Any, listed: list[Any], changed: int
) -> None:
    frame, make = shape
    items = [make(number, *said, number) for number, said in enumerate(listed)]

    def told(built: str, *parts: str) -> str:
        return sameness(frame.format(items="".join(parts), built=built, encoding="utf-8").encode())

    assert told("2026-05-20", *items) == told("2026-05-21", *items)
    place = changed % len(items)
    other = make(place, *listed[place], place + 1)
    assert told("2026-05-20", *items) != told("2026-05-20", *items[:place], other, *items[place + 1 :])
    dated = items[place].replace("2026 0", "2026 1").replace("T0", "T1")
    assert told("2026-05-20", *items) != told("2026-05-20", *items[:place], dated, *items[place + 1 :])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"<rss><channel><ttl>5</ttl><item>", b"<rss><channel><ttl>6</ttl><item>"),
        (b"<rss><channel><pubDate>1<b/></pubDate><item>", b"<rss><channel><pubDate>2<b/></pubDate><item>"),
        (b"<updated>1</updated>", b"<updated>2</updated>"),
        (b'{"updated": 1}', b'{"updated": 2}'),
    ],
)
def test_whatever_else_differs_is_another_document(one: bytes, other: bytes) -> None:
    assert sameness(one) != sameness(other)


HIDING = (
    "<title>가</title><!-- {item} -->",
    "<description><![CDATA[{item}]]></description>",
    "<description><![CDATA[<item>]]></description>",
    "<!-- <item> --><title>가</title>",
    "<x><![CDATA[</item>]]></x>",
    "<image>{item}</image>",
    "<?item {item}?>",
    "<?item?>",
    "<items>{item}</items>",
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ITEM, min_size=2, max_size=4),
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(HIDING)), min_size=1, max_size=2),
    st.dictionaries(st.integers(0, 3), st.one_of(st.none(), st.integers(0, 2_000))),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
)
def test_what_only_looks_like_a_known_item_is_not_cut_out(
    listed: list[Any], hidden: list[tuple[int, str]], known: dict[int, int | None], mark: bytes
) -> None:
    """However long the item was that followed it: None = as it still is."""
    items = [item(number, title, body, style, number) for number, (title, body, style) in enumerate(listed)]
    marks = slice_feed(RSS.format(items="".join(items), built="", encoding="utf-8").encode(), {})
    assert marks is not None
    parts = list(items)
    for place, form in hidden:
        parts.insert(place, form.format(item=items[0]))
    body = mark + RSS.format(items="".join(parts), built="오늘", encoding="utf-8").encode()
    sizes = dict(enumerate(marks.sizes[1:]))
    followed = {number: sizes.get(number, 0) if size is None else size for number, size in known.items()}
    sliced = slice_feed(body, {one: followed[at] for at, one in enumerate(marks.marks) if at in known})
    if sliced is not None:
        assert sliced.marks == marks.marks
        assert read(sliced.body) == tuple(one for number, one in enumerate(read(body)) if number not in known)


@pytest.mark.parametrize(("shape", "empty"), [(RSS, "<item/>"), (RDF, "<item/>"), (ATOM, "<entry/>")])
def test_the_end_of_what_is_around_an_empty_item_is_not_cut_out_with_it(shape: str, empty: str) -> None:
    shape, make = shape.replace("<ttl>30</ttl>", ""), entry if shape == ATOM else item
    items = [make(number, "가", "나", 0, number) for number in range(3)]
    old = document(shape.format(items="".join([*items[:2], empty]), built="", encoding="utf-8"), "utf-8")
    new = document(shape.format(items="".join([*items, empty]), built="", encoding="utf-8"), "utf-8")
    first = read_document(FEED, {}, old, MINISTRIES)
    second = read_document(FEED, first.memory, new, MINISTRIES)
    assert (second.listed, len(second.articles), second.warnings) == (4, 1, ())


def read(body: bytes) -> tuple[Entry, ...]:
    return feed.read(FEED, {}, Document(url=FEED.url, status=200, body=body, fetched=NOW)).entries


@settings(max_examples=60, deadline=None)
@given(st.lists(ITEM, min_size=1, max_size=4))
def test_a_link_that_stands_for_several_entries_is_no_identity_in_slices_either(
    listed: list[Any],
) -> None:
    """Every entry links to the board: what is new is another article, not a revision of what is known."""
    items = [item(number, title, body, style, 7) for number, (title, body, style) in enumerate(listed)]
    more = item(9, "새 소식", "새 글", 0, 7)
    first = read_document(FEED, {}, document(RSS.format(items="".join(items), built="", encoding="utf-8"), "utf-8"),
                          MINISTRIES)  # fmt: skip
    listing = RSS.format(items="".join([more, *items]), built="", encoding="utf-8")
    second = read_document(FEED, first.memory, document(listing, "utf-8"), MINISTRIES)
    (found,) = second.articles
    if len(items) > 1:
        assert found.origins[0].key not in articles(first.articles)
        assert (second.parsed, second.listed) == (1, len(items) + 1)
    whole = read_document(replace(FEED), {}, document(listing, "utf-8"), MINISTRIES)
    assert found.title in {one.title for one in whole.articles}
