"""A source's own publication times, in the small."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from policyfeed.rhythm.calendar import MINUTES, place, week_start, works

HALF_LIFE = 180.0  # days after which a release counts half
MEMORY = 400  # days; older releases teach nothing
DOT = 5  # seconds after a full minute that still belong to it: a release approved on the dot
FOLLOWED = (30, 330)  # seconds between two releases of one sitting
_TRACE = 0.1

Counts = tuple[tuple[int, float], ...]
"""Weighted releases per minute of the day, sparse, in order. A poll in that minute is the first that can see them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The memory of one source: the polls spent, and when its releases came out, older ones fading.

    Days are ordinals in KST, moments are seconds since the epoch. ``worked`` and ``free`` hold what is learned up to
    the day ``learned``; the releases of later days wait in ``fresh``, so that a day's plan stays what it is.
    """

    day: int = 0
    used: int = 0
    """Polls made on ``day``."""
    week: int = 0
    spent: int = 0
    """Polls made in the budget's week before ``day``."""
    first: int = 0
    """The day of the first poll."""
    polled: float = 0.0
    since: int = 0
    """The day of the oldest release known, at most MEMORY days ago."""
    learned: int = 0
    worked: Counts = ()
    free: Counts = ()
    fresh: tuple[float, ...] = ()
    """Releases on or after the day ``learned``."""
    last: float = 0.0
    """The latest release."""
    sittings: float = 0.0
    """Releases off the dot, fading; ``followed`` of them had another one within minutes."""
    followed: float = 0.0

    def seen(self, published: Iterable[datetime], now: datetime) -> Profile:
        """The profile after one request at ``now`` that found releases published at these times (aware).

        Call it for every request, failures included: it counts the budget. Leave out releases of which only the day
        is known (``Article.dated``). Times in the future and older than MEMORY days are ignored.
        """
        day, _ = place(now)
        times = sorted(moment.timestamp() for moment in published if _believable(moment, now))
        return self._counted(day, now)._told(times, day)

    def _counted(self, day: int, now: datetime) -> Profile:
        if day == self.day:
            return replace(self, used=self.used + 1, polled=now.timestamp())
        week = week_start(day)
        spent = self.spent + self.used if week == self.week else 0
        return replace(self, day=day, used=1, week=week, spent=spent, first=self.first or day, polled=now.timestamp())

    def _learned(self, day: int) -> Profile:
        """Fades the counts once a day, and takes in the releases of days gone by."""
        fade = 0.5 ** ((day - self.learned) / HALF_LIFE) if 0 < self.learned < day else 1.0
        old = [time for time in self.fresh if _day(time) < day]
        if self.learned >= day and not old:
            return self
        worked, free = _faded(self.worked, fade), _faded(self.free, fade)
        for time in old:
            counts, minute = worked if works(_day(time)) else free, _minute(time)
            counts[minute] = counts.get(minute, 0.0) + 0.5 ** ((day - _day(time)) / HALF_LIFE)
        return replace(
            self,
            learned=max(day, self.learned),
            since=max(self.since, day - MEMORY),
            worked=_packed(worked),
            free=_packed(free),
            fresh=self.fresh[len(old) :],
            sittings=round(self.sittings * fade, 3),
            followed=round(self.followed * fade, 3),
        )

    def _told(self, times: list[float], day: int) -> Profile:
        if not times:
            return self._learned(day)
        sittings, followed, last = self.sittings, self.followed, self.last
        for time in times:
            if is_off_the_dot(last) and FOLLOWED[0] < time - last <= FOLLOWED[1]:
                followed += 1
            sittings += is_off_the_dot(time)
            last = max(last, time)
        told = replace(
            self,
            fresh=tuple(sorted((*self.fresh, *times))),
            since=min(self.since or day, _day(times[0])),
            sittings=round(sittings, 3),
            followed=round(followed, 3),
            last=last,
        )
        return told._learned(day)

    def to_json(self) -> dict[str, Any]:
        """JSON values for the source's state row: a few kilobytes at most."""
        return {
            "v": 1,
            **{name: getattr(self, name) for name in _PLAIN},
            "worked": [value for pair in self.worked for value in pair],
            "free": [value for pair in self.free for value in pair],
            "fresh": list(self.fresh),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any] | None) -> Profile:
        """The stored profile; an empty one where nothing, or nothing of this version, was stored."""
        if not stored or stored.get("v") != 1:
            return cls()
        return cls(
            **{name: stored[name] for name in _PLAIN},
            worked=_pairs(stored["worked"]),
            free=_pairs(stored["free"]),
            fresh=tuple(stored["fresh"]),
        )


_PLAIN = (
    "day", "used", "week", "spent", "first", "polled", "since", "learned", "last", "sittings", "followed",
)  # fmt: skip


def _believable(moment: datetime, now: datetime) -> bool:
    return 0 <= (now - moment).total_seconds() <= MEMORY * 86400


def _day(time: float) -> int:
    return 719163 + int(time + 32400) // 86400  # the ordinal of 1970-01-01, KST = UTC + 9 h


def _minute(time: float) -> int:
    minute, second = divmod((time + 32400) % 86400, 60)
    return int(minute + (second > DOT)) % MINUTES


def is_off_the_dot(time: float) -> bool:
    return (time + 32400) % 600 > DOT


def _faded(counts: Counts, fade: float) -> dict[int, float]:
    return {minute: weight * fade for minute, weight in counts}


def _packed(counts: dict[int, float]) -> Counts:
    return tuple((minute, round(weight, 3)) for minute, weight in sorted(counts.items()) if weight >= _TRACE)


def _pairs(flat: list[Any]) -> Counts:
    return tuple((int(flat[i]), float(flat[i + 1])) for i in range(0, len(flat), 2))
