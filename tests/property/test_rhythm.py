"""Whatever the past and the bounds: the next poll lies inside them."""

from __future__ import annotations

import random
from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from policyfeed.clock import retry_after
from policyfeed.rhythm import Bounds, Profile, after_failure, load_prior, next_poll, server_floor
from policyfeed.rhythm.rates import Day, day_from
from policyfeed.rhythm.table import table_of

NOW = datetime(2026, 7, 1, tzinfo=UTC)
DAY = timedelta(hours=24)

moments = some.datetimes(datetime(2024, 1, 1), datetime(2027, 1, 1), timezones=some.just(UTC))  # noqa: DTZ001 - zone beside it
bounds = some.builds(
    Bounds,
    least=some.integers(60, 3600).map(lambda seconds: timedelta(seconds=seconds)),
    most=some.integers(3600, 86400).map(lambda seconds: timedelta(seconds=seconds)),
    polls_per_day=some.integers(1, 300),
    usual_per_day=some.none() | some.just(1),
    interval=some.none() | some.integers(1, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
)


@settings(max_examples=40, deadline=None)
@given(some.lists(moments, max_size=40), moments, bounds, some.none() | moments, some.booleans(), some.text(max_size=5))
def test_next_poll_stays_inside_the_bounds(
    past: list[datetime], now: datetime, limits: Bounds, floor: datetime | None, found: bool, seed: str
) -> None:
    profile = Profile().seen(past, now)
    due = next_poll(profile, load_prior(), now, limits, found_new=found, floor=floor, seed=seed)
    assert now + limits.least <= due <= now + DAY
    if floor is None:
        assert due <= now + limits.most
    else:
        assert due >= min(floor, now + DAY)
    assert due == next_poll(profile, load_prior(), now, limits, found_new=found, floor=floor, seed=seed)


@settings(max_examples=60, deadline=None)
@given(
    some.dictionaries(some.integers(0, 1439), some.floats(1, 500), max_size=30),
    some.sets(some.integers(0, 1435), min_size=1, max_size=9),
    some.integers(-10, 90),
)
def test_the_table_is_as_cheap_as_the_cheapest_of_all_plans(
    peaks: dict[int, float], minutes: set[int], rung: int
) -> None:
    """Against brute force: every set of polls at the considered minutes that keeps the gap."""
    whole = 1440 + sum(peaks.values())
    shares = [(1 + peaks.get(minute, 0.0)) / whole for minute in range(1440)]
    day = replace(day_from(shares), moments=array("h", sorted(minutes)))
    table = table_of(day, rung, 5)
    for number, minute in enumerate(table.moments):
        later = table.moments[number + 1 :]
        plans = (plan for size in range(len(later) + 1) for plan in combinations(later, size))
        apart = (plan for plan in plans if all(b - a >= 5 for a, b in pairwise((minute, *plan))))
        cheapest = min(table.price * len(plan) + waited(day, (minute, *plan, 1440)) for plan in apart)
        assert table.cost[number] == pytest.approx(cheapest, rel=1e-4, abs=1e-3)


def waited(day: Day, polls: tuple[int, ...]) -> float:
    shares = [after - before for before, after in pairwise((0.0, *day.mass))]
    return sum(shares[m] * (b - m) for a, b in pairwise(polls) for m in range(a + 1, min(b, 1439) + 1))


@settings(max_examples=40, deadline=None)
@given(some.lists(some.lists(moments, max_size=5), max_size=10), some.lists(moments, min_size=10, max_size=10))
def test_a_profile_in_storage_learns_like_one_in_memory(found: list[list[datetime]], polls: list[datetime]) -> None:
    kept = stored = Profile()
    for new, now in zip(found, sorted(polls), strict=False):
        kept = kept.seen(new, now)
        stored = Profile.from_json(stored.to_json()).seen(new, now)
    assert kept == stored


@given(some.integers(0, 10**6), some.none() | some.floats(allow_nan=False), some.integers())
def test_back_off_is_never_faster_than_the_normal_interval_nor_slower_than_a_day(
    failures: int, wish: float | None, seed: int
) -> None:
    due = after_failure(failures, NOW, Bounds(), wish, random.Random(seed))  # noqa: S311 - jitter, no secret
    assert NOW + Bounds().normal <= due <= NOW + DAY


@given(some.text(max_size=40))
def test_headers_of_any_text_ask_for_a_day_at_most(text: str) -> None:
    wish = retry_after({"retry-after": text, "date": text}, NOW)
    assert wish is None or 0 < wish <= 86400
    floor = server_floor({"cache-control": text, "expires": text, "age": text, "date": text}, NOW)
    assert floor is None or timedelta() < floor <= DAY
