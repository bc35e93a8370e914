"""The next poll of a source: where waiting costs most, inside the budget."""

from __future__ import annotations

import bisect
import hashlib
import math
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import accumulate

from policyfeed.rhythm.bounds import DAY, Bounds
from policyfeed.rhythm.budget import left, left_on, left_until
from policyfeed.rhythm.calendar import MINUTES, kind_of, moment_of, place, week_start
from policyfeed.rhythm.prior import Prior
from policyfeed.rhythm.profile import Profile
from policyfeed.rhythm.rates import Day, follow_ups, outlook
from policyfeed.rhythm.table import Rest, rung_of
from policyfeed.rhythm.views import DOT, is_on_the_dot

WEEK = 7
NEVER = float("inf")
LATE = 15.0  # seconds that a poll may have taken, or started late, without losing the minute planned after it
ROUNDED = 1.0  # seconds by which a poll planned for a minute may seem to have come before it: clocks have microseconds
RUNGS = 60  # up or down: beyond, a price buys no poll, or every one


def next_poll(
    history: Profile,
    prior: Prior,
    now: datetime,
    bounds: Bounds,
    *,
    found_new: bool = False,
    floor: datetime | None = None,
    seed: str = "",
) -> datetime:
    """When to poll the source again, in UTC, after the poll that ended at ``now``.

    ``history`` is the profile after that poll (``Profile.seen``), ``floor`` the earliest moment that the server
    allows (at most 24 h from now are kept), ``found_new`` whether the poll brought something, ``seed`` the source's
    id: it fixes the source's own seconds, so that sources waiting for the same hour do not ask at once.
    The same arguments give the same moment.
    """
    earliest = now + bounds.least if floor is None else max(now + bounds.least, min(floor, now + DAY))
    if bounds.interval is not None:
        wanted = _fixed(history, now, bounds)
    else:
        wanted = _planned(_Source(history, prior, bounds, seed), now, earliest, found_new)
    return max(earliest, min(wanted, now + bounds.most)).astimezone(UTC)


def _fixed(history: Profile, now: datetime, bounds: Bounds) -> datetime:
    today, _ = place(now)
    if left_on(history, bounds, today) > 0:
        return now + bounds.normal
    return max(now + bounds.normal, moment_of(today + 1, 0))


class _Source:
    """One source's plan: its days, and the price of a poll that keeps its budget.

    Prices are rungs of a ladder. A day of twice the releases is one on which polls cost half, so that days of one class
    share their tables whatever their number of releases.
    """

    def __init__(self, history: Profile, prior: Prior, bounds: Bounds, seed: str) -> None:
        self.history, self.prior, self.bounds = history, prior, bounds
        number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest())
        self.seconds = DOT + 1 + number % 1009 / 1009 * bounds.spread.total_seconds()
        self.gap = math.ceil(bounds.least.total_seconds() / 60)
        self._outlook = outlook(history, prior)
        self._cheaper = [rung_of(rate) for rate in self._outlook.per_day]

    def day(self, day: int) -> Day:
        return self._outlook.day(kind_of(day))

    def rate(self, day: int) -> float:
        """Releases to expect on a day."""
        return self._outlook.per_day[kind_of(day)]

    def rest(self, day: int, minute: int, today: int) -> Rest:
        """The rest of ``day`` at the lowest price that stays inside the budget after a poll at ``minute``.

        The days until Friday take theirs first.
        """
        kind, friday = kind_of(day), week_start(day) + WEEK - 1
        coming = Counter(map(kind_of, range(day + 1, friday + 1)))
        day_has = left(self.history, self.bounds, today, day)
        week_has = left_until(self.history, self.bounds, today, friday)
        start = self._guess(kind, minute, coming, week_has)

        def fits(rung: int) -> bool:
            wanted = self._rest(kind, start + rung).polls(minute)
            return wanted <= day_has and wanted + self._wanted(coming, start + rung) <= week_has

        return self._rest(kind, start + lowest(fits))

    def _rest(self, kind: int, rung: int) -> Rest:
        return Rest(self._outlook.day(kind), rung - self._cheaper[kind], self.gap)

    def _wanted(self, coming: Mapping[int, int], rung: int) -> float:
        """Polls of so many whole days of each kind, at a price."""
        most = self.bounds.polls_per_day
        return sum(count * min(self._rest(kind, rung).polls(-1), most) for kind, count in coming.items())

    def _guess(self, kind: int, minute: int, coming: Mapping[int, int], polls: int) -> int:
        """The price that about fits: polls as dense as the square root of the rate make all polls equally useful."""
        today = 1 - self._outlook.day(kind).mass[minute] if minute >= 0 else 1
        claims = today * self._claim(kind) + sum(count * self._claim(other) for other, count in coming.items())
        return rung_of((claims / max(polls, 1)) ** 2 + 1e-9)

    def _claim(self, kind: int) -> float:
        return self._outlook.day(kind).roots * math.sqrt(self._outlook.per_day[kind])


