"""The next poll of a source: where waiting costs most, inside the budget.

A plan is made with a day's first poll: all polls of the day, and the first one of the next. It is kept in the profile
(some 300 bytes), so that the polls after it cost next to nothing, however many sources there are.
"""

from __future__ import annotations

import hashlib
import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from policyfeed.rhythm.bounds import DAY, Bounds
from policyfeed.rhythm.budget import left, left_until
from policyfeed.rhythm.calendar import MINUTES, kind_of, moment_of, place, week_start
from policyfeed.rhythm.prior import Prior
from policyfeed.rhythm.profile import Profile
from policyfeed.rhythm.rates import Day, follow_ups, outlook, spared
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

    ``history`` is the profile after that poll (``Profile.seen``, ``with_plan``), ``floor`` the earliest moment that the
    server allows (at most 24 h from now are kept), ``found_new`` whether the poll brought something, ``seed`` the
    source's id: it fixes the source's own seconds, so that sources waiting for the same hour do not ask at once.
    The same arguments give the same moment. A fixed interval knows no budget: ``settled`` holds it to the day's.
    """
    earliest = _earliest(now, bounds, floor)
    if bounds.interval is not None:
        wanted = now + bounds.normal
    else:
        wanted = _planned(
            with_plan(history, prior, now, bounds, seed=seed), prior, now, bounds, earliest, found_new, seed
        )
    return max(earliest, min(wanted, now + bounds.most)).astimezone(UTC)


def with_plan(
    history: Profile,
    prior: Prior,
    now: datetime,
    bounds: Bounds,
    *,
    floor: datetime | None = None,
    hours: tuple[int, ...] = (),
    seed: str = "",
) -> Profile:
    """The profile with the day's plan, made after the poll that ended at ``now`` where it has none of that day, or one
    that was made under other limits. A server that allows the next poll at ``floor`` is expected to want as much time
    after every poll of the day, and a feed to be left alone in ``hours`` (GMT).
    """
    today, seconds = place(now)
    if bounds.interval is not None or (history.planned == today and history.limits == bounds.limits):
        return history
    own, apart = _place_in_minute(seed, bounds), (_earliest(now, bounds, floor) - now).total_seconds()
    minute = _minute(seconds, own)
    first = _first(seconds + apart, own)
    return _Source(history, prior, bounds, math.ceil(apart / 60), hours).planned(today, minute, max(first, minute + 1))


def _earliest(now: datetime, bounds: Bounds, floor: datetime | None) -> datetime:
    return now + bounds.least if floor is None else max(now + bounds.least, min(floor, now + DAY))


def _planned(
    history: Profile, prior: Prior, now: datetime, bounds: Bounds, earliest: datetime, found_new: bool, seed: str
) -> datetime:
    """The planned poll that comes next, or one before it where a burst makes that worth while."""
    today, seconds = place(now)
    own = _place_in_minute(seed, bounds)
    first = max(_first(seconds + (earliest - now).total_seconds(), own), _minute(seconds, own) + 1)
    most = max(left(history, bounds, today, today), 0)
    coming = history.plan[bisect_left(history.plan, first) :]
    skipped = _too_many(bisect_left(coming, MINUTES), most)
    if skipped == len(coming):
        return earliest
    minute = coming[skipped]
    if found_new and most:
        minute = _pulled_forward(history, prior, now, today, first, minute)
    return moment_of(today, minute * 60 + own)


def _too_many(coming: int, most: int) -> int:
    """How many of the day's coming polls to leave out before the next one, so that all left out are spread evenly.

    There are more than the budget has left where polls were made out of turn.
    """
    return max(0, math.ceil(coming / most) - 1) if most else coming


def _pulled_forward(history: Profile, prior: Prior, now: datetime, today: int, first: int, planned: int) -> int:
    """The minute from ``first`` on, before the planned one, where a poll saves most waiting; the planned one where none
    saves what a poll costs."""
    coming = _burst(history, prior, now, today)
    last = max(coming, default=-1)
    most, best = history.price, planned
    for minute in range(first, min(planned, last + 1, MINUTES)):
        saved = (planned - minute) * sum(share for at, share in coming.items() if at <= minute)
        if saved > most:
            most, best = saved, minute
    return best


def _burst(history: Profile, prior: Prior, now: datetime, today: int) -> dict[int, float]:
    """Releases to expect, minute by minute, because one of the same sitting was just seen."""
    last, age = history.last, math.floor((now.timestamp() - history.last) / 60)
    if is_on_the_dot(last) or age < 0:
        return {}
    after = math.floor((last - moment_of(today, 0).timestamp()) / 60) + 1
    return {after + more: history.followed * part for more, part in enumerate(prior.ages) if more >= age}


def _place_in_minute(seed: str, bounds: Bounds) -> float:
    """A source's place in the minute: sources that wait for the same one do not ask at once."""
    number = int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=8).digest())
    return DOT + 1 + number % 1009 / 1009 * bounds.spread.total_seconds()


def _first(seconds: float, own: float) -> int:
    """The first minute that a poll may be planned for which is allowed so many seconds after midnight."""
    return math.ceil((seconds - own - LATE) / 60)


def _minute(seconds: float, own: float) -> int:
    """The planned minute of a poll so many seconds after midnight; -1 = before the day's first."""
    return max(-1, math.floor((seconds - own + ROUNDED) / 60))


