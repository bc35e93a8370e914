"""Ask a source and read its answers: what one visit brings home. No database here.

A visit asks politely: with the validators of the last answer, unconditionally only when there are none, or when the
whole was not sent for a week.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Self

from policyfeed import registry
from policyfeed.clock import Clock, retry_after
from policyfeed.documents import Reading
from policyfeed.errors import LayoutChanged, Refused, Unreachable, UpstreamError
from policyfeed.normalize.slicing import sameness
from policyfeed.rhythm import server_floor
from policyfeed.sources import elsewhere, explain, hidden, revealed
from policyfeed.store import SourceState
from policyfeed.store.sources import NO_VALIDATORS
from policyfeed.transport.load import holding
from policyfeed.types import NO_WISHES, Article, Document, Request, Source, Validators, Verdict, Wishes

PLACES = 6
"""Documents of polls that are in memory for each worker: slow ones hold half of these places at most."""
MOST_PAGES = 200
"""Documents of one poll: an adapter that pages for ever is broken."""
NOT_MODIFIED = 304
CONDITIONS_REFUSED = (400, 412)
"""What servers say that cannot read the conditions of a request."""
REFUSED = Validators(etag="", last_modified="")
"""Stands in place of validators that a server takes offence at: it is asked without until the whole is due next."""
WHOLE_AGAIN = timedelta(days=7)
"""A server whose validators are stuck would say 304 for ever: so often, and no more, it is asked for the whole."""
NOT_FOR_US = (None, 403, 451)
"""How a server says that it does not speak to this network; None = not at all."""


Fetch = Callable[[Source, Request], Awaitable[Document]]
Read = Callable[[Source, Mapping[str, Any], Document], Awaitable[Reading]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """What one visit brought home; ``articles`` is None when the source said, or showed, that nothing changed.

    ``final_url`` is where the answer came from, ``whole`` whether all of it was sent that is due now and then,
    ``moved_to`` where permanent redirects led.
    """

    articles: tuple[Article, ...] | None
    validators: Validators
    body_hash: str | None
    cursor: Mapping[str, Any]
    final_url: str
    whole: bool
    vanished: tuple[str, ...] = ()
    moved_to: str = ""
    wishes: Wishes = NO_WISHES
    warnings: tuple[str, ...] = ()
    listed: int = 0
    """How many entries the source lists, those known before included."""
    rightly_empty: bool = False
    parsed: int = 0
    """How many of them were read: what is known byte for byte is not."""
    sanitized: int = 0
    """How many of those were made articles: what is known word for word is not."""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Canonical key → verdict, where the reader judged."""


class Place:
    """A place in a room, held within ``async with``: given up by a request that takes too long, taken again by its
    answer. (Thousands may wait for theirs: as a generator each would hold a kilobyte more.)"""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._held = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._room.enter()
        self._held = True
        return self

    async def __aexit__(self, *_error: object) -> None:
        self._stop()
        if self._held:
            self._give_up()

    def asked(self) -> None:
        """A request goes out: from here on its server's time counts."""
        self._timer = asyncio.get_running_loop().call_later(self._room.patience, self._give_up)

    def answered(self) -> None:
        """The answer is there, and in memory until the place is left."""
        self._stop()
        self._room.free -= not self._held
        self._held = True

    def _give_up(self) -> None:
        self._held = False
        self._room.hand_on()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Room:
    """Places for documents from the moment they are asked for until they are stored: what is in memory is bounded.

    A request that takes longer than ``patience`` seconds gives its place up, so that servers that hang take no places
    from others. When it is answered it comes in all the same, and nobody else does until there is a place again.
    """

    def __init__(self, places: int = 2 * PLACES, patience: float = 0.25) -> None:
        self.free = places
        self.patience = patience
        self._waiting: deque[asyncio.Future[None]] = deque()

    def place(self) -> Place:
        """A place, to be waited for and held by ``async with``."""
        return Place(self)

    async def enter(self) -> None:
        """Wait until a place is free, and take it."""
        if self.free > 0 and not self._waiting:
            self.free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.hand_on()
            raise

    def hand_on(self) -> None:
        """A place is free, and goes to who has waited longest."""
        self.free += 1
        while self._waiting and self.free > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                self.free -= 1
                turn.set_result(None)


