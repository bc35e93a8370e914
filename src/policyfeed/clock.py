"""Time: one way to ask for it, the zone that Korean publishers write in, and how HTTP tells it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC. Code that needs the time takes a Clock."""


def http_date(text: str) -> datetime | None:
    """A moment as HTTP headers write it (RFC 9110 §5.6.7), aware; None for what is no date."""
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def retry_after(headers: Mapping[str, str], fetched: datetime) -> float | None:
    """Seconds that an answer's Retry-After asks for (RFC 9110 §10.2.3: seconds or a date), a day at most.

    None for what asks for nothing: the past, garbage, negative numbers, zero. A date is compared with the answer's own
    Date, so that a wrong clock on either side does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", text):
        seconds = float(text[:9])
    else:
        until = http_date(text)
        seconds = (until - (http_date(headers.get("date", "")) or fetched)).total_seconds() if until else 0.0
    return min(seconds, 24 * 3600.0) if seconds > 0 else None


def now() -> datetime:
    """The system's clock: the only place that reads it."""
    return datetime.now(UTC)  # noqa: TID251 - the one allowed call
