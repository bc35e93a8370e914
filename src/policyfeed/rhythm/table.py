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
    total = mass[-1]
    slopes, levels, counts = [-float(MINUTES)], [MINUTES * total - weight[-1]], [0]
    front, nearest = 0, len(moments) - 1
    for minute in reversed(moments):
        while nearest >= 0 and (ahead := moments[nearest]) >= minute + gap:
            slope = -float(ahead)
            level = cost[ahead] + price + ahead * mass[ahead] - weight[ahead]
            while len(slopes) - front > 1 and (level - levels[-2]) * (slopes[-2] - slopes[-1]) >= (
                levels[-1] - levels[-2]
            ) * (slopes[-2] - slope):
                del slopes[-1], levels[-1], counts[-1]
            slopes.append(slope)
            levels.append(level)
            counts.append(polls[ahead] + 1)
            nearest -= 1
        x = mass[minute]
        while (
            len(slopes) - front > 1 and slopes[front + 1] * x + levels[front + 1] <= slopes[front] * x + levels[front]
        ):
            front += 1
        cost[minute] = slopes[front] * x + levels[front] + weight[minute]
        polls[minute] = counts[front]
    first = min(moments, key=lambda minute: cost[minute] + minute * mass[minute] - weight[minute])
    return Table(price=price, cost=cost, polls=polls, whole=polls[first] + 1)
