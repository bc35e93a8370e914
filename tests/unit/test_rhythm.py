"""The planner, replayed over days of an invented ministry."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from holidays import country_holidays

from policyfeed.clock import KST
from policyfeed.rhythm import Bounds, Profile, load_prior, next_poll, settled, with_plan
from policyfeed.rhythm.calendar import works
from policyfeed.rhythm.views import VIEWS
from policyfeed.types import NO_WISHES

PRIOR = load_prior()
MONDAY = datetime(2026, 3, 9, tzinfo=KST)


def noon_releases(start: datetime, days: int) -> list[datetime]:
    """A ministry that releases at 12:00 on working days and never else."""
    every = (start + timedelta(days=day, hours=12) for day in range(days))
    return [moment for moment in every if works(moment.toordinal())]


def replay(
    profile: Profile, start: datetime, days: int, bounds: Bounds, releases: list[datetime], seed: str = "mcee-press"
) -> list[datetime]:
    now, known = start, 0
    polls: list[datetime] = []
    while True:
        due = next_poll(profile, PRIOR, now, bounds, found_new=known > 0, seed=seed)
        assert due >= now + bounds.least
        assert due <= now + bounds.most
        if due >= start + timedelta(days=days):
            return polls
        new = [moment for moment in releases if now < moment <= due]
        known, now = len(new), due
        profile = profile.seen(new, now)
        polls.append(due.astimezone(KST))


def a_day(polls: list[datetime]) -> Counter[date]:
    return Counter(poll.date() for poll in polls)


@pytest.mark.parametrize("budget", [1, 2, 12, 24, 48, 200])
def test_no_day_has_more_polls_than_the_budget(budget: int) -> None:
    bounds = Bounds(polls_per_day=budget)
    polls = replay(Profile(), MONDAY, 10, bounds, noon_releases(MONDAY, 10))
    assert max(a_day(polls).values()) <= budget
    assert len(polls) >= 10 * min(bounds.usual, 100) * 0.9 - 1


def test_free_days_save_for_the_week_and_nothing_is_borrowed() -> None:
    saturday = MONDAY - timedelta(days=2)
    counts = a_day(replay(Profile(), saturday, 14, Bounds(polls_per_day=36), noon_releases(saturday, 14)))
    days = [counts[saturday.date() + timedelta(days=day)] for day in range(14)]
    assert days[0] < 24 < max(days[2:7]) <= 36
    for week in (days[:7], days[7:]):
        assert all(sum(week[: day + 1]) <= 24 * (day + 1) for day in range(7))


def test_a_plan_may_be_held_to_the_same_number_every_day() -> None:
    bounds = Bounds(polls_per_day=24, usual_per_day=24)
    counts = a_day(replay(Profile(), MONDAY, 14, bounds, noon_releases(MONDAY, 14)))
    assert set(counts.values()) == {24}


def test_midnight_is_no_gap_in_the_plan() -> None:
    """기획재정부-like habits: what has a day but no hour is dated to its first second."""
    past = [moment - timedelta(hours=12) for moment in noon_releases(MONDAY - timedelta(days=180), 180)]
    profile = Profile().seen(past, MONDAY - timedelta(hours=3))
    polls = replay(profile, MONDAY - timedelta(hours=2), 4, Bounds(), [])
    firsts = {poll.date(): poll for poll in reversed(polls)}
    for day in range(1, 4):
        assert firsts[(MONDAY + timedelta(days=day)).date()] - (MONDAY + timedelta(days=day)) <= timedelta(seconds=20)


def test_polls_follow_the_releases_of_the_source() -> None:
    past = noon_releases(MONDAY - timedelta(days=180), 180)
    profile = Profile().seen(past, MONDAY - timedelta(hours=1))
    polls = replay(profile, MONDAY, 5, Bounds(polls_per_day=12), noon_releases(MONDAY, 5))
    for noon in noon_releases(MONDAY, 5):
        assert min(poll - noon for poll in polls if poll >= noon) <= timedelta(seconds=20)


def test_a_new_source_starts_where_all_ministries_release() -> None:
    hours = Counter(poll.hour for poll in replay(Profile(), MONDAY, 5, Bounds(), []))
    assert sum(hours[hour] for hour in range(9, 13)) > sum(hours[hour] for hour in range(20, 24)) * 3
    assert hours[12] > 0


def test_the_plan_adapts_when_the_source_moves() -> None:
    moved = [day + timedelta(hours=9, minutes=17) for day in noon_releases(MONDAY, 90)]
    profile = Profile().seen(noon_releases(MONDAY - timedelta(days=180), 180), MONDAY)
    for release in moved:
        profile = profile.seen([release], release + timedelta(seconds=30))
    start = MONDAY + timedelta(days=91)
    polls = replay(profile, start, 1, Bounds(polls_per_day=6), [])
    assert any(poll.hour == 21 and 17 <= poll.minute <= 19 for poll in polls)


def test_a_sitting_pulls_the_next_poll_forward() -> None:
    """환경부-like habits: one release seldom comes alone."""
    days = [
        MONDAY - timedelta(days=day) for day in range(200, 0, -1) if works((MONDAY - timedelta(days=day)).toordinal())
    ]
    past = [
        day + timedelta(hours=9 + index % 8, minutes=13 + index * 7 % 40, seconds=20 + 200 * follower)
        for index, day in enumerate(days)
        for follower in range(3)
    ]
    now = MONDAY + timedelta(hours=14, minutes=40, seconds=30)
    quiet = Profile().seen(past, MONDAY)
    told = quiet.seen([now - timedelta(seconds=40)], now)
    bounds = Bounds(polls_per_day=24)
    burst = next_poll(told, PRIOR, now, bounds, found_new=True)
    assert burst < next_poll(told, PRIOR, now, bounds, found_new=False)
    assert burst - now <= timedelta(minutes=8)


def test_a_plan_is_made_once_a_day_and_kept() -> None:
    known = Profile().seen(noon_releases(MONDAY - timedelta(days=60), 60), MONDAY - timedelta(days=1)).seen((), MONDAY)
    profile = with_plan(known, PRIOR, MONDAY, Bounds(), seed="x")
    assert profile.plan == tuple(sorted(set(profile.plan)))
    now, polls = MONDAY, list[datetime]()
    while (now := next_poll(profile, PRIOR, now, Bounds(), seed="x")) < MONDAY + timedelta(days=1):
        polls.append(now)
        seen = profile.seen((), now)
        profile = with_plan(seen, PRIOR, now, Bounds(), seed="x")
        assert profile is seen, "the plan of the day holds"
    assert [int((poll - MONDAY).total_seconds()) // 60 for poll in polls] == list(profile.plan[:-1])
    assert with_plan(profile.seen((), now), PRIOR, now, Bounds(), seed="x").planned == profile.planned + 1


def test_polls_out_of_turn_leave_others_out_evenly() -> None:
    few = Bounds(polls_per_day=6, usual_per_day=6)
    morning = MONDAY + timedelta(hours=6)
    profile = with_plan(Profile().seen((), morning), PRIOR, morning, few)
    *coming, tomorrow = profile.plan
    assert len(coming) == 5
    expected = [coming[1], coming[1], coming[2], coming[4], tomorrow]  # 4, 3, 2, 1, none of 5 are left
    for spent, minute in enumerate(expected, 1):
        now = morning + timedelta(minutes=spent)
        profile = profile.seen((), now)
        assert with_plan(profile, PRIOR, now, few) is profile
        due = next_poll(profile, PRIOR, now, few)
        assert (due - MONDAY).total_seconds() // 60 == minute


def test_other_limits_make_another_plan_of_the_same_day() -> None:
    known = Profile().seen(noon_releases(MONDAY - timedelta(days=9), 9), MONDAY)
    profile = with_plan(known, PRIOR, MONDAY, Bounds(polls_per_day=12))
    for other in (Bounds(polls_per_day=24), Bounds(polls_per_day=12, usual_per_day=4), Bounds(polls_per_day=6)):
        again = with_plan(profile, PRIOR, MONDAY, other)
        assert again == with_plan(known, PRIOR, MONDAY, other) != profile
        assert with_plan(Profile.from_json(again.to_json()), PRIOR, MONDAY, other) == again


def test_a_profile_without_a_plan_gets_one() -> None:
    """Those stored by earlier versions have none."""
    known = with_plan(Profile().seen(noon_releases(MONDAY - timedelta(days=9), 9), MONDAY), PRIOR, MONDAY, Bounds())
    stored = json.loads(known.to_json())
    for name in ("planned", "plan", "limits", "price"):
        del stored[name]
    assert with_plan(Profile.from_json(json.dumps(stored)), PRIOR, MONDAY, Bounds()) == known


def test_holidays_are_the_packages_and_no_other_country_is_loaded_for_them() -> None:
    seen = "import sys; print(sum(name.startswith('holidays.countries') for name in sys.modules))"
    asked = "from policyfeed.rhythm.calendar import works; works(739000)"
    done = subprocess.run([sys.executable, "-c", f"{asked}; {seen}"], capture_output=True, text=True, check=True)
    assert done.stdout == "0\n"
    days = (date(2020, 1, 1).toordinal() + day for day in range(12 * 365))
    theirs = country_holidays("KR", years=range(2020, 2033))
    wrong = [on for day in days if (on := date.fromordinal(day)).weekday() < 5 and works(day) == (on in theirs)]
    assert wrong == []


def test_holidays_and_their_substitutes_are_free_days() -> None:
    assert works(date(2025, 5, 2).toordinal())
    assert not works(date(2025, 5, 6).toordinal())  # 어린이날 대체공휴일
    assert not works(date(2025, 10, 8).toordinal())  # 추석 대체공휴일
    assert not works(date(2025, 10, 11).toordinal())  # 토요일


def test_a_floor_is_kept() -> None:
    floor = MONDAY + timedelta(hours=15)
    due = next_poll(Profile().seen([], MONDAY), PRIOR, MONDAY, Bounds(), floor=floor)
    assert floor <= due <= floor + timedelta(hours=1)
    capped = next_poll(Profile().seen([], MONDAY), PRIOR, MONDAY, Bounds(), floor=MONDAY + timedelta(days=40))
    assert capped <= MONDAY + timedelta(hours=24)


@pytest.mark.parametrize("minutes", [30, 60, 180])
def test_a_server_that_always_wants_time_between_polls_is_still_asked_when_releases_come(minutes: int) -> None:
    """A feed's ttl, or a max-age: the plan spends the polls that are left where they save most."""
    start = MONDAY + timedelta(days=28)
    profile = Profile().seen(noon_releases(start - timedelta(days=180), 180), start - timedelta(days=1))
    noons, now, polls = noon_releases(start, 4), start + timedelta(minutes=7), list[datetime]()
    while now < start + timedelta(days=4):
        floor, profile = now + timedelta(minutes=minutes), profile.seen((), now)
        profile = with_plan(profile, PRIOR, now, Bounds(), floor=floor)
        due = next_poll(profile, PRIOR, now, Bounds(), floor=floor)
        assert due >= floor
        polls.append(now := due)
    assert all(min(poll - noon for poll in polls if poll >= noon) <= timedelta(seconds=20) for noon in noons)


