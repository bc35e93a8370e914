"""Coverage: a day's whole list and each body's own total against what is stored."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from policyfeed.backfill import Backfill
from policyfeed.coverage import Coverage, Day
from policyfeed.errors import LayoutChanged
from policyfeed.normalize.ministry import Ministries
from policyfeed.store import Store
from policyfeed.types import Document, Name, Request
from tests import fakes
from tests.alerts import Hand
from tests.fakes import MINISTRIES, PressList, Release, Server, korea_kr, rss

DAY = date(2024, 8, 5)
LIST = "https://www.korea.kr/briefing/pressReleaseList.do"
CODES = {"A00009": "환경부", "A00011": "고용노동부", "B00021": "산림청"}
CODED = Ministries(
    [
        replace(one, rep_codes=tuple(code for code, name in CODES.items() if name in {named.ko for named in one.names}))
        for one in MINISTRIES
    ]
)


@dataclass
class Coded(PressList):
    """The list, filtered by repCode too. ``hidden``: ids that the whole list does not show nor count."""

    hidden: set[int] = field(default_factory=set)

    def __call__(self, request: Request) -> Document:
        codes = parse_qs(urlsplit(request.url).query).get("repCode", [""])[0]
        names = {CODES[code] for code in codes.split(",") if code}
        shown = [one for one in self.releases if (one.ministry in names if names else one.id not in self.hidden)]
        return PressList.__call__(PressList(shown), request)


@dataclass
class World:
    store: Store
    clock: Hand
    site: Coded = field(default_factory=Coded)

    def __post_init__(self) -> None:
        self.server = Server(self.clock)
        self.server.at(LIST, self.site)
        for number, name in enumerate(("환경부",) * 21 + ("고용노동부",) * 3 + ("국회",)):
            self.site.add(Release(id=100 + number, day=DAY, ministry=name, title=f"제{number}차 점검"))

    async def backfill(self) -> None:
        poller = fakes.poller(self.store, self.server)

        async def pause(_seconds: float) -> None:
            raise AssertionError("nothing fails here")

        work = Backfill(poller=poller, source=korea_kr(), first=DAY, last=DAY, pause=pause)
        assert [step async for step in work.run()]

    async def compare(self, ministries: Ministries = CODED, last: date = DAY, **more: Any) -> list[Day]:
        poller = fakes.poller(self.store, self.server)
        coverage = Coverage(poller=poller, source=korea_kr(), ministries=ministries, **more)
        return [day async for day in coverage.days(DAY, last)]


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, clock)


async def test_a_day_that_is_stored_is_whole(world: World) -> None:
    await world.backfill()
    (day,) = await world.compare()
    assert (day.total, day.listed, day.stored, day.missing, day.gone, day.whole) == (25, 25, 25, (), (), True)
    assert [(row.ministry.name, row.listed, row.own, row.stored) for row in day.rows] == [
        ("환경부", 21, 21, 21),
        ("고용노동부", 3, 3, 3),
        ("국회", 1, None, 1),
    ]
    assert day.requests == 4  # two pages, and a total each of two ministries with a code


async def test_what_is_not_stored_is_named(world: World) -> None:
    await world.backfill()
    world.site.add(Release(id=900, day=DAY, ministry="고용노동부", title="산업재해 현황 공표"))
    (day,) = await world.compare()
    assert not day.whole
    assert day.missing == ("korea.kr/900",)
    assert [row.missing for row in day.rows if row.ministry.id == "moel"] == [("korea.kr/900",)]


@pytest.mark.parametrize(("since", "own", "whole"), [("2010-07-05", 3, True), ("2025-10-01", 4, False)])
async def test_an_earlier_code_is_asked_for_in_its_own_time(world: World, since: str, own: int, whole: bool) -> None:
    """The earlier code finds what a successor publishes, too: the present name has the present code alone."""
    world.site.add(Release(id=900, day=DAY, ministry="산림청", title="숲길 점검"))
    await world.backfill()
    renamed = (Name(ko="노동부", until=since), Name(ko="고용노동부", since=since))
    ministries = Ministries(
        [replace(one, names=renamed, rep_codes=("A00011", "B00021")) if one.id == "moel" else one for one in CODED]
    )
    (day,) = await world.compare(ministries)
    assert [row.own for row in day.rows if row.ministry.id == "moel"] == [own]
    assert (day.missing, day.whole) == ((), whole)


async def test_nothing_stored_is_all_missing(world: World) -> None:
    (day,) = await world.compare()
    assert (day.stored, len(day.missing), day.whole) == (0, 25, False)


async def test_what_was_stored_from_elsewhere_counts(world: World) -> None:
    item = fakes.Item(number=1, title="제3차 점검", url="https://www.korea.kr/briefing/pressReleaseView.do?newsId=103")
    world.server.at("https://www.example.go.kr/rss/example-press.xml", world.server.page(rss(item)))
    await fakes.poller(world.store, world.server).poll(fakes.source())
    (day,) = await world.compare()
    assert day.stored == 1


async def test_a_body_whose_own_list_has_more_than_the_whole_one_is_seen(world: World) -> None:
    world.site.add(Release(id=800, day=DAY, ministry="산림청", title="산불 예방 강화"))
    world.site.hidden = {800, 101}
    await world.backfill()
    (day,) = await world.compare()
    assert not day.whole
    assert {row.ministry.id: (row.listed, row.own) for row in day.rows}["forest"] == (0, 1)
    assert {row.ministry.id: (row.listed, row.own) for row in day.rows}["mcee"] == (20, 21)
    assert day.own == 25


async def test_withdrawn_ones_are_told_but_are_no_lack(world: World) -> None:
    await world.backfill()
    world.site.withdraw(110)
    (day,) = await world.compare()
    assert day.gone == ("korea.kr/110",)
    assert day.whole


async def test_quick_asks_for_the_list_alone(world: World) -> None:
    await world.backfill()
    (day,) = await world.compare(quick=True)
    assert day.requests == 2
    assert day.own is None
    assert day.whole


async def test_days_follow_each_other(world: World) -> None:
    await world.backfill()
    days = await world.compare(last=DAY + timedelta(days=2))
    assert [(day.day, day.total) for day in days] == [
        (DAY, 25),
        (DAY + timedelta(days=1), 0),
        (DAY + timedelta(days=2), 0),
    ]
    assert all(day.whole for day in days)


async def test_a_list_that_shows_less_than_its_total_is_not_whole(world: World) -> None:
    class Short(Coded):
        def _row(self, one: Release) -> str:
            return "" if one.id == 124 else PressList._row(self, one)

        def __call__(self, request: Request) -> Document:
            return PressList.__call__(self, request)

    await world.backfill()
    world.server.at(LIST, Short(world.site.releases))
    (day,) = await world.compare(quick=True)
    assert (day.total, day.listed, day.missing, day.whole) == (25, 24, (), False)


async def test_a_list_without_a_total_proves_nothing(world: World) -> None:
    world.server.at(LIST, world.server.page("<div class='list_type'><ul></ul></div>"))
    with pytest.raises(LayoutChanged, match="shows no total"):
        await world.compare()
