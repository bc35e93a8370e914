"""What is left of a source's budget of requests."""

from __future__ import annotations

from policyfeed.rhythm.bounds import Bounds
from policyfeed.rhythm.calendar import week_start
from policyfeed.rhythm.profile import Profile


def left_on(history: Profile, bounds: Bounds, day: int) -> int:
    """Requests that a day may still have."""
    return bounds.polls_per_day - (history.used if history.day == day else 0)


def left_until(history: Profile, bounds: Bounds, today: int, day: int) -> int:
    """Requests that the plan may still spend up to the end of ``day``: its week's so far, less what was spent."""
    week = week_start(day)
    spent = history.spent + history.used if history.week == week else 0
    return bounds.usual * (day - max(week, history.first or today) + 1) - spent


def left(history: Profile, bounds: Bounds, today: int, day: int) -> int:
    """Requests that the plan may still spend on ``day``."""
    return min(left_on(history, bounds, day), left_until(history, bounds, today, day))
