"""Feeds: RSS 0.9x, 1.0, 2.0 and Atom through feedparser, JSON Feed 1.x.

Bytes are decoded here, not by feedparser, whose guess turns cp949 into mojibake; its date parsing, sanitizing and
relative-link resolution stay off: normalize does these, on what is new.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import feedparser

from policyfeed.errors import Blocked, HostileDocument, Unreadable
from policyfeed.normalize.listing import is_block_page
from policyfeed.normalize.text import decode
from policyfeed.types import Attachment, Document, Entry, Page, Request, Source

ACCEPT = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, "
    "application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, */*;q=0.1"
)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_DOCTYPE_ENTITY = re.compile(r"<!DOCTYPE[^>]*\[.*?<!ENTITY", re.DOTALL | re.IGNORECASE)
_HTML = re.compile(r"^\s*(<!doctype\s+html|<html[\s>])", re.IGNORECASE)
# feedparser's loose parser would turn a bare & of "R&D" into "R&D;"
_AMPERSAND = re.compile(
    r"<!\[CDATA\[.*?\]\]>|&(?!#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[A-Za-z][A-Za-z0-9]{1,31};)", re.DOTALL
)


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:  # noqa: ARG001
    """The feed itself: one request, and no cursor."""
    headers = source.headers
    if not any(name.lower() == "accept" for name, _ in headers):
        headers = (("Accept", ACCEPT), *headers)
    return Request(url=source.url, method=source.method, headers=headers, body=source.body.encode())


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:  # noqa: ARG001
    """The feed's entries. Raises Unreadable for what is no feed, Blocked for a block page, HostileDocument."""
    text = decode(document.body, document.headers.get("content-type", ""), source.encoding).strip("\ufeff \t\r\n")
    if not text:
        raise Unreadable("{url} answered with an empty body.", url=document.url)
    if text.startswith("{"):
        return _json_feed(text, document)
    if _HTML.match(text):
        raise _not_a_feed(text, document)
    if _DOCTYPE_ENTITY.search(text[:100_000]):
        raise HostileDocument("{url} declares XML entities, which no feed needs.", url=document.url)
    return _xml(text, document)


def _xml(text: str, document: Document) -> Page:
    mended = _ILLEGAL.sub("", _AMPERSAND.sub(lambda found: "&amp;" if found[0] == "&" else found[0], text))
    body = _DECLARATION.sub("", mended, count=1).encode()
    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": document.url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.version and not parsed.entries:
        raise _not_a_feed(text, document)
    broken = bool(parsed.bozo) or mended != text
    warnings = ("the feed is not well-formed XML",) if broken else ()
    return Page(entries=tuple(_entry(item) for item in parsed.entries), warnings=warnings)


def _entry(item: dict[str, Any]) -> Entry:
    """A feedparser entry as strings. ``dict.get`` passes by feedparser's own aliases, which mix up dates."""

    def said(name: str) -> str:
        value = dict.get(item, name)
        return value if isinstance(value, str) else ""

    contents = [str(part.get("value", "")) for part in dict.get(item, "content") or []]
    return Entry(
        title=said("title"),
        url=said("link"),
        guid=said("id"),
        published=said("published") or said("created") or said("updated"),
        updated=said("updated") if said("published") else "",
        summary=said("summary"),
        content=max(contents, key=len, default=""),
        department=said("author"),
        categories=tuple(str(tag.get("term") or "") for tag in dict.get(item, "tags") or [] if tag.get("term")),
        attachments=tuple(
            Attachment(
                name=str(link.get("title") or ""), url=str(link.get("href") or ""), type=str(link.get("type") or "")
            )
            for link in dict.get(item, "links") or []
            if link.get("rel") == "enclosure"
        ),
    )


def _json_feed(text: str, document: Document) -> Page:
    """JSON Feed 1.0 and 1.1 (jsonfeed.org)."""
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise Unreadable("{url} is broken JSON: {problem}.", url=document.url, problem=problem) from problem
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version", "")):
        raise Unreadable(
            "{url} is JSON, but no JSON Feed.", remedy="Describe it as a source of kind `json`.", url=document.url
        )
    items = [item for item in feed.get("items") or [] if isinstance(item, dict)]
    return Page(entries=tuple(_json_entry(item) for item in items))


def _json_entry(item: dict[str, Any]) -> Entry:
    def said(*names: str) -> str:
        return next((str(item[name]) for name in names if isinstance(item.get(name), str | int) and item[name]), "")

    return Entry(
        title=said("title"),
        url=said("url", "external_url"),
        guid=said("id"),
        published=said("date_published"),
        updated=said("date_modified"),
        summary=said("summary"),
        content=said("content_html", "content_text"),
        categories=tuple(str(tag) for tag in item.get("tags") or []),
        attachments=tuple(
            Attachment(
                name=str(one.get("title") or ""), url=str(one.get("url") or ""), type=str(one.get("mime_type") or "")
            )
            for one in item.get("attachments") or []
            if isinstance(one, dict)
        ),
    )


def _not_a_feed(text: str, document: Document) -> Unreadable | Blocked:
    if is_block_page(text[:200_000]):
        return Blocked("{url} answered with a block page.", remedy="It is tried again later.", url=document.url)
    if _HTML.match(text):
        return Unreadable(
            "{url} is an HTML page, not a feed.",
            remedy="Run `policyfeed sources test URL`, or describe the page as a source of kind `page`.",
            url=document.url,
        )
    return Unreadable("{url} is no feed that policyfeed can read.", url=document.url)
