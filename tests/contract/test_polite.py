"""The poller's manners over days and weeks: a clock set by hand, a scripted network that keeps every request.

The numbers are those of the table in docs/fetching.md.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from policyfeed.errors import Refused, Truncated, Unreachable
from policyfeed.poll import HELD, PollReport, due_time, fingerprint
from policyfeed.rhythm import Bounds, Profile
from policyfeed.store import SourceState, Store, hosts, sources
from policyfeed.types import Document, Request, Source, Validators
from tests.alerts import Hand
from tests.fakes import Item, PressList, Release, Server, conditional, korea_kr, poller, rss, source

FEED = source()
SISTER = source("sister-press")
STRANGER = source("stranger-press", url="https://www.stranger.go.kr/rss.xml")
HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


class Years:
    """A poller that lives long: polls its sources when they are due, and nothing else makes requests."""

    def __init__(self, store: Store, clock: Hand) -> None:
        self.store, self.clock, self.server = store, clock, Server(clock)
        self.bounds = Bounds()
        self.rng = random.Random(7)  # noqa: S311 - jitter, not secrets

    async def now(self, of: Source = FEED) -> PollReport:
        """Poll at once; each time with a new poller, as after a restart."""
        made = poller(self.store, self.server, bounds=lambda _: self.bounds, rng=self.rng)
        return await made.poll(of)

    def due(self, of: Source = FEED) -> datetime | None:
        return due_time(of, self.state(of), self.clock(), self.bounds)

    async def next(self, of: Source = FEED) -> PollReport:
        """Wait until the source is due, and poll it."""
        due = self.due(of)
        assert due is not None
        self.clock.moment = max(due, self.clock.moment)
        return await self.now(of)

    async def live(self, until: timedelta, of: Source = FEED) -> list[datetime]:
        """When the source was polled, in a time as long as that."""
        end, polled = self.clock() + until, []
        while (due := self.due(of)) is not None and due < end:
            await self.next(of)
            polled.append(self.clock())
        self.clock.moment = end
        return polled

    def answers(self, status: int, of: Source = FEED, **headers: Any) -> None:
        self.server.at(of.url, self.server.page("", status, **headers))

    def lists(self, *items: Item, of: Source = FEED, head: str = "", **headers: Any) -> None:
        body = rss(*items).replace("<description/>", f"<description/>{head}", 1)
        self.server.at(of.url, self.server.page(body, **headers))

    def state(self, of: Source = FEED) -> SourceState:
        with self.store.read() as tx:
            return sources.get(tx, of.id)

    def down(self) -> Document:
        return self.server.page("", 503)

    def asked(self) -> int:
        return len(self.server.got)


@pytest.fixture
def years(store: Store, clock: Hand) -> Years:
    return Years(store, clock)


# Validators -----------------------------------------------------------------------------------------------------------


async def test_validators_belong_to_the_place_that_gave_them(years: Years) -> None:
    """7: a 304 from where a redirect leads now says nothing about what was read elsewhere."""
    places = iter(["https://a.example.go.kr/rss", "https://b.example.go.kr/rss", "https://b.example.go.kr/rss"])
    body = rss(Item(number=1))

    def answer(request: Request) -> Document:
        there, known = next(places), "If-None-Match" in dict(request.headers)
        headers = {"etag": '"same everywhere"'}
        page = years.server.page("" if known else body, 304 if known else 200)
        return replace(page, url=there, headers=headers)

    years.server.at(FEED.url, answer)
    await years.now()
    assert (await years.next()).requests == 2
    assert "If-None-Match" not in years.server.headers()
    assert years.state().final_url == "https://b.example.go.kr/rss"


async def test_the_whole_is_asked_for_once_a_week_and_not_more_often(years: Years) -> None:
    """10: a server that answers 304 for ever could be stuck."""
    years.server.at(FEED.url, conditional(years.server, rss(Item(number=1)), etag='"1"'))
    await years.live(timedelta(days=29))
    whole = [request for request in years.server.got if "If-None-Match" not in dict(request.headers)]
    assert years.asked() > 29
    assert len(whole) == 5, "the first one, and one in each of four weeks"


async def test_the_whole_is_asked_for_once_a_week_also_where_the_server_fails_at_it(years: Years) -> None:
    """10"""
    good = conditional(years.server, rss(Item(number=1)), etag='"1"')
    years.server.at(FEED.url, good)
    await years.now()
    years.server.at(FEED.url, lambda asked: good(asked) if "If-None-Match" in dict(asked.headers) else years.down())
    for _ in range(9):
        years.clock.advance(hours=24)
        await years.now()
    whole = [request for request in years.server.got if "If-None-Match" not in dict(request.headers)]
    assert len(whole) == 2


async def test_validators_are_kept_in_the_transaction_of_what_they_vouch_for(
    years: Years, monkeypatch: pytest.MonkeyPatch
) -> None:
    """8: when the entries were not stored, neither were their validators (a kill is a transaction without its end)."""

    def dies(_article: object) -> None:
        raise KeyboardInterrupt

    years.lists(Item(number=1), etag='"1"')
    with pytest.raises(KeyboardInterrupt):
        await poller(years.store, years.server, judge=dies).poll(FEED)
    assert years.state() == SourceState(id=FEED.id)
    assert (await years.now()).new == 1
    assert "If-None-Match" not in years.server.headers()
    await years.now()
    assert years.server.headers()["If-None-Match"] == '"1"'


# How often ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interval", [None, timedelta(minutes=1)])
async def test_polls_are_five_minutes_apart_and_their_requests_within_the_days_budget(
    years: Years, interval: timedelta | None
) -> None:
    """11: whatever the plan, or a wish for every minute, wants. Something new at every poll draws the plan forward."""
    years.bounds = Bounds(interval=interval)
    number = 0

    def ever_new(_request: Request) -> Document:
        nonlocal number
        number += 1
        at = format_datetime(years.clock() - timedelta(seconds=20))
        return years.server.page(rss(Item(number=number, published=at, title=f"{number}번째 대책 발표")))

    years.server.at(FEED.url, ever_new)
    polled = await years.live(timedelta(days=4))
    gaps = [later - earlier for earlier, later in pairwise(polled)]
    assert min(gaps) >= timedelta(minutes=5)
    days = [(moment + timedelta(hours=9)).date() for moment in polled]
    assert max(days.count(day) for day in days) <= 48
    assert len(polled) > 2 * 40


async def test_limits_that_are_drawn_in_hold_for_the_next_poll_already(years: Years) -> None:
    """11: it was planned under the wider ones."""
    years.lists(Item(number=1))
    for _ in range(3):
        await years.next()
    planned, last = years.due(), years.clock()
    assert planned is not None
    assert planned < last + 3 * HOUR
    years.bounds = Bounds(least=3 * HOUR)
    assert years.due() == last + 3 * HOUR
    years.bounds = Bounds(polls_per_day=4)
    assert years.due() == planned, "one is left"
    years.bounds = Bounds(polls_per_day=3)
    midnight = datetime(2026, 5, 20, 15, tzinfo=UTC)
    assert midnight <= (years.due() or last) <= midnight + HOUR


async def test_every_page_of_a_list_counts_in_the_budget(years: Years, clock: Hand) -> None:
    """11: the budget is one of requests."""
    site, press = PressList(), korea_kr()
    site.add(*(Release(id=number, day=clock().date(), title=f"{number}번 자료") for number in range(95)))
    years.server.at(press.url, site)
    years.bounds = Bounds(polls_per_day=12)
    end = clock() + timedelta(hours=14)  # until 23:30
    while (due := years.due(press)) is not None and due < end:
        await years.next(press)
    assert 5 <= years.asked() <= 12 + 4, "a poll that began within the budget is brought to its end"


async def test_failures_do_not_exceed_the_budget(years: Years) -> None:
    """11, 16"""
    years.bounds = Bounds(polls_per_day=3)
    years.server.at(FEED.url, Unreachable("{url} did not answer.", url=FEED.url))
    polled = await years.live(timedelta(days=3))
    days = [(moment + timedelta(hours=9)).date() for moment in polled]
    assert max(days.count(day) for day in days) <= 3


@pytest.mark.parametrize(
    ("head", "headers", "least"),
    [
        ("", {"cache_control": "public, max-age=7200"}, timedelta(hours=2)),
        ("", {"expires": "Wed, 20 May 2026 04:30:00 GMT"}, timedelta(hours=4)),
        ("", {"cache_control": "max-age=9000000"}, DAY),
        ("<ttl>180</ttl>", {}, timedelta(hours=3)),
        ("<ttl>99999999</ttl>", {}, DAY),
        ('<s:updatePeriod xmlns:s="http://purl.org/rss/1.0/modules/syndication/">daily</s:updatePeriod>'
         '<s:updateFrequency xmlns:s="http://purl.org/rss/1.0/modules/syndication/">4</s:updateFrequency>',
         {}, timedelta(hours=6)),
        ("<ttl>60</ttl>", {"cache_control": "max-age=10800"}, timedelta(hours=3)),
    ],
)  # fmt: skip
async def test_what_the_server_and_the_feed_say_is_a_lower_bound(
    years: Years, head: str, headers: dict[str, Any], least: timedelta
) -> None:
    """12: of a changed answer, and of the unchanged ones that follow it."""
    years.lists(Item(number=1), head=head, **headers)
    for _ in range(2):
        report = await years.now()
        assert report.due is not None
        assert least <= report.due - years.clock() <= DAY


async def test_what_a_304_leaves_unsaid_is_as_the_answer_said_it(years: Years) -> None:
    """12: RFC 9111 §4.3.4. A 304 that says something else counts from there on."""
    body = rss(Item(number=1)).replace("<description/>", "<description/><ttl>60</ttl>")
    first = years.server.page(body, etag='"1"', cache_control="max-age=10800")
    silent, other = years.server.page("", 304), years.server.page("", 304, cache_control="max-age=7200")
    uncached = years.server.page("", 304, cache_control="no-cache")
    years.server.at(FEED.url, first, silent, silent, other, silent, uncached, silent)
    years.bounds = Bounds(interval=timedelta(minutes=30))
    waits = []
    for _ in range(7):
        report = await years.now()
        assert report.due is not None
        waits.append(report.due - years.clock())
    assert waits == [timedelta(hours=hours) for hours in (3, 3, 3, 2, 2, 1, 1)]


async def test_the_same_body_is_as_fresh_as_its_last_answer_said(years: Years) -> None:
    """12: an unchanged body is not read, but its headers are."""
    years.bounds = Bounds(interval=timedelta(minutes=30))
    waits = []
    later = "Wed, 20 May 2026 05:00:00 GMT"
    answers: list[dict[str, Any]] = [{}, {"cache_control": "max-age=10800"}, {}, {"expires": later}]
    for said in answers:
        years.lists(Item(number=1), head="<ttl>60</ttl>", date="Wed, 20 May 2026 03:00:00 GMT", **said)
        report = await years.now()
        assert report.due is not None
        waits.append((report.state, report.due - years.clock()))
    assert waits == [("ok", HOUR), *(("unchanged", hours * HOUR) for hours in (3, 1, 2))]


async def test_a_feed_whose_wishes_change_is_heard_though_nothing_in_it_is_new(years: Years) -> None:
    """12: its head is read whenever it is another one."""
    years.bounds = Bounds(interval=timedelta(minutes=30))
    waits = []
    for minutes in (60, 180, 120):
        years.lists(Item(number=1), head=f"<ttl>{minutes}</ttl>")
        report = await years.now()
        assert report.due is not None
        waits.append((report.parsed, report.due - years.clock()))
    assert waits == [(1, HOUR), (0, 3 * HOUR), (0, 2 * HOUR)]


async def test_hours_and_days_that_a_feed_wants_for_itself_are_left_to_it(years: Years) -> None:
    """12: skipHours and skipDays, in GMT."""
    hours = "".join(f"<hour>{hour}</hour>" for hour in (0, 1, 2, 3, 4, 5, 6))
    head = f"<skipHours>{hours}</skipHours><skipDays><day>Saturday</day></skipDays>"
    years.lists(Item(number=1), head=head)
    polled = (await years.live(timedelta(days=9)))[1:]
    planned = [(minute // 60 - 9) % 24 for minute in Profile.from_json(years.state().profile).plan]
    assert planned
    assert min(planned) >= 7, "none is planned that would have to be moved"
    assert len(polled) > 30
    assert not [moment for moment in polled if moment.hour < 7]
    assert len([moment for moment in polled if moment.weekday() == 5]) <= 1, "after a day without any"


async def test_a_feed_that_wants_every_hour_for_itself_is_asked_once_a_day(years: Years) -> None:
    """12: the cap."""
    hours = "".join(f"<hour>{hour}</hour>" for hour in range(24))
    years.lists(Item(number=1), head=f"<skipHours>{hours}</skipHours>")
    assert 10 <= len(await years.live(timedelta(days=10))) <= 11


@pytest.mark.parametrize("said", ["no-cache", "no-store, max-age=0", "max-age=0", "max-age=-5", "private"])
async def test_no_cache_shortens_nothing(years: Years, said: str) -> None:
    """13"""
    years.bounds = Bounds(interval=timedelta(minutes=45))
    years.lists(Item(number=1), head="<ttl>0</ttl>", cache_control=said)
    report = await years.now()
    assert report.due == years.clock() + timedelta(minutes=45)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("said", "least"),
    [
        ("7200", timedelta(hours=2)),
        ("Wed, 20 May 2026 03:30:00 GMT", timedelta(hours=3)),
        ("Wednesday, 20-May-26 03:30:00 GMT", timedelta(hours=3)),
        ("99999999", DAY),
        ("Sat, 01 Jan 2000 00:00:00 GMT", timedelta(minutes=30)),
        ("-60", timedelta(minutes=30)),
        ("soon", timedelta(minutes=30)),
    ],
)
async def test_retry_after_is_obeyed(years: Years, status: int, said: str, least: timedelta) -> None:
    """14: in seconds and as a date; what asks for nothing shortens nothing, and nothing is longer than a day."""
    years.answers(status, retry_after=said)
    report = await years.now()
    assert isinstance(report.error, Refused)
    assert report.due is not None
    assert least <= report.due - years.clock() <= DAY
    years.clock.moment = report.due - timedelta(seconds=1)
    assert years.due() == report.due


@pytest.mark.parametrize(
    ("wish", "least"), [({}, timedelta(hours=1)), ({"retry_after": "10800"}, timedelta(hours=3))], ids=["", "3 h"]
)
async def test_a_429_pauses_the_host_for_all_of_its_sources(
    years: Years, wish: dict[str, Any], least: timedelta
) -> None:
    """15, 28: as long as it wishes, else an hour at least, doubling; "poll now" obeys it; other hosts are asked."""
    for one in (SISTER, STRANGER):
        years.lists(Item(number=1), of=one)
    years.answers(429, **wish)
    await years.now()
    before = years.asked()
    held = await years.now(SISTER)
    again = await years.now()
    assert (held.state, held.requests, held.error, again.state) == (HELD, 0, None, HELD)
    assert held.due is not None
    assert held.due - years.clock() >= least
    assert years.asked() == before
    assert (await years.now(STRANGER)).state == "ok"


async def test_the_days_plan_keeps_the_time_that_the_answer_is_fresh(years: Years) -> None:
    """11, 12: polls that would come too soon are not planned, rather than put off past what they were planned for."""
    years.lists(Item(number=1), cache_control="max-age=3600")
    await years.now()
    plan = Profile.from_json(years.state().profile).plan
    assert len(plan) > 5
    assert min(later - one for one, later in pairwise(plan)) >= 60


async def test_a_pause_of_its_host_brings_no_source_forward(years: Years) -> None:
    """11, 12, 15: what a source had to wait for on its own account, it still waits for."""
    years.lists(Item(number=1), of=SISTER, cache_control="max-age=36000")
    due = (await years.now(SISTER)).due
    years.answers(429, retry_after="60")
    await years.now()
    held = await years.now(SISTER)
    assert (held.state, held.due) == (HELD, due)


async def test_refusals_of_a_host_double_until_a_day_and_are_forgotten_after_an_answer(years: Years) -> None:
    """15"""
    years.answers(429)
    pauses = []
    for _ in range(8):
        report = await years.next()
        while report.state == HELD:
            report = await years.next()
        with years.store.read() as tx:
            host = hosts.get(tx, "www.example.go.kr")
        assert host is not None
        pauses.append(host.paused_until - years.clock())
    assert pauses[0] >= timedelta(hours=1)
    assert all(later > earlier or later == DAY for earlier, later in pairwise(pauses))
    assert pauses[-1] == DAY
    years.lists(Item(number=1))
    await years.next()
    with years.store.read() as tx:
        assert hosts.get(tx, "www.example.go.kr") is None


async def test_sources_that_are_refused_together_are_one_refusal(years: Years) -> None:
    """15: two sources of a host were asked at the same time."""
    started = asyncio.Event()

    async def refuse(source: Source, request: Request) -> Document:
        years.server.got.append(request)
        if source.id == FEED.id:
            await started.wait()
        started.set()
        return replace(years.server.page("", 429), url=request.url)

    one = poller(years.store, years.server, fetch=refuse)
    await asyncio.gather(one.poll(FEED), one.poll(SISTER))
    with years.store.read() as tx:
        host = hosts.get(tx, "www.example.go.kr")
    assert years.asked() == 2
    assert host is not None
    assert host.refusals == 1


async def test_a_pause_is_not_lifted_by_an_answer_to_an_earlier_question(years: Years) -> None:
    """15: a source was being answered when another one of its host heard 429."""
    years.lists(Item(number=1))
    asked, paused = asyncio.Event(), asyncio.Event()

    async def refuse_the_sister(source: Source, request: Request) -> Document:
        if source.id == SISTER.id:
            return replace(years.server.page("", 429), url=request.url)
        asked.set()
        await paused.wait()
        return await years.server(source, request)

    one = poller(years.store, years.server, fetch=refuse_the_sister)
    answered = asyncio.create_task(one.poll(FEED))
    await asked.wait()
    refused = await one.poll(SISTER)
    paused.set()
    assert (refused.state, (await answered).state) == ("Refused", "ok")
    with years.store.read() as tx:
        assert hosts.get(tx, "www.example.go.kr") is not None


@pytest.mark.parametrize("status", [400, 403, 404, 500, 502, 503])
async def test_other_failures_back_off_and_never_stop_at_once(years: Years, status: int) -> None:
    """16: growing, never faster than the normal interval, a day at most, never for ever."""
    years.answers(status)
    waits = []
    for _ in range(9):
        report = await years.next()
        assert report.due is not None
        waits.append(report.due - years.clock())
    assert waits[0] >= Bounds().normal
    assert waits == sorted(waits)
    assert waits[-1] == DAY


async def test_a_source_that_is_gone_is_told_once_and_asked_no_more(years: Years) -> None:
    """17"""
    years.answers(410)
    report = await years.next()
    assert (report.state, report.due) == ("gone", None)
    assert isinstance(report.error, Refused)
    assert await years.live(timedelta(days=60)) == []
    assert years.asked() == 1
    changed = replace(FEED, url="https://www.example.go.kr/new/rss.xml")
    assert years.due(changed) == years.clock()
    years.lists(Item(number=1))
    assert (await years.now()).state == "ok", "the operator asked for it"
    assert years.due() is not None


async def test_another_page_of_a_list_that_is_gone_ends_no_source(years: Years) -> None:
    """17"""
    today, press = years.clock().date(), korea_kr()
    site = PressList([Release(id=number, day=today) for number in range(45)])
    years.server.at(press.url, site, years.server.page("", 410))
    report = await years.now(press)
    assert (report.state, report.requests, report.due is None) == ("Refused", 2, False)


async def test_ten_times_not_found_over_a_week_is_gone_too(years: Years) -> None:
    """17: not ten times in a day, nor twice in a month."""
    years.answers(404)
    for _ in range(12):
        assert (await years.now()).state == "Refused"
        years.clock.advance(minutes=40)
    states = []
    while (due := years.due()) is not None:
        years.clock.moment = due
        states.append((await years.now()).state)
    assert states[-1] == "gone"
    assert set(states[:-1]) == {"Refused"}
    missing_since = years.state().missing_since
    assert missing_since is not None
    assert years.clock() - missing_since >= timedelta(days=7)


async def test_not_found_now_and_then_is_not_gone(years: Years) -> None:
    """17"""
    for _ in range(12):
        years.answers(404)
        assert (await years.now()).state == "Refused"
        years.lists(Item(number=1))
        years.clock.advance(days=1)
        assert (await years.now()).state != "gone"


# Moving ---------------------------------------------------------------------------------------------------------------

NEW_HOME = "https://new.example.go.kr/rss.xml"


def moved(years: Years, to: str | None) -> Callable[[Request], Document]:
    """An answer that came through redirects; ``to`` where all of them were permanent."""

    def answer(_request: Request) -> Document:
        return replace(years.server.page(rss(Item(number=1))), url=to or NEW_HOME, moved_to=to)

    return answer


async def test_a_permanent_redirect_is_adopted_after_three_answers_over_a_day(years: Years) -> None:
    """18: 301 and 308 come as ``moved_to``."""
    years.server.at(FEED.url, moved(years, NEW_HOME))
    years.server.at(NEW_HOME, years.server.page(rss(Item(number=1), Item(number=2))))
    for hours in (0, 1, 1, 1):
        years.clock.advance(hours=hours)
        await years.now()
    assert years.state().url == ""
    years.clock.advance(hours=21)
    await years.now()
    assert years.state().url == NEW_HOME
    assert (await years.next()).new == 1
    assert years.server.got[-1].url == NEW_HOME


async def test_a_redirect_that_is_temporary_or_changes_is_never_adopted(years: Years) -> None:
    """18: 302, 303 and 307; another address each time; twice only, and an answer without a redirect in between."""
    answers = [moved(years, None)] * 5
    answers += [moved(years, f"https://new{number}.example.go.kr/") for number in range(5)]
    answers += [moved(years, NEW_HOME), moved(years, NEW_HOME), moved(years, None), moved(years, NEW_HOME)]
    years.server.at(FEED.url, *answers)
    for _ in answers:
        years.clock.advance(hours=25)
        await years.now()
        assert years.state().url == ""


async def test_an_adopted_address_that_is_gone_gives_way_to_the_configured_one(years: Years) -> None:
    """17, 18"""
    years.server.at(FEED.url, moved(years, NEW_HOME))
    for _ in range(3):
        years.clock.advance(hours=13)
        await years.now()
    years.server.at(NEW_HOME, years.server.page("", 410))
    assert (await years.next()).state == "Refused"
    years.lists(Item(number=1), Item(number=2))
    assert (await years.next()).new == 1
    assert years.server.got[-1].url == FEED.url


# Restarts, clocks, neighbours -----------------------------------------------------------------------------------------


async def test_twenty_restarts_cost_no_request(years: Years) -> None:
    """21: due times live in the database; ``Years`` has a new poller for every poll."""
    years.lists(Item(number=1))
    await years.now()
    due = years.due()
    for _ in range(20):
        years.clock.advance(seconds=15)
        assert years.due() == due
    assert years.asked() == 1


@pytest.mark.parametrize("of", [FEED, replace(FEED, timezone="UTC"), replace(FEED, url=f"{FEED.url}?all")])
async def test_a_process_that_ends_before_the_answer_costs_no_second_request(years: Years, of: Source) -> None:
    """21: also where it was killed, and nothing of the poll could be stored; and no more than a few minutes of waiting,
    whatever the back-off was under another configuration.
    """
    noted = asyncio.Event()
    for _ in range(0 if of is FEED else 4):
        years.answers(503)
        await years.next()

    async def hang(source: Source, request: Request) -> Document:
        await asyncio.Event().wait()
        return await years.server(source, request)

    async def database(work: Callable[..., Any], *given: Any) -> Any:
        done = work(*given)
        if years.state().fingerprint == fingerprint(of):
            noted.set()
        return done

    polling = asyncio.create_task(poller(years.store, years.server, fetch=hang, db=database, patience=0).poll(of))
    await noted.wait()
    polling.cancel()
    assert years.due(of) == years.clock() + timedelta(minutes=5)
    years.lists(Item(number=1), of=of)
    assert (await years.next(of)).new == 1
    assert (years.state().failures, years.state().since is None) == (0, False)


async def test_a_source_is_polled_once_at_a_time(years: Years) -> None:
    """26: who asks for a poll while there is one gets that one's report. (Other processes: the folder's lock.)"""
    gate, under_way = asyncio.Event(), asyncio.Event()

    async def slow(source: Source, request: Request) -> Document:
        under_way.set()
        await gate.wait()
        return await years.server(source, request)

    years.lists(Item(number=1))
    one = poller(years.store, years.server, fetch=slow)
    polls = [asyncio.create_task(one.poll(FEED)) for _ in range(3)]
    await under_way.wait()
    gate.set()
    reports = await asyncio.gather(*polls)
    assert years.asked() == 1
    assert reports[0].new == 1
    assert reports[0] == reports[1] == reports[2]


async def test_who_waited_for_a_poll_that_was_broken_off_polls_itself(years: Years) -> None:
    """26"""
    under_way = asyncio.Event()

    async def stuck_at_first(source: Source, request: Request) -> Document:
        if not under_way.is_set():
            under_way.set()
            await asyncio.Event().wait()
        return await years.server(source, request)

    years.lists(Item(number=1))
    one = poller(years.store, years.server, fetch=stuck_at_first)
    first = asyncio.create_task(one.poll(FEED))
    await under_way.wait()
    second = asyncio.create_task(one.poll(FEED))
    await asyncio.sleep(0)
    first.cancel()
    assert (await second).new == 1


async def test_poll_now_is_conditional(years: Years) -> None:
    """28"""
    years.server.at(FEED.url, conditional(years.server, rss(Item(number=1)), etag='"1"'))
    await years.now()
    assert (await years.now()).state == "unchanged"
    assert years.server.headers()["If-None-Match"] == '"1"'


@pytest.mark.parametrize(
    "answer",
    [
        Truncated("{url} ended early.", url=FEED.url),
        "<!doctype html><html><body>서비스 점검 중입니다</body></html>",
        "",
        rss(Item(number=1), Item(number=2))[:300],
    ],
    ids=["cut on the wire", "an error page", "an empty body", "cut in a file"],
)
async def test_a_broken_answer_is_a_failure_and_takes_nothing_away(years: Years, answer: Any) -> None:
    """30, 31"""
    years.lists(Item(number=1), Item(number=2), etag='"1"')
    await years.now()
    years.server.at(FEED.url, answer if isinstance(answer, Exception) else years.server.page(answer, etag='"2"'))
    report = await years.now()
    assert report.error is not None
    assert (years.state().listed, years.state().validators) == (2, Validators(etag='"1"'))
    years.lists(Item(number=1), Item(number=2), etag='"1"')
    report = await years.now()
    assert (report.state, report.new, report.revised) == ("unchanged", 0, 0)


@pytest.mark.parametrize("wrong", [timedelta(days=400), timedelta(days=-400)])
async def test_a_clock_that_jumps_leaves_due_times_bounded(years: Years, wrong: timedelta) -> None:
    """32: polled while the clock was a year ahead, or behind."""
    years.lists(Item(number=1))
    right = years.clock()
    years.clock.moment = right + wrong
    await years.now()
    years.clock.moment = right
    due = years.due()
    assert due is not None
    assert due <= right + DAY + Bounds().normal
    report = await years.next()
    assert report.due is not None
    assert report.due - years.clock() <= DAY


async def test_a_pause_set_by_a_wrong_clock_is_no_pause(years: Years) -> None:
    """32"""
    years.clock.advance(days=400)
    years.answers(429)
    await years.now()
    years.clock.advance(days=-400)
    years.lists(Item(number=1))
    assert (await years.now()).state == "ok"


async def test_what_was_polled_in_the_future_is_due(years: Years) -> None:
    """32: no wait is longer than the clock was wrong; a second or two (NTP) is no reason to ask again."""
    years.lists(Item(number=1))
    await years.now()
    planned, polled = years.due(), years.clock()
    years.clock.moment = polled - timedelta(seconds=2)
    assert years.due() == planned
    years.clock.moment = polled - timedelta(hours=9)
    assert years.due() == years.clock()


async def test_a_feed_that_is_asked_by_post_is_asked_that_way_and_without_conditions(years: Years) -> None:
    """33: RFC 9110 §13.1 knows conditions of GET; what is the same is known by its bytes."""
    posted = replace(FEED, method="POST", body="board=press&rows=50", headers=(("X-Board", "press"),))
    years.lists(Item(number=1), etag='"1"')
    await years.now(posted)
    assert (await years.now(posted)).state == "unchanged"
    asked = years.server.got[-1]
    assert (asked.method, asked.body) == ("POST", b"board=press&rows=50")
    assert dict(asked.headers)["X-Board"] == "press"
    assert "If-None-Match" not in dict(asked.headers)


async def test_a_source_that_hangs_does_not_hold_up_another(years: Years) -> None:
    """34"""

    async def hang(source: Source, request: Request) -> Document:
        if source.id == FEED.id:
            await asyncio.Event().wait()
        return await years.server(source, request)

    years.lists(Item(number=1), of=STRANGER)
    one = poller(years.store, years.server, fetch=hang)
    hanging = asyncio.create_task(one.poll(FEED))
    assert (await one.poll(STRANGER)).new == 1
    hanging.cancel()


def test_the_table_names_the_tests() -> None:
    """Every manner of docs/fetching.md names a test, and this file's are there."""
    text = (Path(__file__).parents[2] / "docs" / "fetching.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and line.split("|")[1].strip().isdigit()]
    assert {int(row.split("|")[1]) for row in rows} == set(range(1, 35))
    assert [row for row in rows if "test" not in row.split("|")[4]] == []
    named = {name for name, value in globals().items() if name.startswith("test_") and callable(value)}
    assert sorted(name for name in named - {"test_the_table_names_the_tests"} if f"`{name}`" not in text) == []