def test_a_plan_has_no_polls_in_the_hours_that_a_feed_wants_for_itself_and_loses_none_to_them() -> None:
    """skipHours: 22:00 to 07:59 in Korea, in GMT."""
    known = Profile().seen(noon_releases(MONDAY - timedelta(days=60), 60), MONDAY).seen((), MONDAY)
    night = tuple(range(13, 23))
    plain, spared = (with_plan(known, PRIOR, MONDAY, Bounds(), hours=hours) for hours in ((), night))
    assert any(minute < 8 * 60 for minute in plain.plan)
    assert all(8 * 60 <= minute % 1440 < 22 * 60 for minute in spared.plan)
    assert len(spared.plan) >= len(plain.plan) - 1


@pytest.mark.parametrize(("hours", "floor"), [(range(24), 0), (range(15, 24), 23), ((15,), 24)])
def test_where_hours_leave_no_room_for_a_plan_it_is_made_without_them(hours: Iterable[int], floor: int) -> None:
    earliest = MONDAY + timedelta(hours=floor)
    plain, spared = (
        with_plan(Profile().seen((), MONDAY), PRIOR, MONDAY, Bounds(), floor=earliest, hours=tuple(wish))
        for wish in ((), hours)
    )
    assert spared == plain


def test_a_fixed_interval_is_kept_inside_the_budget() -> None:
    polls = replay(Profile(), MONDAY, 2, Bounds(interval=timedelta(hours=1)), [])
    assert {later - earlier for earlier, later in pairwise(polls)} == {timedelta(hours=1)}


