"""The configured limits that no plan may break."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

MINUTE = timedelta(minutes=1)
DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Limits of the polls of one source.

    ``least`` and ``most`` bound the time between two polls, ``polls_per_day`` is the budget of requests of one Korean
    calendar day. ``interval`` switches planning off: the source is polled at that fixed interval (inside ``least`` and
    ``most``; the budget still holds).
    """

    least: timedelta = timedelta(minutes=5)
    most: timedelta = DAY
    polls_per_day: int = 48
    interval: timedelta | None = None

    def __post_init__(self) -> None:
        if not MINUTE <= self.least <= self.most <= DAY:
            raise ValueError("limits must be 60 s <= least <= most <= 24 h")
        if self.polls_per_day < 1:
            raise ValueError("polls_per_day must be at least 1")

    @property
    def normal(self) -> timedelta:
        """The plain interval: the fixed one, or the day shared out evenly among the budget."""
        return min(max(self.interval or DAY / self.polls_per_day, self.least), self.most)
