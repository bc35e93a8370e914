"""How many releases to expect in every minute of a day: the source's own past, on the ground of the prior."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from operator import mul
from statistics import fmean

from policyfeed.rhythm.calendar import EVE, FREE, KINDS, MINUTES, kind_of
from policyfeed.rhythm.prior import Prior
from policyfeed.rhythm.profile import MEMORY, Profile, Trust
from policyfeed.rhythm.views import HALF_LIFE, Pasts, blurred, day_of, is_on_the_dot

DAYS_OF_DOUBT = 2.0  # days' worth of trust in the prior's number of releases
RELEASES_OF_DOUBT = 20.0  # releases' worth of trust in its weekdays
BUSY_HALF_LIFE = 40.0  # days after which a working day counts half for how busy the source is
DOUBTFUL_SITTINGS = 20.0
FOLLOWED = (30, 330)  # seconds between two releases of one sitting
IDLE_STEP = 10  # minutes between the moments at which a poll is considered where little comes, besides the peaks
BUSY_STEP, BUSY_MINUTES = 5, 2  # where more comes, two in every five minutes: rates change slowly between the dots
QUIET = 0.2  # of the day's mean rate: above it more comes
PEAK = 2.0  # a peak has so many times the releases of the minutes around
LEAST_PEAK = 3.6  # and so many times those of the day's mean minute
WEEKDAYS = range(EVE)
SHARPENED = 1.15  # the power of a minute's share: a mean of several views is flatter than what happens
FAINT = 1e-9  # even where nothing ever came out, time is not worthless


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """Where the releases of one class of days fall: shares of the day's releases, 1 in all.

    ``moments`` are the minutes worth polling at, in order.
    """

    mass: array[float]
    """The share up to and with the minute."""
    weight: array[float]
    """The same, each share times its minute."""
    moments: array[int]
    roots: float
    """The sum of the square roots of half the shares: a day's claim to polls."""


