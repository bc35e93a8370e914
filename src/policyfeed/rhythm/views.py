"""Views of when a source releases: its own past in several lights, none of which is right alone.

Each view is a distribution over the 1,440 minutes of a day, apart for working days and free ones. Releases on the dot
were scheduled by somebody; the others come when a clerk is ready, around the same hours but at any minute.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from operator import sub

from policyfeed.rhythm.calendar import MINUTES, works
from policyfeed.rhythm.prior import Habit

VIEWS = ("minute", "lately", "habit", "near_by", "around", "other_days", "all_dots", "all_rest")
"""Its own past in that very minute, and in the last weeks alone; on the dot in that hour × at that minute of any hour;
within ±3 minutes; off the dot within ±44 minutes, near ones more; on the dot on the other class of days. All
ministries, on the dot and off it."""
HALF_LIFE = 180.0  # days after which a release counts half
LATELY = 30.0  # the same, where only the last weeks count
NEAR_BY, AROUND = 3, 22
DOT = 5  # seconds after a full minute that still belong to it: a release approved on the dot
DAY_ZERO = 719163  # the ordinal of 1970-01-01


def day_of(time: float) -> int:
    """The KST day of a moment in seconds since the epoch."""
    return DAY_ZERO + int(time + 32400) // 86400


def minute_of(time: float) -> int:
    """The minute of its day in which a poll is the first that can see a release."""
    minute, second = divmod((time + 32400) % 86400, 60)
    return int(minute + (second > DOT)) % MINUTES


def is_on_the_dot(time: float) -> bool:
    """Whether a release was scheduled, as the full ten minutes tell."""
    return (time + 32400) % 600 <= DOT


class Past:
    """What a source released on one class of days. Newer releases weigh more, instead of older ones fading."""

    def __init__(self) -> None:
        self.minutes, self.lately, self.dots = ([0.0] * MINUTES for _ in range(3))

    def add(self, time: float, age: int) -> None:
        """One release, so many days before any day that all ages are counted from."""
        minute, weight = minute_of(time), 0.5 ** (age / HALF_LIFE)
        self.minutes[minute] += weight
        self.lately[minute] += 0.5 ** (age / LATELY)
        if is_on_the_dot(time):
            self.dots[minute] += weight


class Pasts:
    """A source's past on working days and on free ones."""

    def __init__(self, since: int) -> None:
        self.since, self._of = since, {True: Past(), False: Past()}

    def add(self, time: float) -> None:
        day = day_of(time)
        self._of[works(day)].add(time, self.since - day)

    def views(self, habit: Habit, *, worked: bool) -> tuple[Sequence[float], ...]:
        """The VIEWS of one class of days; all zero where nothing is known."""
        past, other = self._of[worked], self._of[not worked]
        rest = [every - dotted for every, dotted in zip(past.minutes, past.dots, strict=True)]
        return (
            _shares(past.minutes),
            _shares(past.lately),
            _product(past.dots),
            _shares(blurred(past.minutes, NEAR_BY)),
            _shares(blurred(blurred(rest, AROUND), AROUND)),
            _shares(other.dots),
            habit.dots,
            habit.rest,
        )


def blurred(values: Sequence[float], width: int) -> list[float]:
    """The mean of each minute and ``width`` minutes on both sides, around midnight."""
    sums = list(accumulate((*values[-width:], *values, *values[:width]), initial=0.0))
    span = 2 * width + 1
    return [whole / span for whole in map(sub, sums[span:], sums)]


def _product(dots: list[float]) -> list[float]:
    """What is on the dot, if hour and minute of the hour had nothing to do with each other."""
    whole = sum(dots) or 1.0
    hours = [sum(dots[hour : hour + 60]) / whole for hour in range(0, MINUTES, 60)]
    minutes = [sum(dots[minute::60]) / whole for minute in range(60)]
    return [hour * minute for hour in hours for minute in minutes]


def _shares(weights: list[float]) -> list[float]:
    whole = sum(weights) or 1.0
    return [weight / whole for weight in weights]
