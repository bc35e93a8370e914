"""Looking at sources and sites: what is shown, how few requests it takes, and that nothing is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from policyfeed.discovery import guesses
from policyfeed.errors import Refused, Unreachable
from policyfeed.probe import Discoverer, Discovery, Looked, Probe, Survey, guess_of, look, look_at, survey
from policyfeed.store import Store, articles, sources
from policyfeed.types import Document, Source
from tests import fakes
from tests.alerts import Hand
from tests.fakes import MINISTRIES, Item, Server, korea_kr, rss

CASES = Path(__file__).parents[1] / "cases" / "discovery"
SITE = "https://www.example.go.kr"
BOARD = f"{SITE}/board/list.do"
FEED = f"{SITE}/rss/press.xml"


async def read(source: Source, cursor: Mapping[str, Any], document: Document) -> Looked:
    return look_at(source, cursor, document, MINISTRIES)


async def take_stock(source: Source, document: Document) -> Survey:
    return survey(source, document)


@dataclass
class World:
    store: Store
    server: Server

    async def look(self, source: Source, **cursor: Any) -> Probe:
        poller = fakes.poller(self.store, self.server)
        return await look(source, cursor, poller=poller, read=read, clock=self.server.clock)

    async def discover(self, url: str) -> Discovery:
        poller = fakes.poller(self.store, self.server)
        return await Discoverer(poller=poller, read=read, take_stock=take_stock).discover(url)

    def asked(self) -> list[str]:
        return [request.url for request in self.server.got]

    def page(self, url: str, html: str, **headers: Any) -> None:
        self.server.at(url, self.server.page(html, content_type="text/html; charset=utf-8", **headers))


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, Server(clock))


# One source -------------------------------------------------------------------------------------------------------


async def test_every_entry_is_shown_with_what_becomes_of_it(world: World) -> None:
    items = (Item(number=1), Item(number=2, published="2026년 13월 1일"), Item(number=1, title="같은 주소의 다른 자료"))
    world.server.at(fakes.source().url, world.server.page(rss(*items).encode("cp949")))
    looked = (await world.look(fakes.source())).looked
    assert looked is not None
    assert (looked.encoding, looked.format, looked.title) == ("cp949", "RSS 2.0", "보도자료")
    assert [one.entry.published for one in looked.seen][1] == "2026년 13월 1일"
    assert looked.seen[1].warnings == ("a date could not be read and was left out: '2026년 13월 1일'",)
    article = looked.seen[0].article
    assert article is not None
    assert (article.ministry.id, article.url) == ("mcee", f"{SITE}/board/view.do?no=1")


async def test_an_encoding_that_only_the_document_declares_is_not_its_type(world: World) -> None:
    body = rss(Item(number=1)).replace("UTF-8", "johab").encode("johab")
    world.server.at(fakes.source().url, world.server.page(body, content_type="application/xml"))
    looked = (await world.look(fakes.source())).looked
    assert looked is not None
    assert looked.encoding == "?"


async def test_a_block_page_is_told_from_a_page_without_a_list(world: World) -> None:
    for guess in guesses(BOARD):
        world.server.at(guess.url, world.server.page("", status=404))
    world.page(BOARD, "<html><body>정상적인 메뉴접근이 아닙니다</body></html>")
    assert (await world.discover(BOARD)).notes == ("the page reads like a block page",)
    world.page(BOARD, "<html><body>점검 중입니다</body></html>")
    assert (await world.discover(BOARD)).notes == ()


async def test_a_doubled_entry_is_marked(world: World) -> None:
    world.server.at(fakes.source().url, world.server.page(rss(Item(number=1), Item(number=1))))
    looked = (await world.look(fakes.source())).looked
    assert looked is not None
    assert [one.warnings for one in looked.seen] == [(), ("an earlier entry has the same key",)]


async def test_an_empty_entry_becomes_nothing(world: World) -> None:
    world.server.at(fakes.source().url, world.server.page(rss(Item(number=1, title="", text=""))))
    looked = (await world.look(fakes.source())).looked
    assert looked is not None
    assert looked.seen[0].article is None
    assert "without title and text" in looked.seen[0].warnings[0]


async def test_total_and_next_page_of_a_list_are_shown(world: World) -> None:
    source = korea_kr()
    site = fakes.PressList([fakes.Release(id=n, day=world.server.clock().date()) for n in range(50)])
    world.server.at(source.url, site)
    looked = (await world.look(source)).looked
    assert looked is not None
    assert looked.total == 50
    assert "pageIndex=2" in looked.next


async def test_trouble_is_part_of_the_answer(world: World) -> None:
    world.server.at(fakes.source().url, world.server.page("", status=405))
    probe = await world.look(fakes.source())
    assert isinstance(probe.error, Refused)
    assert probe.document is None
    world.server.at(fakes.source().url, world.server.page("<html><body>안내</body></html>"))
    probe = await world.look(fakes.source())
    assert probe.document is not None
    assert probe.error is not None


async def test_nothing_is_stored(world: World) -> None:
    world.server.at(fakes.source().url, world.server.page(rss(Item(number=1))))
    await world.look(fakes.source())
    with world.store.read() as tx:
        assert articles.count(tx)["articles"] == 0
        assert sources.every(tx) == {}


async def test_an_address_of_unknown_kind_is_read_as_a_json_feed_too(world: World) -> None:
    feed = '{"version": "https://jsonfeed.org/version/1.1", "title": "자료", "items": [{"title": "탄소 감축"}]}'
    world.server.at(FEED, world.server.page(feed))
    looked = (await world.look(guess_of(FEED))).looked
    assert looked is not None
    assert (looked.format, len(looked.seen)) == ("JSON Feed", 1)


# A site -----------------------------------------------------------------------------------------------------------


async def test_announced_feeds_are_asked_and_described(world: World) -> None:
    world.page(BOARD, f'<link rel="alternate" type="application/rss+xml" href="{FEED}">')
    world.server.at(FEED, world.server.page(rss(Item(number=1), Item(number=2, published="2026-05-19 08:00"))))
    found = await world.discover(BOARD)
    (feed,) = found.feeds
    assert feed.looked is not None
    assert feed.newest is not None
    assert (feed.candidate.how, feed.looked.format, feed.newest.isoformat()) == (
        "announced",
        "RSS 2.0",
        "2026-05-20T00:00:00+00:00",
    )
    assert world.asked() == [BOARD, FEED]
    assert found.requests == 2


async def test_a_page_about_feeds_is_looked_through_once(world: World) -> None:
    world.page(BOARD, '<a href="/etc/rss.do">RSS 서비스</a>')
    world.page(f"{SITE}/etc/rss.do", '<a href="/rss/press.xml">보도자료 RSS</a><a href="/rss/guide.do">RSS란?</a>')
    world.page(f"{SITE}/rss/guide.do", '<a href="/rss/deeper.do">RSS</a>')
    world.server.at(FEED, world.server.page(rss(Item(number=1))))
    found = await world.discover(BOARD)
    assert [feed.candidate.url for feed in found.feeds] == [FEED]
    assert world.asked() == [BOARD, f"{SITE}/etc/rss.do", FEED, f"{SITE}/rss/guide.do"]


async def test_an_announced_feed_that_fails_is_told_with_its_remedy(world: World) -> None:
    world.page(BOARD, f'<link rel="alternate" type="application/rss+xml" href="{FEED}">')
    world.server.at(FEED, world.server.page("", status=405))
    for guess in ("/rss.xml", "/rss", "/feed", "/atom.xml", "/feed.xml", "/rss.do"):
        world.server.at(f"{SITE}{guess}", world.server.page("", status=404))
    (feed,) = (await world.discover(BOARD)).feeds
    assert feed.error is not None
    assert "POST" in str(feed.error)


async def test_usual_places_are_tried_only_when_nothing_was_found(world: World) -> None:
    world.page(SITE + "/", "<p>어서 오십시오.</p>")
    world.server.at(f"{SITE}/rss.xml", world.server.page("", status=404))
    world.server.at(f"{SITE}/rss", world.server.page(rss(Item(number=1))))
    found = await world.discover(SITE + "/")
    assert [(feed.candidate.url, feed.candidate.how) for feed in found.feeds] == [(f"{SITE}/rss", "guessed")]
    assert found.requests == 3


async def test_many_links_are_not_all_asked(world: World) -> None:
    world.page(BOARD, "".join(f'<a href="/rss/{n}.xml">RSS {n}</a>' for n in range(40)))
    for number in range(40):
        world.server.at(f"{SITE}/rss/{number}.xml", world.server.page(rss(Item(number=1))))
    assert (await world.discover(BOARD)).requests == 11


async def test_a_feed_given_as_the_page_is_itself_what_is_found(world: World) -> None:
    world.server.at(FEED, world.server.page(rss(Item(number=1))))
    (feed,) = (await world.discover(FEED)).feeds
    assert feed.looked is not None


async def test_a_board_is_proposed_and_its_first_address_proven(world: World) -> None:
    world.page(BOARD, (CASES / "plain-table-with-relative-links-and-numb.html").read_text())
    first = f"{SITE}/board/view.do?nttId=7301&menuNo=200"
    world.page(first, "<h1>공공부문 온실가스  감축 실적\n점검 결과 발표</h1>")
    found = await world.discover(BOARD)
    assert found.board is not None
    assert (found.board.id, found.board.kind, len(found.entries), found.proven) == ("example-press", "page", 5, True)
    assert world.asked() == [BOARD, first]


async def test_an_address_that_leads_elsewhere_is_told(world: World) -> None:
    world.page(BOARD, (CASES / "nothing-says-where-it-leads.html").read_text())
    world.page(f"{SITE}/board/view.do?id=7301", "<p>정상적인 메뉴접근이 아닙니다.</p>")
    found = await world.discover(BOARD)
    assert found.proven is False
    assert any("does not lead" in note for note in found.notes)


async def test_a_page_that_cannot_be_had_is_an_error(world: World) -> None:
    world.server.at(BOARD, Unreachable("{url} did not answer.", url=BOARD))
    with pytest.raises(Unreachable):
        await world.discover(BOARD)
