"""Backfills: every day whole, quiet, resumable after a kill; of the polls' own memory the rhythm alone is taught."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from policyfeed.backfill import TRIES, Backfill, Step, check, way
from policyfeed.clock import KST
from policyfeed.errors import Incomplete, Refused, Unreachable, UsageError
from policyfeed.rhythm import Profile
from policyfeed.store import BackfillState, Store, articles, backfills, outbox, sources
from policyfeed.types import Document, Request, Source
from tests import fakes
from tests.alerts import Hand
from tests.fakes import Item, PressList, Release, Server, korea_kr, rss

FIRST, LAST = date(2024, 8, 1), date(2024, 8, 3)
LIST = "https://www.korea.kr/briefing/pressReleaseList.do"
MOBILE = LIST.replace("www.", "m.")


class Killed(BaseException):
    """The process died here."""


@dataclass
class World:
    """korea.kr's list of three days (45, 0 and 20 releases), a store, and the pauses that were taken."""

    store: Store
    clock: Hand
    site: PressList = field(default_factory=PressList)
    pauses: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        for day, count, start in ((FIRST, 45, 1000), (LAST, 20, 2000)):
            self.site.add(
                *(Release(id=start + n, day=day, title=f"제{start + n}호 탄소 감축 점검") for n in range(count))
            )
        self.server = Server(self.clock)
        self.server.at(LIST, self.site)

    def backfill(self, source: Source | None = None, first: date = FIRST, last: date = LAST, **more: Any) -> Backfill:
        poller = fakes.poller(self.store, self.server, [fakes.channel()])
        return Backfill(poller=poller, source=source or korea_kr(), first=first, last=last, pause=self.pause, **more)

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    async def run(self, **more: Any) -> list[Step]:
        return [step async for step in self.backfill(**more).run()]

    def days_asked(self) -> list[str]:
        return [parse_qs(urlsplit(one.url).query)["startDate"][0] for one in self.server.got]

    def state(self, source: str = "korea-press") -> BackfillState | None:
        with self.store.read() as tx:
            return backfills.get(tx, source, FIRST, LAST)

    def count(self) -> int:
        with self.store.read() as tx:
            return articles.count(tx)["articles"]


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, clock)


async def test_every_day_is_read_to_its_end_and_stored(world: World) -> None:
    steps = await world.run()
    assert [(one.name, one.entries, one.new, one.requests) for one in steps] == [
        ("2024-08-01", 45, 45, 3),
        ("2024-08-02", 0, 0, 1),
        ("2024-08-03", 20, 20, 1),
    ]
    assert world.count() == 65
    state = world.state()
    assert state is not None
    assert (state.done, state.entries, state.new, state.requests) == (world.clock(), 65, 65, 5)


async def test_nothing_is_announced_and_the_polls_memory_is_untouched(world: World) -> None:
    poller = fakes.poller(world.store, world.server, [fakes.channel()])
    await poller.poll(korea_kr())
    with world.store.read() as tx:
        before = sources.every(tx)
    await world.run()
    with world.store.read() as tx:
        assert sources.every(tx) == before
        assert outbox.counts(tx) == {}


async def test_after_a_kill_the_same_command_goes_on(world: World) -> None:
    list_: Callable[[Request], Document] = world.site

    def dies(_request: Request) -> Document:
        raise Killed

    world.server.at(LIST, list_, list_, list_, list_, dies)  # in the third day
    with pytest.raises(Killed):
        await world.run()
    assert world.count() == 45
    world.server.at(LIST, list_)
    del world.server.got[:]
    assert [one.name for one in await world.run()] == ["2024-08-03"]
    assert world.days_asked() == ["2024-08-03"]
    assert world.count() == 65


async def test_a_complete_one_asks_nothing_unless_again_is_said(world: World) -> None:
    await world.run()
    del world.server.got[:]
    assert await world.run() == []
    assert world.server.got == []
    assert [one.new for one in await world.run(again=True)] == [0, 0, 0]
    assert world.count() == 65


async def test_another_configuration_begins_anew(world: World) -> None:
    await world.run()
    assert len(await world.run(source=korea_kr(rep_code="A00009"))) == 3


async def test_a_day_that_shows_less_than_its_total_is_tried_again_and_then_an_error(world: World) -> None:
    class Short(PressList):
        def _row(self, one: Release) -> str:
            return "" if one.id == 1007 else super()._row(one)

    world.server.at(LIST, Short(world.site.releases))
    with pytest.raises(Incomplete, match="2024-08-01 has 45 entries, but shows 44"):
        await world.run()
    assert world.count() == 0
    assert world.pauses == [5.0, 10.0, 20.0]
    world.server.at(LIST, world.site)
    await world.run()
    assert world.count() == 65


