"""The cost of the rest of a day, poll by poll: dynamic programming with a price on every poll.

Let a poll at minute i be followed by one at j: every release between waits until j, which costs
w(i, j) = j·(A(j) − A(i)) − (B(j) − B(i)) release-minutes, A being the releases expected so far and B the same times
their minutes. The least cost of the rest of the day is V(i) = min over j of w(i, j) + price + V(j). As w splits into
a part of j and a product of i's and j's terms, the minimum over j is a lower envelope of lines at A(i), kept as a
convex hull: one pass over the day. A higher price gives fewer polls, so the budget is met by searching the price.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from functools import lru_cache

from policyfeed.rhythm.calendar import MINUTES
from policyfeed.rhythm.rates import Day

NEVER = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """``cost[m]`` of the rest of the day after a poll at minute m (NEVER where none is considered), price included.

    ``polls[m]`` is the number of polls that follow it on that day; ``whole`` the number of a whole day's.
    """

    price: float
    cost: array[float]
    polls: array[int]
    whole: int

    def left(self, minute: int) -> int:
        """Polls planned after a poll at any minute: those after the nearest considered one before it."""
        while minute >= 0 and self.cost[minute] == NEVER:
            minute -= 1
        return self.polls[minute] if minute >= 0 else self.whole


@lru_cache(maxsize=512)
def table_of(day: Day, price: float, gap: int) -> Table:
    """The table of a day at a price (release-minutes a poll), polls at least ``gap`` minutes apart."""
    cost = array("f", [NEVER]) * MINUTES
    polls = array("h", [0]) * MINUTES
    mass, weight, moments = day.mass, day.weight, day.moments
    hull = [(-float(MINUTES), MINUTES * mass[-1] - weight[-1], 0)]
    front, nearest = 0, len(moments) - 1
    for minute in reversed(moments):
        while nearest >= 0 and (ahead := moments[nearest]) >= minute + gap:
            level = cost[ahead] + price + ahead * mass[ahead] - weight[ahead]
            _add(hull, front, (-float(ahead), level, polls[ahead] + 1))
            nearest -= 1
        x, (slope, level, count) = mass[minute], hull[front]
        least = slope * x + level
        for place in range(front + 1, len(hull)):
            slope, level, after = hull[place]
            if (value := slope * x + level) > least:
                break
            front, least, count = place, value, after
        cost[minute] = least + weight[minute]
        polls[minute] = count
    first = min(moments, key=lambda minute: cost[minute] + minute * mass[minute] - weight[minute])
    return Table(price=price, cost=cost, polls=polls, whole=polls[first] + 1)


def _add(hull: list[tuple[float, float, int]], front: int, line: tuple[float, float, int]) -> None:
    """Adds the flattest line yet and drops those that are nowhere the least any more."""
    slope, level, _ = line
    while len(hull) - front > 1:
        (first, low, _), (second, high, _) = hull[-2], hull[-1]
        if (level - low) * (first - second) < (high - low) * (first - slope):
            break
        hull.pop()
    hull.append(line)
