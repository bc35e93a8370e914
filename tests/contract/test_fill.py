"""Filling in bodies, with the real store and the real adapters; the network is a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from policyfeed.errors import Busy, Forbidden, HostileDocument, TooLarge, Unreachable, told
from policyfeed.fill import RETRIES, Filler, FillReport
from policyfeed.i18n import translator
from policyfeed.selection import Selection
from policyfeed.sources import detailed
from policyfeed.store import Store, articles, bodies, outbox
from policyfeed.store.bodies import Body, BodyState
from policyfeed.transport.load import Load
from policyfeed.types import Detail, Document, Judged, Request, Source
from tests.alerts import Hand, directly
from tests.documents import hwpx, pdf
from tests.fakes import Item, PressList, Release, Server, channel, judge, korea_kr, poller, rss, source

HOST = "www.korea.kr"
LIST = "https://www.korea.kr/briefing/pressReleaseList.do"
TODAY = date(2026, 5, 20)
KOREA = korea_kr()
TEXT = "<p><span>□ 온실</span><span>가스를 줄인다.</span></p><p>탄소중립 기본계획에 따른다.</p>"
VIEWER = "https://www.korea.kr/docViewer/result/2026.05/20/{0}/{0}.files/{1}.html"


def view(number: int) -> str:
    return f"https://www.korea.kr/briefing/pressReleaseView.do?newsId={number}"


def file_url(number: int) -> str:
    return f"https://www.korea.kr/common/download.do?fileId={number}&tblKey=GMN"


def release_page(
    number: int, inline: str = "", viewer: bool = True, files: tuple[str, ...] = (), modified: str = ""
) -> str:
    place = f"fn={number}&amp;rs=/docViewer/result/2026.05/20/{number}"
    frame = f'<iframe id="content_press" src="/docViewer/iframe_skin/doc.html?{place}"></iframe>'
    listed = "".join(
        f'<p><a href="/common/download.do?fileId={number * 10 + place}&amp;tblKey=GMN">{name}</a></p>'
        for place, name in enumerate(files)
    )
    return (
        '<html><head><script type="application/ld+json">{"datePublished": "2026-05-20T08:15:30+09:00", '
        f'"dateModified": "{modified}"}}</script></head>'
        f'<body><div class="view_title"><h1>{number}번 시범사업 선정</h1></div>'
        '<div class="article_head"><h2>- 세 유역에서 시작</h2></div>'
        f'<div class="filedown">{listed}</div><div class="view_cont">{inline or (frame if viewer else "")}'
        '<p class="remark">“이 자료는 기후에너지환경부의 보도자료를 전재하여 제공함을 알려드립니다.”</p></div>'
        '<div class="article_footer"><img src="/images/img_open_type02.png"> 공공누리 제2유형</div></body></html>'
    )


class World:
    """A store, a network and a clock; korea.kr's list, and pages of its releases."""

    def __init__(self, store: Store, clock: Hand) -> None:
        self.store, self.clock, self.server = store, clock, Server(clock)
        self.list = PressList()
        self.server.at(LIST, self.list)
        self.channels = (channel(),)
        self.sources = {KOREA.id: KOREA}
        self.filler = Filler(
            store=store,
            db=directly,
            fetch=self.server,
            read=self.read,
            judge=judge,
            channels=self.channels,
            clock=clock,
            sources=self.sources,
        )
        self.hostile: set[str] = set()

    async def read(self, of: Source, document: Document, so_far: Detail | None) -> Detail:
        if document.url in self.hostile:
            raise HostileDocument("{url} took too long.", url=document.url)
        adapter = detailed(of)
        assert adapter is not None
        return adapter.read_detail(of, document, so_far)

    async def poll(self, of: Source = KOREA, minutes: float = 30) -> None:
        self.clock.advance(minutes=minutes)
        report = await poller(self.store, self.server, self.channels).poll(of)
        assert report.state in ("ok", "unchanged"), report.error

    async def contact(self, *old: Release) -> None:
        """First contact: what is listed now is quiet."""
        self.list.add(*(old or (Release(id=1, day=TODAY, title="지난 소식을 전하는 자료", lead="지난 소식"),)))
        await self.poll()
        if not old:
            with self.store.write() as tx:
                claimed = bodies.claim(tx, HOST, self.clock(), timedelta(0))
                assert claimed is not None
                bodies.settle(tx, claimed, replace(claimed, state=BodyState.DONE))

    async def announce(self, *numbers: int, **changes: Any) -> None:
        self.list.add(*(Release(id=number, day=TODAY, **changes) for number in numbers))
        await self.poll()

    def pages(self, number: int, *texts: str, status: int = 200, **changes: Any) -> None:
        """A release's page and its viewer's pages, after which there are none."""
        self.server.at(view(number), self.server.page(release_page(number, **changes), status))
        for place, text in enumerate(texts, 1):
            self.server.at(VIEWER.format(number, place), self.server.page(f"<html><body>{text}</body></html>"))
        self.server.at(VIEWER.format(number, len(texts) + 1), self.server.page("없음", status=404))

    async def fill(self) -> FillReport:
        report = await self.filler.fill(HOST)
        assert report is not None
        return report

    def article(self, number: int) -> Judged:
        with self.store.read() as tx:
            found = articles.find(tx, f"korea.kr/{number}")
        assert found is not None
        return found

    def body(self, number: int) -> Body | None:
        article = self.article(number).article
        with self.store.read() as tx:
            return bodies.get(tx, article.number)

    def owed(self) -> list[int]:
        with self.store.read() as tx:
            return [one.number for one in outbox.listing(tx)]

    def asked(self) -> list[str]:
        return [request.url for request in self.server.got if not request.url.startswith(LIST)]


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, clock)


