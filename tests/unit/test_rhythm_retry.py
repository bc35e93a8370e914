"""Back-off, Retry-After and freshness: fetching behaviours 12 to 16."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from policyfeed.clock import retry_after
from policyfeed.rhythm import Bounds, Profile, after_failure, after_refusal, server_floor, settled
from policyfeed.types import NO_WISHES

NOW = datetime(2026, 7, 1, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)


def rng(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - jitter, no secret


def waits(count: int, bounds: Bounds) -> list[timedelta]:
    return [after_failure(n, NOW, bounds, None, rng(n)) - NOW for n in range(1, count + 1)]


def test_back_off_grows_from_the_normal_interval_to_a_day() -> None:
    found = waits(12, Bounds())
    assert timedelta(minutes=30) <= found[0] <= timedelta(minutes=37.5)
    assert found == sorted(found)
    assert found[-1] == DAY


def test_back_off_never_ends() -> None:
    assert after_failure(10**9, NOW, Bounds(), None, rng(1)) == NOW + DAY


def test_back_off_is_not_faster_than_a_fixed_interval() -> None:
    bounds = Bounds(interval=timedelta(hours=6))
    assert min(waits(8, bounds)) >= timedelta(hours=6)


def test_back_off_has_jitter() -> None:
    moments = {after_failure(1, NOW, Bounds(), None, rng(seed)) for seed in range(20)}
    assert len(moments) == 20


def test_a_wish_is_a_floor_under_the_back_off() -> None:
    assert after_failure(1, NOW, Bounds(), 7200, rng(1)) == NOW + 2 * HOUR
    assert after_failure(1, NOW, Bounds(), 10, rng(1)) >= NOW + timedelta(minutes=30)
    assert after_failure(1, NOW, Bounds(), 10**7, rng(1)) == NOW + DAY
    assert after_failure(1, NOW, Bounds(), float("inf"), rng(1)) == NOW + DAY


def test_a_refusal_without_a_wish_waits_an_hour_and_doubles() -> None:
    found = [after_refusal(n, NOW, Bounds(), rng(n)) - NOW for n in range(1, 8)]
    assert HOUR <= found[0] <= 1.25 * HOUR
    assert 2 * HOUR <= found[1] <= 2.5 * HOUR
    assert found[-1] == DAY


def test_a_day_whose_budget_is_spent_is_waited_out_and_a_longer_wait_stays() -> None:
    bounds, midnight = Bounds(polls_per_day=4), datetime(2026, 7, 1, 15, 0, tzinfo=UTC)

    def due(requests: int, planned: datetime) -> datetime:
        profile = Profile()
        for _ in range(requests):
            profile = profile.seen((), NOW)
        return settled(planned, profile, bounds, NO_WISHES, NOW, "mcee-press")

    assert due(3, NOW + HOUR) == NOW + HOUR
    assert midnight <= due(4, NOW + HOUR) < midnight + HOUR
    assert due(4, NOW + DAY) == NOW + DAY


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        (" 120 ", 120.0),
        ("Wed, 01 Jul 2026 04:00:00 GMT", 3600.0),
        ("Wednesday, 01-Jul-26 04:00:00 GMT", 3600.0),
        ("999999999999999", 86400.0),
        ("Thu, 01 Jul 2027 04:00:00 GMT", 86400.0),
        ("Wed, 01 Jul 2020 04:00:00 GMT", None),
        ("-5", None),
        ("0", None),
        ("1.5", None),
        ("١٢٠", None),
        ("잠시 후", None),
        ("", None),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": value}, NOW) == seconds


def test_a_date_to_retry_at_is_measured_by_the_servers_own_clock() -> None:
    wrong = {"retry-after": "Sun, 06 Nov 1994 08:50:37 GMT", "date": "Sun, 06 Nov 1994 08:49:37 GMT"}
    assert retry_after(wrong, NOW) == 60


@pytest.mark.parametrize(
    ("headers", "floor"),
    [
        ({"Cache-Control": "public, max-age=3600"}, HOUR),
        ({"cache-control": 'MAX-AGE="3600"'}, HOUR),
        ({"cache-control": "max-age=3600", "age": "1800"}, HOUR / 2),
        ({"cache-control": "max-age=3600", "expires": "Thu, 02 Jul 2026 03:00:00 GMT"}, HOUR),
        ({"cache-control": "max-age=99999999999"}, DAY),
        ({"expires": "Wed, 01 Jul 2026 04:00:00 GMT"}, HOUR),
        ({"expires": "Wed, 01 Jul 2026 04:00:00 GMT", "date": "Wed, 01 Jul 2026 03:30:00 GMT"}, HOUR / 2),
        ({"cache-control": "no-cache, max-age=3600"}, None),
        ({"cache-control": "no-store"}, None),
        ({"cache-control": "max-age=0"}, None),
        ({"cache-control": "max-age=soon"}, None),
        ({"expires": "0"}, None),
        ({"expires": "Wed, 01 Jul 2020 04:00:00 GMT"}, None),
        ({"cache-control": "x-max-age=9, s-maxage=60"}, None),
        ({}, None),
    ],
)
def test_server_floor(headers: dict[str, str], floor: timedelta | None) -> None:
    assert server_floor(headers, NOW) == floor


@pytest.mark.parametrize(
    ("least", "most", "polls"),
    [(59, 3600, 48), (600, 300, 48), (300, 90000, 48), (300, 3600, 0)],
)
def test_bounds_refuse_what_would_be_rude(least: int, most: int, polls: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        Bounds(least=timedelta(seconds=least), most=timedelta(seconds=most), polls_per_day=polls)