class Visit:
    """One visit to a source, which stands at ``source.url``.

    ``requests`` counts what was asked, failures included. ``answered``: the first answer came, and was a good one.
    ``unconditional``: it was asked for without the validators that are known.
    """

    def __init__(self, source: Source, state: SourceState, *, fetch: Fetch, read: Read, clock: Clock) -> None:
        self.source, self.state = source, state
        self.requests = 0
        self.answered = self.unconditional = self._refused = False
        self._fetch, self._read, self._clock = fetch, read, clock

    async def harvest(self, place: Place) -> Harvest:
        """Raises UpstreamError."""
        state = self.state
        request = registry.load("sources", self.source.kind).first(self.source, state.cursor, self._clock())
        place.asked()
        document = await self._first(request)
        place.answered()
        self.answered = True
        validators = REFUSED if self._refused else _validators(document)
        harvest = Harvest(
            articles=None,
            validators=validators,
            body_hash=state.body_hash,
            cursor=state.cursor,
            final_url=document.url,
            whole=document.status != NOT_MODIFIED and not self._refused,
            moved_to=(document.moved_to or "") if request.url == self.source.url else "",
            wishes=replace(state.wishes, fresh=_fresh(document, state.wishes)),
            listed=state.listed,
        )
        if document.status == NOT_MODIFIED:
            return replace(harvest, validators=_renewed(state.validators, harvest.validators))
        body_hash = sameness(document.body)
        if body_hash == state.body_hash:
            return harvest
        return await self._read_on(document, body_hash, harvest)

    async def _first(self, request: Request) -> Document:
        """The first answer. A 304 counts only when it came from where the validators came from; a server that takes
        offence at what it gave itself is asked without.
        """
        self.unconditional = self._whole_is_due()
        self._refused = self.state.validators == REFUSED and not self.unconditional
        validators = NO_VALIDATORS if self.unconditional else self.state.validators
        asked = _conditional(request, validators)
        try:
            document = await self._ask(asked)
        except Refused as error:
            if error.status not in CONDITIONS_REFUSED or asked == request:
                raise
            self._refused = True
            return await self._ask(request)
        if document.status == NOT_MODIFIED and document.url != self.state.final_url:
            return await self._ask(request)
        return document

    def _whole_is_due(self) -> bool:
        last = self.state.asked_whole
        return last is None or abs(self._clock() - last) >= WHOLE_AGAIN

    async def _read_on(self, document: Document, body_hash: str, harvest: Harvest) -> Harvest:
        """Read the first document and the pages that follow it."""
        first = reading = await self._read(self.source, harvest.cursor, document)
        readings = [first]
        while reading.next is not None:
            if len(readings) >= MOST_PAGES:
                raise LayoutChanged("{source} pages without an end.", source=self.source.id)
            with holding():  # a page that was read is in memory no more
                page = await self._ask(reading.next)
                reading = await self._read(self.source, reading.cursor or {}, page)
            readings.append(reading)
        found = {article.origins[0].key: article for one in readings for article in one.articles}
        paged = first.cursor is not None and not first.newest_first
        listed = first.listed if first.memory else len(found)
        return replace(
            harvest,
            articles=None if listed and not found and self.state.first_contact else tuple(found.values()),
            validators=NO_VALIDATORS if paged else harvest.validators,
            body_hash=None if paged else body_hash,
            cursor={**(reading.cursor or {}), **first.memory},
            vanished=reading.vanished,
            wishes=replace(first.wishes, fresh=harvest.wishes.fresh),
            warnings=tuple(warning for one in readings for warning in one.warnings),
            listed=listed,
            rightly_empty=all(one.rightly_empty for one in readings),
            parsed=sum(one.parsed for one in readings),
            sanitized=sum(one.sanitized for one in readings),
            verdicts=dict(zip((one.origins[0].key for one in first.articles), first.verdicts, strict=False)),
        )

    async def _ask(self, request: Request) -> Document:
        return await ask(self._counted, self.source, request)

    async def _counted(self, source: Source, request: Request) -> Document:
        self.requests += 1
        document = await self._fetch(source, request)
        self.requests += document.hops
        return document


async def ask(fetch: Fetch, source: Source, request: Request) -> Document:
    """The answer to a request. Raises Refused for any status but success and an expected 304, UpstreamError."""
    return await reach(lambda wanted: _answer(fetch, source, wanted), source, request)


async def reach(answer: Callable[[Request], Awaitable[Document]], source: Source, request: Request) -> Document:
    """The answer, from another place of the publisher where the first one does not speak to this network.

    Never where it asks us to wait. When the other place is of no use either, the first one's error is raised.
    """
    try:
        return await answer(request)
    except (Unreachable, Refused) as error:
        other = elsewhere(source, request) if getattr(error, "status", None) in NOT_FOR_US else None
        if other is None:
            raise
        try:
            return await answer(other)
        except UpstreamError:
            raise error from None


async def _answer(fetch: Fetch, source: Source, request: Request) -> Document:
    document = hidden(source, await fetch(source, revealed(source, request)))
    asked_if = any(name in ("If-None-Match", "If-Modified-Since") for name, _ in request.headers)
    if 200 <= document.status < 300 or (document.status == NOT_MODIFIED and asked_if):
        return document
    explain(source, document)
    raise Refused(
        "{source} answered {status}.",
        remedy=_REMEDIES.get(document.status, "It is tried again later, by itself."),
        status=document.status,
        after=retry_after(document.headers, document.fetched),
        source=source.id,
        url=document.url,
    )


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
    if request.method != "GET" or not headers:
        return request
    return replace(request, headers=(*request.headers, *headers))


def _fresh(document: Document, known: Wishes) -> float:
    """Seconds. What a 304 leaves unsaid is as the answer said it that is still good (RFC 9111 §4.3.4)."""
    if document.status == NOT_MODIFIED and document.headers.keys().isdisjoint(("cache-control", "expires")):
        return known.fresh
    return (server_floor(document.headers, document.fetched) or timedelta()).total_seconds()


def _validators(document: Document) -> Validators:
    return Validators(etag=document.headers.get("etag"), last_modified=document.headers.get("last-modified"))


def _renewed(known: Validators, said: Validators) -> Validators:
    """RFC 9111 §4.3.4: a 304 may carry newer ones."""
    return Validators(etag=said.etag or known.etag, last_modified=said.last_modified or known.last_modified)
