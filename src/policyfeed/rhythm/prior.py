"""What is known of all ministries together: the start of every new source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from policyfeed.rhythm.calendar import MINUTES


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habit:
    """One class of days: releases a day of a typical ministry, and their shares over the 1,440 minutes (sum 1)."""

    per_day: float
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """The habits of all ministries, and how releases of one sitting follow each other.

    ``followed`` is the share of releases off the dot after which another one comes within 5½ minutes;
    ``ages[a]`` is how many follow in the minute of age a, as a multiple of that share.
    """

    worked: Habit
    free: Habit
    followed: float
    ages: tuple[float, ...]

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Prior:
        """Reads the shape of ``prior.json``: per class 24 rows of 60 whole numbers, shares in any unit."""
        return cls(
            worked=_habit(stored["worked"]),
            free=_habit(stored["free"]),
            followed=float(stored["followed"]),
            ages=tuple(stored["ages"]),
        )


@cache
def load_prior() -> Prior:
    """The figures shipped with the package (``prior.json``)."""
    return Prior.from_json(json.loads(Path(__file__).with_name("prior.json").read_text("utf-8")))


def _habit(stored: Mapping[str, Any]) -> Habit:
    shares = _shares([share for row in stored["hours"] for share in row])
    if len(shares) != MINUTES:
        raise ValueError("a prior has 24 hours of 60 minutes")
    return Habit(per_day=float(stored["per_day"]), shares=shares)


def _shares(weights: list[float]) -> tuple[float, ...]:
    total = sum(weights)
    return tuple(weight / total for weight in weights)
