"""korea.kr's lists: asked for on m.korea.kr where www refuses this network; what two of them hold is one article."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import pytest

from policyfeed.errors import PolicyfeedError, Unreachable
from policyfeed.selection import Selection
from policyfeed.store import Store, articles
from policyfeed.types import Article, Document, Kind, Source
from tests.alerts import Hand
from tests.fakes import PressList, Release, Server, korea_kr, poller

PRESS = korea_kr()
EXPLANATIONS = replace(
    PRESS, id="korea-explanations", url="https://www.korea.kr/briefing/actuallyList.do", article_kind=Kind.EXPLANATION
)
MOBILE = PRESS.url.replace("www.", "m.")
TODAY = date(2026, 5, 20)


class World:
    def __init__(self, store: Store, clock: Hand) -> None:
        self.store, self.clock, self.server = store, clock, Server(clock)
        self.list = PressList()
        self.list.add(*(Release(id=id_, day=TODAY, title=f"{id_}번 배출권 설명회") for id_ in range(1, 31)))

    async def poll(self, source: Source = PRESS) -> tuple[PolicyfeedError | None, int]:
        """The error and the number of requests."""
        self.clock.advance(minutes=30)
        report = await poller(self.store, self.server).poll(source)
        return report.error, report.requests

    def articles(self) -> list[Article]:
        with self.store.read() as tx:
            return [one.article for one in articles.newest(tx, Selection(kept_only=False), 100)]


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, clock)


def refused(server: Server, status: int | None) -> Document | Unreachable:
    return server.page("", status) if status else Unreachable("{url} reset the connection.", url=PRESS.url)


@pytest.mark.parametrize("status", [None, 403, 451])
async def test_the_mobile_site_is_asked_where_the_other_refuses_this_network(world: World, status: int | None) -> None:
    world.server.at(PRESS.url, refused(world.server, status))
    world.server.at(MOBILE, world.list)
    assert await world.poll() == (None, 4)
    assert len(world.articles()) == 30
    assert {one.url.partition("newsId")[0] for one in world.articles()} == {
        "https://www.korea.kr/briefing/pressReleaseView.do?"
    }


@pytest.mark.parametrize("status", [429, 503, 404])
async def test_nothing_else_is_evaded(world: World, status: int) -> None:
    world.server.at(PRESS.url, refused(world.server, status))
    error, requests = await world.poll()
    assert (str(status) in str(error), requests) == (True, 1)


async def test_when_both_refuse_the_first_one_is_named(world: World) -> None:
    world.server.at(PRESS.url, refused(world.server, 403))
    world.server.at(MOBILE, world.server.page("", 500))
    error, requests = await world.poll()
    assert ("403" in str(error), requests) == (True, 2)


@pytest.mark.parametrize("order", list(permutations((PRESS, EXPLANATIONS))))
async def test_what_two_lists_hold_is_one_article(world: World, order: tuple[Source, ...]) -> None:
    for source in order:
        world.server.at(source.url, world.list)
    for source in (*order, *order):
        assert (await world.poll(source))[0] is None
    found = world.articles()
    assert len(found) == 30
    assert {len(one.origins) for one in found} == {2}
    assert {one.kind for one in found} == {Kind.EXPLANATION}
    assert {one.revision for one in found} == {1}


async def test_a_list_in_another_form_is_named(world: World) -> None:
    page = "<html><body><p>총 <strong>12</strong>건</p><table><tr><td>설명자료</td></tr></table></body></html>"
    world.server.at(EXPLANATIONS.url, world.server.page(page))
    error, _ = await world.poll(EXPLANATIONS)
    assert error is not None
    assert error.name == "LayoutChanged"
    assert world.articles() == []
