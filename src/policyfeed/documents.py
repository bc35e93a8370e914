"""Read one document: bytes → entries → articles, and nothing of it that is known already.

A source's memory holds a mark of each item that its last document had, and a trace of its entry. Items known byte for
byte are sliced away before a parser sees them. Of what is parsed, entries that say what a known one said are dropped
before they are normalized. The traces of all tell what stands for several entries, so that an edited one is known to be
a revision though the others were not read. Pure, and what the worker processes run.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, repeat
from struct import Struct
from typing import Any

from policyfeed import registry
from policyfeed.normalize.article import Normalized, Trace, normalize, shared_names, trace
from policyfeed.normalize.ministry import Ministries
from policyfeed.normalize.slicing import SIZE, Sliced
from policyfeed.types import NO_WISHES, Article, Document, Entry, Page, Request, Source, Verdict, Wishes

MOST = 2_000
"""Items of a longer document are not remembered: it is read as a whole each time it changes."""
MOST_SHARED = 100
TRACES, SIZES, SHARED = "traces", "sizes", "several"
_ROW = Struct(f"{SIZE}s" * len(Trace._fields))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One document read: articles (each with its one origin), and how the poll goes on.

    ``listed`` is how many entries the document has, ``parsed`` how many were read of it, ``sanitized`` how many of
    these were made articles. ``memory`` is to be kept in the cursor for the next poll. ``verdicts``, where the reader
    judges, belong to the articles one by one.
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
    memory: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()


Judge = Callable[[Article], Verdict]


def read_document(
    source: Source, cursor: Mapping[str, Any], document: Document, ministries: Ministries, judge: Judge | None = None
) -> Reading:
    """Document → entries → articles → verdicts, of what the cursor's memory does not know. Raises UpstreamError."""
    memory = _Memory.of(cursor)
    sift = getattr(registry.load("sources", source.kind), "sift", None)
    sliced: Sliced | None = sift(source, document, memory.followed) if sift else None
    reading = None
    if sliced is not None and len(sliced.marks) > sliced.left:
        reading = _read_slice(source, cursor, document, ministries, sliced, memory)
    reading = reading or _read_whole(source, cursor, document, ministries, sliced, memory)
    return replace(reading, verdicts=tuple(map(judge, reading.articles))) if judge and reading.memory else reading


def forgetful(cursor: Mapping[str, Any]) -> dict[str, Any]:
    """The cursor without what was read: with it everything is. Links and guids that stand for several entries are no
    identity of the one that is left, either."""
    return {name: value for name, value in cursor.items() if name not in (TRACES, SIZES)}


@dataclass(frozen=True, slots=True)
class _Memory:
    """Traces by the marks of their items, the bytes of what followed each of these, and what stands for several
    entries."""

    traces: Mapping[bytes, Trace]
    followed: Mapping[bytes, int]
    shared: frozenset[bytes]

    @classmethod
    def of(cls, cursor: Mapping[str, Any]) -> _Memory:
        traces = [Trace(*row) for row in _ROW.iter_unpack(b64decode(cursor.get(TRACES, "")))]
        marks = [one.item for one in traces]
        sizes = chain(cursor.get(SIZES, ())[1:], repeat(0))
        shared = b64decode(cursor.get(SHARED, ""))
        several = frozenset(shared[at : at + SIZE] for at in range(0, len(shared), SIZE))
        return cls(dict(zip(marks, traces, strict=True)), dict(zip(marks, sizes, strict=False)), several)

    def news(self, entries: Sequence[Entry], traces: Sequence[Trace]) -> list[Entry]:
        """Those of the entries that say what none of the last document said."""
        said = {one.said for one in self.traces.values()}
        return [entry for entry, one in zip(entries, traces, strict=True) if one.said not in said]


def _memory(traces: Sequence[Trace], sizes: Sequence[int], shared: frozenset[bytes]) -> dict[str, Any]:
    if len(traces) > MOST or len(shared) > MOST_SHARED:
        return {TRACES: ""}
    kept: dict[str, Any] = {TRACES: b64encode(b"".join(chain.from_iterable(traces))).decode(), SIZES: [*sizes]}
    return kept | ({SHARED: b64encode(b"".join(sorted(shared))).decode()} if shared else {})


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
        page = Page(entries=(), wishes=page.wishes)
    fresh = [trace(entry, source) for entry in page.entries]
    following = iter(fresh)
    traces = [memory.traces.get(mark) or next(following)._replace(item=mark) for mark in sliced.marks]
    shared = memory.shared | shared_names(traces)
    found = normalize(memory.news(page.entries, fresh), source, ministries, document.fetched, shared=shared)
    return _reading(page, found, _memory(traces, sliced.sizes, shared), listed=len(traces))


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
        return _reading(page, found, {}, listed=size)
    traces = [trace(entry, source) for entry in page.entries]
    marks, sizes = tuple(one.said for one in traces), tuple[int, ...]()
    if sliced is not None and len(sliced.marks) == size:
        marks, sizes = sliced.marks, sliced.sizes
    traces = [one._replace(item=mark) for one, mark in zip(traces, marks, strict=True)]
    shared = memory.shared | shared_names(traces)
    found = normalize(memory.news(page.entries, traces), source, ministries, document.fetched, shared=shared)
    return _reading(page, found, _memory(traces, sizes, shared), listed=size)


def _reading(page: Page, found: Normalized, memory: Mapping[str, Any], *, listed: int) -> Reading:
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
        parsed=len(page.entries),
        sanitized=found.entries,
        memory=memory,
    )