class _Source:
    """What a source's plan is made from: its days, and the price of a poll that keeps its budget.

    Prices are rungs of a ladder. A day of twice the releases is one on which polls cost half, so that days of one class
    share their tables whatever their number of releases.
    """

    def __init__(self, history: Profile, prior: Prior, bounds: Bounds, gap: int, hours: tuple[int, ...]) -> None:
        self.history, self.bounds, self.gap, self._hours, self._prior = history, bounds, gap, hours, prior
        self._outlook = outlook(history, prior)
        self._cheaper = [rung_of(rate) for rate in self._outlook.per_day]

    def planned(self, today: int, minute: int, first: int) -> Profile:
        """The profile with the plan of ``today`` after a poll at ``minute``; the next one is at ``first`` or later."""
        polls, price, scan = list[int](), NEVER, Scan(minute)
        kind, following = kind_of(today), kind_of(today + 1)
        day, rates = self._day(kind), self._outlook.per_day
        if (most := left(self.history, self.bounds, today, today)) > 0:
            rung = self._rung(today, minute, today)
            while len(polls := chain(day, self._rest(kind, rung), minute, first, self.gap)) > most:
                rung += 1  # between two tables lies about the number of polls
            price = self._rest(kind, rung).price * rates[kind]
            scan = Scan(polls[-1] if polls else minute)
        scan.pass_on(day, rates[kind] / rates[following])
        earliest = (polls[-1] + self.gap if polls else first) - MINUTES
        rest = self._rest(following, self._rung(today + 1, -1, today))
        start = scan.best(self._day(following), rest, earliest, may_stop=False)
        if start is not None:
            polls.append(MINUTES + start)
        return replace(
            self.history,
            planned=today,
            plan=tuple(polls),
            limits=self.bounds.limits,
            price=round(min(price, 1e9), 3),
            followed=round(follow_ups(self.history, self._prior), 4),
        )

    def _rung(self, day: int, minute: int, today: int) -> int:
        """The lowest price at which the rest of ``day`` after a poll at ``minute`` stays inside the budget.

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

        return start + lowest(fits)

    def _day(self, kind: int) -> Day:
        return spared(self._outlook.day(kind), self._hours, self.gap) if self._hours else self._outlook.day(kind)

    def _rest(self, kind: int, rung: int) -> Rest:
        return Rest(self._day(kind), rung - self._cheaper[kind], self.gap)

    def _wanted(self, coming: Mapping[int, int], rung: int) -> float:
        """Polls of so many whole days of each kind, at a price."""
        most = self.bounds.polls_per_day
        return sum(count * min(self._rest(kind, rung).polls(-1), most) for kind, count in coming.items())

    def _guess(self, kind: int, minute: int, coming: Mapping[int, int], polls: int) -> int:
        """The price that about fits: polls as dense as the square root of the rate make all polls equally useful."""
        today = 1 - self._day(kind).mass[minute] if minute >= 0 else 1
        claims = today * self._claim(kind) + sum(count * self._claim(other) for other, count in coming.items())
        return rung_of((claims / max(polls, 1)) ** 2 + 1e-9)

    def _claim(self, kind: int) -> float:
        return self._day(kind).roots * math.sqrt(self._outlook.per_day[kind])


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


def chain(day: Day, rest: Rest, minute: int, first: int, gap: int, *, may_stop: bool = True) -> list[int]:
    """The polls of the rest of a day after one at ``minute`` (-1: none yet): from ``first`` on, ``gap`` minutes or more
    apart. ``may_stop``: whether there need be none at all.
    """
    polls = list[int]()
    due = Scan(minute).best(day, rest, first, may_stop=may_stop)
    while due is not None:
        polls.append(due)
        due = Scan(due).best(day, rest, due + gap, may_stop=True)
    return polls


class Scan:
    """The wait since the last poll, at minute ``start``. Costs are in a day's releases times minutes."""

    def __init__(self, start: int) -> None:
        self.start = start
        self.cost = self.mass = 0.0

    def waited(self, day: Day, minute: int) -> float:
        """The cost of all that waits until a minute."""
        until = min(minute, MINUTES - 1)
        mass, weight = (day.mass[self.start], day.weight[self.start]) if self.start >= 0 else (0.0, 0.0)
        waited = minute * (day.mass[until] - mass) - (day.weight[until] - weight)
        return self.cost + self.mass * (minute - self.start) + waited

    def best(self, day: Day, rest: Rest, first: int, *, may_stop: bool) -> int | None:
        """The minute from ``first`` on whose poll costs least with all that follows; None: none more on that day."""
        least, best = NEVER, None
        for number in range(bisect_left(rest.moments, max(first, self.start + 1)), len(rest.moments)):
            waited = self.waited(day, rest.moments[number])
            if waited > least:
                return best
            whole = waited + rest.price + rest.cost(number)
            if whole < least:
                least, best = whole, rest.moments[number]
        return None if may_stop and self.waited(day, MINUTES) < least else best

    def pass_on(self, day: Day, scale: float) -> None:
        """Lets the rest of the day pass without a poll; it has ``scale`` times the releases of the next one."""
        cost = self.waited(day, MINUTES) * scale
        left = day.mass[self.start] if self.start >= 0 else 0.0
        self.mass = (self.mass + day.mass[-1] - left) * scale
        self.cost, self.start = cost - self.mass, -1
