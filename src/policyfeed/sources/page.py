"""Any list page (board), described by CSS selectors in the source's options.

A place is a selector, with ``@attribute`` where not the text is meant: ``td.subject a``, ``a@data-id``, or ``@data-no``
of the item itself. docs/sources.md describes every option.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from policyfeed import sources
from policyfeed.errors import ConfigError, Remark
from policyfeed.normalize import listing, parsers
from policyfeed.normalize.html import sanitize, to_line
from policyfeed.normalize.links import absolute, canonical
from policyfeed.normalize.text import text_of
from policyfeed.types import Attachment, Detail, Document, Entry, Page, Request, Source

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Node, Tree

ROBOTS = True
ADDRESS = "page"
ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
_PLACE = re.compile(r"^(?P<css>.*?)(?:@(?P<attribute>[\w:-]+))?$", re.DOTALL)
_UNSEEN = "script, style"
_PAGES = 5
_SELECTORS = (
    *("item", "title", "link", "id", "date", "lead", "ministry", "department"),
    *("attachments", "without", "frame", "next", "detail_body"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options(sources.Options):
    """The options of a source of this kind. ``item`` and ``title`` and either ``link`` or ``id`` are needed.

    ``id_pattern``'s groups are ``{id}``, ``{2}`` … of ``link_template``. ``frame`` is a part that is there even when
    the list is empty; ``without`` are parts that are removed before reading ("new" marks, hidden words).
    """

    item: str = ""
    title: str = ""
    link: str = ""
    id: str = ""
    id_pattern: str = ""
    link_template: str = ""
    date: str = ""
    date_pattern: str = ""
    date_format: str = ""
    lead: str = ""
    ministry: str = ""
    department: str = ""
    attachments: str = ""
    without: str = ""
    frame: str = ""
    allow_empty: bool = False
    next: str = ""
    page_param: str = ""
    page_start: int = 1
    page_step: int = 1
    pages: int = field(default=_PAGES, metadata={"ge": 1})
    detail_body: str = ""

    @property
    def most(self) -> int:
        """Pages of one poll."""
        return self.pages if self.next or self.page_param else 1


def check(source: Source) -> tuple[ConfigError, ...]:
    """What a source's table lacks, and what in it cannot be used; facts: source, key and value."""
    table = Options.of(source)
    return (*_missing(source, table), *_unusable(source, table))


def first(source: Source, cursor: Mapping[str, Any], now: datetime) -> Request:  # noqa: ARG001
    """The list's first page."""
    return listing.request(source, ACCEPT)


def leafs(source: Source) -> bool:
    """Whether the table says how to come to the next page."""
    table = Options.of(source)
    return bool(table.next or table.page_param)


def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Page:
    """One page's rows. Raises Unreadable, Blocked, or LayoutChanged.

    The cursor, of lists that are leafed through: ``seen``, keys of the last poll's rows; while a poll is under way also
    ``read``, its own so far, and ``pages``, how many.
    """
    table = Options.of(source)
    text = text_of(document, source.encoding)
    tree = parsers.html(text)
    for node in tree.css(", ".join(filter(None, (_UNSEEN, table.without)))):
        node.decompose()
    base = _base(tree, document.url)
    rows = [_entry(row, table, base, source.timezone) for row in tree.css(table.item)]
    entries = tuple(row for row in rows if row.title or row.url)
    if not entries and not listing.under_way(cursor):
        return _empty(tree, table, text, source, document)
    wanted = {"title": table.title, "url": table.link or table.id} | ({"published": table.date} if table.date else {})
    if entries:
        listing.check_fields(entries, wanted, source, document.url)
    turn = listing.turn(cursor, [canonical(entry.url) or entry.title for entry in entries], table.most)
    following = _next(tree, table, base, source, turn)
    turn = turn if following else turn.ended
    return Page(
        entries=entries,
        next=following,
        cursor=turn.cursor,
        warnings=(*turn.warnings, *_odd(rows, wanted)),
        newest_first=True,
    )


def detail(source: Source, url: str) -> Request | None:
    """The request for a row's own page, when the table says where its text stands."""
    wanted = url and Options.of(source).detail_body
    return Request(url=url, headers=(("Accept", ACCEPT), *source.headers)) if wanted else None


def read_detail(source: Source, document: Document, so_far: Detail | None) -> Detail:  # noqa: ARG001
    """The text of a row's own page. Raises Unreadable, Blocked, or LayoutChanged."""
    place = Options.of(source).detail_body
    text = text_of(document, source.encoding)
    found = "".join(node.html or "" for node in parsers.html(text).css(place)[:1])
    if not to_line(found):
        raise listing.nothing_found(text, source, document.url, place)
    return Detail(content=sanitize(found, document.url))