async def test_a_server_that_wishes_a_pause_gets_it(world: World) -> None:
    busy = replace(world.server.page("", status=503, retry_after="90"), url=LIST)
    world.server.at(LIST, busy, world.site)
    assert len(await world.run()) == 3
    assert world.pauses == [90.0]


async def test_a_server_that_stays_down_ends_the_run(world: World) -> None:
    for address in (LIST, MOBILE):
        world.server.at(address, Unreachable("{url} is down.", url=address))
    with pytest.raises(Unreachable):
        await world.run()
    asked = [request.url.partition("?")[0] for request in world.server.got]
    assert asked == [LIST, MOBILE] * TRIES
    assert world.state() is None


async def test_what_a_ministry_published_too_is_joined(world: World) -> None:
    item = Item(number=1, title="제1003호 탄소 감축 점검", published="Thu, 01 Aug 2024 10:00:00 +0900")
    world.server.at("https://www.example.go.kr/rss/example-press.xml", world.server.page(rss(item)))
    await fakes.poller(world.store, world.server).poll(fakes.source())
    steps = await world.run()
    assert (steps[0].new, steps[0].joined) == (44, 1)


# Lists that are leafed through ------------------------------------------------------------------------------------

BOARD = Source(
    id="board",
    kind="page",
    url="https://www.example.go.kr/board/list.do",
    ministry="mcee",
    options={
        "item": "tr:has(a)",
        "title": "a",
        "link": "a",
        "date": "td:nth-child(3)",
        "page_param": "page",
    },
)


def board(days: list[date], per_page: int = 4, pinned: str = "") -> Callable[[Request], Document]:
    """A board with one release a day given, newest first; beyond its end it shows its last page again."""

    def answer(request: Request) -> Document:
        asked = int(parse_qs(urlsplit(request.url).query).get("page", ["1"])[0])
        last = (len(days) - 1) // per_page + 1
        start = (min(asked, last) - 1) * per_page
        rows = "".join(
            f'<tr><td>{start + n}</td><td><a href="view.do?no={day:%Y%m%d}">{day:%m월 %d일} 탄소중립 이행 점검</a></td>'
            f"<td>{day:%Y.%m.%d}</td></tr>"
            for n, day in enumerate(days[start : start + per_page])
        )
        body = f"<table><tbody>{pinned}{rows}</tbody></table>".encode()
        return Document(url=request.url, status=200, body=body, fetched=Hand()())

    return answer


def back_from(last: date, count: int) -> list[date]:
    return [last - timedelta(days=number) for number in range(count)]


async def test_a_board_is_leafed_through_until_it_is_older_than_asked_for(world: World) -> None:
    world.server.at(BOARD.url, board(back_from(date(2024, 8, 10), 60)))
    steps = await world.run(source=BOARD)
    # 10–7, 6–3, 2–30, 29–26: the last page is older
    assert [one.entries for one in steps] == [0, 1, 2, 0]
    assert len(world.server.got) == 4
    assert world.count() == 3


async def test_pinned_notices_do_not_lead_to_the_end_of_the_board(world: World) -> None:
    pinned = '<tr><td>공지</td><td><a href="view.do?no=1">누리집 개편 안내</a></td><td>2024.08.09</td></tr>'
    world.server.at(BOARD.url, board(back_from(date(2024, 8, 10), 60), pinned=pinned))
    await world.run(source=BOARD)
    assert len(world.server.got) == 4


async def test_a_board_that_ends_is_read_to_its_end_and_says_so(world: World) -> None:
    world.server.at(BOARD.url, board([date(2024, 8, 5), LAST, date(2024, 8, 2)], per_page=2))
    steps = await world.run(source=BOARD)
    assert world.count() == 2
    assert "the list ends at 2024-08-02: older entries cannot be had" in steps[-1].warnings


async def test_a_board_goes_on_where_it_was_left(world: World) -> None:
    pages = board(back_from(date(2024, 8, 10), 60))

    def dies(_request: Request) -> Document:
        raise Killed

    world.server.at(BOARD.url, pages)
    world.server.at(f"{BOARD.url}?page=3", dies)
    with pytest.raises(Killed):
        await world.run(source=BOARD)
    world.server.at(f"{BOARD.url}?page=3", pages)
    del world.server.got[:]
    await world.run(source=BOARD)
    assert [one.url for one in world.server.got] == [f"{BOARD.url}?page=3", f"{BOARD.url}?page=4"]
    assert world.count() == 3