def lowest(fits: Callable[[int], bool]) -> int:
    """The lowest rung of the prices that fits, sought around 0: higher prices always fit when a lower one does."""
    low, high = (-1, 0) if fits(0) else (0, 1)
    while high < RUNGS and not fits(high):
        low, high = high, high + 2 * (high - low)
    while low > -RUNGS and fits(low):
        low, high = low - 2 * (high - low), low
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def _planned(source: _Source, now: datetime, earliest: datetime, found_new: bool) -> datetime:
    today, seconds = place(now)
    start = max(-1, math.floor((seconds - source.seconds + ROUNDED) / 60))
    first = math.ceil((seconds + (earliest - now).total_seconds() - source.seconds - LATE) / 60)
    scan = Scan(start, source.rate(today), _burst(source, now, today) if found_new else {})
    if left(source.history, source.bounds, today, today) > 0 and first < MINUTES:
        minute = scan.best(source.day(today), source.rest(today, start, today), first, may_stop=True)
        if minute is not None:
            return moment_of(today, minute * 60 + source.seconds)
    scan.pass_on(source.day(today), source.rate(today + 1))
    minute = scan.best(source.day(today + 1), source.rest(today + 1, -1, today), first - MINUTES, may_stop=False)
    if minute is None:
        return earliest
    return moment_of(today + 1, minute * 60 + source.seconds)


def _burst(source: _Source, now: datetime, today: int) -> dict[int, float]:
    """Releases to expect, minute by minute, because one of the same sitting was just seen."""
    last = source.history.last
    if is_on_the_dot(last) or not 0 <= now.timestamp() - last < 60 * len(source.prior.ages):
        return {}
    share = follow_ups(source.history, source.prior)
    minute = math.floor((last - moment_of(today, 0).timestamp()) / 60)
    return {minute + 1 + age: share * part for age, part in enumerate(source.prior.ages)}


class _Burst:
    """Releases besides those of the day, minute by minute, as shares of the day's."""

    def __init__(self, shares: Mapping[int, float]) -> None:
        self._minutes = sorted(shares)
        self._mass = list(accumulate((shares[at] for at in self._minutes), initial=0.0))
        self._weight = list(accumulate((at * shares[at] for at in self._minutes), initial=0.0))

    @property
    def whole(self) -> float:
        return self._mass[-1]

    def waited(self, minute: int) -> float:
        """How long they waited until a minute."""
        before = bisect.bisect_left(self._minutes, minute)
        return minute * self._mass[before] - self._weight[before]


class Scan:
    """The wait since the last poll, at minute ``start``, on a day of ``rate`` releases. Costs are in a day's releases
    times minutes. ``burst``: releases besides, minute by minute.
    """

    def __init__(self, start: int, rate: float, burst: Mapping[int, float]) -> None:
        self.start, self.rate = start, rate
        self.burst = _Burst({minute: extra / rate for minute, extra in burst.items() if minute > start})
        self.cost = self.mass = 0.0

    def waited(self, day: Day, minute: int) -> float:
        """The cost of all that waits until a minute."""
        until = min(minute, MINUTES - 1)
        mass, weight = (day.mass[self.start], day.weight[self.start]) if self.start >= 0 else (0.0, 0.0)
        waited = minute * (day.mass[until] - mass) - (day.weight[until] - weight)
        return self.cost + self.mass * (minute - self.start) + waited + self.burst.waited(minute)

    def best(self, day: Day, rest: Rest, first: int, *, may_stop: bool) -> int | None:
        """The minute from ``first`` on whose poll costs least with all that follows; None: none more on that day."""
        least, best = NEVER, None
        for number in range(bisect.bisect_left(rest.moments, max(first, self.start + 1)), len(rest.moments)):
            waited = self.waited(day, rest.moments[number])
            if waited > least:
                return best
            whole = waited + rest.price + rest.cost(number)
            if whole < least:
                least, best = whole, rest.moments[number]
        return None if may_stop and self.waited(day, MINUTES) < least else best

    def pass_on(self, day: Day, rate: float) -> None:
        """Lets the rest of the day pass without a poll; the next one has ``rate`` releases."""
        scale = self.rate / rate
        cost = self.waited(day, MINUTES) * scale
        left = day.mass[self.start] if self.start >= 0 else 0.0
        self.mass = (self.mass + day.mass[-1] - left + self.burst.whole) * scale
        self.cost, self.start, self.rate, self.burst = cost - self.mass, -1, rate, _Burst({})
