"""The next poll of a source: where waiting costs most, inside the budget."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from datetime import UTC, datetime

from policyfeed.rhythm.bounds import DAY, Bounds
from policyfeed.rhythm.calendar import MINUTES, moment_of, place, week_start, works
from policyfeed.rhythm.prior import Prior
from policyfeed.rhythm.profile import DOT, Profile, is_off_the_dot
from policyfeed.rhythm.rates import STEP, Day, day_of, follow_ups
from policyfeed.rhythm.table import NEVER, Table, table_of

WEEK = 7
RUNG = 1.07  # ratio of two neighbouring prices
LATE = 15.0  # seconds that a poll may have taken, or started late, without losing the minute planned after it
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
    id: it fixes the source's own seconds and minutes, so that sources waiting for the same hour do not ask at once.
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
    if _allowance(history, bounds, today, today) > 0:
        return now + bounds.normal
    return max(now + bounds.normal, moment_of(today + 1, 0))


def _allowance(history: Profile, bounds: Bounds, today: int, day: int) -> int:
    """Polls that may still be made up to the end of ``day``: of that day, or of its week so far."""
    if not bounds.weekly:
        return bounds.polls_per_day - (history.used if history.day == day else 0)
    week = week_start(day)
    spent = history.spent + history.used if history.week == week else 0
    return bounds.polls_per_day * (day - max(week, history.first or today) + 1) - spent


class _Source:
    """One source's plan: its days, and the price of a poll that keeps its budget."""

    def __init__(self, history: Profile, prior: Prior, bounds: Bounds, seed: str) -> None:
        self.history, self.prior, self.bounds = history, prior, bounds
        number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest())
        self.seconds = DOT + 1 + number % 1009 / 1009 * bounds.spread.total_seconds()
        self.phase = number // 1009 % STEP
        self._days: dict[bool, Day] = {}
        self.gap = math.ceil(bounds.least.total_seconds() / 60)

    def day(self, day: int) -> Day:
        return self._kind(works(day))

    def _kind(self, worked: bool) -> Day:
        if worked not in self._days:
            self._days[worked] = day_of(self.history, self.prior, worked, self.phase)
        return self._days[worked]

    def table(self, day: int, minute: int, today: int) -> Table:
        """The rest of ``day`` at the lowest price that stays inside the budget after a poll at ``minute``."""
        base = self._base(day)

        def at(rung: int) -> Table:
            return table_of(self.day(day), base * RUNG**rung, self.gap)

        def fits(rung: int) -> bool:
            return at(rung).left(minute) <= self._left(day, today, base * RUNG**rung)

        return at(lowest(fits))

    def _base(self, day: int) -> float:
        """A price that about fits: polls as dense as the square root of the rate make all polls equally useful."""
        budget = self.bounds.polls_per_day
        if not self.bounds.weekly:
            return (self.day(day).roots / budget) ** 2
        return float(((5 * self._kind(True).roots + 2 * self._kind(False).roots) / (WEEK * budget)) ** 2)

    def _left(self, day: int, today: int, price: float) -> int:
        """Polls that the rest of ``day`` may have; with a weekly budget the days until Friday take theirs first."""
        left = _allowance(self.history, self.bounds, today, day)
        if not self.bounds.weekly:
            return left
        friday = week_start(day) + WEEK - 1
        coming = sum(table_of(self.day(later), price, self.gap).whole for later in range(day + 1, friday + 1))
        return min(left, _allowance(self.history, self.bounds, today, friday) - coming)


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
    start = math.floor((seconds - source.seconds) / 60)
    first = math.ceil((seconds + (earliest - now).total_seconds() - source.seconds - LATE) / 60)
    scan = Scan(start, _burst(source, now, today) if found_new else {})
    if _allowance(source.history, source.bounds, today, today) > 0 and first < MINUTES:
        minute = scan.best(source.day(today), source.table(today, start, today), first, may_stop=True)
        if minute is not None:
            return moment_of(today, minute * 60 + source.seconds)
    scan.skip(source.day(today))
    minute = scan.best(source.day(today + 1), source.table(today + 1, -1, today), first - MINUTES, may_stop=False)
    if minute is None:
        return earliest
    return moment_of(today + 1, minute * 60 + source.seconds)


def _burst(source: _Source, now: datetime, today: int) -> dict[int, float]:
    """Releases to expect, minute by minute, because one of the same sitting was just seen."""
    last = source.history.last
    if not is_off_the_dot(last) or not 0 <= now.timestamp() - last < 60 * len(source.prior.ages):
        return {}
    share = follow_ups(source.history, source.prior)
    minute = math.floor((last - moment_of(today, 0).timestamp()) / 60)
    return {minute + 1 + age: share * part for age, part in enumerate(source.prior.ages)}


class Scan:
    """Walks forward from the last poll, minute by minute: ``cost`` is what waiting has cost, ``mass`` what waits."""

    def __init__(self, start: int, burst: dict[int, float]) -> None:
        self.start, self.burst = start, burst
        self.cost = self.mass = 0.0

    def best(self, day: Day, table: Table, first: int, *, may_stop: bool) -> int | None:
        """The minute from ``first`` on whose poll costs least with all that follows; None: none more on that day."""
        cost, mass, price, then = self.cost, self.mass, table.price, table.cost
        least, best = NEVER, None
        for minute in range(self.start + 1, MINUTES):
            cost += mass
            mass += day.rate[minute] + self.burst.get(minute, 0.0)
            if minute < first:
                continue
            whole = cost + price + then[minute]
            if whole < least:
                least, best = whole, minute
            elif cost > least:
                return best
        return None if may_stop and cost + mass < least else best

    def skip(self, day: Day) -> None:
        """Lets the rest of the day pass without a poll."""
        for minute in range(self.start + 1, MINUTES):
            self.cost += self.mass
            self.mass += day.rate[minute] + self.burst.get(minute, 0.0)
        self.start, self.burst = -1, {}
