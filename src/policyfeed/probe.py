"""Look at a source without storing anything: what would be read, and what a site offers to read.

``look`` shows a source's first document entry by entry. ``discover`` asks a page for its feeds (announced, linked, and
only where there is none of these, at the usual places) and for its list, and proves what it proposes by reading it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from policyfeed import discovery, registry
from policyfeed.clock import Clock
from policyfeed.discovery import Candidate, Proposal
from policyfeed.errors import Remark, UpstreamError
from policyfeed.normalize.article import one_by_one
from policyfeed.normalize.listing import is_block_page
from policyfeed.normalize.ministry import Ministries
from policyfeed.normalize.text import is_charset, one_line, text_of
from policyfeed.types import Article, Document, Entry, Request, Source

if TYPE_CHECKING:
    from policyfeed.poll import Poller  # workers, which read for a probe, need no store

MOST_FEEDS = 10
"""Addresses that are asked when a site is searched for feeds; guesses, one list's item and the page come on top."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An entry, what becomes of it (None: nothing), and what is odd about it."""

    entry: Entry
    article: Article | None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """A document read. ``next``: the further page that the list names; ``total``: how much it says that it has.

    ``format`` and ``title`` are a feed's own.
    """

    seen: tuple[Seen, ...]
    encoding: str
    format: str = ""
    title: str = ""
    next: str = ""
    total: int | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a page offers. ``format`` is set when it is a feed itself; ``entries`` is what the proposal reads."""

    format: str = ""
    links: tuple[Candidate, ...] = ()
    proposal: Proposal | None = None
    entries: tuple[Entry, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One source looked at: the answer, what was read in it, or why it could not be read."""

    source: Source
    document: Document | None
    seconds: float
    looked: Looked | None = None
    error: UpstreamError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """A candidate that was asked: a feed, or why it is none."""

    candidate: Candidate
    looked: Looked | None = None
    error: UpstreamError | None = None

    @property
    def newest(self) -> datetime | None:
        dates = [one.article.published for one in self.looked.seen if one.article] if self.looked else []
        return max((one for one in dates if one is not None), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """What a site offers. ``board`` is a source of kind ``page`` that reads the page; ``proven``: the first item's
    address leads to its text; None: it was not tried."""

    url: str
    feeds: tuple[Feed, ...]
    board: Source | None = None
    entries: tuple[Entry, ...] = ()
    proven: bool | None = None
    notes: tuple[str, ...] = ()
    requests: int = 0


Look = Callable[[Source, Mapping[str, Any], Document], Awaitable[Looked]]
TakeStock = Callable[[Source, Document], Awaitable[Survey]]


def look_at(source: Source, cursor: Mapping[str, Any], document: Document, ministries: Ministries) -> Looked:
    """Document → entries, each with its article. Pure, for the worker processes. Raises UpstreamError."""
    page = registry.load("sources", source.kind).read(source, cursor, document)
    text = text_of(document, source.encoding)
    form, title = discovery.described(text) if source.kind == "feed" else ("", "")
    seen = [
        Seen(entry=entry, article=article, warnings=tuple(odd))
        for entry, article, odd in one_by_one(page.entries, source, ministries, document.fetched)
    ]
    return Looked(
        seen=_doubles(seen),
        encoding=_encoding(document, text, source.encoding),
        format=form,
        title=title,
        next=page.next.url if page.next else "",
        total=page.total,
        warnings=page.warnings,
    )


def survey(source: Source, document: Document) -> Survey:
    """What a page offers. Pure, for the worker processes; the proposal was proven by reading the page with it."""
    text = text_of(document, source.encoding).strip("\ufeff \t\r\n")
    form, _ = discovery.described(text)
    if form:
        return Survey(format=form)
    links, proposal = discovery.feed_links(text, document.url), discovery.propose(text, document.url)
    if proposal is None:
        odd = (Remark("the page reads like a block page"),) if not links and is_block_page(text) else ()
        return Survey(links=links, warnings=odd)
    adapter, board = registry.load("sources", "page"), board_of(document.url, proposal)
    if mistakes := adapter.check(board):
        return Survey(links=links, warnings=tuple(str(one) for one in mistakes))
    try:
        page = adapter.read(board, {}, document)
    except UpstreamError as error:
        return Survey(links=links, warnings=(str(error),))
    return Survey(links=links, proposal=proposal, entries=page.entries, warnings=page.warnings)


def board_of(url: str, proposal: Proposal) -> Source:
    """The proposal as a source, named after its host: ``www.moe.go.kr`` → ``moe-press``."""
    labels = [label for label in (urlsplit(url).hostname or "site").split(".") if label not in ("www", "m")]
    return Source(id=f"{labels[0]}-press", kind="page", url=url, options=dict(proposal.options))


async def look(source: Source, cursor: Mapping[str, Any], *, poller: Poller, read: Look, clock: Clock) -> Probe:
    """The source's first document. Trouble is part of the answer."""
    began, document = clock(), None
    try:
        request = registry.load("sources", source.kind).first(source, cursor, began)
        document = await poller.ask(source, request)
        took = (clock() - began).total_seconds()
        looked = await read(source, cursor, document)
        return Probe(source=source, document=document, seconds=took, looked=looked)
    except UpstreamError as error:
        return Probe(source=source, document=document, seconds=(clock() - began).total_seconds(), error=error)


@dataclass(slots=True)
class Discoverer:
    """Searches one site, with few requests: announced feeds, linked ones, guesses only where nothing was found."""

    poller: Poller
    read: Look
    take_stock: TakeStock
    requests: int = 0

    async def discover(self, url: str, document: Document | None = None) -> Discovery:
        """What is at ``url``; ``document``: it was asked for already. Raises UpstreamError when there is no page."""
        page = Source(id=url, kind="page", url=url)
        if document is None:
            document = await self._ask(page, Request(url=url))
        found = await self.take_stock(page, document)
        if found.format:
            return await self._concluded(url, [Candidate(url=url, title="", how="announced")], Survey())
        return await self._concluded(url, found.links, found)

    async def _concluded(self, url: str, links: Sequence[Candidate], found: Survey) -> Discovery:
        feeds = await self._feeds(links)
        if not any(feed.looked for feed in feeds) and found.proposal is None:
            feeds = [*feeds, *(one for one in await self._guessed(url) if one.looked)]
        board = board_of(url, found.proposal) if found.proposal else None
        notes = (*(found.proposal.notes if found.proposal else ()), *found.warnings)
        proven = await self._proven(board, found.entries) if board else None
        if proven is False:
            wrong = "the first item's address does not lead to its title: correct the link or link_template"
            notes = (*notes, Remark(wrong))
        return Discovery(
            url=url,
            feeds=tuple(feeds),
            board=board,
            entries=found.entries,
            proven=proven,
            notes=notes,
            requests=self.requests,
        )

    async def _feeds(self, links: Sequence[Candidate]) -> list[Feed]:
        """Ask them; a page about feeds (RSS 안내) is looked through for feeds, once."""
        waiting, asked, found = list(links), set[str](), list[Feed]()
        while waiting and len(asked) < MOST_FEEDS:
            one = waiting.pop(0)
            if one.url in asked:
                continue
            asked.add(one.url)
            feed, document = await self._try(one, kind="feed")
            if feed.looked is not None or one.how == "announced":
                found.append(feed)
            elif document is not None and one in links:
                waiting += (await self._stock(one.url, document)).links
        return found

    async def _guessed(self, url: str) -> list[Feed]:
        """As a reader would ask: robots.txt counts."""
        found = []
        for one in discovery.guesses(url):
            feed, _ = await self._try(one, kind="page")
            found.append(feed)
            if feed.looked is not None:
                break
        return found

    async def _try(self, one: Candidate, *, kind: str) -> tuple[Feed, Document | None]:
        source, document = Source(id=one.url, kind="feed", url=one.url), None
        try:
            document = await self._ask(replace(source, kind=kind), Request(url=one.url))
            return Feed(candidate=one, looked=await self.read(source, {}, document)), document
        except UpstreamError as error:
            return Feed(candidate=one, error=error), document

    async def _stock(self, url: str, document: Document) -> Survey:
        try:
            return await self.take_stock(Source(id=url, kind="page", url=url), document)
        except UpstreamError:
            return Survey()

    async def _proven(self, board: Source, entries: Sequence[Entry]) -> bool:
        """Whether the first item's address leads to a page that has its title."""
        try:
            document = await self._ask(board, Request(url=entries[0].url))
            text = text_of(document)
        except (UpstreamError, IndexError):
            return False
        return _bare(entries[0].title)[:20] in _bare(text)

    async def _ask(self, source: Source, request: Request) -> Document:
        self.requests += 1
        return await self.poller.ask(source, request)


def guess_of(url: str) -> Source:
    """An address of unknown kind, as a feed."""
    return Source(id=url, kind="feed", url=url, name=urlsplit(url).hostname or url)


def _doubles(seen: Sequence[Seen]) -> tuple[Seen, ...]:
    """With a warning on entries that have an earlier one's key: only the first becomes an article."""
    keys: set[str] = set()
    marked = []
    for one in seen:
        key = one.article.origins[0].key if one.article else ""
        double = (Remark("an earlier entry has the same key"),) if key in keys else ()
        marked.append(replace(one, warnings=(*one.warnings, *double)))
        keys |= {key} - {""}
    return tuple(marked)


def _encoding(document: Document, text: str, given: str | None) -> str:
    """The encoding in which the body is the text that was read."""
    for name in filter(None, (given, "utf-8", "utf-8-sig", "utf-16", "cp949")):
        try:
            if is_charset(name) and document.body.decode(name) == text:
                return name
        except UnicodeError:
            continue
    return document.headers.get("content-type", "").partition("charset=")[2] or "?"


def _bare(text: str) -> str:
    return "".join(one_line(text).split())