def test_fixed_intervals_that_spent_their_budget_do_not_all_go_on_at_midnight() -> None:
    bounds, midnight = Bounds(interval=timedelta(hours=1), polls_per_day=3), MONDAY + timedelta(days=1)
    again = set[datetime]()
    for seed in map(str, range(50)):
        profile, now = Profile(), MONDAY
        while now < midnight:
            profile = profile.seen((), now)
            due = next_poll(profile, PRIOR, now, bounds, seed=seed)
            now = settled(due, profile, bounds, NO_WISHES, now, seed)
        assert profile.used == 3
        again.add(now)
    assert len(again) > 40
    assert max(again) < midnight + timedelta(hours=1)


def test_sources_waiting_for_the_same_hour_do_not_ask_at_once() -> None:
    profile = Profile().seen(noon_releases(MONDAY - timedelta(days=180), 180), MONDAY)
    at = MONDAY + timedelta(hours=11, minutes=50)
    noons = {next_poll(profile, PRIOR, at, Bounds(), seed=f"source-{n}") for n in range(200)}
    assert len(noons) > 150


def test_a_clock_that_jumped_leaves_the_plan_bounded() -> None:
    profile = Profile().seen([MONDAY], MONDAY + timedelta(days=4000))
    due = next_poll(profile, PRIOR, MONDAY, Bounds(), seed="x")
    assert timedelta(minutes=5) <= due - MONDAY <= timedelta(hours=24)
    assert profile.seen([], MONDAY).learned == MONDAY.toordinal(), "it learns again"


