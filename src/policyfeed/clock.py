"""Time: one way to ask for it, and the zone that Korean publishers write in."""

from __future__ import annotations

from collections.abc import Callable
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


def now() -> datetime:
    """The system's clock: the only place that reads it."""
    return datetime.now(UTC)  # noqa: TID251 - the one allowed call
