"""A release that is gone upstream is marked withdrawn: when its own page says so, twice; not for a broken page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from policyfeed.deliver import DeliveryReport, deliver
from policyfeed.fill import Filler
from policyfeed.sources.korea_kr import read_detail
from policyfeed.store import Store, articles
from policyfeed.types import Article, DeliveryState, Detail, Document, Source
from tests.alerts import Hand, Paces, Receiver, answer, channel, delivery, directly, listing, owe
from tests.fakes import PressList, Release, Server, judge, korea_kr, poller

START = datetime(2026, 5, 20, 0, 0, tzinfo=UTC)
LIST = "https://www.korea.kr/briefing/pressReleaseList.do"
VIEW = "https://www.korea.kr/briefing/pressReleaseView.do?newsId={id}"
SAID = "삭제되었거나 존재하지 않는 기사입니다."
DELETED = f"<!DOCTYPE html><html><body><script>alert('{SAID}');</script></body></html>"
THERE = (
    '<html lang="ko"><body><div class="view_title"><h1>{id}번 시범사업 선정</h1></div><div class="article_head">'
    '<div class="info"><span>2026.05.20</span><span>기후에너지환경부</span></div></div><div class="article_body">'
    '<div class="view_cont"><div class="se-contents"><p>온실가스를 줄이는 시범사업이 시작된다.</p></div></div></div>'
    "</body></html>"
)


class World:
    """korea.kr with four releases, a poller and a filler over one store, and a clock."""

    def __init__(self, store: Store) -> None:
        self.now = START
        self.store = store
        self.server = Server(lambda: self.now)
        self.list = PressList()
        self.list.add(*(Release(id=id_, day=date(2026, 5, 20)) for id_ in range(1, 5)))
        self.server.at(LIST, self.list)
        for id_ in range(1, 5):
            self.server.at(VIEW.format(id=id_), self.server.page(THERE.format(id=id_)))
        self.source = korea_kr(sweep_hours=1)
        self.poller = poller(self.store, self.server)
        self.filler = Filler(
            store=self.store,
            db=directly,
            fetch=self.server,
            read=self._read,
            judge=judge,
            channels=(),
            clock=lambda: self.now,
            sources={self.source.id: self.source},
        )

    async def _read(self, source: Source, document: Document, so_far: Detail | None) -> Detail:
        return read_detail(source, document, so_far)

    async def later(self, **delta: float) -> None:
        """Time goes by, then the list is polled and every body that is due is asked for."""
        self.now += timedelta(**delta)
        report = await self.poller.poll(self.source)
        assert report.error is None, report.error
        while await self.filler.fill("www.korea.kr"):
            pass

    async def deliver(self, receiver: Receiver) -> DeliveryReport:
        at = Hand(self.now)
        return await deliver(channel(), store=self.store, db=directly, send=receiver, pace=Paces(), clock=at)

    def article(self, id_: int) -> Article:
        with self.store.read() as tx:
            found = articles.find(tx, f"korea.kr/{id_}")
        assert found is not None
        return found.article


async def test_withdrawn_after_its_own_page_said_so_twice(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(2)
    world.server.at(VIEW.format(id=2), world.server.page(DELETED))
    await world.later(hours=2)
    assert world.article(2).withdrawn is None, "once is not enough"
    await world.later(hours=2)
    assert world.article(2).withdrawn == world.now
    assert world.article(2).title == "2번 시범사업 선정", "nothing is deleted"
    assert all(world.article(id_).withdrawn is None for id_ in (1, 3, 4))


async def test_a_page_that_is_gone_by_its_status_is_gone(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(2)
    world.list.withdraw(3)
    world.server.at(VIEW.format(id=2), world.server.page("", status=410))
    world.server.at(VIEW.format(id=3), world.server.page("", status=404))
    world.server.at(VIEW.format(id=4), world.server.page("", status=404))  # and listed all the same
    for hours in (1, 1):
        await world.later(hours=hours)
    assert [world.article(id_).withdrawn is not None for id_ in (2, 3, 4)] == [True, False, False]
    for hours in (2, 7, 25, 30):
        await world.later(hours=hours)
    assert [world.article(id_).withdrawn is not None for id_ in (2, 3, 4)] == [True, True, False]


async def test_a_404_after_other_troubles_is_one_of_them(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(3)
    world.server.at(VIEW.format(id=3), *[world.server.page("", status=403)] * 4, world.server.page("", status=404))
    world.server.got.clear()
    for _ in range(7):
        await world.later(hours=30)
    assert [request.url for request in world.server.got].count(VIEW.format(id=3)) == 5, "then it is given up"
    assert world.article(3).withdrawn is None


async def test_what_merely_left_the_list_stays(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(3)
    for _ in range(4):
        await world.later(hours=2)
    assert world.article(3).withdrawn is None


async def test_an_old_copy_of_the_site_withdraws_nothing(store: Store) -> None:
    """Its list ends earlier, and its pages say of all that came later that they do not exist."""
    world = World(store)
    await world.later()
    for id_ in (3, 4):
        world.list.withdraw(id_)
        world.server.at(VIEW.format(id=id_), world.server.page(DELETED))
    for _ in range(3):
        await world.later(hours=2)
    assert all(world.article(id_).withdrawn is None for id_ in (3, 4))


async def test_a_broken_page_withdraws_nothing(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(1)
    world.server.at(VIEW.format(id=1), world.server.page("<html><body>정상적인 메뉴접근이 아닙니다</body></html>"))
    for _ in range(6):
        await world.later(hours=5)
    assert world.article(1).withdrawn is None


async def test_what_is_listed_again_is_not_withdrawn(store: Store) -> None:
    world = World(store)
    await world.later()
    world.list.withdraw(4)
    world.server.at(VIEW.format(id=4), world.server.page(DELETED))
    await world.later(hours=2)
    await world.later(hours=2)
    assert world.article(4).withdrawn is not None
    world.list.add(Release(id=4, day=date(2026, 5, 20)))
    world.now += timedelta(hours=2)
    report = await world.poller.poll(world.source)
    assert (report.restored, report.changed) == (1, True), "the feeds show it"
    assert world.article(4).withdrawn is None
    assert not (await world.poller.poll(world.source)).changed


async def test_an_alert_that_was_given_up_is_owed_again_when_the_release_comes_back(store: Store) -> None:
    """As when korea.kr answers from an old copy of itself for some hours while the messenger is down."""
    world = World(store)
    await world.later()
    number = world.article(4).number
    owe(world.store, delivery(number), delivery(number, "other", state=DeliveryState.DEAD, error="refused"))
    world.list.withdraw(4)
    world.server.at(VIEW.format(id=4), world.server.page(DELETED))
    await world.later(hours=2)
    await world.later(hours=2)
    receiver = Receiver(answer(200, "ok"))
    assert (await world.deliver(receiver)).dead == 1
    world.list.add(Release(id=4, day=date(2026, 5, 20)))
    world.now += timedelta(hours=2)
    report = await world.poller.poll(world.source)
    assert report.owed == 1, "so that it is delivered at once"
    assert (await world.deliver(receiver)).delivered == 1
    assert len(receiver.got) == 1
    assert sorted((one.channel, one.state) for one in listing(world.store)) == [
        ("other", DeliveryState.DEAD),
        ("slack-team", DeliveryState.DELIVERED),
    ]


async def test_what_comes_back_gets_the_text_that_it_never_had(store: Store) -> None:
    world = World(store)
    world.server.at(VIEW.format(id=4), world.server.page(DELETED))
    await world.later()
    await world.later(hours=2)
    assert world.article(4).withdrawn is not None
    world.server.at(VIEW.format(id=4), world.server.page(THERE.format(id=4)))
    await world.later(hours=2)
    assert (world.article(4).withdrawn, world.article(4).content) == (None, "")
    await world.later(hours=2)
    assert "온실가스" in world.article(4).content
