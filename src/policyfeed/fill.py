"""Fill in bodies: ask an article's own page, viewer and files, politely, and complete the stored article.

The story, top to bottom: ``Filler.fill`` claims the duty that comes first at a host, gathers what its documents say
(asynchronous, no database), then ``_save`` or ``_failed`` writes what came of it (one transaction, no network). A body
is no revision, unless the same page said something else before. It can make a dropped article a kept one: then the
channels that were never told of it are owed the news, once, in the same transaction.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from http import HTTPStatus

from policyfeed import pauses
from policyfeed.channels import Channel
from policyfeed.clock import Clock, retry_after
from policyfeed.documents import Judge
from policyfeed.errors import (
    Blocked,
    Deleted,
    Forbidden,
    HostileDocument,
    InternalError,
    LayoutChanged,
    Paused,
    Refused,
    TooLarge,
    Unreachable,
    Unreadable,
    UpstreamError,
)
from policyfeed.faults import admitted
from policyfeed.harvest import reach
from policyfeed.normalize import dates
from policyfeed.normalize.detail import enrich
from policyfeed.rhythm import Bounds
from policyfeed.route import owed
from policyfeed.sources import detailed
from policyfeed.store import InDatabase, Store, Transaction, articles, bodies, outbox
from policyfeed.store.bodies import Body, BodyState
from policyfeed.transport.load import holding
from policyfeed.types import Article, Detail, Document, Judged, Request, Source

RETRIES = (timedelta(minutes=10), timedelta(hours=1), timedelta(hours=6), timedelta(hours=24))
"""After each failed attempt; after the last one the body is given up, with its reason."""
MOST_REQUESTS = 120
"""Requests for one article: an adapter that goes on for ever is broken."""
_LEASE = timedelta(minutes=30)
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=2)
_LONGEST_WISH = 24 * 3600.0
_GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
_NO_TEXT = Unreadable("There is no text, on its page or in a file.")

Fetch = Callable[[Source, Request], Awaitable[Document]]
"""Asks when robots.txt allows it and it is the host's turn. Raises Paused for a host that is to be left alone."""
Read = Callable[[Source, Document, Detail | None], Awaitable[Detail]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FillReport:
    """One article's attempt. ``state``: done, pending (tried again at ``due``) or failed (given up).

    ``changed``: the article now shows something else. ``host_failed``: the whole host did not answer as it should.
    """

    number: int
    source: str
    state: BodyState
    requests: int = 0
    characters: int = 0
    changed: bool = False
    owed: int = 0
    due: datetime | None = None
    error: str = ""
    """Its message as it is stored (``errors.told``)."""
    host_failed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Filler:
    """Fills bodies with what the composition root gives it: I/O, clock, judgement, channels, sources by id."""

    store: Store
    db: InDatabase
    fetch: Fetch
    read: Read
    judge: Judge
    channels: Sequence[Channel]
    clock: Clock
    sources: Mapping[str, Source]
    looks: Sequence[timedelta] = ()
    """How long after a release was first seen its page is looked at again, each time; in ascending order."""
    refusals: dict[str, int] = field(default_factory=dict)
    """Host → how often in a row it failed as a whole."""
    rng: random.Random = field(default_factory=random.Random)

    async def fill(self, host: str) -> FillReport | None:
        """Fill the body that comes first at a host; None = none is due, or none may be asked for. Trouble upstream is a
        report, no exception.
        """
        claimed = await self.db(self._claim, host)
        if claimed is None:
            return None
        asking = _Asking(filler=self, source=self.sources.get(claimed.source), again=claimed.attempts > 0)
        known = await self.db(self._known, claimed) if claimed.state is BodyState.AGAIN else None
        try:
            with admitted(claimed.source):
                detail = await asking.gather(claimed.url, known)
                if detail is None:
                    return await self.db(self._unchanged, claimed, asking.requests)
                return await self.db(self._save, claimed, detail, asking.requests)
        except Paused as paused:
            return await self.db(self._put_off, claimed, paused.until)
        except UpstreamError as error:
            return await self.db(self._failed, claimed, error, asking.requests)

    def _claim(self, host: str) -> Body | None:
        with self.store.write() as tx:
            return bodies.claim(tx, host, self.clock(), _LEASE)

    def _known(self, claimed: Body) -> datetime | None:
        """When the article was last changed upstream, as far as is known."""
        with self.store.read() as tx:
            return articles.get(tx, [claimed.number])[claimed.number].updated

    # Saving -----------------------------------------------------------------------------------------------------------

    def _save(self, claimed: Body, detail: Detail, requests: int) -> FillReport:
        now = self.clock()
        ended = replace(claimed, state=BodyState.DONE, attempts=claimed.attempts + 1, error="")
        if not detail.content:
            ended = _postponed(claimed, now, "\n".join(detail.warnings) or _NO_TEXT.dumped())
        with self.store.write() as tx:
            was = articles.judged(tx, [claimed.number])[claimed.number]
            source = self.sources[claimed.source]
            article = enrich(was.article, detail, source, now, own_text=claimed.revision > 0)
            other_text = article.content != was.article.content
            if other_text and claimed.revision == was.article.revision:  # it said something else before
                article = replace(article, revision=article.revision + 1, updated=now)
            told = self._complete(tx, was, article, quiet=claimed.quiet) if article is not was.article else 0
            revision = article.revision if other_text or claimed.revision else 0
            if ended.state is BodyState.DONE:
                ended = self._looked(ended, article)
            bodies.settle(tx, claimed, replace(ended, revision=revision))
            self._answered(tx, claimed)
        report = _report(ended, requests)
        return replace(report, characters=len(article.content), changed=article is not was.article, owed=told)

    def _looked(self, ended: Body, article: Article) -> Body:
        """The duty to look at the page again; done, when that was often enough, or a backfill brought something old."""
        seen, now = article.first_seen, self.clock()
        looks = [seen + one for one in self.looks if seen + one > now and seen - article.sort_time < self.looks[-1]]
        return replace(ended, state=BodyState.AGAIN, attempts=0, due=looks[0]) if looks else ended

    def _unchanged(self, claimed: Body, requests: int) -> FillReport:
        with self.store.write() as tx:
            article = articles.get(tx, [claimed.number])[claimed.number]
            ended = self._looked(replace(claimed, state=BodyState.DONE, error=""), article)
            bodies.settle(tx, claimed, ended)
            self._answered(tx, claimed)
        return _report(ended, requests)

    def _complete(self, tx: Transaction, was: Judged, article: Article, *, quiet: bool) -> int:
        """Store the article and its new verdict; owe it to channels that neither were told nor would have been."""
        verdict = self.judge(article)
        if article.revision > was.article.revision:
            articles.update(tx, article, revised=True)
        else:
            articles.complete(tx, article)
        articles.save_verdict(tx, article.number, verdict, self.clock())
        due = owed(Judged(article=article, verdict=verdict), self.channels, self.clock(), quiet=quiet)
        before = {one.channel for one in owed(was, self.channels, self.clock(), quiet=quiet)}
        told = before | outbox.told(tx, article.number)
        return outbox.owe(tx, [one for one in due if one.channel not in told])

    def _answered(self, tx: Transaction, claimed: Body) -> None:
        self.refusals.pop(claimed.host, None)
        pauses.end(tx, self.clock(), claimed.url)

    def _put_off(self, claimed: Body, until: datetime) -> None:
        """The host said 429 to somebody: that is no attempt, and all that is wanted of it waits."""
        with self.store.write() as tx:
            bodies.settle(tx, claimed, replace(claimed, due=until))
            bodies.postpone(tx, claimed.host, until)

    def _failed(self, claimed: Body, error: UpstreamError, requests: int) -> FillReport:
        now = self.clock()
        ended = _postponed(claimed, now, error.dumped())
        host_failed = _concerns_host(error)
        withdrawn = _is_gone(claimed, ended, error)
        with self.store.write() as tx:
            if withdrawn:
                ended = replace(ended, state=BodyState.FAILED)
                articles.withdraw(tx, claimed.number, now)
            bodies.settle(tx, claimed, ended)
            paused = pauses.begin(tx, error, claimed.url, Bounds(), now, self.rng)
            if host_failed:
                until = now + self._pause(claimed.host, error)
                bodies.postpone(tx, claimed.host, max(until, paused or until))
        return replace(_report(ended, requests), changed=withdrawn, host_failed=host_failed)

    def _pause(self, host: str, error: UpstreamError) -> timedelta:
        """How long the whole host is left alone: longer and longer, at least as long as it asks."""
        failures = self.refusals[host] = self.refusals.get(host, 0) + 1
        wait = min(_FIRST_PAUSE * (1 << min(failures - 1, 10)), _LONGEST_PAUSE)
        return max(wait, timedelta(seconds=min(error.after or 0.0, _LONGEST_WISH)))


@dataclass(slots=True, kw_only=True)
class _Asking:
    """The requests for one article."""

    filler: Filler
    source: Source | None
    again: bool
    """Whether it was tried before."""
    requests: int = 0

    async def gather(self, url: str, known: datetime | None = None) -> Detail | None:
        """What all documents of the article say; None when its page says no later change than ``known``.

        Raises UpstreamError.
        """
        adapter = detailed(self.source) if self.source else None
        request = adapter.detail(self.source, url) if adapter and self.source else None
        if self.source is None or adapter is None or request is None:
            raise Unreadable("The source of {url} is not configured any more, or has no pages like it.", url=url)
        detail = await self._read(self.source, request, None)
        said = dates.parse(detail.updated, self.source.timezone) if known and not detail.content else None
        if known and said and said.at <= known:
            return None
        while detail.ways and self.requests < MOST_REQUESTS:
            detail = await self._follow(self.source, detail)
        return detail

    async def _follow(self, source: Source, detail: Detail) -> Detail:
        """The detail after its next way was tried; a way that is closed for good leaves the others."""
        try:
            return await self._read(source, detail.ways[0], detail)
        except (TooLarge, Unreadable, HostileDocument, InternalError, LayoutChanged, Forbidden) as error:
            problem: UpstreamError = error
        except Refused as error:
            if error.status not in _GONE and not self._is_own(error, detail):
                raise
            problem = error
        said = () if detail.content else (problem.dumped(),)  # a viewer ends where its next page is missing
        return replace(detail, ways=detail.ways[1:], warnings=(*detail.warnings, *said))

    def _is_own(self, error: Refused, detail: Detail) -> bool:
        """Whether a 5xx is the way's own trouble: time and again, and of a host that asks for no patience.

        A text that began is not cut short for it.
        """
        return self.again and error.status >= 500 and error.after is None and not detail.content

    async def _read(self, source: Source, request: Request, so_far: Detail | None) -> Detail:
        with holding():
            return await self.filler.read(source, await self._ask(source, request), so_far)

    async def _ask(self, source: Source, request: Request) -> Document:
        return await reach(lambda wanted: self._answer(source, wanted), source, request)

    async def _answer(self, source: Source, request: Request) -> Document:
        self.requests += 1
        document = await self.filler.fetch(source, request)
        if 200 <= document.status < 300:
            return document
        raise Refused(
            "{url} answered {status}.",
            status=document.status,
            after=retry_after(document.headers, document.fetched),
            url=document.url,
        )


def _postponed(claimed: Body, now: datetime, why: str) -> Body:
    """The duty after an attempt that brought no text: later, or never. A text that is there is no failure."""
    attempts = claimed.attempts + 1
    if attempts > len(RETRIES):
        state = BodyState.DONE if claimed.revision else BodyState.FAILED
        return replace(claimed, state=state, attempts=attempts, error=why)
    return replace(claimed, attempts=attempts, due=now + RETRIES[attempts - 1], error=why)


def _is_gone(claimed: Body, ended: Body, error: UpstreamError) -> bool:
    """Whether the release is gone for good: its page said so twice in a row.

    404 is an answer to many troubles: it counts when all tries are over, and of a release that left its list.
    """
    if claimed.error != ended.error:
        return False
    status = error.status if isinstance(error, Refused) else None
    missing = claimed.state is BodyState.PENDING and claimed.revision > 0 and ended.attempts > len(RETRIES)
    return isinstance(error, Deleted) or status == HTTPStatus.GONE or (status == HTTPStatus.NOT_FOUND and missing)


def _concerns_host(error: UpstreamError) -> bool:
    """Whether the next article of the host would fare no better."""
    if isinstance(error, Refused):
        return error.status not in _GONE
    return isinstance(error, Unreachable | Blocked | LayoutChanged)


def _report(ended: Body, requests: int) -> FillReport:
    state = ended.state
    if state is BodyState.AGAIN:
        state = BodyState.PENDING if ended.error else BodyState.DONE
    due = ended.due if state is BodyState.PENDING else None
    return FillReport(
        number=ended.number, source=ended.source, state=state, requests=requests, due=due, error=ended.error
    )
