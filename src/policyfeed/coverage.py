"""Proof that nothing is missing: what a list says it has of a day, ministry by ministry, against what is stored.

The day's whole list is read once; then each ministry that is on it is asked for alone, by its own codes (repCode), for
its own total. When these add up to the day's total no further one can have anything; when they do not, the remaining
ministries are asked too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from policyfeed import registry
from policyfeed.clock import KST
from policyfeed.documents import Reading
from policyfeed.errors import Incomplete
from policyfeed.normalize.ministry import Ministries
from policyfeed.poll import Poller
from policyfeed.store import Store, articles
from policyfeed.types import Article, Ministry, MinistryName, Request, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One ministry's day: what is listed under its name, its own total (None = not asked, or it has no code), and what
    of the list is stored. ``missing`` are the keys (``korea.kr/<newsId>``) that are not."""

    ministry: MinistryName
    listed: int
    own: int | None
    stored: int
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: ``total`` as the list says it, ``gone`` the keys that are stored but listed no more."""

    day: date
    total: int
    rows: tuple[Row, ...]
    gone: tuple[str, ...]
    requests: int

    @property
    def listed(self) -> int:
        return sum(row.listed for row in self.rows)

    @property
    def stored(self) -> int:
        return sum(row.stored for row in self.rows)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(key for row in self.rows for key in row.missing)

    @property
    def own(self) -> int | None:
        """All ministries' own totals together; None when they were not asked for."""
        asked = [row.own for row in self.rows if row.own is not None]
        return sum(asked) if asked else None

    @property
    def whole(self) -> bool:
        """Whether all of it is stored, and the list shows what it says that it has, ministry by ministry."""
        agreed = all(row.own in (None, row.listed) for row in self.rows)
        return not self.missing and self.listed == self.total and agreed


@dataclass(slots=True)
class Coverage:
    """Compares days of one list. ``quick`` leaves out the ministries' own totals: a request for each."""

    poller: Poller
    source: Source
    ministries: Ministries
    quick: bool = False
    requests: int = 0

    async def days(self, first: date, last: date) -> AsyncIterator[Day]:
        """Raises UpstreamError."""
        day = first
        while day <= last:
            yield await self._day(day)
            day += timedelta(days=1)

    async def _day(self, day: date) -> Day:
        before = self.requests
        listed, total = await self._listed(self.source, day)
        # by id: a ministry may change its name on a day
        named = {one.ministry.id: one.ministry for one in listed.values()}
        counted = Counter(named[one.ministry.id] for one in listed.values())
        own = {} if self.quick else await self._own(day, counted, total)
        stored, gone = await self.poller.db(_stored, self.poller.store, self.source, listed, day)
        rows = tuple(
            _row(ministry, counted[ministry], own.get(ministry.id), listed, stored)
            for ministry in sorted({*counted, *self._others(own, counted)}, key=lambda one: (-counted[one], one.name))
        )
        return Day(day=day, total=total, rows=rows, gone=gone, requests=self.requests - before)

    async def _listed(self, source: Source, day: date) -> tuple[Mapping[str, Article], int]:
        """Key → article of the whole day, and the list's own total. Raises Incomplete for a list without one."""
        request, reading = registry.load("sources", source.kind).days(source, day, day), Reading(articles=())
        found: dict[str, Article] = {}
        while request is not None:
            reading = await self._read(source, request, reading)
            found |= {one.origins[0].key: one for one in reading.articles}
            request = reading.next
        if reading.total is None:
            raise Incomplete("{source} gives no total to compare with.", source=source.id)
        return found, reading.total

    async def _read(self, source: Source, request: Request, reading: Reading) -> Reading:
        self.requests += 1
        document = await self.poller.ask(source, request)
        return await self.poller.read(source, reading.cursor or {}, document)

    async def _own(self, day: date, counted: Mapping[MinistryName, int], total: int) -> dict[str, int]:
        """Id → the ministry's own total: of those on the list first, of the others only when something is left over."""
        seen = {one.id for one in counted}
        coded = [one for one in self.ministries if one.rep_codes]
        own = {one.id: await self._total(one, day) for one in coded if one.id in seen}
        without_code = sum(count for one, count in counted.items() if one.id not in own)
        if sum(own.values()) + without_code == total:
            return own
        rest = {one.id: await self._total(one, day) for one in coded if one.id not in seen}
        return own | {id_: count for id_, count in rest.items() if count}

    async def _total(self, ministry: Ministry, day: date) -> int:
        """A ministry's own total: the first page says it."""
        alone = replace(self.source, options={**self.source.options, "rep_code": ",".join(_codes(ministry, day))})
        request = registry.load("sources", alone.kind).days(alone, day, day)
        return (await self._read(alone, request, Reading(articles=()))).total or 0

    def _others(self, own: Mapping[str, int], counted: Mapping[MinistryName, int]) -> list[MinistryName]:
        """Ministries whose own list has something, and that the whole list does not name."""
        seen = {one.id for one in counted}
        others = (one for one in self.ministries if one.id in own and one.id not in seen)
        return [MinistryName(id=one.id, name=one.name) for one in others]


def _codes(ministry: Ministry, day: date) -> tuple[str, ...]:
    """Under its present name it has its present code alone: an earlier one finds its successors' releases, too."""
    since = ministry.names[-1].since
    return ministry.rep_codes[:1] if since and since <= day.isoformat() else ministry.rep_codes


def _row(
    ministry: MinistryName, count: int, own: int | None, listed: Mapping[str, Article], stored: frozenset[str]
) -> Row:
    keys = [key for key, article in listed.items() if article.ministry.id == ministry.id]
    missing = tuple(sorted(key for key in keys if key not in stored))
    return Row(ministry=ministry, listed=count, own=own, stored=len(keys) - len(missing), missing=missing)


def _stored(
    store: Store, source: Source, listed: Mapping[str, Article], day: date
) -> tuple[frozenset[str], tuple[str, ...]]:
    """The keys that are stored, from whatever source, and those of the source's day that are listed no more."""
    start = datetime(day.year, day.month, day.day, tzinfo=KST)
    with store.read() as tx:
        known = frozenset(articles.by_keys(tx, listed))
        around = articles.between(tx, start, start + timedelta(days=1) - timedelta(microseconds=1))
    # articles first seen elsewhere carry that place's time, which may lie on another day than the list's
    ours = {one.origins[0].key for one in around if one.origins[0].source == source.id}
    return known, tuple(sorted(ours - listed.keys()))