def test_a_first_contact_by_a_clock_that_was_ahead_costs_no_later_day_its_polls() -> None:
    ahead = Profile().seen([], MONDAY + timedelta(days=4000)).seen([], MONDAY)
    never = Profile().seen([], MONDAY)
    assert replay(ahead, MONDAY, 3, Bounds(), []) == replay(never, MONDAY, 3, Bounds(), [])


def test_a_profile_survives_storage_and_stays_small() -> None:
    past = [MONDAY - timedelta(minutes=97 * n) for n in range(4000)]
    profile = Profile().seen(past, MONDAY).seen([MONDAY], MONDAY + timedelta(minutes=3))
    assert Profile.from_json(profile.to_json()) == profile
    assert len(profile.to_json()) < 40_000


@pytest.mark.parametrize("stored", ["", "{}", '{"v":0,"day":3}'])
def test_an_unknown_profile_starts_anew(stored: str) -> None:
    assert Profile.from_json(stored) == Profile()


def test_impossible_times_teach_nothing() -> None:
    untaught = Profile().seen([], MONDAY)
    assert Profile().seen([MONDAY + timedelta(hours=3)], MONDAY) == untaught
    assert Profile().seen([datetime(1970, 1, 1, tzinfo=UTC)], MONDAY) == untaught
    assert Profile().seen([MONDAY - timedelta(days=3)], MONDAY) != untaught


def test_a_source_that_is_told_its_past_plans_as_if_it_had_been_polled() -> None:
    """A backfill's find, in any order: the views, their trust, the rates, and the plan of the day itself."""
    past = [*noon_releases(MONDAY - timedelta(days=120), 115), MONDAY - timedelta(days=9, hours=3, seconds=-20)]
    lately = noon_releases(MONDAY - timedelta(days=5), 2)
    friday, now = MONDAY - timedelta(days=3), MONDAY + timedelta(hours=1)
    polled = Profile().seen([*past, *lately], friday).seen((), MONDAY).seen((), now)
    told = with_plan(Profile().seen(lately, friday).seen((), MONDAY), PRIOR, MONDAY, Bounds())
    for part in (past[50:], past[:50]):
        told = Profile.from_json(told.told(part, date(2026, 3, 4), MONDAY).to_json())
    assert (told.day, told.used, told.spent) == (polled.day, 1, polled.spent), "nothing was asked"
    told = told.seen((), now)
    assert (told.past, told.since, told.worked, told.free) == (polled.past, polled.since, polled.worked, polled.free)
    assert with_plan(told, PRIOR, now, Bounds()) == with_plan(polled, PRIOR, now, Bounds())