# What comes of it ----------------------------------------------------------------------------------------------------


async def test_a_body_is_text_time_files_and_licence_and_no_revision(world: World) -> None:
    await world.contact()
    await world.announce(156770001)
    before = world.article(156770001).article
    world.pages(156770001, f"<p>156770001번 시범사업 선정</p>{TEXT}", files=("보도자료.hwpx", "사진.jpg"))
    world.clock.advance(minutes=1)
    report = await world.fill()
    article = world.article(156770001).article
    assert article.content == (
        "<h2>- 세 유역에서 시작</h2><p>□ 온실가스를 줄인다.</p><p>탄소중립 기본계획에 따른다.</p>"
    )
    assert (before.dated, before.content) == (True, "")
    assert (article.published, article.dated) == (datetime(2026, 5, 19, 23, 15, 30, tzinfo=UTC), False)
    assert [one.name for one in article.attachments] == ["보도자료.hwpx", "사진.jpg"]
    assert article.licence == "공공누리 제2유형 (KOGL Type 2)"
    assert (article.revision, article.summary, article.changed) == (1, before.summary, world.clock())
    assert (report.state, report.requests, report.changed) == (BodyState.DONE, 3, True)
    with world.store.read() as tx:
        assert articles.history(tx, article.number) == []
        assert articles.newest(tx, Selection(kept_only=False, words=("온실가스",)), 9)[0].article == article
    assert await world.filler.fill(HOST) is None


async def test_what_its_body_makes_relevant_is_told_once(world: World) -> None:
    await world.contact()
    await world.announce(156770002)
    assert (world.article(156770002).verdict.kept, world.owed()) == (False, [])
    world.pages(156770002, TEXT)
    report = await world.fill()
    number = world.article(156770002).article.number
    assert (report.owed, world.article(156770002).verdict.kept, world.owed()) == (1, True, [number])
    with world.store.write() as tx:
        bodies.again(tx, number, world.clock())
    assert (await world.fill()).owed == 0
    assert world.owed() == [number]


async def test_what_was_told_already_is_not_told_again(world: World) -> None:
    await world.contact()
    await world.announce(156770003, title="탄소중립 시범사업 세 곳 선정")
    told = world.owed()
    assert len(told) == 1
    world.pages(156770003, TEXT)
    assert (await world.fill()).owed == 0
    assert world.owed() == told


async def test_what_its_body_makes_irrelevant_and_relevant_again_is_told_once(world: World) -> None:
    await world.contact()
    await world.announce(156770004, lead="탄소를 줄인다")
    told = world.owed()
    with world.store.write() as tx:  # somebody changed the topics, quietly
        article = world.article(156770004).article
        articles.save_verdict(tx, article.number, replace(judge(article), kept=False), world.clock())
    world.pages(156770004, TEXT)
    assert (await world.fill()).owed == 0
    assert world.owed() == told


