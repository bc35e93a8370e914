"""A source's memory: the polls spent, its publication times, and which views of them foretold the next ones."""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate, groupby, pairwise
from typing import Any

from policyfeed.rhythm.calendar import place, week_start, works
from policyfeed.rhythm.prior import Prior, load_prior
from policyfeed.rhythm.views import Pasts, day_of, minute_of

MEMORY = 400  # days; older releases are forgotten
KEPT = 1200  # and so are more than so many
GAP = 7  # days of which nothing is known, at most, between what is told of the past and what is known of it
DOUBT = 8.0  # releases' worth of the trust that all ministries' views deserve
FADE = 0.99  # by which each release makes earlier lessons count less
LESSONS = 400  # releases, the last ones; what earlier ones taught has faded

Trust = tuple[float, ...]
"""For each view the releases, fading, that it is to be thanked for foretelling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The memory of one source. Days are ordinals in KST, moments are seconds since the epoch.

    The releases of a day are learned from on the day after, so that a day's plan stays what it is.
    """

    day: int = 0
    used: int = 0
    """Requests made on ``day``."""
    week: int = 0
    spent: int = 0
    """Requests made in the budget's week before ``day``."""
    first: int = 0
    """The day of the first request."""
    releases: tuple[int, ...] = ()
    """Publication times, in order."""
    learned: int = 0
    """Releases of the days before it are what plans are made from."""
    taught: int = 0
    """Releases of the days before it have taught which views to trust."""
    worked: Trust = ()
    free: Trust = ()
    planned: int = 0
    """The day that ``plan`` is for: minutes since its midnight, the last one usually the next day's first poll."""
    plan: tuple[int, ...] = ()
    limits: tuple[int, ...] = ()
    """The limits that it was made under (``Bounds.limits``)."""
    price: float = 0.0
    """What a further poll on that day would have to save: releases times minutes."""
    followed: float = 0.0
    """How likely, on that day, another release follows one off the dot within minutes."""

    @property
    def past(self) -> tuple[int, ...]:
        """The releases of the days before ``learned``: those that plans are made from."""
        return self.releases[: bisect.bisect_left(self.releases, self.learned, key=day_of)]

    @property
    def since(self) -> int:
        """The day from which on all releases are known, at most MEMORY days before ``learned``."""
        oldest = day_of(self.releases[0]) if self.releases else self.learned
        known = oldest if len(self.releases) == KEPT else min(oldest, self.first or oldest)
        return max(known, self.learned - MEMORY)

    @property
    def last(self) -> int:
        """The latest release, 0 for none."""
        return self.releases[-1] if self.releases else 0

    def seen(self, published: Iterable[datetime], now: datetime, prior: Prior | None = None) -> Profile:
        """The profile after one request at ``now`` that found releases published at these times (aware).

        Call it for every request, failures included: it counts the budget. Leave out releases of which only the day
        is known (``Article.dated``). Times in the future and older than MEMORY days are ignored. ``prior``: the one
        that the plans are made with, the shipped one by default.
        """
        day, _ = place(now)
        counted = self._counted(day)
        if self.learned != day:
            counted = counted._taught(day, prior or load_prior())
        return replace(counted, releases=counted._with(published, now))

    def told(self, published: Iterable[datetime], until: date, now: datetime) -> Profile:
        """The profile that is told of its past: all times, if any, at which releases were published up to ``until``.

        Without a request to the source: a backfill's find. At the next request it learns anew which views to trust,
        and the day's plan is made anew. Where days between ``until`` and what is known are missing it is told nothing:
        they would seem to be without releases.
        """
        known = self.since if self.first or self.releases else place(now)[0]
        releases = self._with(published, now) if until.toordinal() >= known - GAP else self.releases
        if releases == self.releases:
            return self
        return replace(self, releases=releases, learned=0, taught=0, worked=(), free=(), planned=0)

    def _with(self, published: Iterable[datetime], now: datetime) -> tuple[int, ...]:
        times = [int(moment.timestamp()) for moment in published if _believable(moment, now)]
        return tuple(sorted((*self.releases, *times))[-KEPT:]) if times else self.releases

    def _counted(self, day: int) -> Profile:
        if day == self.day:
            return replace(self, used=self.used + 1)
        week = week_start(day)
        spent = self.spent + self.used if week == self.week else 0
        return replace(self, day=day, used=1, week=week, spent=spent, first=min(self.first or day, day))

    def _taught(self, day: int, prior: Prior) -> Profile:
        """What the releases of the days gone by teach, each day foretold by what was known before it."""
        kept = self.releases[bisect.bisect_left(self.releases, day - MEMORY, key=day_of) :]
        start, end = (bisect.bisect_left(kept, until, key=day_of) for until in (self.taught, day))
        trust, start = {True: self.worked, False: self.free}, max(start, end - LESSONS)
        pasts = Pasts(day)
        for time in kept[:start]:
            pasts.add(time)
        for lesson, times in groupby(kept[start:end], day_of):
            worked, new = works(lesson), list(times)
            trust[worked] = _lesson(trust[worked], pasts, prior, new, worked=worked)
            for time in new:
                pasts.add(time)
        return replace(
            self,
            releases=kept,
            learned=day,
            taught=day if kept else 0,
            worked=trust[True],
            free=trust[False],
        )

    def to_json(self) -> str:
        """JSON for the source's state row: a few kilobytes. Releases are stored as the seconds between them."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in _PLAIN}
        gaps = [later - earlier for earlier, later in pairwise((0, *self.releases))]
        lists = {name: list(getattr(self, name)) for name in ("worked", "free", "plan", "limits")}
        return json.dumps({"v": 2, **plain, **lists, "releases": gaps}, separators=(",", ":"))

    @classmethod
    def from_json(cls, written: str) -> Profile:
        """The stored profile; an empty one where nothing, or nothing of this version, was stored."""
        stored = json.loads(written or "{}")
        if stored.get("v") != 2:
            return cls()
        return cls(
            **{name: stored[name] for name in _PLAIN if name in stored},
            worked=tuple(stored["worked"]),
            free=tuple(stored["free"]),
            plan=tuple(stored.get("plan", ())),
            limits=tuple(stored.get("limits", ())),
            releases=tuple(accumulate(stored["releases"])),
        )


_PLAIN = ("day", "used", "week", "spent", "first", "learned", "taught", "planned", "price", "followed")


def _lesson(trust: Trust, pasts: Pasts, prior: Prior, times: list[int], *, worked: bool) -> Trust:
    """The trust after one day: each view is thanked for its part in foretelling the day's releases.

    One step of expectation maximisation a day, on releases that the views did not know yet.
    """
    habit = prior.habit(worked=worked)
    start = [DOUBT * share for share in habit.trust]
    trust = trust or tuple(start)
    views = pasts.views(habit, worked=worked)
    fade = FADE ** len(times)
    sums = [fade * old + (1 - fade) * share for old, share in zip(trust, start, strict=True)]
    for minute in map(minute_of, times):
        parts = [weight * view[minute] for weight, view in zip(trust, views, strict=True)]
        whole = sum(parts) or 1.0
        sums = [total + part / whole for total, part in zip(sums, parts, strict=True)]
    return tuple(round(total, 4) for total in sums)


def _believable(moment: datetime, now: datetime) -> bool:
    return 0 <= (now - moment).total_seconds() <= MEMORY * 86400
