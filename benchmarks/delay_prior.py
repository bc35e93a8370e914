"""The prior's figures from past releases: shares and rates over all ministries, no release of its own left in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from policyfeed.rhythm.calendar import MINUTES, place, works
from policyfeed.rhythm.profile import DOT, is_off_the_dot

CAP = 500.0  # a ministry's releases count no more than so many together: a habit is not the loudest one's
LEAST = 30
BLUR = 5
AGES = 11  # minutes after a release in which others of its sitting come
SITTING = 330.0


def learn(times: dict[str, list[float]], until: float) -> dict[str, Any]:
    """The prior's JSON from the releases before ``until``; empty where too few are known."""
    past = {ministry: [time for time in known if time < until] for ministry, known in times.items()}
    past = {ministry: known for ministry, known in past.items() if len(known) >= LEAST}
    if sum(map(len, past.values())) < 10 * CAP:
        return {}
    first = min(known[0] for known in past.values())
    span = range(_place(first)[0], _place(until)[0])
    followed, ages = _sittings(past)
    return {
        "releases": sum(map(len, past.values())),
        "ministries": len(past),
        "until": datetime.fromordinal(span[-1]).date().isoformat(),
        "followed": round(followed, 4),
        "ages": [round(age, 4) for age in ages],
        "worked": _habit(past, span, worked=True),
        "free": _habit(past, span, worked=False),
    }


def as_text(prior: dict[str, Any]) -> str:
    """The prior as readable JSON: an hour a line."""
    text = json.dumps(prior, indent=1)
    return (
        re.sub(r"\[[\d.,\s]+\]", lambda row: "[" + ", ".join(row.group()[1:-1].split()).replace(",,", ",") + "]", text)
        + "\n"
    )


def _habit(past: dict[str, list[float]], span: range, *, worked: bool) -> dict[str, Any]:
    days = sum(works(day) is worked for day in span)
    shares, count = [0.0] * MINUTES, 0
    for known in past.values():
        slots = [_slot(time) for time in known if works(_place(time)[0]) is worked]
        count += len(slots)
        for slot in slots:
            shares[slot] += min(CAP, len(slots)) / len(slots)
    mixed = _blurred(shares)
    whole = [round(100_000 * share / sum(mixed)) for share in mixed]
    return {
        "per_day": round(count / days / len(past), 3),
        "hours": [whole[start : start + 60] for start in range(0, MINUTES, 60)],
    }


def _blurred(shares: list[float]) -> list[float]:
    around = [sum(shares[(m + d) % MINUTES] for d in range(-BLUR, BLUR + 1)) / (2 * BLUR + 1) for m in range(MINUTES)]
    return [0.7 * exact + 0.3 * near for exact, near in zip(shares, around, strict=True)]


def _sittings(past: dict[str, list[float]]) -> tuple[float, list[float]]:
    """The share of releases off the dot that another one follows, and how the followers spread over the minutes."""
    count, soon, ages = 0, 0, [0.0] * AGES
    for known in past.values():
        for before, after in pairwise(known):
            if not is_off_the_dot(before):
                continue
            count += 1
            gap = after - before
            soon += 30 < gap <= SITTING
            if 0 < gap < 60 * AGES:
                ages[int(gap // 60)] += 1
    return soon / count, [age / soon for age in ages]


def _slot(time: float) -> int:
    seconds = _place(time)[1]
    return (int(seconds // 60) + (seconds % 60 > DOT)) % MINUTES


def _place(time: float) -> tuple[int, float]:
    return place(datetime.fromtimestamp(time, UTC))