async def test_a_channel_that_came_later_is_told_of_what_only_the_text_made_relevant(world: World) -> None:
    await world.contact()
    await world.announce(156770005, lead="탄소를 줄인다")
    await world.announce(156770006)
    world.filler = replace(world.filler, channels=(*world.channels, channel("later")))
    for number in (156770005, 156770006):
        world.pages(number, TEXT)
    assert [(await world.fill()).owed for _ in range(2)] == [2, 0]
    with world.store.read() as tx:
        told = [one.number for one in outbox.listing(tx, channel="later")]
    assert told == [world.article(156770006).article.number]


async def test_first_contact_stays_quiet_and_comes_last_the_newest_first(world: World) -> None:
    old = [Release(id=number, day=day) for number, day in ((156770010, date(2026, 5, 18)), (156770011, TODAY))]
    await world.contact(*old)
    await world.announce(156770012)
    for number in (156770010, 156770011, 156770012):
        world.pages(number, TEXT)
    order = [(await world.fill()).number for _ in range(3)]
    numbers = [world.article(number).article.number for number in (156770012, 156770011, 156770010)]
    assert order == numbers
    assert world.article(156770010).verdict.kept
    assert world.owed() == numbers[:1]


async def test_a_text_that_another_place_gave_is_kept(world: World) -> None:
    feed = source()
    long = "탄소중립 시범사업의 전문을 싣는다. " * 30
    await world.contact()
    world.server.at(feed.url, world.server.page(rss(Item(number=1, title="지난 소식을 알리는 글"))))
    await world.poll(feed)
    item = Item(number=2, title="156770020번 시범사업 선정", text=long, published="2026-05-20")
    world.server.at(feed.url, world.server.page(rss(item)))
    await world.poll(feed)
    assert await world.filler.fill(HOST) is None  # a feed has no pages of its own
    await world.announce(156770020)
    world.pages(156770020, TEXT, files=("보도자료.hwpx",))
    report = await world.fill()
    article = world.article(156770020).article
    assert report.state is BodyState.DONE
    assert "전문을 싣는다" in article.content
    assert (len(article.origins), article.dated, len(article.attachments)) == (2, False, 1)


# Where the text stands ------------------------------------------------------------------------------------------------


async def test_the_viewer_is_read_until_it_has_no_more_pages(world: World) -> None:
    await world.contact()
    await world.announce(156770030)
    world.pages(156770030, "<p>첫 쪽</p>", "<img src='1.png'>", "<p>셋째 쪽</p>")
    assert (await world.fill()).requests == 5
    assert world.article(156770030).article.content.endswith("<p>첫 쪽</p><p>셋째 쪽</p>")


async def test_without_a_viewer_the_best_file_is_read(world: World) -> None:
    await world.contact()
    await world.announce(156770031)
    world.pages(156770031, viewer=False, files=("보도자료.pdf", "보도자료.hwpx"))
    world.server.at(file_url(1567700311), world.server.page(hwpx("156770031번 시범사업 선정", "온실가스를 줄인다.")))
    assert (await world.fill()).requests == 2
    assert world.article(156770031).article.content.endswith("<p>온실가스를 줄인다.</p>")


Trouble = Callable[[World, str], None]


def _broken(world: World, url: str) -> None:
    world.server.at(url, world.server.page(b"PK\x03\x04 broken"))


def _hostile(world: World, url: str) -> None:
    world.server.at(url, world.server.page(hwpx("글")))
    world.hostile.add(url)


def _too_large(world: World, url: str) -> None:
    world.server.at(url, TooLarge("{url} sent more than {limit} bytes.", url=url, limit=5))


def _gone(world: World, url: str) -> None:
    world.server.at(url, world.server.page("없음", status=404))


def _forbidden(world: World, url: str) -> None:
    world.server.at(url, Forbidden("The robots.txt of {url} forbids to fetch it.", url=url))


