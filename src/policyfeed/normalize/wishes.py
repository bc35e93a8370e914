"""What a feed asks of those who poll it: RSS 2.0's ttl, skipHours and skipDays, the syndication module's period."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policyfeed.types import Wishes

LONGEST = 86400.0
"""Seconds: what a feed wishes counts for a day at most."""
_SKIPPED = re.compile(r"<skip(?:Hours|Days)>((?:(?!</skip).){0,3000})</skip(?:Hours|Days)>", re.DOTALL)
_SKIP = re.compile(r"<(hour|day)>\s*(\w{1,9})\s*</")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PERIODS = {"hourly": 3600.0, "daily": 86400.0, "weekly": 604800.0, "monthly": 2592000.0, "yearly": 31536000.0}


def wishes(feed: Mapping[str, Any], text: str) -> Wishes:
    """The wishes of a feed: ``feed`` is its head as feedparser reads it (no skipHours there), ``text`` the whole."""
    minutes = _number(feed.get("ttl"), 0)
    times = max(_number(feed.get("sy_updatefrequency"), 1), 1)
    period = _PERIODS.get(str(feed.get("sy_updateperiod", "")).strip().lower(), 0.0) / times
    skipped = [pair for part in _SKIPPED.findall(text) for pair in _SKIP.findall(part)]
    hours = {int(said) % 24 for name, said in skipped if name == "hour" and said.isdecimal() and int(said) <= 24}
    days = {_DAYS.index(said.lower()) for name, said in skipped if name == "day" and said.lower() in _DAYS}
    seconds = min(max(minutes * 60.0, period), LONGEST)
    return Wishes(seconds=seconds, hours=tuple(sorted(hours)), days=tuple(sorted(days)))


def _number(said: object, missing: int) -> int:
    text = str(said).strip()
    return int(text[:9]) if text.isdecimal() else missing
