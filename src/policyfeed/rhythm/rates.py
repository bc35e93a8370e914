"""How many releases to expect in every minute of a day: the source's own past, on the ground of the prior."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from policyfeed.rhythm.calendar import MINUTES, weight_of_days
from policyfeed.rhythm.prior import Habit, Prior
from policyfeed.rhythm.profile import HALF_LIFE, Counts, Profile

DOUBT = 20.0  # releases' worth of trust in the prior's times of day
DAYS_OF_DOUBT = 2.0  # days' worth of trust in the prior's number of releases
EXACT, NEAR, AROUND = 0.75, 0.1, 0.1  # trust in the very minute, ±NEAR_BY and ±WIDELY minutes; the rest is the prior's
NEAR_BY, WIDELY = 5, 45
DOUBTFUL_SITTINGS = 20.0
STEP = 5  # minutes between the moments at which a poll is considered, besides the peaks
PEAK = 4.0  # a peak has so many times the releases of the minutes around


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """What a day of one class should bring. ``moments`` are the minutes worth polling at, in order."""

    rate: array[float]
    mass: array[float]
    """Releases expected up to and with the minute."""
    weight: array[float]
    """The same, each times its minute."""
    moments: tuple[int, ...]
    roots: float
    """The sum of the square roots of half the rates: a day's claim to polls."""


@lru_cache(maxsize=256)
def expected(counts: Counts, habit: Habit, days: float, phase: int) -> Day:
    """The day to expect after so many (weighted) ``days`` with these counts.

    ``phase`` (0 to STEP - 1) shifts the moments between the peaks, so that sources of one habit do not bunch there.
    """
    known = sum(weight for _, weight in counts)
    per_day = (known + habit.per_day * DAYS_OF_DOUBT) / (days + DAYS_OF_DOUBT)
    own, shares = _own_shares(counts, known), habit.shares
    trust = known / (known + DOUBT)
    rate = array("d", [per_day * (trust * mine + (1 - trust) * all_) for mine, all_ in zip(own, shares, strict=True)])
    return Day(
        rate=rate,
        mass=array("d", accumulate(rate)),
        weight=array("d", accumulate(minute * share for minute, share in enumerate(rate))),
        moments=_moments(rate, phase),
        roots=sum(math.sqrt(share / 2) for share in rate),
    )


def day_of(profile: Profile, prior: Prior, worked: bool, phase: int) -> Day:
    """The day to expect of a source, for a working day or a free one."""
    days = weight_of_days(profile.since, profile.learned, worked, HALF_LIFE) if profile.since else 0.0
    counts, habit = (profile.worked, prior.worked) if worked else (profile.free, prior.free)
    return expected(counts, habit, days, phase)


def follow_ups(profile: Profile, prior: Prior) -> float:
    """How likely another release comes within minutes of one off the dot, at this source."""
    return (profile.followed + prior.followed * DOUBTFUL_SITTINGS) / (profile.sittings + DOUBTFUL_SITTINGS)


def _own_shares(counts: Counts, known: float) -> list[float]:
    """The source's shares of releases, blurred at three widths; what is left to 1 stays flat over the widest."""
    exact = [0.0] * MINUTES
    for minute, weight in counts:
        exact[minute] = weight / known
    near, around = _blurred(exact, NEAR_BY), _blurred(exact, WIDELY)
    rest = 1 - EXACT - NEAR
    return [EXACT * a + NEAR * b + rest * c for a, b, c in zip(exact, near, around, strict=True)]


def _blurred(shares: list[float], width: int) -> list[float]:
    """The mean of each minute and ``width`` minutes on both sides, around midnight."""
    sums = [0.0, *accumulate(shares[-width:] + shares + shares[:width])]
    span = 2 * width + 1
    return [(sums[minute + span] - sums[minute]) / span for minute in range(MINUTES)]


def _moments(rate: array[float], phase: int) -> tuple[int, ...]:
    usual = _blurred(list(rate), 30)
    least = sum(rate) / 400
    return tuple(
        minute
        for minute in range(MINUTES)
        if minute % STEP == phase or (rate[minute] > least and rate[minute] > PEAK * usual[minute])
    )