@pytest.mark.parametrize("trouble", [_broken, _hostile, _too_large, _gone, _forbidden])
async def test_a_bad_file_costs_only_itself(world: World, trouble: Trouble) -> None:
    await world.contact()
    await world.announce(156770032)
    world.pages(156770032, viewer=True, files=("보도자료.hwpx", "보도자료.pdf"))
    world.server.at(VIEWER.format(156770032, 1), world.server.page("없음", status=404))
    trouble(world, file_url(1567700320))
    world.server.at(file_url(1567700321), world.server.page(pdf(["온실가스를 줄인다."])))
    report = await world.fill()
    assert (report.state, report.requests) == (BodyState.DONE, 4)
    assert "온실가스를 줄인다." in world.article(156770032).article.content


async def test_a_viewer_that_fails_time_and_again_leaves_the_files(world: World) -> None:
    await world.contact()
    await world.announce(156770033)
    world.pages(156770033, viewer=True, files=("보도자료.hwpx",))
    world.server.at(VIEWER.format(156770033, 1), world.server.page("", status=500))
    world.server.at(file_url(1567700330), world.server.page(hwpx("온실가스를 줄인다.")))
    assert (await world.fill()).host_failed, "it may be the host"
    world.clock.advance(minutes=11)
    assert (await world.fill()).state is BodyState.DONE
    assert "온실가스를 줄인다." in world.article(156770033).article.content


async def test_a_viewer_that_asks_for_patience_is_left_alone_with_its_host(world: World) -> None:
    await world.contact()
    await world.announce(156770035)
    world.pages(156770035, viewer=True, files=("보도자료.hwpx",))
    world.server.at(VIEWER.format(156770035, 1), world.server.page("", status=503, retry_after="600"))
    for _ in range(2):
        assert (await world.fill()).host_failed
        assert world.server.got[-1].url == VIEWER.format(156770035, 1)
        world.clock.advance(minutes=90)


async def test_a_viewer_that_fails_in_the_middle_is_read_again(world: World) -> None:
    await world.contact()
    await world.announce(156770034)
    world.pages(156770034, "<p>첫 쪽</p>")
    world.server.at(VIEWER.format(156770034, 2), world.server.page("", status=500))
    for _ in range(2):
        assert (await world.fill()).host_failed
        world.clock.advance(minutes=90)
    assert world.article(156770034).article.content == ""


async def test_a_viewer_for_which_there_was_no_room_is_read_again(world: World) -> None:
    """What is too much for now cuts no text short, and says nothing of the host."""
    await world.contact()
    await world.announce(156770035)
    world.pages(156770035, "<p>첫 쪽</p>", "<p>둘째 쪽</p>")
    second = VIEWER.format(156770035, 2)
    full = Busy("{url} is larger than there is room for.", url=second)
    world.server.at(second, full, world.server.page("<html><body><p>둘째 쪽</p></body></html>"))
    report = await world.fill()
    assert (report.state, report.host_failed) == (BodyState.PENDING, False)
    world.clock.advance(minutes=11)
    assert (await world.fill()).state is BodyState.DONE
    assert world.article(156770035).article.content.endswith("<p>첫 쪽</p><p>둘째 쪽</p>")


async def test_of_a_text_one_document_is_in_memory_at_a_time(world: World) -> None:
    load = Load(most=1, small=0)

    async def fetch(of: Source, request: Request) -> Document:
        with load.answer(request.url) as grown:
            grown(1)
            return await world.server(of, request)

    await world.contact()
    await world.announce(156770036)
    world.pages(156770036, "<p>첫 쪽</p>", "<p>둘째 쪽</p>")
    world.filler = replace(world.filler, fetch=fetch)
    assert (await world.fill()).state is BodyState.DONE
    assert load.bytes == 0


# What goes wrong ------------------------------------------------------------------------------------------------------


