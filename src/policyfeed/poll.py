"""Poll one source: ask, read, normalize, recognise, judge, and save all of it in one transaction.

The story, top to bottom: ``Poller.poll`` harvests the documents (asynchronous, no database), then ``_save`` or
``_failed`` writes what came of it (one transaction, no network). Nothing is announced from here: what is owed to
channels is written beside the articles, and ``deliver`` pays it.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from policyfeed import identity, registry
from policyfeed.channels import Channel
from policyfeed.clock import Clock
from policyfeed.errors import Emptied, LayoutChanged, Refused, UpstreamError
from policyfeed.normalize.article import normalize
from policyfeed.normalize.ministry import Ministries
from policyfeed.rhythm import Bounds, Prior, Profile, after_failure, next_poll, retry_after, server_floor
from policyfeed.route import owed
from policyfeed.sources import body_url
from policyfeed.store import InDatabase, SourceState, Store, articles, bodies, outbox, sources
from policyfeed.types import Article, Delivery, Document, Judged, Request, Source, Validators, Verdict

MOST_PAGES = 200
"""Documents of one poll: an adapter that pages for ever is broken."""
NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One document read: articles (each with its one origin), and how the poll goes on."""

    articles: tuple[Article, ...]
    next: Request | None = None
    cursor: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    newest_first: bool = False
    total: int | None = None


Fetch = Callable[[Source, Request], Awaitable[Document]]
Read = Callable[[Source, Mapping[str, Any], Document], Awaitable[Reading]]
Judge = Callable[[Article], Verdict]


