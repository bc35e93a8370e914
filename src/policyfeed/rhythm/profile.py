"""A source's own publication times, in the small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from policyfeed.clock import KST


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Memory of one source: how many polls the Korean day has had, and when releases came out."""

    day: int = 0
    """Proleptic ordinal of the Korean day that ``used`` counts; 0 = no poll yet."""
    used: int = 0
    polled: float = 0.0
    """The last poll, seconds since the epoch."""

    def seen(self, published: Iterable[datetime], now: datetime) -> Profile:
        """The profile after one request at ``now`` that found releases published at these times (aware).

        Call it for every request, failures included, so that the budget of the day is kept. Leave out releases of
        which only the day is known (``Article.dated``).
        """
        del published
        day = now.astimezone(KST).toordinal()
        return replace(self, day=day, used=self.used + 1 if day == self.day else 1, polled=now.timestamp())

    def to_json(self) -> dict[str, Any]:
        """JSON values for the source's state row."""
        return {"v": 1, "day": self.day, "used": self.used, "polled": self.polled}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Profile:
        """The stored profile; an empty one where nothing, or nothing readable, was stored."""
        if not stored or stored.get("v") != 1:
            return cls()
        return cls(day=stored["day"], used=stored["used"], polled=stored["polled"])
