"""After a failure, and how long an answer is fresh. Only ever later than our own plan, never sooner."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from policyfeed.clock import http_date
from policyfeed.rhythm.bounds import DAY, Bounds

HOUR = timedelta(hours=1)
JITTER = 0.25
_DOUBLINGS = 24  # beyond it every interval is over the cap; it keeps 2**n small
_MAX_AGE = re.compile(r'(?:^|[\s,])(s-maxage|max-age)\s*=\s*"?(\d+)"?', re.IGNORECASE)
_UNCACHED = re.compile(r"(?:^|[\s,])(no-cache|no-store)(?:$|[\s,=])", re.IGNORECASE)


def after_failure(failures: int, now: datetime, bounds: Bounds, wish: float | None, rng: random.Random) -> datetime:
    """When to try again after ``failures`` failures in a row (1 = the first one).

    Doubles from the normal interval, with up to a quarter of jitter on top, and stops growing at 24 h. ``wish`` is the
    server's Retry-After in seconds: a floor, itself capped at 24 h. Never for ever: a source is always due again.
    """
    return _back_off(bounds.normal, failures, now, wish, rng)


def after_refusal(refusals: int, now: datetime, bounds: Bounds, rng: random.Random) -> datetime:
    """When to ask a host again that said 429 ``refusals`` times in a row, and not until when.

    At least 1 h, doubling to 24 h. The moment holds for every source of the host.
    """
    return _back_off(max(bounds.normal, HOUR), refusals, now, None, rng)


def _back_off(first: timedelta, failures: int, now: datetime, wish: float | None, rng: random.Random) -> datetime:
    doubled = first * (1 << min(max(failures, 1) - 1, _DOUBLINGS))
    wait = min(doubled * (1 + JITTER * rng.random()), DAY)
    floor = timedelta(seconds=_capped(wish)) if wish is not None and wish > 0 else timedelta()
    return now + max(wait, floor)


def server_floor(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long an answer calls itself fresh: Cache-Control max-age, else Expires (RFC 9111 §4.2.1); at most 24 h.

    A lower bound only: no-cache, max-age=0 and dates in the past give None, which shortens nothing. The age that the
    answer already had in a cache (Age) is taken off.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    control = lower.get("cache-control", "")
    if _UNCACHED.search(control):
        return None
    fresh = _freshness(control, lower, now)
    seconds = fresh - _age(lower.get("age", ""))
    return timedelta(seconds=_capped(seconds)) if seconds > 0 else None


def _freshness(control: str, headers: Mapping[str, str], now: datetime) -> float:
    ages = {name.lower(): float(seconds[:9]) for name, seconds in _MAX_AGE.findall(control)}
    if "max-age" in ages:
        return ages["max-age"]
    expires = http_date(headers.get("expires", ""))
    if expires is None:
        return 0.0
    return (expires - (http_date(headers.get("date", "")) or now)).total_seconds()


def _age(value: str) -> float:
    return float(value.strip()[:9]) if re.fullmatch(r"[0-9]+", value.strip()) else 0.0


def _capped(seconds: float) -> float:
    return min(seconds, DAY.total_seconds()) if math.isfinite(seconds) else DAY.total_seconds()