def test_a_past_that_days_are_missing_after_would_make_the_source_seem_silent_and_teaches_nothing() -> None:
    past, last_year = noon_releases(MONDAY - timedelta(days=300), 100), (MONDAY - timedelta(days=200)).date()
    polled = Profile().seen(noon_releases(MONDAY - timedelta(days=40), 40), MONDAY)
    for known in (Profile(), Profile().seen((), MONDAY), polled):
        assert known.told(past, last_year, MONDAY) is known
    whole = noon_releases(MONDAY - timedelta(days=200), 160)
    more = polled.told(whole, (MONDAY - timedelta(days=41)).date(), MONDAY).told(past, last_year, MONDAY)
    assert len(more.releases) == len(past) + len(whole) + len(polled.releases)


def test_what_is_told_lies_in_the_past_and_in_what_is_remembered() -> None:
    today = MONDAY.date()
    for wrong in (MONDAY + timedelta(minutes=1), MONDAY - timedelta(days=401)):
        assert Profile().told([wrong], today, MONDAY) == Profile()
    full = Profile().seen([MONDAY - timedelta(hours=n) for n in range(1200)], MONDAY)
    assert full.told([MONDAY - timedelta(days=60)], today, MONDAY) is full, "the newest 1,200 count"


def test_a_source_is_planned_as_its_own_past_foretells() -> None:
    """Which views are trusted: the very minute at a ministry that keeps to the clock, the hours around at one that
    publishes whenever a clerk is ready."""
    clock = (
        Profile().seen(noon_releases(MONDAY - timedelta(days=120), 120), MONDAY - timedelta(days=1)).seen([], MONDAY)
    )
    days = [MONDAY - timedelta(days=day) for day in range(120, 0, -1)]
    ready = [day + timedelta(hours=14, minutes=day.toordinal() * 37 % 60, seconds=33) for day in days]
    clerk = Profile().seen(ready, MONDAY - timedelta(days=1)).seen([], MONDAY)
    shares = {
        name: [trust / sum(one.worked) for trust in one.worked] for name, one in (("clock", clock), ("clerk", clerk))
    }
    minute, around = VIEWS.index("minute"), VIEWS.index("around")
    assert shares["clock"][minute] > 0.4 > shares["clerk"][minute]
    assert shares["clerk"][around] > 0.4 > shares["clock"][around]


def test_what_a_day_brings_is_learned_the_day_after() -> None:
    profile = Profile().seen([], MONDAY)
    told = profile.seen([MONDAY + timedelta(hours=9)], MONDAY + timedelta(hours=9, minutes=1))
    assert (told.past, told.worked) == ((), ())
    later = told.seen([], MONDAY + timedelta(days=1))
    assert len(later.past) == 1
    assert sum(later.worked) > 0


def test_a_poll_made_to_the_very_second_is_that_of_its_minute() -> None:
    """Moments have whole microseconds: a poll must not seem to have come just before the minute it was planned for."""
    start = MONDAY + timedelta(days=28)
    past = noon_releases(start - timedelta(days=60), 60)
    known = Profile().seen(past, start - timedelta(days=1)).seen((), start)
    few = Bounds(polls_per_day=6)
    for seed in map(str, range(40)):
        eleven = start + timedelta(hours=11, minutes=50)
        noon = next_poll(known, PRIOR, eleven, few, seed=seed)
        told = known.seen((), noon)
        after = next_poll(told, PRIOR, noon, few, seed=seed)
        later = next_poll(told, PRIOR, noon + timedelta(milliseconds=1), few, seed=seed)
        assert later - after < timedelta(seconds=1), seed
