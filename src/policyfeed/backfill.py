"""Read what a source published in past days: quietly, politely, and on from where the last run was broken off.

Days are asked for where the source can be asked for days (``Adapter.days``); else its list is leafed through, newest
first, until it is older than what was asked for (``Adapter.leafs``). Each day, or page, is stored in one transaction
together with how far the backfill has come, and with what it teaches the source's rhythm. All else that polls remember
(cursor, validators, due time) stays, and nothing is announced, so that a daemon may be at work beside it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from policyfeed import registry
from policyfeed.books import Books
from policyfeed.clock import KST
from policyfeed.documents import Reading
from policyfeed.errors import Incomplete, LayoutChanged, Remark, UpstreamError, UsageError
from policyfeed.poll import Poller, fingerprint
from policyfeed.rhythm import Profile
from policyfeed.store import BackfillState, Transaction, backfills, sources
from policyfeed.types import Article, Request, Source

DAEMONS_DAYS = 3
"""Days up to today that polls read by themselves, and tell of: a backfill, which is quiet, leaves them alone."""
TRIES = 4
FIRST_PAUSE = 5.0
"""Seconds before a failed day, or page, is tried again; doubled each time, and at least what the server wishes."""
LONGEST_PAUSE = 300.0
DISORDER = timedelta(days=3)
"""By how much a list may be out of order: some releases are listed late, under their earlier date."""
MOST_PAGES = 5000
"""Pages of one list: one that leafs for ever is broken."""

Pause = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One day, or one page, that was read and stored. ``name`` is the day, or the page's number and its oldest day."""

    name: str
    entries: int
    new: int
    joined: int
    revised: int
    kept: int
    requests: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What one day or page brought home. ``place``: where a list that is leafed through goes on."""

    articles: tuple[Article, ...]
    requests: int
    warnings: tuple[str, ...] = ()
    place: Mapping[str, Any] | None = None


def way(source: Source) -> str:
    """How a source is backfilled: ``days``, ``pages``, or "" when it cannot be."""
    adapter = registry.load("sources", source.kind)
    if hasattr(adapter, "days"):
        return "days"
    return "pages" if hasattr(adapter, "leafs") and adapter.leafs(source) else ""


def check(source: Source, first: date, last: date, today: date, others: tuple[Source, ...]) -> None:
    """Raises UsageError where nothing can be backfilled; ``others``: what can be named instead."""
    if not way(source):
        able = ", ".join(one.id for one in others if way(one)) or "–"
        raise UsageError(
            "The source {source} cannot be backfilled: its kind {kind} shows only what is newest.",
            remedy="These can: {able}. A list with pages can when its table says so (page_param, next, paged).",
            source=source.id,
            kind=source.kind,
            able=able,
        )
    if first > last:
        raise UsageError("{first} is after {last}.", remedy="Give --from the earlier day.", first=first, last=last)
    newest = today - timedelta(days=DAEMONS_DAYS)
    if last > newest:
        raise UsageError(
            "{last} is too near: the last {days} days are read by polls, which tell of what is new there.",
            remedy="Backfill until {newest}, and run `policyfeed poll {source}` for the rest.",
            last=last,
            days=DAEMONS_DAYS,
            newest=newest,
            source=source.id,
        )


@dataclass(slots=True)
class Backfill:
    """One source's days. ``pause`` waits for seconds; ``poller.fetch`` is expected to keep the pace."""

    poller: Poller
    source: Source
    first: date
    last: date
    pause: Pause
    again: bool = False
    """Whether a backfill that was completed is done once more."""

    def state(self) -> BackfillState:
        """How far it has come; from the beginning when it is new, or the source is configured otherwise now."""
        mark = fingerprint(self.source)
        with self.poller.store.read() as tx:
            state = backfills.get(tx, self.source.id, self.first, self.last)
        if state is not None and state.fingerprint == mark and not (state.done and self.again):
            return state
        return BackfillState(
            source=self.source.id, first_day=self.first, last_day=self.last, fingerprint=mark, next_day=self.first
        )

    async def run(self) -> AsyncIterator[Step]:
        """Each day or page after it was stored. Raises UpstreamError when one cannot be read after ``TRIES`` tries."""
        state = await self.poller.db(self.state)
        while state.done is None:
            read, state = await self._next(state)
            step, state = await self.poller.db(self._store, read, state)
            yield step

    async def _next(self, state: BackfillState) -> tuple[_Read, BackfillState]:
        """What is read next, and the state after it."""
        if way(self.source) == "days":
            read = await self._patiently(lambda: self._day(state.next_day))
            after = replace(state, next_day=state.next_day + timedelta(days=1))
            ended = after.next_day > self.last
        else:
            read = await self._patiently(lambda: self._page(state.place))
            after = replace(state, place=read.place or {})
            ended = read.place is None
        return read, replace(
            after,
            requests=state.requests + read.requests,
            entries=state.entries + len(read.articles),
            done=self.poller.clock() if ended else None,
        )

    async def _patiently(self, work: Callable[[], Awaitable[_Read]]) -> _Read:
        """Try again after a while: in a long run any server has a weak moment."""
        seconds = FIRST_PAUSE
        for _ in range(TRIES - 1):
            try:
                return await work()
            except UpstreamError as error:
                await self.pause(min(max(seconds, error.after or 0.0), LONGEST_PAUSE))
                seconds *= 2
        return await work()

    # Reading --------------------------------------------------------------------------------------------------

    async def _day(self, day: date) -> _Read:
        """All pages of one day. Raises Incomplete when they hold more or less than the source's own total."""
        request = registry.load("sources", self.source.kind).days(self.source, day, day)
        found, warnings, reading, asked = dict[str, Article](), list[str](), Reading(articles=()), 0
        while request is not None:
            reading = await self._read(reading.cursor or {}, request)
            asked += 1
            found |= {one.origins[0].key: one for one in reading.articles}
            warnings.extend(reading.warnings)
            request = reading.next
            if asked > MOST_PAGES:
                raise LayoutChanged("{source} pages without an end.", source=self.source.id)
        if reading.total is not None and reading.total != len(found):
            raise Incomplete(
                "{source} says that {day} has {total} entries, but shows {found}.",
                remedy="The day was not stored; the same command goes on with it.",
                source=self.source.id,
                day=day,
                total=reading.total,
                found=len(found),
            )
        return _Read(articles=tuple(found.values()), requests=asked, warnings=tuple(warnings))

    async def _page(self, place: Mapping[str, Any]) -> _Read:
        """One page; those of its articles that are in the days. The end is a page with nothing but older ones."""
        request = registry.load("sources", self.source.kind).first(self.source, {}, self.poller.clock())
        if place:
            request = replace(request, url=place["url"], body=place["body"].encode())
        cursor = place.get("cursor", {"all": True})
        if int(cursor.get("pages", 0)) >= MOST_PAGES:
            raise LayoutChanged("{source} pages without an end.", source=self.source.id)
        reading = await self._read(cursor, request)
        days = [day for one in reading.articles if (day := _day_of(one))]
        # the last half decides: what is pinned to the top is no sign
        passed = bool(days) and max(days[len(days) // 2 :]) < self.first - DISORDER
        following = None
        if reading.next is not None and not passed:
            following = {
                "url": reading.next.url,
                "body": reading.next.body.decode(),
                "cursor": dict(reading.cursor or {}),
            }
        warnings = reading.warnings
        if reading.next is None and not passed and days and min(days) > self.first:
            warnings = (*warnings, Remark("the list ends at {day}: older entries cannot be had", day=min(days)))
        wanted = tuple(one for one in reading.articles if self.first <= (_day_of(one) or self.first) <= self.last)
        return _Read(articles=wanted, requests=1, warnings=warnings, place=following)

    async def _read(self, cursor: Mapping[str, Any], request: Request) -> Reading:
        return await self.poller.read(self.source, cursor, await self.poller.ask(self.source, request))

    # Storing --------------------------------------------------------------------------------------------------

    def _store(self, read: _Read, state: BackfillState) -> tuple[Step, BackfillState]:
        """What was read and how far that is: one transaction, quiet."""
        with self.poller.store.write() as tx:
            books = Books(tx, self.poller, quiet=True, now=self.poller.clock())
            books.enter(self.source, read.articles)
            self._teach(tx, books.times)
            state = replace(state, new=state.new + books.new, joined=state.joined + books.joined)
            backfills.save(tx, state)
        step = Step(
            name=self._named(read, state),
            entries=len(read.articles),
            new=books.new,
            joined=books.joined,
            revised=books.revised,
            kept=books.kept,
            requests=read.requests,
            warnings=read.warnings,
        )
        return step, state

    def _teach(self, tx: Transaction, published: Sequence[datetime]) -> None:
        """The source's rhythm, of what it had not listed before: what is known it was told already."""
        state = sources.get(tx, self.source.id)
        known = Profile.from_json(state.profile)
        profile = known.told(published, self.last, self.poller.clock())
        if profile is not known:
            sources.save(tx, replace(state, profile=profile.to_json()))

    def _named(self, read: _Read, state: BackfillState) -> str:
        if way(self.source) == "days":
            return (state.next_day - timedelta(days=1)).isoformat()
        days = [day for one in read.articles if (day := _day_of(one))]
        return f"{state.requests}: {min(days)}" if days else f"{state.requests}"


def _day_of(article: Article) -> date | None:
    """The day in Korea on which it was published; None = upstream gave none that can be read."""
    return article.published.astimezone(KST).date() if article.published else None
