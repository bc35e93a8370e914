"""Read one document: bytes → entries → articles, and nothing of it that is known already.

A source's memory holds a mark of each item (or entry) that its last document had, and the links and guids that stand
for several of them. Items known byte for byte are sliced away before feedparser sees them; where a document cannot be
sliced, known entries are dropped before they are normalized. Pure, and what the worker processes run.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policyfeed import registry
from policyfeed.normalize.article import Normalized, normalize, shared_keys
from policyfeed.normalize.ministry import Ministries
from policyfeed.normalize.slicing import SIZE, Sliced, mark
from policyfeed.types import NO_WISHES, Article, Document, Page, Request, Source, Verdict, Wishes

MOST_MARKS = 2_000
"""Items of a longer document are not remembered: it is read as a whole each time it changes."""
MOST_SHARED = 100
MARKS, SHARED = "marks", "shared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One document read: articles (each with its one origin), and how the poll goes on.

    ``listed`` is how many entries the document has, ``parsed`` how many were read of it, ``sanitized`` how many of
    these were made articles; ``partial`` tells that some were not read, for they are known. ``memory`` is to be kept in
    the cursor for the next poll. ``verdicts``, where the reader judges, belong to the articles one by one.
    """

    articles: tuple[Article, ...]
    next: Request | None = None
    cursor: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    newest_first: bool = False
    total: int | None = None
    rightly_empty: bool = False
    wishes: Wishes = NO_WISHES
    listed: int = 0
    parsed: int = 0
    sanitized: int = 0
    partial: bool = False
    memory: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


Judge = Callable[[Article], Verdict]


def read_document(
    source: Source, cursor: Mapping[str, Any], document: Document, ministries: Ministries, judge: Judge | None = None
) -> Reading:
    """Document → entries → articles → verdicts, of what the cursor's memory does not know. Raises UpstreamError."""
    memory = _Memory.of(cursor)
    sift = getattr(registry.load("sources", source.kind), "sift", None)
    sliced: Sliced | None = sift(source, document, memory.marks) if sift else None
    if sliced is not None and len(sliced.marks) > sliced.left:
        reading = _read_slice(source, cursor, document, ministries, sliced, memory)
    else:
        reading = None
    reading = reading or _read_whole(source, cursor, document, ministries, sliced, memory)
    return replace(reading, verdicts=tuple(map(judge, reading.articles))) if judge and reading.memory else reading


def forgetful(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """The cursor without what was read: with it everything is. Links and guids that stand for several entries are no
    identity of the one that is left, either."""
    return {name: value for name, value in cursor.items() if name != MARKS}


@dataclass(frozen=True, slots=True)
class _Memory:
    marks: frozenset[bytes] = frozenset()
    shared: frozenset[str] = frozenset()

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> _Memory:
        said = b64decode(str(cursor.get(MARKS, "")))
        marks = frozenset(said[at : at + SIZE] for at in range(0, len(said), SIZE))
        return cls(marks, frozenset(cursor.get(SHARED, ())))


def _memory(marks: Sequence[bytes], shared: frozenset[str]) -> dict[str, Any]:
    if len(marks) > MOST_MARKS or len(shared) > MOST_SHARED:
        return {MARKS: ""}
    kept: dict[str, Any] = {MARKS: b64encode(b"".join(marks)).decode()}
    return kept | ({SHARED: sorted(shared)} if shared else {})


def _read_slice(
    source: Source,
    cursor: Mapping[str, Any],
    document: Document,
    ministries: Ministries,
    sliced: Sliced,
    memory: _Memory,
) -> Reading | None:
    """What is new; None when the slice does not read as it was cut."""
    part = replace(document, body=sliced.body)
    page: Page = registry.load("sources", source.kind).read(replace(source, encoding="utf-8"), cursor, part)
    if len(page.entries) != sliced.left:
        return None
    if not sliced.left:
        told = _memory(sliced.marks, memory.shared)
        return Reading(articles=(), wishes=page.wishes, listed=len(sliced.marks), partial=True, memory=told)
    shared = memory.shared | shared_keys(page.entries, source)
    found = normalize(page.entries, source, ministries, document.fetched, shared=shared)
    told = _memory(sliced.marks, shared)
    return _reading(page, found, told, listed=len(sliced.marks), parsed=sliced.left, partial=True)


def _read_whole(
    source: Source,
    cursor: Mapping[str, Any],
    document: Document,
    ministries: Ministries,
    sliced: Sliced | None,
    memory: _Memory,
) -> Reading:
    page: Page = registry.load("sources", source.kind).read(source, cursor, document)
    size = len(page.entries)
    if page.cursor is not None or page.next is not None:  # pages with a memory of their own
        found = normalize(page.entries, source, ministries, document.fetched)
        return _reading(page, found, {}, listed=size, parsed=size)
    shared = memory.shared | shared_keys(page.entries, source)
    if sliced is not None and len(sliced.marks) == size:
        found = normalize(page.entries, source, ministries, document.fetched, shared=shared)
        return _reading(page, found, _memory(sliced.marks, shared), listed=size, parsed=size)
    marks = [mark(repr(entry).encode("utf-8", "backslashreplace")) for entry in page.entries]
    new = [entry for entry, said in zip(page.entries, marks, strict=True) if said not in memory.marks]
    found = normalize(new, source, ministries, document.fetched, shared=shared)
    return _reading(page, found, _memory(marks, shared), listed=size, parsed=size)


def _reading(
    page: Page,
    found: Normalized,
    memory: Mapping[str, Any],
    *,
    listed: int,
    parsed: int,
    partial: bool = False,
) -> Reading:
    return Reading(
        articles=found.articles,
        next=page.next,
        cursor=page.cursor,
        warnings=(*page.warnings, *found.warnings),
        vanished=page.vanished,
        newest_first=page.newest_first,
        total=page.total,
        rightly_empty=page.rightly_empty,
        wishes=page.wishes,
        listed=listed,
        parsed=parsed,
        sanitized=found.entries,
        partial=partial,
        memory=memory,
    )