def read_document(source: Source, cursor: Mapping[str, Any], document: Document, ministries: Ministries) -> Reading:
    """Document → entries → articles. Pure, and what the worker processes run. Raises UpstreamError."""
    page = registry.load("sources", source.kind).read(source, cursor, document)
    found = normalize(page.entries, source, ministries, document.fetched)
    return Reading(
        articles=found.articles,
        next=page.next,
        cursor=page.cursor,
        warnings=(*page.warnings, *found.warnings),
        newest_first=page.newest_first,
        total=page.total,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What one poll brought home; ``articles`` is None when the source said, or showed, that nothing changed."""

    articles: tuple[Article, ...] | None
    validators: Validators
    body_hash: str | None
    cursor: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """One poll's result, as the command, the log and metrics show it. ``state``: ok, unchanged, or an error's name."""

    source: str
    state: str
    entries: int = 0
    new: int = 0
    joined: int = 0
    revised: int = 0
    kept: int = 0
    owed: int = 0
    requests: int = 0
    due: datetime | None = None
    error: UpstreamError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything that is shown changed."""
        return bool(self.new or self.joined or self.revised)


def fingerprint(source: Source) -> str:
    """The hash of the configuration that a source's validators and cursor belong to."""
    asked = (source.kind, source.url, source.method, source.headers, source.body, source.encoding, dict(source.options))
    return hashlib.sha256(json.dumps(asked, default=str, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller:
    """Polls sources with what the composition root gives it: I/O, clock, judgement, channels."""

    store: Store
    db: InDatabase
    fetch: Fetch
    read: Read
    judge: Judge
    channels: Sequence[Channel]
    clock: Clock
    bounds: Callable[[Source], Bounds]
    prior: Prior
    rng: random.Random = field(default_factory=random.Random)

    async def poll(self, source: Source) -> PollReport:
        """Visit one source now. Trouble upstream is a report with its error, never an exception."""
        state = await self.db(self._state, source)
        try:
            harvest = await self._harvest(source, state)
        except UpstreamError as error:
            return await self.db(self._failed, source, state, error)
        if harvest.articles is None:
            return await self.db(self._unchanged, source, state, harvest)
        return await self.db(self._save, source, state, harvest)

    def _state(self, source: Source) -> SourceState:
        with self.store.read() as tx:
            state = sources.get(tx, source.id)
        mark = fingerprint(source)
        if state.fingerprint == mark:
            return state
        # another configuration: what was learned of the old one vouches for nothing, and first contact is quiet
        return SourceState(id=source.id, fingerprint=mark, due=state.due, last_poll=state.last_poll)

    # Asking ---------------------------------------------------------------------------------------------------

    async def _harvest(self, source: Source, state: SourceState) -> Harvest:
        request = registry.load("sources", source.kind).first(source, state.cursor, self.clock())
        document = await self.ask(source, _conditional(request, state.validators))
        validators = _validators(document)
        if document.status == NOT_MODIFIED:
            kept = Validators(
                etag=validators.etag or state.validators.etag,
                last_modified=validators.last_modified or state.validators.last_modified,
            )
            return Harvest(
                articles=None, validators=kept, body_hash=state.body_hash, cursor=state.cursor, headers=document.headers
            )
        body_hash = hashlib.sha256(document.body).hexdigest()
        if body_hash == state.body_hash:
            return Harvest(
                articles=None, validators=validators, body_hash=body_hash, cursor=state.cursor, headers=document.headers
            )
        return await self._read_on(source, state, document, validators, body_hash)

    async def _read_on(
        self, source: Source, state: SourceState, document: Document, validators: Validators, body_hash: str
    ) -> Harvest:
        """Read the first document and the pages that follow it."""
        headers, found, warnings, asked = document.headers, list[Article](), list[str](), 1
        reading = await self.read(source, state.cursor, document)
        found.extend(reading.articles)
        warnings.extend(reading.warnings)
        paged = reading.cursor is not None and not reading.newest_first
        while reading.next is not None:
            if asked >= MOST_PAGES:
                raise LayoutChanged("{source} pages without an end.", source=source.id)
            asked += 1
            document = await self.ask(source, reading.next)
            reading = await self.read(source, reading.cursor or {}, document)
            found.extend(reading.articles)
            warnings.extend(reading.warnings)
        return Harvest(
            articles=tuple({article.origins[0].key: article for article in found}.values()),
            validators=Validators() if paged else validators,
            body_hash=None if paged else body_hash,
            cursor=reading.cursor or {},
            headers=headers,
            warnings=tuple(warnings),
            requests=asked,
        )

    async def ask(self, source: Source, request: Request) -> Document:
        """The answer to a request of a source. Raises Refused for other statuses than success and 304, UpstreamError."""
        document = await self.fetch(source, request)
        asked_if = any(name in ("If-None-Match", "If-Modified-Since") for name, _ in request.headers)
        if 200 <= document.status < 300 or (document.status == NOT_MODIFIED and asked_if):
            return document
        raise Refused(
            "{source} answered {status}.",
            remedy=_REMEDIES.get(document.status, "It is tried again later, by itself."),
            status=document.status,
            after=retry_after(document.headers.get("retry-after", ""), self.clock()),
            source=source.id,
        )

    # Saving ---------------------------------------------------------------------------------------------------

    def _save(self, source: Source, state: SourceState, harvest: Harvest) -> PollReport:
        seen = harvest.articles or ()
        if not seen and state.listed:
            return self._failed(source, state, Emptied("{source} lists nothing any more.", source=source.id))
        now = self.clock()
        with self.store.write() as tx:
            books = Books(tx, self, quiet=state.first_contact is None, now=now)
            books.enter(source, seen)
            profile = Profile.from_json(state.profile).seen(books.new_times, now)
            found = bool(books.new)
            after = replace(
                _succeeded(state, harvest, now),
                state="ok",
                since=state.since if state.state == "ok" else now,
                listed=len(seen),
                first_contact=state.first_contact or now,
                last_new=now if found else state.last_new,
                profile=profile.to_json(),
            )
            after = replace(after, due=self._next(source, after, harvest, found_new=found))
            sources.save(tx, after)
        return PollReport(
            source=source.id,
            state="ok",
            entries=len(seen),
            new=books.new,
            joined=books.joined,
            revised=books.revised,
            kept=books.kept,
            owed=books.owed,
            requests=harvest.requests,
            due=after.due,
            warnings=harvest.warnings,
        )

    def _unchanged(self, source: Source, state: SourceState, harvest: Harvest) -> PollReport:
        now = self.clock()
        after = replace(
            _succeeded(state, harvest, now),
            state="ok",
            since=state.since if state.state == "ok" else now,
            profile=Profile.from_json(state.profile).seen((), now).to_json(),
        )
        after = replace(after, due=self._next(source, after, harvest, found_new=False))
        with self.store.write() as tx:
            sources.save(tx, after)
        return PollReport(
            source=source.id, state="unchanged", entries=state.listed, requests=harvest.requests, due=after.due
        )

    def _failed(self, source: Source, state: SourceState, error: UpstreamError) -> PollReport:
        now = self.clock()
        failures = state.failures + 1
        after = replace(
            state,
            failures=failures,
            last_poll=now,
            state=error.name,
            since=state.since if state.state == error.name else now,
            error=str(error),
            profile=Profile.from_json(state.profile).seen((), now).to_json(),
            due=after_failure(failures, now, self.bounds(source), error.after, self.rng),
        )
        with self.store.write() as tx:
            sources.save(tx, after)
        return PollReport(source=source.id, state=error.name, error=error, due=after.due, requests=1)

    def _next(self, source: Source, state: SourceState, harvest: Harvest, *, found_new: bool) -> datetime:
        now = self.clock()
        return next_poll(
            Profile.from_json(state.profile),
            self.prior,
            now,
            self.bounds(source),
            found_new=found_new,
            floor=now + (server_floor(harvest.headers, now) or timedelta(0)),
            seed=source.id,
        )


@dataclass(slots=True)
class Books:
    """Enters seen articles into the store, within one transaction, and counts."""

    tx: Any
    poller: Poller
    quiet: bool
    now: datetime
    new: int = 0
    joined: int = 0
    revised: int = 0
    kept: int = 0
    owed: int = 0
    new_times: list[datetime] = field(default_factory=list)

    def enter(self, source: Source, seen: Sequence[Article]) -> None:
        """Oldest first, so that numbers run with time (of one moment, the last listed: lists begin with the newest).

        What is known word for word costs nothing.
        """
        keys = [article.origins[0].key for article in seen]
        said = articles.seen_digests(self.tx, source.id, keys)
        fresh = [one for one in seen if said.get(one.origins[0].key) != one.origins[0].digest]
        if not fresh:
            return
        numbers = articles.by_keys(self.tx, [one.origins[0].key for one in fresh])
        known = articles.get(self.tx, set(numbers.values()))
        unknown = [one for one in fresh if one.origins[0].key not in numbers]
        neighbours = self._neighbours(unknown)
        for article in sorted(reversed(fresh), key=lambda one: one.sort_time):
            key = article.origins[0].key
            if key in numbers:
                before = known[numbers[key]]
                after = self._again(before, article) if key in said else self._join(before, article)
            elif (same := neighbours.match(article)) is not None:
                after = self._join(same, article)
            else:
                after = self._new(article)
            place = body_url(source, article.origins[0].url)
            bodies.need(self.tx, after, source.id, place, self.now, quiet=self.quiet)
            known[after.number] = after
            neighbours.add(after)

    def _neighbours(self, unknown: Sequence[Article]) -> identity.Neighbours:
        if not unknown:
            return identity.Neighbours()
        times = [article.sort_time for article in unknown]
        return identity.Neighbours.of(
            articles.between(self.tx, min(times) - identity.REACH, max(times) + identity.REACH)
        )

    def _new(self, article: Article) -> Article:
        minted = replace(
            article, id=identity.mint(article.origins[0].key), updated=article.updated or article.sort_time
        )
        stored = articles.insert(self.tx, minted)
        self.new += 1
        if stored.published is not None and not stored.dated:
            self.new_times.append(stored.published)
        self._judge(stored, before=None)
        return stored

    def _join(self, known: Article, seen: Article) -> Article:
        articles.add_origin(self.tx, known.number, seen.origins[0])
        joined = identity.join(known, seen, self.now)
        articles.update(self.tx, joined, revised=False)
        self.joined += 1
        self._judge(joined, before=known)
        return joined

    def _again(self, known: Article, seen: Article) -> Article:
        """The same place says something else now: a revision, or only that place's slip."""
        revised = identity.revise(known, seen, self.now)
        articles.change_origin(self.tx, seen.origins[0])
        if revised is None:
            return known
        articles.update(self.tx, revised, revised=True)
        bodies.again(self.tx, revised.number, self.now)
        self.revised += 1
        self._judge(revised, before=known)
        return revised

    def _judge(self, article: Article, before: Article | None) -> None:
        """Judge, and owe the news to the channels that neither were told before nor would have been."""
        verdict = self.poller.judge(article)
        due = self._owed(Judged(article=article, verdict=verdict))
        if before is not None:
            was = articles.judged(self.tx, [before.number])[before.number]
            told = {old.channel for old in self._owed(replace(was, article=before))}
            told |= outbox.told(self.tx, article.number)
            due = [one for one in due if one.channel not in told]
        articles.save_verdict(self.tx, article.number, verdict, self.now)
        self.kept += verdict.kept
        self.owed += outbox.owe(self.tx, due)

    def _owed(self, judged: Judged) -> list[Delivery]:
        return list(owed(judged, self.poller.channels, self.now, quiet=self.quiet))


_REMEDIES = {
    404: "The page is gone or has moved: look for the new address.",
    405: 'The source may want another method: set `method = "POST"`.',
    410: "The source was closed for good: remove it from the configuration.",
    403: "The server refuses us; it may want another address, or block this network.",
}


def _conditional(request: Request, validators: Validators) -> Request:
    """RFC 9110 §13: both validators when both were given, exactly as they were received."""
    given = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    headers = tuple((name, value) for name, value in given.items() if value)
    return replace(request, headers=(*request.headers, *headers)) if request.method == "GET" else request


def _validators(document: Document) -> Validators:
    return Validators(etag=document.headers.get("etag"), last_modified=document.headers.get("last-modified"))


def _succeeded(state: SourceState, harvest: Harvest, now: datetime) -> SourceState:
    return replace(
        state,
        validators=harvest.validators,
        body_hash=harvest.body_hash,
        cursor=dict(harvest.cursor),
        failures=0,
        error="",
        last_poll=now,
        last_success=now,
    )
