"""The cost of the rest of a day, poll by poll: dynamic programming with a price on every poll.

Let a poll at minute i be followed by one at j: every release between waits until j, which costs
w(i, j) = j·(A(j) − A(i)) − (B(j) − B(i)), A being the share of the day's releases so far and B the same shares times
their minutes. The least cost of the rest of the day is V(i) = min over j of w(i, j) + price + V(j). As w splits into
a part of j and a product of i's and j's terms, the minimum over j is a lower envelope of lines at A(i), kept as a
convex hull: one pass over the day. A higher price gives fewer polls, so the budget is met by searching the price.
"""

from __future__ import annotations

import bisect
import math
from array import array
from dataclasses import dataclass
from functools import lru_cache

from policyfeed.rhythm.calendar import MINUTES
from policyfeed.rhythm.rates import Day

RUNG = 1.07  # ratio of two neighbouring prices
STRIDE = 8  # rungs from one table that is made to the next: a third more polls, or fewer


def price_of(rung: int) -> float:
    """The price of a poll, in minutes that a day's releases wait."""
    return float(RUNG**rung)


def rung_of(price: float) -> int:
    """The rung nearest to a price."""
    return round(math.log(price) / math.log(RUNG))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """What follows a poll at each of ``moments``: a day's, but for those within ``gap`` minutes of midnight, where a
    poll would be in the way of the next day's first.

    ``cost[n]`` is that of the rest of the day after a poll at ``moments[n]``, ``polls[n]`` how many polls follow it on
    that day; ``whole`` is the number of a whole day's.
    """

    moments: array[int]
    price: float
    cost: array[float]
    polls: array[int]
    whole: int

    def left(self, minute: int) -> int:
        """Polls planned after a poll at any minute: those after the nearest considered one before it."""
        number = bisect.bisect_right(self.moments, minute) - 1
        return self.polls[number] if number >= 0 else self.whole


@dataclass(frozen=True, slots=True, kw_only=True)
class _Points:
    """The moments of a day that a poll may be at, and from the last one back what each brings to every table."""

    moments: array[int]
    backwards: tuple[tuple[int, float, float, float], ...]
    """Minute, A and B there, and what the line of a poll there begins with."""


@lru_cache(maxsize=4)  # the tables of a source's days are made together
def _points(day: Day, gap: int) -> _Points:
    moments, mass, weight = day.moments[: bisect.bisect_right(day.moments, MINUTES - gap)], day.mass, day.weight
    return _Points(
        moments=moments,
        backwards=tuple((at, mass[at], weight[at], at * mass[at] - weight[at]) for at in reversed(moments)),
    )


@lru_cache(maxsize=64)  # some 4 a plan
def table_of(day: Day, rung: int, gap: int) -> Table:
    """The table of a day at the price of a rung, polls at least ``gap`` minutes apart."""
    price, made = price_of(rung), _points(day, gap)
    points = made.backwards
    cost, polls = array("d"), array("h")
    slopes, levels, counts = [-float(MINUTES)], [MINUTES * day.mass[-1] - day.weight[-1]], [0]
    front, nearest = 0, 0
    for minute, mass, weight, _ in points:
        while (ahead := points[nearest][0]) >= minute + gap:
            slope, level = -float(ahead), cost[nearest] + price + points[nearest][3]
            while len(slopes) - front > 1 and _covered(slopes, levels, slope, level):
                del slopes[-1], levels[-1], counts[-1]
            slopes.append(slope)
            levels.append(level)
            counts.append(polls[nearest] + 1)
            nearest += 1
        least, end = slopes[front] * mass + levels[front], len(slopes) - 1
        while front < end and (value := slopes[front + 1] * mass + levels[front + 1]) <= least:
            front, least = front + 1, value
        cost.append(least + weight)
        polls.append(counts[front])
    first = min(range(len(points)), key=lambda number: cost[number] + points[number][3])
    return Table(
        moments=made.moments,
        price=price,
        cost=array("f", reversed(cost)),
        polls=polls[::-1],
        whole=polls[first] + 1,
    )


def _covered(slopes: list[float], levels: list[float], slope: float, level: float) -> bool:
    """Whether the last line is nowhere the least any more beside the one before it and a new, flatter one."""
    first, low = slopes[-2], levels[-2]
    return (level - low) * (first - slopes[-1]) >= (levels[-1] - low) * (first - slope)


class Rest:
    """The rest of a day at the price of any rung: between the tables of the two nearest STRIDE-th rungs.

    So prices that are tried one after the other, and days of one class with more or fewer releases, share theirs. The
    least cost grows with the price, and less and less: its true curve runs a little above the line between two tables.
    """

    def __init__(self, day: Day, rung: int, gap: int) -> None:
        below = rung - rung % STRIDE
        self._lower = self._upper = table_of(day, below, gap)
        self._part, self._share = rung % STRIDE / STRIDE, 0.0
        self.moments, self.price = self._lower.moments, price_of(rung)
        if self._part:
            self._upper = table_of(day, below + STRIDE, gap)
            self._share = (self.price - self._lower.price) / (self._upper.price - self._lower.price)

    def cost(self, number: int) -> float:
        """About what the rest of the day costs after a poll at ``moments[number]``."""
        lower = self._lower.cost[number]
        return lower + self._share * (self._upper.cost[number] - lower)

    def polls(self, minute: int) -> float:
        """About how many polls follow one at ``minute`` (-1: the day's, whole)."""
        lower = self._lower.left(minute)
        return lower + self._part * (self._upper.left(minute) - lower)
