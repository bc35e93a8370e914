"""Poll one source: ask, read, normalize, recognise, judge, and save all of it in one transaction.

The story, top to bottom: ``Poller.poll`` harvests the documents (``harvest``: asynchronous, no database), then
``_save``, ``_unchanged`` or ``_failed`` writes what came of it (``books``: one transaction, no network). Nothing is
announced from here: what is owed to channels is written beside the articles, and ``deliver`` pays it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from policyfeed import pauses
from policyfeed.books import Books
from policyfeed.channels import Channel
from policyfeed.clock import Clock
from policyfeed.documents import Judge, forgetful
from policyfeed.errors import Emptied, Paused, Refused, Remark, UpstreamError, noted
from policyfeed.faults import admitted
from policyfeed.harvest import Fetch, Harvest, Place, Read, Room, Visit, ask
from policyfeed.rhythm import (
    Bounds,
    Prior,
    Profile,
    after_failure,
    believable,
    next_poll,
    settled,
    with_plan,
)
from policyfeed.store import InDatabase, SourceState, Store, Transaction, sources
from policyfeed.store.sources import ANEW, GONE, NO_VALIDATORS
from policyfeed.transport.load import holding
from policyfeed.types import NO_WISHES, Document, Request, Source

HELD = "held"
"""The state of a report without a visit: the host said 429, and its pause is not over."""
ANSWERS, PERMANENCE = 3, timedelta(hours=24)
"""A permanent redirect is believed after so many identical answers over so long a time."""
MISSES, ABSENCE = 10, timedelta(days=7)
"""A source that is not found so many times over so long a time is gone."""
GONE_STATUS, NOT_FOUND = 410, 404
HALF = 32
"""Characters of a fingerprint's halves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """One poll's result, as the command, the log and metrics show it.

    ``state``: ok, unchanged, held (nothing was asked, the host wants a pause), gone, or an error's name.
    """

    source: str
    state: str
    entries: int = 0
    new: int = 0
    joined: int = 0
    revised: int = 0
    restored: int = 0
    """Articles that had been withdrawn and are listed again."""
    kept: int = 0
    owed: int = 0
    requests: int = 0
    parsed: int = 0
    """Entries that were read: what is known byte for byte is not."""
    sanitized: int = 0
    """Entries that were made articles: what is known word for word is not."""
    matched: int = 0
    """Articles that were judged."""
    rows: int = 0
    """Rows written, the source's own not counted."""
    due: datetime | None = None
    error: UpstreamError | None = None
    warnings: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything that is shown changed."""
        return bool(self.new or self.joined or self.revised or self.restored)


def fingerprint(source: Source) -> str:
    """The hash of the configuration that a source's validators and cursor belong to: of what is asked and listed, then
    of what follows from it for each entry.
    """
    asked = (source.kind, source.url, source.method, source.headers, source.body, source.encoding, dict(source.options))
    each = (source.ministry or source.name, source.timezone, source.language, source.article_kind, source.licence)
    return _hashed(asked) + _hashed(each)


def _hashed(configured: object) -> str:
    return hashlib.sha256(json.dumps(configured, default=str, sort_keys=True).encode()).hexdigest()[:HALF]


def _reconfigured(state: SourceState, mark: str) -> SourceState:
    """Where entries are read otherwise, all of the same list are read once more. Of another list what was learned
    vouches for nothing, and first contact is quiet, but for what came out since the last success. The rhythm, and what
    was spent of its budget, stay; a back-off does not.
    """
    if state.fingerprint[:HALF] == mark[:HALF]:
        cursor = forgetful(state.cursor)
        return replace(state, fingerprint=mark, validators=NO_VALIDATORS, body_hash=ANEW, cursor=cursor, due=None)
    return SourceState(
        id=state.id,
        fingerprint=mark,
        body_hash=ANEW,
        profile=state.profile,
        last_poll=state.last_poll,
        last_success=state.last_success,
        last_new=state.last_new,
    )


def due_time(source: Source, state: SourceState | None, now: datetime, bounds: Bounds) -> datetime | None:
    """When to poll the source, inside ``bounds``; ``now`` where it never was as it is configured; None = it is gone."""
    if state is None or state.fingerprint != fingerprint(source):
        return now
    if state.gone:
        return None
    due = believable(state.due or now, state.last_poll, now, bounds)
    return settled(due, Profile.from_json(state.profile), bounds, NO_WISHES, now, source.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poller:
    """Polls sources with what the composition root gives it: I/O, clock, judgement, channels.

    ``running`` holds the visits under way, so that a source has one at a time: the data folder's lock keeps other
    processes out, and a lease written before each visit would only double the writing.
    """

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
    running: dict[str, asyncio.Future[PollReport]] = field(default_factory=dict)
    room: Room = field(default_factory=Room)
    patience: float = 2.0
    """Seconds without an answer after which it is noted that a source is being asked."""

    async def poll(self, source: Source) -> PollReport:
        """Visit one source now, or wait for the visit under way. Trouble upstream is a report with its error."""
        while (other := self.running.get(source.id)) is not None:
            await asyncio.wait([other])
            if not other.cancelled():
                return other.result()
        mine = self.running[source.id] = asyncio.get_running_loop().create_future()
        try:
            report = await self._visit(source)
            mine.set_result(report)
        finally:
            mine.cancel()
            del self.running[source.id]
        return report

    async def _visit(self, source: Source) -> PollReport:
        async with self.room.place() as place:
            state, paused = await self.db(self._opened, source)
            placed = replace(source, url=state.url) if state.url else source
            fetch = partial(self._asked, state)
            visit = Visit(placed, state, fetch=fetch, read=self.read, clock=self.clock)
            if paused is not None:
                return await self.db(self._held, visit, paused)
            return await self._visited(source, visit, place)

    async def _visited(self, source: Source, visit: Visit, place: Place) -> PollReport:
        try:
            with admitted(source.id), holding():
                return await self._harvested(source, visit, place)
        except Paused as redirected:
            return await self.db(self._held, visit, redirected)
        except UpstreamError as error:
            return await self.db(self._failed, source, visit, error)

    async def _harvested(self, source: Source, visit: Visit, place: Place) -> PollReport:
        harvest = await visit.harvest(place)
        save = self._unchanged if harvest.articles is None else self._save
        saved = self.db(save, source, visit, harvest)
        del harvest  # it is in memory until it is stored, and no longer
        return await saved

    async def _asked(self, state: SourceState, source: Source, request: Request) -> Document:
        noting = asyncio.get_running_loop().call_later(self.patience, self._taking_long, state, source)
        try:
            return await self.fetch(source, request)
        finally:
            noting.cancel()

    def _taking_long(self, state: SourceState, source: Source) -> None:
        """Note when the source may be asked again: if this process ends before the answer came, the next one does not
        ask at once. (Noted of each request it would be a second flush to the disk.)
        """
        noted = asyncio.ensure_future(self.db(self._note, state, self.clock() + self.bounds(source).least))
        noted.add_done_callback(lambda done: done.cancelled() or done.exception())  # a visit that fails as well tells

    def _note(self, state: SourceState, earliest: datetime) -> None:
        with self.store.write() as tx:
            due, profile = max(earliest, state.due or earliest), sources.profile(tx, state.id)
            sources.save(tx, replace(state, due=due, profile=profile))

    async def ask(self, source: Source, request: Request) -> Document:
        """The answer to a request. Raises Refused for any status but success and an expected 304, UpstreamError."""
        return await ask(self.fetch, source, request)

    def _opened(self, source: Source) -> tuple[SourceState, Paused | None]:
        mark = fingerprint(source)
        with self.store.read() as tx:
            state = sources.get(tx, source.id)
            if state.fingerprint != mark:
                state = _reconfigured(state, mark)
            return state, pauses.held(tx, state.url or source.url, self.clock())

    # Saving ---------------------------------------------------------------------------------------------------

    def _save(self, source: Source, visit: Visit, harvest: Harvest) -> PollReport:
        state, seen = visit.state, harvest.articles or ()
        if not harvest.listed and state.listed and not harvest.rightly_empty:
            return self._failed(source, visit, Emptied("{source} lists nothing any more.", source=source.id))
        now = self.clock()
        with self.store.write() as tx:
            since = state.first_contact or state.last_success
            books = Books(tx, self, quiet=state.unmet, since=since, now=now, verdicts=harvest.verdicts)
            if state.body_hash == ANEW:
                books.read_anew(source, seen)
            books.enter(source, seen)
            books.doubt(source, harvest.vanished)
            profile = self._counted(tx, visit, books.times, now)
            due, profile = self._planned(source, profile, harvest, found_new=bool(books.new or books.joined))
            after = replace(
                self._succeeded(state, harvest, profile, due, now),
                first_contact=state.first_contact or now,
                last_new=now if books.new else state.last_new,
            )
            self._store(tx, after, visit)
        return PollReport(
            source=source.id,
            state="ok",
            entries=harvest.listed,
            new=books.new,
            joined=books.joined,
            revised=books.revised,
            restored=books.restored,
            kept=books.kept,
            owed=books.owed,
            requests=visit.requests,
            parsed=harvest.parsed,
            sanitized=harvest.sanitized,
            matched=len(harvest.verdicts) + books.judged,
            rows=books.rows,
            due=after.due,
            warnings=harvest.warnings,
        )

    def _unchanged(self, source: Source, visit: Visit, harvest: Harvest) -> PollReport:
        now = self.clock()
        with self.store.write() as tx:
            due, profile = self._planned(source, self._counted(tx, visit, (), now), harvest, found_new=False)
            self._store(tx, self._succeeded(visit.state, harvest, profile, due, now), visit)
        return PollReport(
            source=source.id,
            state="unchanged",
            entries=harvest.listed,
            requests=visit.requests,
            parsed=harvest.parsed,
            sanitized=harvest.sanitized,
            due=due,
        )

    def _store(self, tx: Transaction, after: SourceState, visit: Visit) -> None:
        """The state after a success; a host that had refused before the visit answers again."""
        sources.save(tx, after)
        pauses.end(tx, self.clock(), visit.source.url, after.final_url or visit.source.url)

    def _failed(self, source: Source, visit: Visit, error: UpstreamError) -> PollReport:
        state, now = visit.state, self.clock()
        # what is said of another page of a list says nothing of the list
        after = replace(state, state="") if visit.answered else _missed(state, error, now)
        name = GONE if after.gone else error.name
        after = replace(
            after,
            failures=state.failures + 1,
            last_poll=now,
            state=name,
            since=state.since if state.state == name else now,
            error=error.dumped(),
            asked_whole=now if visit.unconditional and state.asked_whole else state.asked_whole,
        )
        with self.store.write() as tx:
            profile = self._counted(tx, visit, (), now)
            due = None if after.gone else self._again(tx, visit.source, after, error, profile)
            after = replace(after, due=due, profile=profile.to_json())
            sources.save(tx, after)
        return PollReport(source=source.id, state=name, error=error, due=after.due, requests=visit.requests)

    def _held(self, visit: Visit, paused: Paused) -> PollReport:
        """Nobody asks a host before the pause that it wanted is over, nor follows a redirect to it."""
        state, now = visit.state, self.clock()
        pause = paused.until + timedelta(seconds=60 * self.rng.random())
        due = max(pause, state.due or pause)
        with self.store.write() as tx:
            state = replace(state, profile=sources.profile(tx, state.id))
            if visit.requests:
                profile, bounds = self._counted(tx, visit, (), now), self.bounds(visit.source)
                state = replace(state, profile=profile.to_json())
                due = settled(max(due, now + bounds.least), profile, bounds, state.wishes, now, state.id)
            sources.save(tx, replace(state, due=None if state.gone else due))
        told = Remark(paused.template, **paused.facts)
        return PollReport(source=state.id, state=HELD, requests=visit.requests, due=due, warnings=(told,))

    # When next ------------------------------------------------------------------------------------------------

    def _counted(self, tx: Transaction, visit: Visit, published: Sequence[datetime], now: datetime) -> Profile:
        """The profile after a visit: every request of it counts in the day's budget."""
        profile = Profile.from_json(sources.profile(tx, visit.state.id)).seen(published, now, self.prior)
        for _ in range(visit.requests - 1):
            profile = profile.seen((), now, self.prior)
        return profile

    def _planned(
        self, source: Source, profile: Profile, harvest: Harvest, *, found_new: bool
    ) -> tuple[datetime, Profile]:
        """When to come again after a success, and the profile with its plan."""
        now, bounds, wishes = self.clock(), self.bounds(source), harvest.wishes
        floor = now + timedelta(seconds=max(wishes.fresh, wishes.seconds))
        profile = with_plan(profile, self.prior, now, bounds, floor=floor, hours=wishes.hours, seed=source.id)
        due = next_poll(profile, self.prior, now, bounds, found_new=found_new, floor=floor, seed=source.id)
        return settled(due, profile, bounds, wishes, now, source.id), profile

    def _again(
        self, tx: Transaction, source: Source, state: SourceState, error: UpstreamError, profile: Profile
    ) -> datetime:
        """When to come again after a failure. A 429 without a wish pauses the whole host."""
        now, bounds = self.clock(), self.bounds(source)
        due = after_failure(state.failures, now, bounds, error.after, self.rng)
        paused = pauses.begin(tx, error, source.url, bounds, now, self.rng)
        return settled(max(due, paused or due), profile, bounds, state.wishes, now, source.id)

    def _succeeded(
        self, state: SourceState, harvest: Harvest, profile: Profile, due: datetime, now: datetime
    ) -> SourceState:
        return replace(
            _moved(state, harvest.moved_to, now),
            due=due,
            profile=profile.to_json(),
            validators=harvest.validators,
            body_hash=harvest.body_hash,
            final_url=harvest.final_url,
            asked_whole=now if harvest.whole else state.asked_whole,
            cursor=dict(harvest.cursor),
            wishes=harvest.wishes,
            listed=harvest.listed,
            failures=0,
            missing=0,
            missing_since=None,
            state="ok",
            since=state.since if state.state == "ok" else now,
            error="",
            remarks=noted(harvest.warnings) if harvest.parsed else state.remarks,
            last_poll=now,
            last_success=now,
        )


def _moved(state: SourceState, to: str, now: datetime) -> SourceState:
    """Adopt an address that permanent redirects (301, 308) have led to often enough and for long enough."""
    if not to:
        return replace(state, moved_to="", moved_times=0, moved_since=None) if state.moved_to else state
    if to != state.moved_to or state.moved_since is None:
        return replace(state, moved_to=to, moved_times=1, moved_since=now)
    if state.moved_times + 1 >= ANSWERS and now - state.moved_since >= PERMANENCE:
        return replace(state, url=to, moved_to="", moved_times=0, moved_since=None)
    return replace(state, moved_times=state.moved_times + 1)


def _missed(state: SourceState, error: UpstreamError, now: datetime) -> SourceState:
    """Count what says that the source is no more. An adopted address gives way to the configured one again."""
    status = error.status if isinstance(error, Refused) else None
    if status not in (GONE_STATUS, NOT_FOUND):
        return replace(state, state="")
    if state.url:
        return replace(state, url="", state="")
    since = state.missing_since or now
    gone = status == GONE_STATUS or (state.missing + 1 >= MISSES and now - since >= ABSENCE)
    return replace(state, missing=state.missing + 1, missing_since=since, state=GONE if gone else "")
