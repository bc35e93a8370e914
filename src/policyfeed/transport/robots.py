"""robots.txt (RFC 9309): what pages may be asked, and how often. Feeds are made to be fetched and need not ask."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from protego import Protego

from policyfeed.clock import Clock, retry_after
from policyfeed.errors import Forbidden, Refused, UpstreamError
from policyfeed.transport.http import Client, Manner
from policyfeed.transport.urls import shown, take_apart
from policyfeed.types import Document, Request

_KEEP = timedelta(hours=24)  # RFC 9309 §2.4
_RETRY = timedelta(hours=1)
_SIZE = 500 * 1024
"""RFC 9309 §2.5: at least 500 KiB are read; what follows them is left."""
_COST = 200_000
_RULES = ("allow", "disallow", "crawl-delay")
_LONGEST = 86_400.0
_ALLOW_ALL = ""
_TOO_MANY = 429
_ALLOW_NONE = "User-agent: *\nDisallow: /"


@dataclass(frozen=True, slots=True)
class _Closed:
    """What a site said instead of its rules; ``wished``: it named the moment until when it is to be left alone."""

    url: str
    status: int
    wished: bool


@dataclass(frozen=True, slots=True)
class _Rules:
    """``protego``: the rules said last; None = none yet. Whatever they are, a ``closed`` site is not asked."""

    protego: Protego | None
    until: datetime
    closed: _Closed | None = None


class Robots:
    """The rules of all sites, each asked once a day; while a site gives none, the last known ones stay."""

    def __init__(self, client: Client, *, product: str, clock: Clock) -> None:
        self._client = client
        self._product = product
        self._clock = clock
        self._rules: dict[str, _Rules] = {}
        self._asking: dict[str, asyncio.Lock] = {}

    async def check(self, url: str, manner: Manner) -> None:
        """Asks for robots.txt when no fresh one is known.

        Raises Forbidden when the site does not let this product fetch the URL, Refused while it answers with a 429 or
        5xx instead, and what ``fetch`` raises when nobody can tell (RFC 9309 §2.3.1.4).
        """
        rules = await self._current(take_apart(url).site, manner)
        if rules.closed is not None:
            raise Refused(
                "{url} answered {status}.",
                status=rules.closed.status,
                after=(rules.until - self._clock()).total_seconds() if rules.closed.wished else None,
                url=shown(rules.closed.url),
            )
        if rules.protego is not None and not rules.protego.can_fetch(url, self._product):
            raise Forbidden("The robots.txt of {url} forbids to fetch it.", url=shown(url))

    def delay(self, url: str) -> float | None:
        """The Crawl-delay in seconds that the site asks for; None for none, for nonsense, and before it was asked."""
        rules = self._rules.get(take_apart(url).site)
        seconds = rules.protego.crawl_delay(self._product) if rules and rules.protego else None
        return seconds if seconds is not None and 0 <= seconds <= _LONGEST else None

    async def _current(self, site: str, manner: Manner) -> _Rules:
        async with self._asking.setdefault(site, asyncio.Lock()):
            known = self._rules.get(site)
            if known is None or known.until <= self._clock():
                known = self._rules[site] = await self._ask(site, manner, known)
            return known

    async def _ask(self, site: str, manner: Manner, known: _Rules | None) -> _Rules:
        """What was known stays for another hour when the site gives no answer (RFC 9309 §2.4)."""
        protego = known.protego if known else None
        try:
            document = await self._client.fetch(Request(url=f"{site}/robots.txt"), replace(manner, beginning=_SIZE))
        except UpstreamError:
            if protego is None:
                raise
            return _Rules(protego, self._clock() + _RETRY)
        return self._judged(document, protego)

    def _judged(self, document: Document, known: Protego | None) -> _Rules:
        """RFC 9309 §2.3.1: 4xx means that there are no rules, 5xx that nobody may come in, unless rules are known.

        A 429 says nothing of rules: whatever they are, the site wants to be left alone.
        """
        if 200 <= document.status < 300:
            body, size = document.body, len(document.body)
            whole = body if size < _SIZE else body[: body.rfind(b"\n") + 1]  # half a rule says something else
            text = whole.decode("utf-8-sig", errors="replace")
            return self._until(_ALLOW_NONE if _hostile(text) else text, _KEEP)
        if 400 <= document.status < 500 and document.status != _TOO_MANY:
            return self._until(_ALLOW_ALL, _KEEP)
        wish = retry_after(document.headers, document.fetched)
        until = self._clock() + (timedelta(seconds=wish) if wish else _RETRY)
        if known is not None and document.status != _TOO_MANY:
            return _Rules(known, until)
        return _Rules(known, until, _Closed(document.url, document.status, wished=wish is not None))

    def _until(self, text: str, keep: timedelta) -> _Rules:
        return _Rules(Protego.parse(text), self._clock() + keep)


def _hostile(text: str) -> bool:
    """Whether reading costs too much: protego copies every rule of a group for every agent of the group. What it reads
    otherwise than this is no cheaper than it seems here.
    """
    cost = agents = 0
    ruled = False
    for line in text.lower().splitlines():
        if line.partition(":")[0].strip() in _RULES:
            ruled = True
        elif "agent" in line:
            agents, ruled = 1 if ruled else agents + 1, False
        cost += agents
    return cost > _COST
