"""Feeds: RSS 0.9x, 1.0, 2.0 and Atom through feedparser, JSON Feed 1.x.

Bytes are decoded here, not by feedparser, whose guess turns cp949 into mojibake; its date parsing, sanitizing and
relative-link resolution stay off: normalize does these, on what is new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from policyfeed import sources
from policyfeed.errors import Blocked, HostileDocument, Remark, Truncated, Unreadable
from policyfeed.normalize import listing, parsers, xml
from policyfeed.normalize.html import paragraphs
from policyfeed.normalize.links import absolute, canonical
from policyfeed.normalize.slicing import Sliced, slice_feed
from policyfeed.normalize.text import text_of
from policyfeed.normalize.wishes import wishes
from policyfeed.types import Attachment, Document, Entry, Page, Request, Source

ROBOTS = False
ADDRESS = "feed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(sources.Options):
    """The options of a source of this kind: how to come to older entries, and whether there may be none."""

    page_param: str = ""
    page_start: int = 1
    page_step: int = 1
    paged: bool = False
    allow_empty: bool = False


ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
# No part can end in two ways, so that there is nothing to try again (possessive forms are broken before Python 3.11.5)
_DOCTYPE = re.compile(
    r"\s*(?:(?:<\?(?:(?!\?>).)*\?>|<!--(?:(?!-->).)*-->)\s*){0,50}<!DOCTYPE", re.DOTALL | re.IGNORECASE
)
_ROOT = re.compile(r"<((?:[\w.-]+:)?(?:rss|feed|RDF))[\s>]")
_HTML = re.compile(r"^\s*(<!doctype\s+html|<html[\s>])", re.IGNORECASE)


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:  # noqa: ARG001
    """The feed itself: one request, and no cursor."""
    headers = source.headers
    if not any(name.lower() == "accept" for name, _ in headers):
        headers = (("Accept", ACCEPT), *headers)
    return Request(url=source.url, method=source.method, headers=headers, body=source.body.encode())


def leafs(source: Source) -> bool:
    """Whether older entries can be had: by a parameter, or by the feed's own links (RFC 5005 §3)."""
    options = Options.of(source)
    return bool(options.page_param or options.paged)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
    """The feed's entries. Raises Unreadable (no feed), Blocked, Truncated, HostileDocument.

    It is leafed through only for a backfill, whose cursor says ``all``: ``page_param`` counts from ``page_start`` by
    ``page_step``; with ``paged`` the feed's link to its next page is followed.
    """
    page = _read(source, document)
    if not page.entries and Options.of(source).allow_empty:
        page = replace(page, warnings=(*page.warnings, listing.EMPTY), rightly_empty=True)
    if not cursor.get("all"):
        return replace(page, next=None)
    turn = listing.turn(cursor, [canonical(one.url) or one.guid or one.title for one in page.entries], 1)
    following = _next(source, turn, page.next, document.fetched)
    return replace(page, next=following, cursor=(turn if following else turn.ended).cursor)


def sift(source: Source, document: Document, known: Mapping[bytes, int]) -> Sliced | None:
    """The feed without the items whose marks are known; None where it is to be read as a whole. Raises Unreadable."""
    if source.encoding is None and (sliced := slice_feed(document.body, known)) is not None:
        return sliced  # UTF-8: other bytes are none that expat takes, or that were marked
    text = text_of(document, source.encoding).strip("\ufeff \t\r\n")
    if not text.startswith("<") or _HTML.match(text):
        return None
    text = xml.undeclared(text)
    return slice_feed(text.encode(), known) or slice_feed(xml.mended(text).encode(), known)


def _next(source: Source, turn: listing.Turn, linked: Request | None, now: datetime) -> Request | None:
    if not turn.more or turn.cursor is None:
        return None
    options = Options.of(source)
    if options.page_param:
        number = options.page_start + int(turn.cursor["pages"]) * options.page_step
        return listing.at_page(first(source, {}, now), options.page_param, number)
    return replace(first(source, {}, now), url=linked.url) if linked and options.paged else None


def _read(source: Source, document: Document) -> Page:
    text = text_of(document, source.encoding).strip("\ufeff \t\r\n")
    if not text:
        raise Unreadable("{url} answered with an empty body.", url=document.url)
    if text.startswith("{"):
        return _json_feed(text, document)
    if _HTML.match(text):
        raise _not_a_feed(text, document)
    if (doctype := _DOCTYPE.match(text)) and "<!ENTITY" in text[doctype.end() :]:
        raise HostileDocument("{url} declares XML entities, which no feed needs.", url=document.url)
    return _xml(text, document)


