"""The cursor over korea.kr's list: which pages a poll reads, and that nothing listed is ever missed for long."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from policyfeed.clock import KST
from policyfeed.errors import LayoutChanged
from policyfeed.sources import korea_kr as adapter
from policyfeed.types import Request
from tests.alerts import Hand
from tests.fakes import PressList, Release, korea_kr

TODAY = date(2026, 5, 20)


class Visitor:
    """Polls the list with the adapter, as ``poll.py`` does, and remembers the cursor between polls."""

    def __init__(self, site: PressList, clock: Hand, **options: Any) -> None:
        self.site, self.clock, self.source = site, clock, korea_kr(**options)
        self.cursor: Mapping[str, Any] = {}
        self.ids: set[int] = set()
        self.said: list[str] = []

    def poll(self) -> list[Request]:
        """One poll; the requests that it took."""
        asked: list[Request] = []
        cursor, request = self.cursor, adapter.first(self.source, self.cursor, self.clock())
        while True:
            asked.append(request)
            document = replace(self.site(request), fetched=self.clock())
            page = adapter.read(self.source, cursor, document)
            self.said += page.warnings
            self.ids |= {int(entry.url.rpartition("=")[2]) for entry in page.entries}
            cursor = json.loads(json.dumps(page.cursor))
            if page.next is None:
                self.cursor = cursor
                return asked
            request = page.next


def releases(count: int, first: int = 1000, day: date = TODAY) -> list[Release]:
    return [Release(id=first + number, day=day) for number in range(count)]


@pytest.fixture
def site() -> PressList:
    """Three days: 30, 40 and 25 releases."""
    made = PressList()
    for back, count in ((2, 30), (1, 40), (0, 25)):
        made.add(*releases(count, 10_000 - back * 1000, TODAY - timedelta(days=back)))
    return made


@pytest.fixture
def visitor(site: PressList, clock: Hand) -> Visitor:
    return Visitor(site, clock)


def days(request: Request) -> tuple[str, str]:
    asked = parse_qs(urlsplit(request.url).query)
    return asked["startDate"][0], asked["endDate"][0]


def everything(site: PressList, back: int = 2) -> set[int]:
    return {one.id for one in site.releases if one.day >= TODAY - timedelta(days=back)}


def test_first_contact_reads_every_page_of_the_window(visitor: Visitor, site: PressList) -> None:
    asked = visitor.poll()
    assert len(asked) == 5
    assert {days(one) for one in asked} == {("2026-05-18", "2026-05-20")}
    assert visitor.ids == everything(site)
    assert set(visitor.cursor) == {"covered", "swept", "seen"}


def test_a_later_poll_stops_when_the_total_is_accounted_for(visitor: Visitor, site: PressList, clock: Hand) -> None:
    visitor.poll()
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1
    site.add(*releases(3, 11_000))
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1
    assert visitor.ids == everything(site)


def test_more_news_than_a_page_is_read_to_its_end(visitor: Visitor, site: PressList, clock: Hand) -> None:
    visitor.poll()
    site.add(*releases(45, 11_000))
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 3
    assert visitor.ids == everything(site)


def test_a_release_listed_late_under_an_earlier_day_is_found_at_once(
    visitor: Visitor, site: PressList, clock: Hand
) -> None:
    visitor.poll()
    site.add(Release(id=7, day=TODAY - timedelta(days=2)))
    clock.advance(minutes=10)
    asked = visitor.poll()
    assert 7 in visitor.ids
    assert len(asked) == 5


def test_a_withdrawal_that_hides_a_late_listing_is_undone_by_the_sweep(
    visitor: Visitor, site: PressList, clock: Hand
) -> None:
    visitor.poll()
    site.withdraw(10_003)
    site.add(Release(id=7, day=TODAY - timedelta(days=2)))
    clock.advance(minutes=10)
    visitor.poll()
    assert 7 not in visitor.ids
    clock.advance(hours=3)
    assert len(visitor.poll()) == 5
    assert 7 in visitor.ids
    assert "10003" not in visitor.cursor["seen"]


def test_a_withdrawal_is_looked_into_at_once_and_once(visitor: Visitor, site: PressList, clock: Hand) -> None:
    visitor.poll()
    site.withdraw(8003)
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 5
    assert "8003" not in visitor.cursor["seen"]
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1


def test_a_list_that_counts_less_than_it_shows_is_not_read_to_its_end_each_time(site: PressList, clock: Hand) -> None:
    class Modest(PressList):
        def __call__(self, request: Request) -> Any:
            document = super().__call__(request)
            return replace(document, body=document.body.replace(b"<strong>95<", b"<strong>93<"))

    visitor = Visitor(Modest(site.releases), clock)
    assert len(visitor.poll()) == 5
    assert visitor.cursor["short"] == -2
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1


def test_a_total_that_is_less_than_one_page_shows_is_no_total(site: PressList, clock: Hand) -> None:
    class Elsewhere(PressList):
        def __call__(self, request: Request) -> Any:
            document = super().__call__(request)
            return replace(document, body=document.body.replace(b"<strong>95<", b"<strong>3<"))

    visitor = Visitor(Elsewhere(site.releases), clock)
    visitor.poll()
    assert visitor.ids == everything(site)
    assert visitor.said == ["the list says that it has 3, and shows 20"] * 4 + [
        "the list says that it has 3, and shows 15"
    ]


def test_the_list_is_swept_every_three_hours(visitor: Visitor, clock: Hand) -> None:
    counts = []
    for _ in range(8):
        counts.append(len(visitor.poll()))
        clock.advance(hours=1)
    assert counts == [5, 1, 1, 5, 1, 1, 5, 1]


def test_how_often_is_an_option(site: PressList, clock: Hand) -> None:
    visitor = Visitor(site, clock, sweep_hours=1, overlap_days=2)
    assert len(visitor.poll()) == 4
    clock.advance(hours=1)
    assert len(visitor.poll()) == 4


def test_a_clock_that_was_wrong_stops_no_sweep_for_long(visitor: Visitor, clock: Hand) -> None:
    clock.advance(days=300)
    visitor.site.add(Release(id=1, day=clock().astimezone(KST).date()))
    visitor.poll()
    clock.advance(days=-300)
    assert len(visitor.poll()) == 5


@pytest.mark.parametrize("down", [1, 4, 12])
def test_the_days_of_a_downtime_are_covered(visitor: Visitor, site: PressList, clock: Hand, down: int) -> None:
    visitor.poll()
    for later in range(1, down + 1):
        site.add(*releases(30, 20_000 + later * 100, TODAY + timedelta(days=later)))
    clock.advance(days=down)
    asked = visitor.poll()
    assert days(asked[0])[0] == min(TODAY, TODAY + timedelta(days=down - 2)).isoformat()
    assert visitor.ids >= {one.id for one in site.releases if one.day > TODAY}


def test_a_year_of_downtime_is_left_to_backfill(visitor: Visitor, site: PressList, clock: Hand) -> None:
    visitor.poll()
    clock.advance(days=365)
    site.add(Release(id=1, day=clock().astimezone(KST).date()))
    assert days(visitor.poll()[0]) == ("2027-04-19", "2027-05-20")


def test_midnight_in_korea_is_the_days_end(visitor: Visitor, clock: Hand) -> None:
    clock.advance(hours=14, minutes=29)
    assert days(visitor.poll()[0])[1] == "2026-05-20"
    clock.advance(minutes=1)
    assert days(visitor.poll()[0])[1] == "2026-05-21"


@pytest.mark.parametrize("size", [10, 20, 50])
def test_another_number_of_releases_on_a_page_loses_none(site: PressList, clock: Hand, size: int) -> None:
    site.per_page = size
    visitor = Visitor(site, clock)
    assert len(visitor.poll()) == -(-95 // size)
    assert visitor.ids == everything(site)
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1


def test_a_release_that_is_counted_but_not_listed_costs_one_page_a_sweep(site: PressList, clock: Hand) -> None:
    site.add(Release(id=10_001, day=TODAY))
    visitor = Visitor(site, clock)
    visitor.poll()
    assert visitor.cursor["short"] == 1
    clock.advance(minutes=10)
    assert len(visitor.poll()) == 1
    site.add(Release(id=7, day=TODAY - timedelta(days=2)))
    clock.advance(minutes=10)
    visitor.poll()
    assert 7 in visitor.ids


def test_releases_that_come_while_paging_push_none_out(site: PressList, clock: Hand) -> None:
    visitor = Visitor(site, clock)
    arrivals = iter(releases(20, 30_000))

    class Busy(PressList):
        def __call__(self, request: Request) -> Any:
            document = super().__call__(request)
            self.add(next(arrivals))
            return document

    visitor.site = Busy(site.releases)
    before = everything(site)
    visitor.poll()
    assert visitor.ids >= before
    visitor.site = PressList(visitor.site.releases)
    clock.advance(minutes=10)
    visitor.poll()
    assert visitor.ids == everything(visitor.site)


def test_a_filter_that_is_ignored_is_an_error(site: PressList, clock: Hand) -> None:
    site.filters = False
    site.add(*releases(40, 1, TODAY - timedelta(days=9)))
    with pytest.raises(LayoutChanged, match="outside the days"):
        Visitor(site, clock).poll()


def test_a_page_number_that_is_ignored_is_an_error(site: PressList, clock: Hand) -> None:
    visitor = Visitor(site, clock)
    whole = site.__call__

    class Stuck(PressList):
        def __call__(self, request: Request) -> Any:
            first = whole(replace(request, url=request.url.replace("pageIndex=2", "pageIndex=1")))
            return replace(first, url=request.url)

    visitor.site = Stuck(site.releases)
    with pytest.raises(LayoutChanged, match="nothing new"):
        visitor.poll()


def test_one_ministry_may_be_asked_for(clock: Hand) -> None:
    request = adapter.first(korea_kr(rep_code="A00031"), {}, clock())
    assert parse_qs(urlsplit(request.url).query)["repCode"] == ["A00031"]
    assert request.method == "GET"
