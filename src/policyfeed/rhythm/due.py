"""The last word on when a source is due: what the plan does not know, and what clocks do."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from policyfeed.rhythm.bounds import DAY, MINUTE, Bounds
from policyfeed.rhythm.budget import left_on
from policyfeed.rhythm.calendar import moment_of, place
from policyfeed.rhythm.profile import Profile
from policyfeed.types import Wishes

HOUR = timedelta(hours=1)


def settled(due: datetime, history: Profile, bounds: Bounds, wishes: Wishes, now: datetime, seed: str) -> datetime:
    """A due time, planned or after a failure, moved out of a day whose budget of requests is spent and of the hours
    and days that the feed asks to be left alone in (GMT). What a feed wishes counts for at most 24 h from now.
    """
    today, _ = place(now)
    if left_on(history, bounds, today) <= 0 and place(due)[0] == today:
        due = moment_of(today + 1, _own_seconds(seed))
    latest = max(due, now + DAY)
    while due < latest and (due.hour in wishes.hours or due.weekday() in wishes.days):
        due = min(due + HOUR, latest)
    return due


def believable(due: datetime, asked: datetime | None, now: datetime, bounds: Bounds) -> datetime:
    """A stored due time, later where ``least`` has grown since; or now when it is from a clock that was wrong: then the
    source was last asked in the future, or the due time is further away than any wait can be.
    """
    ahead = asked is not None and asked > now + MINUTE
    if ahead or due > now + DAY + bounds.normal:
        return now
    return due if asked is None else max(due, asked + bounds.least)


def _own_seconds(seed: str) -> float:
    """A source's place in the first hour of a day, so that spent budgets are not all renewed at once."""
    return int.from_bytes(hashlib.blake2b(seed.encode(), digest_size=4).digest()) % 3600
