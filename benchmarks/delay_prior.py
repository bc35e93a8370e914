"""The prior's figures from past releases: shares and rates over all ministries, no release of its own left in it."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import groupby, pairwise
from typing import Any

from policyfeed.rhythm.calendar import KINDS, MINUTES, kind_of, works
from policyfeed.rhythm.prior import Habit
from policyfeed.rhythm.views import VIEWS, Pasts, blurred, day_of, is_on_the_dot, minute_of

CAP = 500.0  # a ministry's releases count no more than so many together: a habit is not the loudest one's
LEAST = 30
BLUR = 14  # minutes
GROUND = 0.03  # the part of the releases off the dot that may come at any time of day
AGES = 11  # minutes after a release in which others of its sitting come
SITTING = 330.0
LESSONS = 182  # days, the last ones, whose releases tell which views to trust
ROUNDS = 100
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "eve", "free")

Lessons = list[tuple[float, list[float]]]
"""Releases: how much each counts, and its share in every view."""


def learn(times: dict[str, list[float]], until: float) -> dict[str, Any]:
    """The prior's JSON from the releases before ``until``; empty where too few are known."""
    past = {ministry: [time for time in known if time < until] for ministry, known in times.items()}
    past = {ministry: known for ministry, known in past.items() if len(known) >= LEAST}
    if sum(map(len, past.values())) < 10 * CAP or not _of_all_sorts(past):
        return {}
    days = range(day_of(min(known[0] for known in past.values())), day_of(until))
    followed, ages = _sittings(past)
    return {
        "releases": sum(map(len, past.values())),
        "ministries": len(past),
        "until": date.fromordinal(days[-1]).isoformat(),
        "per_day": {name: _per_day(past, days, kind) for kind, name in zip(KINDS, DAYS, strict=True)},
        "followed": round(followed, 4),
        "ages": [round(age, 4) for age in ages],
        "worked": _habit(past, days, worked=True),
        "free": _habit(past, days, worked=False),
    }


def _of_all_sorts(past: dict[str, list[float]]) -> bool:
    """Whether there are some on the dot and off it, on working days and on free ones."""
    sorts = Counter((works(day_of(time)), is_on_the_dot(time)) for known in past.values() for time in known)
    return len(sorts) == 4 and min(sorts.values()) >= LEAST


def as_text(prior: dict[str, Any]) -> str:
    """The prior as readable JSON: an hour a line."""
    text = json.dumps(prior, indent=1)
    row = re.compile(r"\[[\d.,\s]+\]")
    return row.sub(lambda found: "[" + ", ".join(found.group()[1:-1].replace(",", " ").split()) + "]", text) + "\n"


def _per_day(past: dict[str, list[float]], days: range, kind: int) -> float:
    count = sum(kind_of(day_of(time)) == kind for known in past.values() for time in known)
    return max(0.001, round(count / max(1, sum(kind_of(day) == kind for day in days)) / len(past), 3))


def _habit(past: dict[str, list[float]], days: range, *, worked: bool) -> dict[str, Any]:
    dots, rest = [0.0] * MINUTES, [0.0] * MINUTES
    for known in past.values():
        times = [time for time in known if works(day_of(time)) is worked]
        for time in times:
            (dots if is_on_the_dot(time) else rest)[minute_of(time)] += min(CAP, len(times)) / len(times)
    ground = GROUND * sum(rest) / MINUTES
    shares = {"dots": _tens(dots), "rest": _tens([share + ground for share in blurred(rest, BLUR)])}
    habit = Habit(
        dots=tuple(share / sum(dots) for share in dots),
        rest=tuple((share + ground) / (sum(rest) + ground * MINUTES) for share in blurred(rest, BLUR)),
        trust=(),
    )
    trust = _trust([lesson for known in past.values() for lesson in _lessons(known, days, habit, worked=worked)])
    return {**shares, "trust": dict(zip(VIEWS, trust, strict=True))}


def _tens(shares: list[float]) -> list[list[int]]:
    """Whole numbers, 100,000 in all, for every ten minutes, an hour a row."""
    tens = [round(100_000 * sum(shares[start : start + 10]) / sum(shares)) for start in range(0, MINUTES, 10)]
    return [tens[start : start + 6] for start in range(0, len(tens), 6)]


def _lessons(known: list[float], days: range, habit: Habit, *, worked: bool) -> Iterator[tuple[float, list[float]]]:
    """The ministry's last releases as the views foretold them from earlier ones."""
    pasts, counted = Pasts(days[-1]), min(1.0, CAP / len(known))
    for day, times in groupby(known, day_of):
        new = list(times)
        if works(day) is worked and day > days[-1] - LESSONS:
            views = pasts.views(habit, worked=worked)
            yield from ((counted, [view[minute_of(time)] for view in views]) for time in new)
        for time in new:
            pasts.add(time)


def _trust(lessons: Lessons) -> list[float]:
    """How far to trust each view, by expectation maximisation; none not at all."""
    trust = [1 / len(VIEWS)] * len(VIEWS)
    for _ in range(ROUNDS):
        sums = [1e-9] * len(VIEWS)
        for counted, shares in lessons:
            parts = [weight * share for weight, share in zip(trust, shares, strict=True)]
            scale = counted / (sum(parts) or 1.0)
            sums = [total + scale * part for total, part in zip(sums, parts, strict=True)]
        trust = [total / sum(sums) for total in sums]
    return [round(0.98 * share + 0.02 / len(VIEWS), 4) for share in trust]


def _sittings(past: dict[str, list[float]]) -> tuple[float, list[float]]:
    """The share of releases off the dot that another one follows, and how the followers spread over the minutes."""
    count, soon, ages = 0, 0, [0.0] * AGES
    for known in past.values():
        for before, after in pairwise(known):
            if is_on_the_dot(before):
                continue
            count += 1
            gap = after - before
            soon += 30 < gap <= SITTING
            if 0 < gap < 60 * AGES:
                ages[int(gap // 60)] += 1
    return soon / count, [age / max(1, soon) for age in ages]