async def test_without_any_text_the_rest_is_kept_and_after_some_tries_it_is_given_up_with_the_reason(
    world: World,
) -> None:
    await world.contact()
    await world.announce(156770040)
    world.pages(156770040, viewer=False, files=("사진.jpg", "보도자료.hwpx"))
    _broken(world, file_url(1567700401))
    for wait in RETRIES:
        report = await world.fill()
        assert (report.state, report.due) == (BodyState.PENDING, world.clock() + wait)
        world.clock.advance(seconds=wait.total_seconds() - 1)
        assert await world.filler.fill(HOST) is None
        world.clock.advance(seconds=1)
    assert (await world.fill()).state is BodyState.FAILED
    article, body = world.article(156770040).article, world.body(156770040)
    assert (article.content, article.dated, len(article.attachments)) == ("", False, 2)
    assert body is not None
    assert told(body.error) == "The attached package cannot be read (BadZipFile)."
    assert told(body.error, translator("ko")) == "첨부된 문서 묶음을 읽을 수 없습니다(BadZipFile)."
    world.clock.advance(days=30)
    assert await world.filler.fill(HOST) is None
    with world.store.write() as tx:
        assert bodies.retry(tx, world.clock()) == 1
    assert (await world.fill()).state is BodyState.PENDING


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ((), "본문이 페이지에도 첨부파일에도 없습니다."),
        (
            ("보도자료.hwpx", "붙임.hwpx"),
            "; ".join(["첨부된 문서 묶음을 읽을 수 없습니다(BadZipFile)."] * 2),
        ),
    ],
)
async def test_why_there_is_no_text_is_told_in_the_readers_language(
    world: World, files: tuple[str, ...], said: str
) -> None:
    await world.contact()
    await world.announce(156770041)
    world.pages(156770041, viewer=False, files=files)
    for place in range(len(files)):
        _broken(world, file_url(1567700410 + place))
    assert told((await world.fill()).error, translator("ko")) == said


async def test_a_fault_of_our_own_costs_its_article_only(world: World) -> None:
    await world.contact()
    await world.announce(156770101, 156770102)
    world.pages(156770101, TEXT)
    world.server.at(view(156770102), KeyError("no error of ours"))
    stumbled, other = await world.fill(), await world.fill()
    assert (stumbled.state, stumbled.due) == (BodyState.PENDING, world.clock() + RETRIES[0])
    assert "KeyError in" in stumbled.error
    assert other.state is BodyState.DONE


async def test_what_robots_forbids_is_tried_later_and_given_up(world: World) -> None:
    await world.contact()
    await world.announce(156770041, 156770042)
    for number in (156770041, 156770042):
        _forbidden(world, view(number))
    first, second = await world.fill(), await world.fill()
    assert {first.state, second.state} == {BodyState.PENDING}
    assert "robots.txt" in first.error
    assert not first.host_failed
    for wait in RETRIES:
        world.clock.advance(seconds=wait.total_seconds())
        last = [await world.fill(), await world.fill()]
    assert {one.state for one in last} == {BodyState.FAILED}


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (503, {}, 60),
        (429, {"retry_after": "900"}, 900),
        (500, {"retry_after": "5"}, 60),
        (503, {"retry_after": "9" * 9}, 86_400),
    ],
)
async def test_a_host_that_fails_is_left_alone_as_long_as_it_asks(
    world: World, status: int, headers: dict[str, str], seconds: int
) -> None:
    await world.contact()
    await world.announce(156770050, 156770051)
    for number in (156770050, 156770051):
        world.server.at(view(number), world.server.page("", status, **headers))
    assert (await world.fill()).host_failed
    asked = len(world.asked())
    world.clock.advance(seconds=seconds - 1)
    assert await world.filler.fill(HOST) is None
    assert len(world.asked()) == asked == 1
    world.clock.advance(seconds=1)
    assert (await world.fill()).host_failed


async def test_the_pause_grows_and_ends_with_a_success(world: World) -> None:
    await world.contact()
    numbers = tuple(range(156770060, 156770066))
    await world.announce(*numbers)
    for number in numbers:
        world.server.at(view(number), world.server.page("", 503))
    for minutes in (1, 2, 4):
        assert (await world.fill()).host_failed
        world.clock.advance(minutes=minutes, seconds=-1)
        assert await world.filler.fill(HOST) is None
        world.clock.advance(seconds=1)
    for number in numbers:
        world.pages(number, TEXT)
    assert (await world.fill()).state is BodyState.DONE
    assert world.filler.refusals == {}


