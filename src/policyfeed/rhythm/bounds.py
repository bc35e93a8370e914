"""The configured limits that no plan may break."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of the polls of one source.

    ``least`` and ``most`` bound the time between two polls, ``polls_per_day`` the requests of every Korean calendar
    day. ``usual_per_day`` is what the plan spends on average over the week (Saturday to Friday), by default two
    thirds of that: what a quiet day leaves may be spent later in the same week, and nothing is borrowed, so that no
    beginning of a week has more than its days' averages. ``interval`` switches planning off: the source is polled at
    that fixed interval (inside ``least``, ``most`` and ``polls_per_day``). ``spread`` is the width of the window in
    which sources that wait for the same minute ask.
    """

    least: timedelta = timedelta(minutes=5)
    most: timedelta = DAY
    polls_per_day: int = 48
    usual_per_day: int | None = None
    interval: timedelta | None = None
    spread: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        if not MINUTE <= self.least <= self.most <= DAY:
            raise ValueError("limits must be 60 s <= least <= most <= 24 h")
        if not 1 <= self.usual <= self.polls_per_day:
            raise ValueError("polls_per_day must be at least 1, and usual_per_day between 1 and it")
        if self.spread < timedelta():
            raise ValueError("spread must not be negative")

    @property
    def usual(self) -> int:
        """Requests that the plan spends a day, on average over the week."""
        return -(-2 * self.polls_per_day // 3) if self.usual_per_day is None else self.usual_per_day

    @property
    def limits(self) -> tuple[int, ...]:
        """What a day's plan depends on: with other limits it is made anew."""
        return int(self.least.total_seconds()), self.polls_per_day, self.usual

    @property
    def normal(self) -> timedelta:
        """The plain interval: the fixed one, or the day shared out evenly among the budget."""
        return min(max(self.interval or DAY / self.polls_per_day, self.least), self.most)
