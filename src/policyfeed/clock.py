"""Time: one way to ask for it, and the zone that Korean publishers write in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

KST = ZoneInfo("Asia/Seoul")

Clock = Callable[[], datetime]
"""Gives the present moment, aware, in UTC. Code that needs the time takes a Clock."""


def now() -> datetime:
    """The system's clock: the only place that reads it."""
    return datetime.now(UTC)  # noqa: TID251 - the one allowed call
