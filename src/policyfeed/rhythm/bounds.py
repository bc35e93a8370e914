"""The configured limits that no plan may break."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of the polls of one source.

    ``least`` and ``most`` bound the time between two polls, ``polls_per_day`` is the budget of requests. By default it
    is held on every Korean calendar day. With ``weekly`` it is an average: what a quiet day leaves may be spent later
    in the same week (Saturday to Friday), so that no week and no beginning of a week has more than its days' budgets.
    ``interval`` switches planning off: the source is polled at that fixed interval (inside ``least`` and ``most``; the
    budget still holds). ``spread`` is the width of the window in which sources that wait for the same minute ask.
    """

    least: timedelta = timedelta(minutes=5)
    most: timedelta = DAY
    polls_per_day: int = 48
    weekly: bool = False
    interval: timedelta | None = None
    spread: timedelta = timedelta(seconds=10)

    def __post_init__(self) -> None:
        if not MINUTE <= self.least <= self.most <= DAY:
            raise ValueError("limits must be 60 s <= least <= most <= 24 h")
        if self.polls_per_day < 1:
            raise ValueError("polls_per_day must be at least 1")
        if self.spread < timedelta():
            raise ValueError("spread must not be negative")

    @property
    def normal(self) -> timedelta:
        """The plain interval: the fixed one, or the day shared out evenly among the budget."""
        return min(max(self.interval or DAY / self.polls_per_day, self.least), self.most)
