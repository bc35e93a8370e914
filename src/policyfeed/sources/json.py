"""Any list that a site hands out as JSON, described by field paths in the source's options.

A path is dotted (``data.list``, ``writer.0.name``); ``a|b`` is the first of them that is there. docs/sources.md
describes every option.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from policyfeed import sources
from policyfeed.errors import ConfigError, LayoutChanged, Unreadable
from policyfeed.normalize import listing
from policyfeed.normalize.links import absolute, canonical
from policyfeed.normalize.text import text_of
from policyfeed.types import Document, Entry, Page, Request, Source

ROBOTS = True
ADDRESS = "interface"
ACCEPT = "application/json, */*;q=0.1"
_HTML = re.compile(r"^\s*<")
_PAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(sources.Options):
    """The options of a source of this kind. ``title`` and either ``link`` or ``link_template`` are needed.

    Without ``items`` the document itself is the list. The places of ``link_template`` are paths in the item, as in
    ``view.do?no={BBS_SEQ}``; ``{id}`` is the value at ``id``.
    """

    items: str = ""
    title: str = ""
    link: str = ""
    id: str = ""
    link_template: str = ""
    date: str = ""
    date_pattern: str = ""
    date_format: str = ""
    lead: str = ""
    content: str = ""
    ministry: str = ""
    department: str = ""
    allow_empty: bool = False
    page_param: str = ""
    page_start: int = 1
    page_step: int = 1
    pages: int = field(default=_PAGES, metadata={"ge": 1})

    @property
    def most(self) -> int:
        """Pages of one poll."""
        return self.pages if self.page_param else 1


def check(source: Source) -> tuple[ConfigError, ...]:
    """What a source's table lacks, and what in it cannot be used; facts: source, key and value."""
    return tuple(_missing(source, Options.of(source)))


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:  # noqa: ARG001
    """The list's first page, by GET or POST as configured."""
    return listing.request(source, ACCEPT)


def leafs(source: Source) -> bool:
    """Whether the table says how to come to the next page."""
    return bool(Options.of(source).page_param)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
    """One document's items. Raises Unreadable, Blocked, or LayoutChanged. The cursor is like that of ``page``."""
    table = Options.of(source)
    text = text_of(document, source.encoding)
    items = _items(_parse(text, source, document), table, text, source, document)
    entries = tuple(_entry(item, table, source.timezone, document.url) for item in items)
    if not entries and not listing.under_way(cursor):
        if table.allow_empty:
            return Page(entries=(), warnings=(listing.EMPTY,), rightly_empty=True)
        raise listing.nothing_found(text, source, document.url, table.items)
    link = table.link or table.link_template
    wanted = {"title": table.title, "url": link} | ({"published": table.date} if table.date else {})
    if entries:
        listing.check_fields(entries, wanted, source, document.url)
    turn = listing.turn(cursor, [canonical(entry.url) or entry.title for entry in entries], table.most)
    return Page(
        entries=entries,
        next=_next(table, source, turn),
        cursor=turn.cursor,
        warnings=turn.warnings,
        newest_first=True,
    )


def _missing(source: Source, table: Options) -> Iterator[ConfigError]:
    if not table.title:
        yield listing.mistake(source, "title", "{source}: {key} is missing.", "Give a field's path, as in data.title.")
    if not (table.link or table.link_template):
        remedy = "Give a link's path, or a link_template with {{id}}."
        yield listing.mistake(source, "link", "{source}: {key} is missing.", remedy)
    if "id" in listing.places(table.link_template) and not table.id:
        remedy = "The link_template has {{id}}: give the path of the id."
        yield listing.mistake(source, "id", "{source}: {key} is missing.", remedy)
    if not listing.is_pattern(table.date_pattern):
        yield listing.mistake(source, "date_pattern", "{source}: {key} is no regular expression: {value}")


def _parse(text: str, source: Source, document: Document) -> object:
    try:
        return json.loads(text, strict=False)  # line breaks in strings cost no list
    except (ValueError, RecursionError) as problem:
        if _HTML.match(text):
            raise listing.nothing_found(text, source, document.url, "JSON") from problem
        raise Unreadable("{url} is broken JSON: {problem}.", url=document.url, problem=problem) from problem


def _items(found: object, table: Options, text: str, source: Source, document: Document) -> list[Mapping[str, Any]]:
    items = _at(found, table.items) if table.items else found
    if not isinstance(items, list):
        raise listing.nothing_found(text, source, document.url, table.items or "JSON")
    rows: list[Mapping[str, Any]] = [item for item in items if isinstance(item, dict)]
    if items and not rows:
        raise LayoutChanged("{url}: what is listed has no fields.", url=document.url)
    return rows


def _entry(item: Mapping[str, Any], table: Options, zone: str, base: str) -> Entry:
    return Entry(
        title=_said(item, table.title),
        url=_url(item, table, base),
        guid=_said(item, table.id),
        published=listing.date_text(_said(item, table.date), table.date_pattern, table.date_format, zone),
        summary=_said(item, table.lead),
        content=_said(item, table.content),
        ministry=_said(item, table.ministry),
        department=_said(item, table.department),
    )


def _url(item: Mapping[str, Any], table: Options, base: str) -> str:
    if table.link:
        return absolute(_said(item, table.link), base)
    values = {name: _said(item, table.id if name == "id" else name) for name in listing.places(table.link_template)}
    return listing.fill(table.link_template, values)


def _next(table: Options, source: Source, turn: listing.Turn) -> Request | None:
    if not turn.more or turn.cursor is None:
        return None
    number = table.page_start + int(turn.cursor["pages"]) * table.page_step
    return listing.at_page(listing.request(source, ACCEPT), table.page_param, number)


def _said(item: Mapping[str, Any], path: str) -> str:
    value = _at(item, path) if path else ""
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _at(value: object, path: str) -> object:
    """What is at the first of the path's alternatives that is there; None where none is."""
    for way in path.split("|"):
        found = value
        for step in way.strip().split("."):
            found = _step(found, step)
        if found is not None:
            return found
    return None


def _step(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value.get(step)
    if isinstance(value, list) and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    return None
