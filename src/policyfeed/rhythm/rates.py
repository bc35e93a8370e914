"""How many releases to expect in every minute of a day: the source's own past, on the ground of the prior."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from policyfeed.rhythm.calendar import MINUTES, weight_of_days
from policyfeed.rhythm.prior import Habit, Prior
from policyfeed.rhythm.profile import HALF_LIFE, Counts, Profile

DOUBT = 8.0  # releases' worth of trust in the prior's times of day
DAYS_OF_DOUBT = 2.0  # days' worth of trust in the prior's number of releases
MIXTURE = (0.5, 0.15, 0.25, 0.1)  # trust in the very minute, ±NEAR_BY and ±WIDELY minutes, and the prior, to begin with
UNIT = 0.35  # weight of one release that is foretold from the others
ROUNDS = 6
NEAR_BY, WIDELY = 2, 45
DOUBTFUL_SITTINGS = 20.0
STEP, IDLE_STEP = 2, 10  # minutes between the moments at which a poll is considered, besides the peaks
QUIET = 0.2  # below this part of the day's mean rate the idle step is enough
PEAK = 2.0  # a peak has so many times the releases of the minutes around
LEAST_PEAK = 3.6  # and so many times those of the day's mean minute


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
    shares = _shares(counts, known, habit.shares)
    rate = array("d", [per_day * share for share in shares])
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


def _shares(counts: Counts, known: float, prior: tuple[float, ...]) -> list[float]:
    """The shares of releases over the minutes: the source's own past at three widths, mixed with the prior."""
    if not counts:
        return list(prior)
    exact = [0.0] * MINUTES
    for minute, weight in counts:
        exact[minute] = weight / known
    views = (exact, _blurred(exact, NEAR_BY), _blurred(exact, WIDELY), prior)
    a, b, c, d = _trust(counts, known, views)
    own = known / (known + DOUBT)
    a, b, c, d = a * own, b * own, c * own, d * own + 1 - own
    return [a * w + b * x + c * y + d * z for w, x, y, z in zip(*views, strict=True)]


def _trust(counts: Counts, known: float, views: tuple[Sequence[float], ...]) -> list[float]:
    """How far each view is to be trusted at this source: as it foretells every release from all the others.

    Deleted interpolation (Jelinek and Mercer, 1980), by expectation maximisation from MIXTURE, which also counts as
    much as DOUBT releases.
    """
    alone = UNIT / known
    parts = (alone, alone / (2 * NEAR_BY + 1), alone / (2 * WIDELY + 1), 0.0)
    told = [
        (weight, [max(0.0, view[minute] - part) for view, part in zip(views, parts, strict=True)])
        for minute, weight in counts
    ]
    trust = list(MIXTURE)
    for _ in range(ROUNDS):
        sums = [DOUBT * share for share in MIXTURE]
        for weight, seen in told:
            shares = [share * view for share, view in zip(trust, seen, strict=True)]
            scale = weight / (sum(shares) or 1.0)
            sums = [total + scale * share for total, share in zip(sums, shares, strict=True)]
        trust = [total / sum(sums) for total in sums]
    return trust


def _blurred(shares: list[float], width: int) -> list[float]:
    """The mean of each minute and ``width`` minutes on both sides, around midnight."""
    sums = [0.0, *accumulate(shares[-width:] + shares + shares[:width])]
    span = 2 * width + 1
    return [(sums[minute + span] - sums[minute]) / span for minute in range(MINUTES)]


def _moments(rate: array[float], phase: int) -> tuple[int, ...]:
    usual, mean = _blurred(list(rate), 30), sum(rate) / MINUTES
    return tuple(
        minute
        for minute in range(MINUTES)
        if minute % (STEP if usual[minute] > QUIET * mean else IDLE_STEP) == phase
        or (rate[minute] > max(PEAK * usual[minute], LEAST_PEAK * mean))
    )
