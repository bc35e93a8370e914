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

    moments: tuple[int, ...]
    price: float
    cost: array[float]
    polls: array[int]
    whole: int

    def left(self, minute: int) -> int:
        """Polls planned after a poll at any minute: those after the nearest considered one before it."""
        number = bisect.bisect_right(self.moments, minute) - 1
        return self.polls[number] if number >= 0 else self.whole


@lru_cache(maxsize=1024)
def _moments(day: Day, gap: int) -> tuple[int, ...]:
    return day.moments[: bisect.bisect_right(day.moments, MINUTES - gap)]


@lru_cache(maxsize=4096)  # some 18 a source, of 3 kB and 1.5 ms each: what 200 sources need for a day
def table_of(day: Day, rung: int, gap: int) -> Table:
    """The table of a day at the price of a rung, polls at least ``gap`` minutes apart."""
    price, mass, weight = price_of(rung), day.mass, day.weight
    moments = _moments(day, gap)
    cost, polls = array("f", bytes(4 * len(moments))), array("h", bytes(2 * len(moments)))
    hull = [(-float(MINUTES), MINUTES * mass[-1] - weight[-1], 0)]
    front, nearest = 0, len(moments) - 1
    for number in range(len(moments) - 1, -1, -1):
        minute = moments[number]
        while nearest >= 0 and (ahead := moments[nearest]) >= minute + gap:
            level = cost[nearest] + price + ahead * mass[ahead] - weight[ahead]
            _add(hull, front, (-float(ahead), level, polls[nearest] + 1))
            nearest -= 1
        x, (slope, level, count) = mass[minute], hull[front]
        least = slope * x + level
        for place in range(front + 1, len(hull)):
            slope, level, after = hull[place]
            if (value := slope * x + level) > least:
                break
            front, least, count = place, value, after
        cost[number] = least + weight[minute]
        polls[number] = count
    starts = (cost[n] + minute * mass[minute] - weight[minute] for n, minute in enumerate(moments))
    first = min(enumerate(starts), key=lambda start: start[1])[0]
    return Table(moments=moments, price=price, cost=cost, polls=polls, whole=polls[first] + 1)


def _add(hull: list[tuple[float, float, int]], front: int, line: tuple[float, float, int]) -> None:
    """Adds the flattest line yet and drops those that are nowhere the least any more."""
    slope, level, _ = line
    while len(hull) - front > 1:
        (first, low, _), (second, high, _) = hull[-2], hull[-1]
        if (level - low) * (first - second) < (high - low) * (first - slope):
            break
        hull.pop()
    hull.append(line)