@pytest.mark.parametrize("status", [403, 0])
async def test_the_mobile_site_helps_where_the_other_refuses_us(world: World, status: int) -> None:
    await world.contact()
    await world.announce(156770070)
    refusal = world.server.page("", status) if status else Unreachable("{url} did not answer.", url=view(156770070))
    world.server.at(view(156770070), refusal)
    mobile = view(156770070).replace("www.", "m.")
    world.server.at(
        mobile, world.server.page(release_page(156770070, inline="<p>온실가스를 줄인다.</p>", files=("글.hwpx",)))
    )
    assert (await world.fill()).requests == 2
    article = world.article(156770070).article
    assert article.content.endswith("<p>온실가스를 줄인다.</p>")
    assert article.attachments[0].url == file_url(1567700700)


async def test_a_wish_to_wait_is_not_got_round(world: World) -> None:
    await world.contact()
    await world.announce(156770071)
    world.server.at(view(156770071), world.server.page("", 429))
    assert (await world.fill()).requests == 1


async def test_both_sites_refusing_is_the_first_ones_error(world: World) -> None:
    await world.contact()
    await world.announce(156770072)
    for url in (view(156770072), view(156770072).replace("www.", "m.")):
        world.server.at(url, world.server.page("", 403))
    report = await world.fill()
    assert (report.requests, report.host_failed) == (2, True)
    assert "//www.korea.kr/" in report.error


async def test_a_source_that_is_not_configured_any_more_is_no_crash(world: World) -> None:
    await world.contact()
    await world.announce(156770073)
    del world.sources[KOREA.id]
    report = await world.fill()
    assert (report.state, report.requests) == (BodyState.PENDING, 0)
    assert "not configured" in report.error


async def test_a_process_that_died_loses_no_body(world: World) -> None:
    await world.contact()
    await world.announce(156770074)
    world.pages(156770074, TEXT)
    with world.store.write() as tx:
        assert bodies.claim(tx, HOST, world.clock(), timedelta(minutes=30)) is not None
    assert await world.filler.fill(HOST) is None
    world.clock.advance(minutes=30)
    assert (await world.fill()).state is BodyState.DONE


# What changes upstream ------------------------------------------------------------------------------------------------


async def test_a_revised_release_is_read_again_within_its_revision(world: World) -> None:
    await world.contact()
    await world.announce(156770080)
    world.pages(156770080, "<p>처음 글</p>")
    await world.fill()
    world.list.withdraw(156770080)
    await world.announce(156770080, title="고친 제목의 시범사업 선정")
    assert world.article(156770080).article.revision == 2
    world.pages(156770080, "<p>고친 글</p>")
    await world.fill()
    article = world.article(156770080).article
    assert (article.revision, article.content.endswith("<p>고친 글</p>")) == (2, True)
    with world.store.read() as tx:
        texts = [one["content"] for one in articles.history(tx, article.number)]
    assert [text.endswith(end) for text, end in zip(texts, ("처음 글</p>", "고친 글</p>"), strict=True)] == [True, True]


async def test_a_page_that_says_something_else_than_before_makes_a_revision(world: World) -> None:
    await world.contact()
    await world.announce(156770081)
    world.pages(156770081, "<p>처음 글</p>")
    await world.fill()
    number = world.article(156770081).article.number
    for text, revision in (("<p>처음 글</p>", 1), ("<p>고친 글</p>", 2), ("<p>고친 글</p>", 2)):
        world.pages(156770081, text)
        world.clock.advance(hours=1)
        with world.store.write() as tx:
            bodies.again(tx, number, world.clock())
        await world.fill()
        assert world.article(156770081).article.revision == revision
    with world.store.read() as tx:
        assert len(articles.history(tx, number)) == 2


async def test_a_revision_that_comes_while_its_page_is_read_is_read_too(world: World) -> None:
    await world.contact()
    await world.announce(156770082)
    number = world.article(156770082).article.number
    world.pages(156770082, "<p>처음 글</p>")

    def meanwhile(request: Request) -> Document:
        world.clock.advance(seconds=1)
        with world.store.write() as tx:
            bodies.again(tx, number, world.clock())
        return world.server.page("없음", status=404)

    world.server.at(VIEWER.format(156770082, 2), meanwhile)
    await world.fill()
    assert world.article(156770082).article.content.endswith("<p>처음 글</p>")
    world.pages(156770082, "<p>고친 글</p>")
    await world.fill()
    assert world.article(156770082).article.content.endswith("<p>고친 글</p>")
    assert await world.filler.fill(HOST) is None


