"""A host that said 429 is left alone by all who ask it, polls and texts: here its pause begins, holds and ends."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from policyfeed.errors import Paused, Refused, UpstreamError
from policyfeed.rhythm import Bounds, after_refusal
from policyfeed.store import HostState, Store, Transaction, hosts

TOO_MANY = 429
LONGEST_PAUSE = timedelta(hours=25)
"""A host's pause that is said to last longer was set by a clock that was wrong."""


def host_of(url: str) -> str:
    """The host, with its port where it has one, whom a pause holds for."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def held(tx: Transaction, url: str, now: datetime) -> Paused | None:
    """Why the address is not to be asked; None when it may be."""
    known = hosts.get(tx, host_of(url))
    return Paused(known.name, known.paused_until) if known is not None and _pausing(known, now) else None


def _pausing(host: HostState, now: datetime) -> bool:
    return now < host.paused_until <= now + LONGEST_PAUSE


def check(store: Store, url: str, now: datetime) -> None:
    """Raises Paused when the host of the address is to be left alone."""
    with store.read() as tx:
        paused = held(tx, url, now)
    if paused is not None:
        raise paused


def begin(
    tx: Transaction, error: UpstreamError, asked: str, bounds: Bounds, now: datetime, rng: random.Random
) -> datetime | None:
    """After a 429: until when the host that said it is left alone, as it wishes, else an hour and more. Other errors
    begin no pause. ``asked``: the address, where the error names none.
    """
    if not isinstance(error, Refused) or error.status != TOO_MANY:
        return None
    name = host_of(str(error.facts.get("url", asked)))
    known = hosts.get(tx, name)
    pausing = known is not None and _pausing(known, now)
    # what others hear while the pause begins is the same refusal
    refusals = known.refusals + (not pausing) if known else 1
    until = now + timedelta(seconds=error.after) if error.after else after_refusal(refusals, now, bounds, rng)
    if known is not None and pausing:
        until = max(until, known.paused_until)
    hosts.save(tx, HostState(name=name, refusals=refusals, paused_until=until))
    return until


def end(tx: Transaction, now: datetime, *urls: str) -> None:
    """The hosts of these addresses answered. A pause that began after they were asked stays."""
    for name in {host_of(url) for url in urls}:
        known = hosts.get(tx, name)
        if known is not None and not _pausing(known, now):
            hosts.forget(tx, name)