async def test_a_feed_that_leafs_by_its_own_links_is_followed(world: World) -> None:
    source = fakes.source(options={"paged": True})
    older = f"{source.url}?page=2"
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom"><title>보도자료</title>{link}<entry><title>{title}</title>'
        '<link href="/view?no={no}"/><published>2024-08-0{no}T10:00:00+09:00</published></entry></feed>'
    )
    link = f'<link rel="next" href="{older}"/>'
    world.server.at(source.url, world.server.page(atom.format(link=link, title="탄소 시장 개설", no=3)))
    world.server.at(older, world.server.page(atom.format(link="", title="탄소 흡수원 확충", no=2)))
    steps = [one async for one in world.backfill(source).run()]
    assert [one.new for one in steps] == [1, 1]


@pytest.mark.parametrize(
    ("options", "second"),
    [
        ({"page_param": "page"}, "page=2"),
        ({"page_param": "pagerOffset", "page_start": 0, "page_step": 10}, "pagerOffset=10"),
    ],
)
async def test_a_feed_is_leafed_through_by_its_parameter(world: World, options: dict[str, Any], second: str) -> None:
    source = fakes.source(options=options)
    world.server.at(source.url, world.server.page(rss(Item(number=1, published="2024-08-03 10:00"))))
    world.server.at(f"{source.url}?{second}", world.server.page(rss()))
    steps = [one async for one in world.backfill(source).run()]
    assert [one.new for one in steps] == [1, 0]


# What it teaches ------------------------------------------------------------------------------------------------

CLOCKED = fakes.source(options={"page_param": "page"})
SINCE, UNTIL = date(2026, 2, 20), date(2026, 5, 17)
"""The days that are asked for. (The clock's day is 2026-05-20.)"""


def paged(world: World, *pages: list[int]) -> list[datetime]:
    """A feed with a release at 12:00 so many days ago on each page, and one of today on the first; its past times."""
    today = world.clock().astimezone(KST).replace(hour=12, minute=0)
    for number, days in enumerate([*pages, []], 1):
        items = [Item(number=day, published=f"{today - timedelta(days=day):%Y-%m-%d %H:%M}") for day in days]
        if number == 1:
            items.append(Item(number=999, published="2026-05-20 09:00"))
        world.server.at(f"{CLOCKED.url}?page={number}" if number > 1 else CLOCKED.url, world.server.page(rss(*items)))
    return sorted(today - timedelta(days=day) for page in pages for day in page)


def profile_of(world: World, of: Source = CLOCKED) -> Profile:
    with world.store.read() as tx:
        return Profile.from_json(sources.get(tx, of.id).profile)


def times(moments: Iterable[datetime]) -> tuple[int, ...]:
    return tuple(int(moment.timestamp()) for moment in moments)


async def test_a_backfill_teaches_the_rhythm_what_it_finds_and_asks_for_nothing_of_its_budget(world: World) -> None:
    past = paged(world, [12, 13, 14], [40, 70, 80])
    await world.run(source=CLOCKED, first=SINCE, last=UNTIL)
    assert profile_of(world) == Profile(releases=times(past))
    world.clock.advance(minutes=1)
    report = await fakes.poller(world.store, world.server).poll(CLOCKED)
    assert (report.state, report.owed) == ("ok", 0), "first contact"
    profile = profile_of(world)
    assert profile.releases == times([*past, datetime(2026, 5, 20, 0, 0, tzinfo=UTC)])
    assert (profile.used, len(profile.past), sum(profile.worked) > 0) == (1, len(past), True)


async def test_what_polls_or_a_backfill_told_the_rhythm_is_not_told_again(world: World) -> None:
    past = paged(world, [12, 13, 14], [40, 70, 80])
    await fakes.poller(world.store, world.server).poll(CLOCKED)  # the first page
    for again in (False, True, True):
        await world.run(source=CLOCKED, first=SINCE, last=UNTIL, again=again)
    assert profile_of(world).releases == times([*past, datetime(2026, 5, 20, 0, 0, tzinfo=UTC)])


async def test_after_a_kill_the_rhythm_has_heard_of_every_page_once(world: World) -> None:
    past = paged(world, [12, 13, 14], [40, 70, 80])

    def dies(_request: Request) -> Document:
        raise Killed

    third = world.server.page(rss(Item(number=5, published="2026-02-21 10:00")))
    world.server.at(f"{CLOCKED.url}?page=3", dies)
    with pytest.raises(Killed):
        await world.run(source=CLOCKED, first=SINCE, last=UNTIL)
    assert profile_of(world).releases == times(past)
    world.server.at(f"{CLOCKED.url}?page=3", third)
    world.server.at(f"{CLOCKED.url}?page=4", world.server.page(rss()))
    await world.run(source=CLOCKED, first=SINCE, last=UNTIL)
    assert profile_of(world).releases == times([datetime(2026, 2, 21, 1, 0, tzinfo=UTC), *past])


