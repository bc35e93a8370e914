"""A host that said 429 is left alone by all who ask it, polls and texts: here its pause begins, holds and ends."""

from __future__ import annotations

import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from policyfeed.errors import PolicyfeedError, Refused, Remark, UpstreamError
from policyfeed.rhythm import Bounds, after_refusal
from policyfeed.store import HostState, Store, Transaction, hosts

TOO_MANY = 429
LONGEST_PAUSE = timedelta(hours=25)
"""A host's pause that is said to last longer was set by a clock that was wrong."""


class Paused(PolicyfeedError):
    """Nothing was asked: the host is left alone until then."""

    def __init__(self, host: HostState) -> None:
        remark = told(host)
        super().__init__(remark.template, remedy="", **remark.facts)
        self.until = host.paused_until


def told(host: HostState) -> Remark:
    """Why nothing is asked."""
    until = f"{host.paused_until:%Y-%m-%d %H:%M} UTC"
    return Remark("{host} asked to be left alone until {until}", host=host.name, until=until)


def host_of(url: str) -> str:
    """The host, with its port where it has one, whom a pause holds for."""
    return urlsplit(url).netloc.rpartition("@")[2].lower()


def refusing(tx: Transaction, *urls: str) -> tuple[HostState, ...]:
    """Those of the addresses' hosts that refused and have not answered since."""
    states = (hosts.get(tx, name) for name in dict.fromkeys(map(host_of, urls)))
    return tuple(state for state in states if state is not None)


def held(refused: Iterable[HostState], now: datetime) -> HostState | None:
    """The host that is to be left alone the longest; None when all may be asked."""
    pausing = (one for one in refused if now < one.paused_until <= now + LONGEST_PAUSE)
    return max(pausing, key=lambda one: one.paused_until, default=None)


def check(store: Store, url: str, now: datetime) -> None:
    """Raises Paused when the host of the address is to be left alone."""
    with store.read() as tx:
        host = held(refusing(tx, url), now)
    if host is not None:
        raise Paused(host)


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
    pausing = held([known], now) if known else None
    # what others hear while the pause begins is the same refusal
    refusals = known.refusals + (not pausing) if known else 1
    until = now + timedelta(seconds=error.after) if error.after else after_refusal(refusals, now, bounds, rng)
    if pausing:
        until = max(until, pausing.paused_until)
    hosts.save(tx, HostState(name=name, refusals=refusals, paused_until=until))
    return until


def end(tx: Transaction, refused: Iterable[HostState], now: datetime) -> None:
    """These hosts answered. A pause that began after they were asked stays."""
    for host in refused:
        known = hosts.get(tx, host.name)
        if known is not None and held([known], now) is None:
            hosts.forget(tx, host.name)