# A second look --------------------------------------------------------------------------------------------------------

LOOKS = (timedelta(hours=6), timedelta(hours=36))
SOON, LATER = "2026-05-20T08:15:30+09:00", "2026-05-20T20:00:00+09:00"


async def read_once(world: World, number: int) -> None:
    """A release that was read, and whose page is due to be looked at again."""
    world.filler = replace(world.filler, looks=LOOKS)
    await world.contact()
    await world.announce(number)
    world.pages(number, "<p>처음 글</p>", modified=SOON)
    assert (await world.fill()).state is BodyState.DONE
    body = world.body(number)
    assert body is not None
    assert (body.state, body.due) == (BodyState.AGAIN, world.clock() + timedelta(hours=6))
    assert await world.filler.fill(HOST) is None
    world.clock.advance(hours=6)
    world.server.got.clear()


async def test_a_page_that_says_no_later_change_costs_one_request(world: World) -> None:
    await read_once(world, 156770090)
    report = await world.fill()
    assert (report.state, report.requests, report.changed) == (BodyState.DONE, 1, False)
    assert await world.filler.fill(HOST) is None
    world.clock.advance(hours=30)
    assert (await world.fill()).requests == 1
    world.clock.advance(days=30)
    assert await world.filler.fill(HOST) is None


async def test_an_edit_that_no_list_shows_is_found_and_is_a_revision(world: World) -> None:
    await read_once(world, 156770091)
    world.pages(156770091, "<p>처음 글</p><p>빠졌던 문단</p>", modified=LATER)
    assert (await world.fill()).changed
    article = world.article(156770091).article
    assert (article.revision, article.content.endswith("<p>빠졌던 문단</p>")) == (2, True)
    assert await world.filler.fill(HOST) is None


async def test_a_second_look_gives_way_to_what_was_never_read_and_never_fails(world: World) -> None:
    await read_once(world, 156770092)
    world.filler = replace(world.filler, looks=())
    await world.announce(156770093)
    world.pages(156770093, TEXT)
    world.pages(156770092, status=404)
    assert (await world.fill()).number == world.article(156770093).article.number
    for wait in RETRIES:
        assert (await world.fill()).state is BodyState.PENDING
        world.clock.advance(seconds=wait.total_seconds())
    assert (await world.fill()).state is BodyState.DONE
    assert world.article(156770092).article.content.endswith("<p>처음 글</p>")


async def test_what_is_old_is_not_looked_at_twice(world: World) -> None:
    world.filler = replace(world.filler, looks=LOOKS)
    await world.contact(Release(id=156770094, day=date(2026, 5, 18)))
    world.pages(156770094, TEXT)
    await world.fill()
    body = world.body(156770094)
    assert body is not None
    assert body.state is BodyState.DONE


async def test_a_retry_leaves_second_looks_alone(world: World) -> None:
    await read_once(world, 156770095)
    with world.store.write() as tx:
        assert bodies.retry(tx, world.clock()) == 0


async def test_who_waits_for_every_text_waits_for_no_second_look(world: World) -> None:
    await read_once(world, 156770096)
    with world.store.read() as tx:
        assert (bodies.unread(tx), list(bodies.next_due(tx))) == ({}, [HOST])


# Withdrawn ------------------------------------------------------------------------------------------------------------


async def test_a_page_that_says_twice_that_it_was_deleted_withdraws_the_article(world: World) -> None:
    await world.contact()
    await world.announce(156770100)
    gone = "<html><body><script>alert('삭제되었거나 존재하지 않는 기사입니다.');</script></body></html>"
    world.server.at(view(156770100), world.server.page(gone))
    assert (await world.fill()).state is BodyState.PENDING
    assert world.article(156770100).article.withdrawn is None
    world.clock.advance(minutes=10)
    report = await world.fill()
    assert (report.state, report.changed) == (BodyState.FAILED, True), "the feeds show it"
    assert world.article(156770100).article.withdrawn == world.clock()
    world.clock.advance(days=30)
    assert await world.filler.fill(HOST) is None