def _xml(text: str, document: Document) -> Page:
    root = _ROOT.search(text)
    if root and f"</{root[1]}" not in text[root.end() :]:
        raise Truncated(
            "{url} ended before the end of its feed.", remedy="It is asked for again later.", url=document.url
        )
    from policyfeed.normalize import plain_feed  # it looks into two parsers: loaded with the first feed, as they are

    undeclared = xml.undeclared(text)
    if (plain := plain_feed.parse(undeclared)) is not None:
        return _page(plain.entries, plain.feed, text, document)
    mended = xml.mended(undeclared)
    broken = (Remark("the feed is not well-formed XML"),)
    if mended != undeclared and (plain := plain_feed.parse(mended)) is not None:
        return _page(plain.entries, plain.feed, text, document, broken)
    parsed = parsers.feed(mended)
    if not parsed.get("version") and not parsed.entries:  # of nothing feedparser tells no version
        raise _not_a_feed(text, document)
    warnings = broken if parsed.bozo or mended != undeclared else ()
    return _page(parsed.entries, parsed.feed, text, document, warnings)


def _page(
    entries: list[dict[str, Any]],
    feed: dict[str, Any],
    text: str,
    document: Document,
    warnings: tuple[str, ...] = (),
) -> Page:
    later = [str(one.get("href") or "") for one in feed.get("links") or [] if one.get("rel") == "next"]
    following = absolute(later[0], document.url) if later else ""
    return Page(
        entries=tuple(_entry(item, document.url) for item in entries),
        next=Request(url=following) if following else None,
        warnings=warnings,
        wishes=wishes(feed, text),
    )


def _entry(item: dict[str, Any], base: str) -> Entry:
    """A feedparser entry as strings. ``dict.get`` passes by feedparser's own aliases, which mix up dates."""

    def said(name: str) -> str:
        value = dict.get(item, name)
        return value if isinstance(value, str) else ""

    link = said("link")
    if dict.get(item, "guidislink") and link == said("id") and not link.startswith(("http://", "https://", "/")):
        link = ""  # a number that was not marked as no address
    parts: list[dict[str, Any]] = dict.get(item, "content") or [{}]
    body = max(parts, key=lambda part: len(part.get("value") or ""))
    content = str(body.get("value") or "")
    return Entry(
        title=said("title"),
        url=_joined(base, link),
        guid=said("id"),
        published=said("published") or said("created") or said("updated"),
        updated=said("updated") if said("published") else "",
        summary=said("summary"),
        content=content if len(content) >= len(said("summary")) else "",  # a picture's caption is no body
        base=_joined(base, body.get("base") or ""),
        department=said("author"),
        attachments=tuple(
            Attachment(
                name=str(one.get("title") or ""),
                url=_joined(base, str(one.get("href") or "")),
                type=str(one.get("type") or ""),
            )
            for one in dict.get(item, "links") or []
            if one.get("rel") == "enclosure"
        ),
    )


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def _json_feed(text: str, document: Document) -> Page:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org)."""
    try:
        feed = json.loads(text, strict=False)  # line breaks and control characters in strings cost no feed
    except (ValueError, RecursionError) as problem:
        raise Unreadable("{url} is broken JSON: {problem}.", url=document.url, problem=problem) from problem
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version", "")):
        raise Unreadable(
            "{url} is JSON, but no JSON Feed.", remedy="Describe it as a source of kind `json`.", url=document.url
        )
    if not isinstance(feed.get("items"), list):
        raise Unreadable("{url} is a JSON Feed without a list of items.", url=document.url)
    return Page(entries=tuple(_json_entry(item) for item in _tables(feed["items"])))


def _json_entry(item: dict[str, Any]) -> Entry:
    def said(*names: str) -> str:
        return next((str(item[name]) for name in names if _is_text(item.get(name))), "")

    return Entry(
        title=said("title"),
        url=said("url", "external_url"),
        guid=said("id"),
        published=said("date_published"),
        updated=said("date_modified"),
        summary=said("summary"),
        content=said("content_html") or paragraphs(said("content_text")),
        attachments=tuple(
            Attachment(
                name=str(one.get("title") or ""), url=str(one.get("url") or ""), type=str(one.get("mime_type") or "")
            )
            for one in _tables(item.get("attachments"))
        ),
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _tables(value: object) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _not_a_feed(text: str, document: Document) -> Unreadable | Blocked:
    if listing.is_block_page(text):
        return listing.blocked(document.url)
    if _HTML.match(text):
        return Unreadable(
            "{url} is an HTML page, not a feed.",
            remedy="Run `policyfeed sources test URL`, or describe the page as a source of kind `page`.",
            url=document.url,
        )
    return Unreadable("{url} is no feed that policyfeed can read.", url=document.url)