def elsewhere(request: Request) -> Request | None:  # noqa: ARG001
    """There is no second place."""
    return None


def _missing(source: Source, table: Options) -> Iterator[ConfigError]:
    for name in ("item", "title"):
        if not getattr(table, name):
            yield listing.mistake(source, name, "{source}: {key} is missing.", "Give a CSS selector.")
    if not (table.link or (table.id and table.link_template)):
        remedy = "Give a link, or an id and a link_template with {{id}}."
        yield listing.mistake(source, "link", "{source}: {key} is missing.", remedy)
    if table.allow_empty and not table.frame:
        remedy = "allow_empty needs a part that proves the page right."
        yield listing.mistake(source, "frame", "{source}: {key} is missing.", remedy)


def _unusable(source: Source, table: Options) -> Iterator[ConfigError]:
    for name in _SELECTORS:
        if not _is_place(getattr(table, name)):
            yield listing.mistake(source, name, "{source}: {key} is no CSS selector: {value}")
    for name in ("id_pattern", "date_pattern"):
        if not listing.is_pattern(getattr(table, name)):
            yield listing.mistake(source, name, "{source}: {key} is no regular expression: {value}")


def _entry(row: Node, table: Options, base: str, zone: str) -> Entry:
    dates = (listing.date_text(raw, table.date_pattern, table.date_format, zone) for raw in _all(row, table.date))
    return Entry(
        title=_one(row, table.title),
        url=_url(row, table, base),
        published=next((date for date in dates if date), ""),
        summary=_one(row, table.lead),
        ministry=_one(row, table.ministry),
        department=_one(row, table.department),
        attachments=tuple(_attachments(row, table, base)),
    )


def _url(row: Node, table: Options, base: str) -> str:
    if table.link:
        return absolute(_one(row, table.link if "@" in table.link else f"{table.link}@href"), base)
    raw = _one(row, table.id)
    found = re.search(table.id_pattern, raw) if table.id_pattern else None
    if table.id_pattern and not found:
        return ""
    groups = found.groups() if found else ()
    values = {str(number): group or "" for number, group in enumerate(groups, 1)}
    return listing.fill(table.link_template, {**values, "id": values.get("1", found[0] if found else raw)})


def _attachments(row: Node, table: Options, base: str) -> list[Attachment]:
    nodes = row.css(table.attachments) if table.attachments else []
    found = ((_text(node), absolute(node.attributes.get("href") or "", base)) for node in nodes)
    return [Attachment(name=name, url=url) for name, url in found if url]


def _all(node: Node, place: str) -> list[str]:
    """What is at a place: texts, or values of the attribute, of all nodes that the selector finds."""
    found = _PLACE.match(place)
    if not place or found is None:
        return []
    nodes = node.css(found["css"]) if found["css"] else [node]
    if attribute := found["attribute"]:
        return [node.attributes.get(attribute) or "" for node in nodes]
    return [_text(node) for node in nodes]


def _text(node: Node) -> str:
    for line_break in node.css("br"):
        line_break.replace_with(" ")
    return node.text().strip()


def _one(node: Node, place: str) -> str:
    return next((text for text in _all(node, place) if text.strip()), "").strip()


def _base(tree: Tree, url: str) -> str:
    base = tree.css_first("base[href]")
    return (absolute(base.attributes.get("href") or "", url) if base else "") or url


def _empty(tree: Tree, table: Options, text: str, source: Source, document: Document) -> Page:
    if table.allow_empty and table.frame and tree.css_first(table.frame) and not listing.is_block_page(text):
        return Page(entries=(), warnings=(listing.EMPTY,), rightly_empty=True)
    raise listing.nothing_found(text, source, document.url, table.item)


def _next(tree: Tree, table: Options, base: str, source: Source, turn: listing.Turn) -> Request | None:
    if not turn.more or turn.cursor is None:
        return None
    request = listing.request(source, ACCEPT)
    if table.page_param:
        number = table.page_start + int(turn.cursor["pages"]) * table.page_step
        return listing.at_page(request, table.page_param, number)
    place = table.next if "@" in table.next else f"{table.next}@href"
    url = absolute(_one(tree.root, place), base) if tree.root else ""
    return Request(url=url, headers=request.headers) if url else None


def _odd(rows: list[Entry], wanted: Mapping[str, str]) -> list[str]:
    counts = {place: sum(not getattr(row, name) for row in rows) for name, place in wanted.items()}
    template = "{count} of {rows} rows have nothing at {place}"
    return [Remark(template, count=count, rows=len(rows), place=place) for place, count in counts.items() if count]


def _is_place(place: str) -> bool:
    css = _PLACE.match(place)
    return not place or css is None or not css["css"] or parsers.is_selector(css["css"])