async def test_days_without_a_time_teach_the_rhythm_nothing(world: World) -> None:
    dated = replace(CLOCKED, options={**CLOCKED.options, "date_only": True})
    paged(world, [12, 13, 14])
    await world.run(source=dated, first=SINCE, last=UNTIL)
    with world.store.read() as tx:
        assert sources.every(tx) == {}


@pytest.mark.parametrize("answer", ["another body", "the same body", "not modified", "an error"])
async def test_what_a_backfill_teaches_during_a_poll_stays(world: World, answer: str) -> None:
    past = paged(world, [], [40, 70, 80])
    news = rss(Item(number=999, published="2026-05-20 09:00"))
    world.server.at(CLOCKED.url, world.server.page(news, etag='"1"'))
    await fakes.poller(world.store, world.server).poll(CLOCKED)
    world.clock.advance(minutes=30)
    answers = {
        "another body": world.server.page(rss(Item(number=998, published="2026-05-20 09:40"))),
        "the same body": world.server.page(news),
        "not modified": world.server.page("", 304),
        "an error": world.server.page("", 500),
    }
    began = profile_of(world)

    async def meanwhile(_source: Source, request: Request) -> Document:
        await world.run(source=CLOCKED, first=SINCE, last=UNTIL)
        for _ in range(5):
            await asyncio.sleep(0)  # meanwhile it is noted that the source is being asked
        assert profile_of(world).releases == times([*past, datetime(2026, 5, 20, 0, 0, tzinfo=UTC)])
        return replace(answers[answer], url=request.url, fetched=world.clock())

    report = await fakes.poller(world.store, world.server, fetch=meanwhile, patience=0).poll(CLOCKED)
    assert report.state == {"another body": "ok", "an error": "Refused"}.get(answer, "unchanged")
    profile = profile_of(world)
    assert profile.releases[:4] == times([*past, datetime(2026, 5, 20, 0, 0, tzinfo=UTC)])
    assert (profile.used, len(profile.past)) == (began.used + 1, len(past)), "and it was learned from"


async def test_what_a_poll_stores_during_a_backfill_stays(world: World) -> None:
    past = paged(world, [12], [40, 70])
    poller = fakes.poller(world.store, world.server)
    await poller.poll(CLOCKED)
    world.server.at(CLOCKED.url, world.server.page(rss(Item(number=998, published="2026-05-20 09:40"))))
    async for _ in world.backfill(source=CLOCKED, first=SINCE, last=UNTIL).run():
        world.clock.advance(minutes=30)
        await poller.poll(CLOCKED)
    with world.store.read() as tx:
        state = sources.get(tx, CLOCKED.id)
    profile = Profile.from_json(state.profile)
    assert (profile.used, state.last_poll) == (4, world.clock())
    assert profile.releases[: len(past)] == times(past)


# What can be backfilled -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (korea_kr(), "days"),
        (BOARD, "pages"),
        (replace(BOARD, options={**BOARD.options, "page_param": ""}), ""),
        (fakes.source(), ""),
        (fakes.source(options={"paged": True}), "pages"),
        (replace(fakes.source(), kind="json", options={"page_param": "pageNo"}), "pages"),
    ],
)
def test_the_way_back_follows_from_kind_and_options(source: Source, expected: str) -> None:
    assert way(source) == expected


def test_a_source_that_cannot_says_which_can() -> None:
    with pytest.raises(UsageError, match=r"example-press cannot be backfilled.*These can: korea-press, board\."):
        check(fakes.source(), FIRST, LAST, date(2026, 5, 20), (fakes.source(), korea_kr(), BOARD))


@pytest.mark.parametrize(("last", "fits"), [(date(2026, 5, 17), True), (date(2026, 5, 18), False)])
def test_the_last_days_are_the_polls(last: date, fits: bool) -> None:
    if fits:
        check(korea_kr(), FIRST, last, date(2026, 5, 20), ())
    else:
        with pytest.raises(UsageError, match="until 2026-05-17"):
            check(korea_kr(), FIRST, last, date(2026, 5, 20), ())


def test_days_are_given_in_order() -> None:
    with pytest.raises(UsageError, match="is after"):
        check(korea_kr(), LAST, FIRST, date(2026, 5, 20), ())


async def test_a_refusal_names_its_remedy(world: World) -> None:
    for address in (LIST, MOBILE):
        world.server.at(address, world.server.page("", status=403))
    with pytest.raises(Refused, match="another address"):
        await world.run()
