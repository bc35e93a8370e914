"""What is known of all ministries together: the start of every new source."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from policyfeed.rhythm.calendar import MINUTES

TENS = MINUTES // 10


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Habit:
    """One class of days, working or free. ``dots`` and ``rest`` are shares over the 1,440 minutes (sum 1): of releases
    on the dot, and of all others. ``trust`` is how far each view of a source's past is trusted to begin with.
    """

    dots: tuple[float, ...]
    rest: tuple[float, ...]
    trust: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prior:
    """The habits of all ministries, and how releases of one sitting follow each other.

    ``per_day`` holds the releases a day of a typical ministry, by kind of day (``calendar.KINDS``). ``followed`` is the
    share of releases off the dot after which another one comes within 5½ minutes; ``ages[a]`` is how many follow in the
    minute of age a, as a multiple of that share.
    """

    per_day: tuple[float, ...]
    worked: Habit
    free: Habit
    followed: float
    ages: tuple[float, ...]

    def habit(self, *, worked: bool) -> Habit:
        return self.worked if worked else self.free

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Prior:
        """Reads the shape of ``prior.json``: shares in any unit, of every ten minutes, 24 rows of 6 whole numbers."""
        return cls(
            per_day=tuple(stored["per_day"].values()),
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
    dots, rest = ([share for row in stored[name] for share in row] for name in ("dots", "rest"))
    if len(dots) != TENS or len(rest) != TENS:
        raise ValueError("a prior has 24 hours of six times ten minutes")
    return Habit(
        dots=tuple(share for ten in _shares(dots) for share in (ten, *[0.0] * 9)),
        rest=tuple(share / 10 for share in _shares(rest) for _ in range(10)),
        trust=tuple(stored["trust"].values()),
    )


def _shares(weights: Sequence[float]) -> list[float]:
    total = sum(weights)
    return [weight / total for weight in weights]
