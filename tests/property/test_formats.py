"""Whatever text an article holds, every format is well-formed and gives the cleaned article back."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from policyfeed import publish
from policyfeed.formats import shown
from policyfeed.types import Attachment, Judged, MinistryName, Reason, Verdict
from tests import releases

_ODD = st.sampled_from(
    [
        *"\x00\x0b\x1f\x7f\x85\ud800\udfff\ufffe\uffff\u202e\u2066\u200b&<>\"'\r\t%ㄱ😀",
        *("]]>", "<![CDATA[", "<script>", "&amp;", "&#0;", "\r\n", "<?xml", "<!--", "-->", "{x}", "%(s)s"),
        *("탄소중립", "가\u0301"),
    ]
)
TEXT = st.lists(st.one_of(_ODD, st.text(max_size=8)), max_size=6).map("".join)
URL = st.one_of(TEXT, TEXT.map("https://a.example/{}".format), st.just("https://www.korea.kr/v?newsId=1&a=b"))
MOMENT = st.datetimes(min_value=datetime(1970, 1, 2), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MINISTRY = st.builds(MinistryName, id=TEXT, name=TEXT)
REASON = st.builds(Reason, rule=TEXT, points=st.floats(-99, 99), topic=TEXT, term=TEXT, field=TEXT)
VERDICT = st.builds(
    Verdict,
    kept=st.booleans(),
    score=st.floats(0, 100),
    topics=st.lists(TEXT, max_size=2).map(tuple),
    pillars=st.lists(st.one_of(TEXT, st.sampled_from("ESG")), max_size=2).map(tuple),
    reasons=st.lists(REASON, max_size=3).map(tuple),
)


@st.composite
def articles(draw: st.DrawFn) -> Judged:
    number = draw(st.integers(1, 10_000))
    return releases.judged(
        number,
        draw(VERDICT),
        title=draw(TEXT),
        summary=draw(TEXT),
        content=draw(TEXT),
        ministry=draw(MINISTRY),
        ministries=tuple(draw(st.lists(MINISTRY, max_size=2))),
        published=draw(st.none() | MOMENT),
        changed=draw(MOMENT),
        url=draw(URL),
        language=draw(st.sampled_from(["ko", "en", "", "\x00", "zh-Hans"])),
        attachments=tuple(draw(st.lists(st.builds(Attachment, name=TEXT, url=URL, type=TEXT), max_size=2))),
        licence=draw(TEXT),
        attribution=draw(TEXT),
    )


def _atom(body: bytes) -> list[tuple[str, str, str]]:
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
    ns = "{http://www.w3.org/2005/Atom}"
    return [_texts(entry, f"{ns}id", f"{ns}title", f"{ns}summary") for entry in root.iter(f"{ns}entry")]


def _rss(body: bytes) -> list[tuple[str, str, str]]:
    root = etree.fromstring(body, etree.XMLParser(resolve_entities=False))
    read = (_texts(item, "guid", "title", "description") for item in root.iter("item"))
    return [(guid, title, html.unescape(said.replace("<br>\n", "\n"))) for guid, title, said in read]


def _texts(element: etree._Element, *names: str) -> tuple[str, str, str]:
    one, two, three = (element.findtext(name) or "" for name in names)
    return one, two, three


def _json(body: bytes) -> list[tuple[str, str, str]]:
    return [(item["id"], item["title"], item["summary"]) for item in json.loads(body)["items"]]


READ: dict[str, Callable[[bytes], list[tuple[str, str, str]]]] = {"atom": _atom, "rss": _rss, "json": _json}


@settings(deadline=None, max_examples=60)
@given(st.lists(articles(), max_size=4))
def test_any_text_comes_back_cleaned_in_every_format(given_: list[Judged]) -> None:
    feed = releases.feed()
    for extension, format_ in publish.formats().items():
        rendered = format_.render(feed, given_)
        left_out = [number for number, _ in rendered.left_out]
        read = READ[extension](rendered.body)
        assert len(read) + len(left_out) == len(given_)
        assert set(read) <= {(one.id, one.title, one.summary) for one in (shown(feed, judged) for judged in given_)}


@settings(deadline=None, max_examples=30)
@given(articles())
def test_atom_carries_every_article_that_has_a_link(judged: Judged) -> None:
    assert publish.formats()["atom"].render(releases.feed(), [judged]).left_out == ()


@settings(deadline=None, max_examples=30)
@given(st.lists(articles(), max_size=3))
def test_rendering_is_a_function(given_: list[Judged]) -> None:
    for format_ in publish.formats().values():
        assert format_.render(releases.feed(), given_) == format_.render(releases.feed(), list(given_))
