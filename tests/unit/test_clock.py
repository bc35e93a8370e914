"""Moments as HTTP tells them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policyfeed.clock import http_date


@pytest.mark.parametrize(
    ("text", "hour"),
    [("Wed, 20 May 2026 09:30:00 GMT", 9), ("Wed, 20 May 2026 09:30:00 -0000", 9), ("20 May 2026 09:30:00 +0900", 0)],
)
def test_a_moment_is_aware_whatever_its_zone(text: str, hour: int) -> None:
    assert http_date(text) == datetime(2026, 5, 20, hour, 30, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "Wed, 32 May 2026 09:30:00 GMT", "Wed, 20 May 99999 09:30:00 GMT"])
def test_what_is_no_date_is_none(text: str) -> None:
    assert http_date(text) is None