@lru_cache(maxsize=4)  # the tables of a source's days are made together
def spared(day: Day, hours: tuple[int, ...], gap: int) -> Day:
    """The day with no polls in these hours (GMT, 9 behind); as it is where that leaves none ``gap`` from its end."""
    moments = array("h", (at for at in day.moments if (at // 60 - 9) % 24 not in hours))
    return replace(day, moments=moments) if moments and moments[0] <= MINUTES - gap else day


class Outlook:
    """What a source's days should bring: releases, by kind of day, and when in the day. Made only as asked."""

    def __init__(
        self,
        past: tuple[int, ...],
        learned: int,
        since: int,
        trust: tuple[Trust, Trust],
        prior: Prior,
    ) -> None:
        self._past, self._learned, self._since, self._trust = past, learned, since, trust
        self._prior = prior

    @cached_property
    def per_day(self) -> tuple[float, ...]:
        return _per_day(self._past, self._learned, self._since, self._prior.per_day)

    def day(self, kind: int) -> Day:
        return self._worked if kind in WEEKDAYS else self._free

    @cached_property
    def _worked(self) -> Day:
        habit = self._prior.worked
        return _day(self._pasts().views(habit, worked=True), self._trust[0] or habit.trust)

    @cached_property
    def _free(self) -> Day:
        habit = self._prior.free
        return _day(self._pasts().views(habit, worked=False), self._trust[1] or habit.trust)

    def _pasts(self) -> Pasts:
        pasts = Pasts(self._learned)
        for time in self._past:
            pasts.add(time)
        return pasts


def outlook(profile: Profile, prior: Prior) -> Outlook:
    """The days to expect of a source."""
    return _outlook(profile.past, profile.learned, profile.since, (profile.worked, profile.free), prior)


_outlook = lru_cache(maxsize=4)(Outlook)  # sources without a past of their own share theirs


def _day(views: tuple[Sequence[float], ...], trust: Trust) -> Day:
    a, b, c, d, e, f, g, h = trust
    mixed = [
        a * s + b * t + c * u + d * v + e * w + f * x + g * y + h * z + FAINT
        for s, t, u, v, w, x, y, z in zip(*views, strict=True)
    ]
    sharp = [share**SHARPENED for share in mixed]
    whole = sum(sharp)
    return day_from([share / whole for share in sharp])


def day_from(shares: list[float]) -> Day:
    """The day with these shares in its minutes."""
    return Day(
        mass=array("d", accumulate(shares)),
        weight=array("d", accumulate(map(mul, shares, range(MINUTES)))),
        moments=_moments(shares),
        roots=sum(map(math.sqrt, shares)) / math.sqrt(2),
    )


def _per_day(past: tuple[int, ...], learned: int, since: int, usual: tuple[float, ...]) -> tuple[float, ...]:
    """The number of releases on a day of each kind. Working days rise and fall together within weeks, while what
    Mondays have more than Fridays lasts.
    """
    lately, long = [0.0] * len(KINDS), [0.0] * len(KINDS)
    for time in past:
        kind, age = kind_of(day_of(time)), learned - day_of(time)
        lately[kind] += 0.5 ** (age / BUSY_HALF_LIFE)
        long[kind] += 0.5 ** (age / HALF_LIFE)
    days = [_weight_of_days(since, learned, kind, HALF_LIFE) for kind in KINDS]
    recent = sum(_weight_of_days(since, learned, kind, BUSY_HALF_LIFE) for kind in WEEKDAYS)
    typical = fmean(usual[kind] for kind in WEEKDAYS)
    level = _doubted(sum(lately[kind] for kind in WEEKDAYS), recent, typical)
    steady = _doubted(sum(long[kind] for kind in WEEKDAYS), sum(days[kind] for kind in WEEKDAYS), typical)
    weekdays = (
        (long[kind] + RELEASES_OF_DOUBT * usual[kind] / typical) / (days[kind] * steady + RELEASES_OF_DOUBT)
        for kind in WEEKDAYS
    )
    free = (_doubted(long[kind], days[kind], usual[kind]) for kind in (EVE, FREE))
    return (*(level * weekday for weekday in weekdays), *free)


def _weight_of_days(since: int, until: int, kind: int, half_life: float) -> float:
    """How many days of a kind lie in [since, until), MEMORY at most, each halved per ``half_life`` days of age."""
    return _weights_back(until, kind, half_life)[max(0, min(until - since, MEMORY))]


@lru_cache(maxsize=16)  # a day's plans want 14
def _weights_back(until: int, kind: int, half_life: float) -> tuple[float, ...]:
    """The weight of the last n days of a kind, n from 0 to MEMORY."""
    days = range(until - 1, max(0, until - 1 - MEMORY), -1)
    return tuple(accumulate((0.5 ** ((until - day) / half_life) * (kind_of(day) == kind) for day in days), initial=0.0))


def _doubted(releases: float, days: float, usual: float) -> float:
    """Releases a day, where few days are known rather the usual number."""
    return (releases + usual * DAYS_OF_DOUBT) / (days + DAYS_OF_DOUBT)


def follow_ups(profile: Profile, prior: Prior) -> float:
    """How likely another release comes within minutes of one off the dot, at this source."""
    sittings, followed = DOUBTFUL_SITTINGS, prior.followed * DOUBTFUL_SITTINGS
    for time, following in pairwise((*profile.releases, math.inf)):
        if not is_on_the_dot(time):
            weight = 0.5 ** (max(0, profile.learned - day_of(time)) / HALF_LIFE)
            sittings += weight
            followed += weight * (FOLLOWED[0] < following - time <= FOLLOWED[1])
    return followed / sittings


def _moments(shares: list[float]) -> array[int]:
    usual, mean = blurred(shares, 30), 1 / MINUTES
    return array(
        "h",
        (
            minute
            for minute in range(MINUTES)
            if minute % IDLE_STEP == 0
            or (minute % BUSY_STEP < BUSY_MINUTES and usual[minute] > QUIET * mean)
            or (shares[minute] > max(PEAK * usual[minute], LEAST_PEAK * mean))
        ),
    )
