"""Cost follows what is new: requests made, entries parsed and sanitized, articles judged, rows written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from policyfeed import documents
from policyfeed.poll import PollReport
from policyfeed.store import Store, sources
from policyfeed.types import Article, Document, Source, Verdict
from tests import fakes
from tests.alerts import Hand
from tests.fakes import Item, Server, conditional, poller, rss, source

FEED = source()
ITEMS = tuple(
    Item(
        number=number, title=f"{number}번째 탄소중립 시범지구 지정", published=f"Wed, 20 May 2026 0{number}:00:00 +0900"
    )
    for number in range(8)
)


class Counted:
    """Polls a feed, and counts what its articles cost."""

    def __init__(self, store: Store, clock: Hand) -> None:
        self.store, self.clock, self.server = store, clock, Server(clock)
        self.judged: list[str] = []

    def judge(self, article: Article) -> Verdict:
        self.judged.append(article.title)
        return fakes.judge(article)

    async def poll(self, body: str | Any = None, of: Source = FEED, **headers: Any) -> PollReport:
        self.clock.advance(minutes=30)
        if body is not None:
            answer = body if callable(body) else self.server.page(body, **headers)
            self.server.at(of.url, answer)
        return await poller(self.store, self.server, judge=self.judge).poll(of)

    def costs(self, report: PollReport) -> tuple[int, int, int, int, int]:
        """(requests, entries parsed, sanitized, articles judged, rows written)."""
        assert report.matched == len(self.judged)
        self.judged.clear()
        return report.requests, report.parsed, report.sanitized, report.matched, report.rows


@pytest.fixture
def counted(store: Store, clock: Hand) -> Counted:
    return Counted(store, clock)


def listing(*items: Item, built: str = "") -> str:
    return rss(*items).replace("<description/>", f"<description/><lastBuildDate>{built}</lastBuildDate>", 1)


async def test_only_what_is_new_costs_anything(counted: Counted) -> None:
    first = await counted.poll(listing(*ITEMS[:6], built="1"))
    assert counted.costs(first) == (1, 6, 6, 6, 3 * 6)  # article, origin, verdict
    assert counted.costs(await counted.poll()) == (1, 0, 0, 0, 0)
    moved = await counted.poll(listing(*ITEMS[:6], built="2"))
    assert (moved.state, moved.changed, moved.entries) == ("unchanged", False, 6)
    assert counted.costs(moved) == (1, 0, 0, 0, 0)
    renamed = listing(*ITEMS[:6], built="2").replace("<description/>", "<description>새 설명</description>", 1)
    assert counted.costs(await counted.poll(renamed)) == (1, 0, 0, 0, 0)
    more = await counted.poll(listing(ITEMS[6], *ITEMS[:6], built="3"))
    assert (more.new, more.entries) == (1, 7)
    assert counted.costs(more) == (1, 1, 1, 1, 3)
    gone = await counted.poll(listing(*ITEMS[3:7], built="4"))
    assert (gone.state, gone.entries) == ("unchanged", 4)
    assert counted.costs(gone) == (1, 0, 0, 0, 0)


async def test_not_modified_costs_a_request(counted: Counted) -> None:
    answer = conditional(counted.server, rss(*ITEMS), etag='"1"')
    await counted.poll(answer)
    counted.judged.clear()
    assert counted.costs(await counted.poll()) == (1, 0, 0, 0, 0)


async def test_a_changed_entry_costs_what_it_is(counted: Counted) -> None:
    await counted.poll(listing(*ITEMS[:4]))
    counted.judged.clear()
    changed = replace(ITEMS[2], text="온실가스 감축 계획을 고쳤다.")
    report = await counted.poll(listing(ITEMS[0], ITEMS[1], changed, ITEMS[3]))
    assert report.revised == 1
    assert counted.costs(report) == (1, 1, 1, 1, 5)  # origin, article, both revisions, verdict
    again = await counted.poll(listing(ITEMS[4], ITEMS[3], ITEMS[0], replace(changed, text="다시 고쳤다."), ITEMS[1]))
    assert (again.new, again.revised) == (1, 1)
    assert counted.costs(again) == (1, 2, 2, 2, 3 + 4)  # what it said at first is kept already


async def test_what_an_item_bears_besides_its_entry_costs_no_more_than_parsing(counted: Counted) -> None:
    """Counters of views, session ids and tracking in addresses, the moment of the last touch: all items are others."""

    def told(turn: int, *items: Item) -> str:
        address = f"/view.do;jsessionid=0{turn}AB.node?utm_id={turn}&no="
        body = listing(*(replace(one, url=f"https://www.example.go.kr{address}{one.number}") for one in items))
        touched = f"<views>{turn}</views><dc:date>2026-05-2{turn}</dc:date></item>"
        body = body.replace("감축 계획", f'&lt;a href="/f;jsessionid={turn}">감축&lt;/a> 계획').replace(
            "</item>", touched
        )
        return body.replace("<rss", '<rss xmlns:dc="http://purl.org/dc/elements/1.1/"')

    assert counted.costs(await counted.poll(told(1, *ITEMS[:5]))) == (1, 5, 5, 5, 15)
    seen = await counted.poll(told(2, *ITEMS[:5]))
    assert counted.costs(seen) == (1, 5, 0, 0, 0)
    assert (seen.changed, seen.entries) == (False, 5)
    more = await counted.poll(told(3, ITEMS[5], *ITEMS[:5]))
    assert counted.costs(more) == (1, 6, 1, 1, 3)


async def test_an_edited_entry_that_the_reader_judged_is_not_judged_again(counted: Counted) -> None:
    ministries = fakes.MINISTRIES

    async def read(of: Source, cursor: Mapping[str, Any], document: Document) -> documents.Reading:
        return documents.read_document(of, cursor, document, ministries, fakes.judge)

    for text, judged in (("처음", 4), ("고침", 1), ("고침", 0)):
        counted.server.at(FEED.url, counted.server.page(listing(*ITEMS[:3], replace(ITEMS[3], text=text))))
        report = await poller(counted.store, counted.server, judge=counted.judge, read=read).poll(FEED)
        assert (report.matched, counted.judged) == (judged, [])
        counted.clock.advance(minutes=30)


async def test_another_entry_under_a_known_link_is_another_article(counted: Counted) -> None:
    board = "https://www.example.go.kr/board/list.do"
    await counted.poll(listing(replace(ITEMS[0], url=board)))
    report = await counted.poll(
        listing(replace(ITEMS[1], url=board, text="다른 글이다."), replace(ITEMS[0], url=board))
    )
    assert report.revised == 0
    assert report.new + report.joined >= 1
    with counted.store.read() as tx:
        assert sources.get(tx, FEED.id).listed == 2


async def test_a_feed_that_cannot_be_sliced_is_read_whole_and_only_what_is_new_is_judged(counted: Counted) -> None:
    """What a document type declares could change what anything in it means: it is never sliced."""
    head = "<!DOCTYPE rss [<!ELEMENT rss ANY>]>"
    before = listing(*ITEMS[:5]).replace("<rss", f"{head}<rss", 1)
    after = listing(ITEMS[5], *ITEMS[:5]).replace("<rss", f"{head}<rss", 1)
    assert counted.costs(await counted.poll(before)) == (1, 5, 5, 5, 15)
    report = await counted.poll(after)
    assert counted.costs(report) == (1, 6, 1, 1, 3)


@pytest.mark.parametrize(
    "kind",
    [
        "<!DOCTYPE rss>",
        "\n<!DOCTYPE rss SYSTEM 'http://www.example.org/rss.dtd'>\n",
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://my.netscape.com/rss-0.91.dtd">',
    ],
)
async def test_a_document_type_that_declares_nothing_itself_makes_nothing_dearer(counted: Counted, kind: str) -> None:
    def told(*items: Item) -> str:
        return listing(*items).replace("<rss", f"{kind}<rss", 1)

    assert counted.costs(await counted.poll(told(*ITEMS[:5]))) == (1, 5, 5, 5, 15)
    assert counted.costs(await counted.poll(told(ITEMS[5], *ITEMS[:5]))) == (1, 1, 1, 1, 3)


def test_a_reader_that_judges_judges_only_what_is_new() -> None:
    """As the worker processes do."""
    ministries = fakes.MINISTRIES
    seen: list[str] = []

    def judge(article: Article) -> Verdict:
        seen.append(article.title)
        return fakes.judge(article)

    def document(body: str) -> Document:
        return Document(url=FEED.url, status=200, body=body.encode(), fetched=Hand()())

    first = documents.read_document(FEED, {}, document(rss(*ITEMS[:7])), ministries, judge)
    assert len(seen) == len(first.verdicts) == 7
    second = documents.read_document(FEED, first.memory, document(rss(*ITEMS)), ministries, judge)
    assert seen[7:] == [ITEMS[7].title]
    assert [verdict.kept for verdict in second.verdicts] == [True]
