"""The rules that the planner is measured against: fixed interval, miniflux, CommaFeed, and one that knew the future.

miniflux: ``ScheduleNextCheck`` with ``POLLING_SCHEDULER=entry_frequency`` (internal/model/feed.go): a week's minutes
divided by the entries of the last seven days times a factor, rounded to minutes, between a least and a most.
CommaFeed: ``FeedRefreshIntervalCalculator`` with ``interval-empirical``: by the age of the latest entry, else the mean
time between the entries of the feed divided by two, between a least and a quarter of a most. Both keep their form and
bounds (5 min, 24 h); the factor, the divisor, is what is scaled to the budget. They too know only what they have seen.
"""

from __future__ import annotations

import bisect
import hashlib
import math
from array import array
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from policyfeed.rhythm.calendar import MINUTES, moment_of, place, works
from policyfeed.rhythm.plan import chain, lowest
from policyfeed.rhythm.rates import day_from
from policyfeed.rhythm.table import Rest, rung_of
from policyfeed.rhythm.views import minute_of

LEAST, MOST = 300.0, 86400.0
DAY = 86400.0
FEED_LENGTH = 50
SECONDS = 15


class Case(Protocol):
    """One ministry's part of the test: what its feed shows before and in it, in seconds since the epoch, and what of
    that counts."""

    @property
    def ministry(self) -> str: ...
    @property
    def past(self) -> list[float]: ...
    @property
    def shown(self) -> list[float]: ...
    @property
    def test(self) -> list[float]: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


def phase_of(name: str) -> float:
    """A source's own place in any interval, 0 to 1."""
    return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest()) / 2**32


def fixed(case: Case, polls: int, shift: float) -> list[float]:
    """Evenly spaced polls, from the source's own place on; ``shift`` (0 to 1) moves it."""
    interval = DAY / polls
    count = math.ceil((case.end - case.start) / interval) + 1
    first = case.start + (phase_of(case.ministry) + shift) % 1 * interval
    return [first + index * interval for index in range(count)]


def miniflux(case: Case, setting: float) -> list[float]:
    def wait(now: float, known: list[float], count: int) -> float:
        weekly = count - bisect.bisect_left(known, now - 7 * DAY, 0, count)
        minutes = round(7 * 24 * 60 / (weekly * setting)) if weekly else MINUTES
        return min(max(minutes * 60.0, LEAST), MOST)

    return _walk(case, wait)


def commafeed(case: Case, setting: float) -> list[float]:
    def wait(now: float, known: list[float], count: int) -> float:
        if count == 0:
            return MOST
        age = (now - known[count - 1]) // DAY
        if age >= 7:
            return MOST / (1 if age >= 30 else 2 if age >= 14 else 4)
        oldest = max(0, count - FEED_LENGTH)
        if count - oldest < 2:
            return MOST
        mean = (known[count - 1] - known[oldest]) / (count - oldest - 1)
        return min(max(mean / setting, LEAST), MOST / 4)

    return _walk(case, wait)


def _walk(case: Case, wait: Callable[[float, list[float], int], float]) -> list[float]:
    """Polls from the start of the test on; the rule is asked with the time and how many of the releases are known."""
    releases = case.past + case.shown
    now, count = case.start + phase_of(case.ministry) * 1800, len(case.past)
    polls = [now]
    while now < case.end:
        count = bisect.bisect_right(releases, now, count)
        now += wait(now, releases, count)
        polls.append(now)
    return polls


def clairvoyant(case: Case, polls: int) -> list[float]:
    """A weekly plan made from the very weeks it is tested on: the bound for a plan that repeats itself."""
    first, last = place(_moment(case.start))[0], place(_moment(case.end))[0]
    kinds: dict[int, list[int]] = {}
    for release in case.test:
        day, _ = place(_moment(release))
        kinds.setdefault(_kind(day), []).append(minute_of(release))
    plans = {kind: _best(kinds.get(kind, []), polls) for kind in range(8)}
    return [
        moment_of(day, minute * 60 + SECONDS).timestamp()
        for day in range(first, last + 2)
        for minute in plans[_kind(day)]
    ]


def _kind(day: int) -> int:
    return datetime.fromordinal(day).weekday() if works(day) else 7


def _best(minutes: list[int], polls: int) -> list[int]:
    shares = [1e-6] * MINUTES
    for minute in minutes:
        shares[minute] += 1
    whole = sum(shares)
    day = replace(day_from([share / whole for share in shares]), moments=array("h", range(MINUTES)))
    guess = rung_of((day.roots / polls) ** 2 / 4)  # it knows peaks where others see hills: they cost less
    rest = Rest(day, guess + lowest(lambda rung: Rest(day, guess + rung, 5).polls(-1) <= polls), 5)
    return chain(day, rest, -1, 0, 5, may_stop=False)


def _moment(time: float) -> datetime:
    return datetime.fromtimestamp(time, UTC)
