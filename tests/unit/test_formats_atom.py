"""Atom as RFC 4287 wants it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from lxml import etree

from policyfeed.formats import Publication, atom, jsonfeed, rss
from policyfeed.types import Kind, Named
from tests import releases

NS = {"a": "http://www.w3.org/2005/Atom"}
_ONCE = {
    "id",
    "title",
    "updated",
    "published",
    "summary",
    "content",
    "rights",
    "source",
    "generator",
    "icon",
    "subtitle",
}
_KNOWN = _ONCE | {"author", "link", "category"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def _parsed(body: bytes) -> etree._Element:
    return etree.fromstring(body, etree.XMLParser(resolve_entities=False))


def check(feed: etree._Element) -> None:
    """The structure of RFC 4287 §4, as far as our feeds use it. Raises AssertionError."""
    assert feed.tag == f"{{{NS['a']}}}feed"
    _once(feed, {"id", "title", "updated"})
    assert _all(feed, "a:author/a:name") or all(_all(entry, "a:author") for entry in _all(feed, "a:entry"))
    for entry in _all(feed, "a:entry"):
        _once(entry, {"id", "title", "updated", "source"})
        assert _all(entry, "a:author/a:name/text()")
        assert len(_all(entry, "a:link[@rel='alternate' or not(@rel)]")) == 1
    for date in _all(feed, "//a:updated/text() | //a:published/text()"):
        assert _DATE.fullmatch(str(date)), date
    for category in _all(feed, "//a:category"):
        assert category.get("term")
    ids = _all(feed, "a:entry/a:id/text()")
    assert len(ids) == len(set(ids))
    assert all(link.get("href", "").startswith(("http://", "https://")) for link in _all(feed, "//a:link"))
    assert all(re.fullmatch(r".+/.+", kind) for kind in _all(feed, "//a:link/@type"))


def _once(element: etree._Element, needed: set[str]) -> None:
    names = [etree.QName(child).localname for child in element if etree.QName(child).localname != "entry"]
    assert set(names) <= _KNOWN
    assert needed <= set(names)
    assert not [name for name in _ONCE if names.count(name) > 1]


def _all(element: etree._Element, path: str) -> list[Any]:
    """Elements or texts, as the path says."""
    found = element.xpath(path, namespaces=NS)
    assert isinstance(found, list)
    return found


@pytest.mark.parametrize("count", [0, 1, 40])
def test_feeds_have_the_structure_of_rfc_4287(count: int) -> None:
    for feed in (releases.feed(), releases.feed(base_url=""), releases.feed(content=False, language="en")):
        check(_parsed(atom.render(feed, [releases.joint(900), *releases.many(count)]).body))


def test_the_head_says_what_where_and_when() -> None:
    feed = _parsed(atom.render(releases.feed(), releases.many(3)).body)
    links = {link.get("rel"): link.get("href") for link in _all(feed, "a:link")}
    assert links == {"self": "https://feeds.example.org/feeds/esg.atom", "alternate": "https://feeds.example.org/"}
    assert feed.findtext("a:id", namespaces=NS) == "tag:policyfeed.example,2026:feeds/esg"
    assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == "ko"
    assert datetime.fromisoformat(feed.findtext("a:updated", "", NS)) == releases.article(3).changed


def test_an_entry_links_to_the_original_the_other_places_our_page_and_the_attachments() -> None:
    feed = _parsed(atom.render(releases.feed(), [releases.joint()]).body)
    links = [dict(link.attrib) for link in _all(feed, "a:entry/a:link")]
    article = releases.joint().article
    assert {"href": article.url} in links
    assert {"href": "https://www.moel.go.kr/news/9?a=1&b=2", "rel": "via", "type": "text/html"} in links
    assert {"href": "https://feeds.example.org/articles/3", "rel": "related", "type": "text/html"} in links
    assert {
        "href": "https://www.korea.kr/common/download.do?fileId=3",
        "rel": "enclosure",
        "type": "application/vnd.hancom.hwpx",
        "title": "보도자료.hwpx",
    } in links
    assert len(links) == 4


def test_an_explanation_links_to_what_it_answers() -> None:
    named = Named(number=1, id="urn:1", title="앞선 자료", url="https://www.example.go.kr/news/1")
    one = releases.judged(3, kind=Kind.EXPLANATION, answers=(named, replace(named, url="javascript:alert(1)")))
    feed = _parsed(atom.render(releases.feed(base_url=""), [one]).body)
    related = [link.get("href") for link in _all(feed, "a:entry/a:link[@rel='related']")]
    assert related == ["https://www.example.go.kr/news/1"]
    item = json.loads(jsonfeed.render(releases.feed(), [one]).body)["items"][0]
    assert [answered["url"] for answered in item["_policyfeed"]["answers"]] == ["https://www.example.go.kr/news/1", ""]


def test_an_entry_carries_the_source_and_the_rights() -> None:
    entry = _all(_parsed(atom.render(releases.feed(), [releases.judged()]).body), "a:entry")[0]
    source = _all(entry, "a:source")[0]
    assert source.findtext("a:title", namespaces=NS) == "대한민국 정책브리핑"
    assert source.findtext("a:id", "", NS).startswith("urn:uuid:")
    links = {"alternate": "https://www.korea.kr/briefing/pressReleaseList.do"}
    assert {link.get("rel"): link.get("href") for link in _all(source, "a:link")} == links
    assert datetime.fromisoformat(source.findtext("a:updated", "", NS)) == releases.article().first_seen
    assert entry.findtext("a:rights", "", NS).startswith("공공누리 제1유형(출처표시) · 출처: ")


def test_a_source_that_is_a_feed_is_named_as_one_beside_its_page() -> None:
    known = {"korea-kr": Publication(name="환경", url="https://a.example/news", feed="https://a.example/rss")}
    feed, one = releases.feed(sources=known), releases.judged()
    source = _all(_parsed(atom.render(feed, [one]).body), "a:entry/a:source")[0]
    links = {"alternate": "https://a.example/news", "self": "https://a.example/rss"}
    assert {link.get("rel"): link.get("href") for link in _all(source, "a:link")} == links
    assert b'<source url="https://a.example/rss">' in rss.render(feed, [one]).body


def test_content_is_escaped_html_and_the_language_of_the_article_is_told() -> None:
    feed = _parsed(atom.render(releases.feed(), [releases.judged(language="en")]).body)
    entry = _all(feed, "a:entry")[0]
    content = _all(entry, "a:content")[0]
    assert content.get("type") == "html"
    assert content.text == releases.article().content
    assert entry.get("{http://www.w3.org/XML/1998/namespace}lang") == "en"
