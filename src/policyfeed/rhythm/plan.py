"""The next poll of a source."""

from __future__ import annotations

from datetime import datetime

from policyfeed.rhythm.bounds import DAY, Bounds
from policyfeed.rhythm.prior import Prior
from policyfeed.rhythm.profile import Profile


def next_poll(
    history: Profile,
    prior: Prior,
    now: datetime,
    bounds: Bounds,
    *,
    found_new: bool = False,
    floor: datetime | None = None,
    seed: str = "",
) -> datetime:
    """When to poll the source again, in UTC, after the poll that ended at ``now``.

    ``history`` is the profile after that poll, ``floor`` the earliest moment that the server allows, ``seed`` the
    source's id: it fixes the source's own seconds, so that sources due at the same minute do not ask at once.
    """
    del history, prior, found_new, seed
    wanted = now + bounds.normal
    return wanted if floor is None else max(wanted, min(floor, now + DAY))
