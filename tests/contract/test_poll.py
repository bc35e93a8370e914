"""Polling, with the real store and the real adapters; the network is a script."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from policyfeed.clock import KST
from policyfeed.documents import Reading, read_document
from policyfeed.errors import Emptied, LayoutChanged, Refused, Unreachable, Unreadable, told
from policyfeed.harvest import MOST_PAGES
from policyfeed.health import waits
from policyfeed.i18n import translator
from policyfeed.poll import PollReport
from policyfeed.rhythm import Profile
from policyfeed.selection import Selection
from policyfeed.store import SourceState, Store, articles, outbox, sources
from policyfeed.transport.load import Load
from policyfeed.types import Article, Document, Judged, Kind, MinistryName, Request, Source, Validators, Verdict
from tests import fakes
from tests.alerts import Hand
from tests.fakes import (
    MINISTRIES,
    Item,
    PressList,
    Release,
    Server,
    channel,
    conditional,
    korea_kr,
    poller,
    rss,
    source,
)

CASES = Path(__file__).parents[1] / "cases" / "sources" / "feed"
FEED = source()
OLD = Item(number=2, published="Tue, 19 May 2026 09:00:00 +0900")
OTHER = source("other-press", url="https://other.example.go.kr/rss.xml")


class World:
    """A store, a network and a clock, and the questions that the tests ask."""

    def __init__(self, store: Store, clock: Hand) -> None:
        self.store, self.clock, self.server = store, clock, Server(clock)
        self.parts: dict[str, Any] = {"channels": (channel(),)}

    async def poll(self, of: Source = FEED, minutes: float = 30) -> PollReport:
        self.clock.advance(minutes=minutes)
        return await poller(self.store, self.server, **self.parts).poll(of)

    async def contact(self, *several: Source) -> None:
        """First contact with sources that list one old thing: from then on their news are announced."""
        for one in several or (FEED,):
            self.server.at(
                one.url, self.server.page(rss(Item(number=1, title="지난 소식을 전하는 자료"), site=f"{one.id}.kr"))
            )
            assert (await self.poll(one)).state == "ok"

    def lists(self, *items: Item, of: Source = FEED, **headers: Any) -> None:
        self.server.at(of.url, self.server.page(rss(*items, site=f"{of.id}.kr"), **headers))

    def state(self, of: Source = FEED) -> SourceState:
        with self.store.read() as tx:
            return sources.get(tx, of.id)

    def articles(self) -> list[Judged]:
        with self.store.read() as tx:
            return list(reversed(articles.newest(tx, Selection(kept_only=False), 1000)))

    def owed(self) -> list[tuple[str, str]]:
        """(channel, title) of everything that is or was owed."""
        with self.store.read() as tx:
            owed = outbox.listing(tx)
            known = articles.get(tx, [one.number for one in owed])
        return [(one.channel, known[one.number].title) for one in owed]


@pytest.fixture
def world(store: Store, clock: Hand) -> World:
    return World(store, clock)


# Asking politely ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("etag", "modified"),
    list(product([None, '"a"', 'W/"07-x;gzip"', '"\xb0\xa1\x85"'], [None, "Tue, 19 May 2026 0:0:0 GMT", "yesterday"])),
)
async def test_validators_go_back_as_they_came(world: World, etag: str | None, modified: str | None) -> None:
    headers: dict[str, Any] = {"etag": etag, "last_modified": modified}
    world.lists(Item(number=1), **{name: value for name, value in headers.items() if value})
    await world.poll()
    assert not {"If-None-Match", "If-Modified-Since"} & world.server.headers().keys()
    await world.poll()
    sent = world.server.headers()
    assert (sent.get("If-None-Match"), sent.get("If-Modified-Since")) == (etag, modified)
    assert world.state().validators == Validators(etag=etag, last_modified=modified)


async def test_not_modified_is_a_success_that_keeps_everything(world: World) -> None:
    world.server.at(FEED.url, conditional(world.server, rss(Item(number=1)), etag='"1"'))
    await world.poll()
    report = await world.poll()
    assert (report.state, report.entries, report.requests, report.new) == ("unchanged", 1, 1, 0)
    state = world.state()
    assert (state.validators.etag, state.listed, state.failures, state.state) == ('"1"', 1, 0, "ok")
    assert state.last_success == world.clock()


async def test_not_modified_may_bring_new_validators(world: World) -> None:
    world.lists(Item(number=1), etag='"1"', last_modified="then")
    await world.poll()
    world.server.at(FEED.url, world.server.page("", 304, etag='"2"'))
    await world.poll()
    assert world.state().validators == Validators(etag='"2"', last_modified="then")


@pytest.mark.parametrize("status", [400, 412])
async def test_a_server_that_takes_offence_at_its_own_validators_is_asked_without(world: World, status: int) -> None:
    world.lists(Item(number=1), last_modified="2026년 5월 20일")
    await world.poll()
    whole = world.server.page(rss(Item(number=2), Item(number=1)), last_modified="2026년 5월 20일")
    refused = world.server.page("", status)
    world.server.at(FEED.url, lambda asked: refused if "If-Modified-Since" in dict(asked.headers) else whole)
    report = await world.poll()
    assert (report.state, report.new, report.requests) == ("ok", 1, 2)
    assert [(await world.poll(minutes=24 * 60)).requests for _ in range(9)] == [1, 1, 1, 1, 1, 1, 1, 2, 1], (
        "a week long"
    )
    world.server.at(FEED.url, refused)
    assert (await world.poll(source("second-press", url=FEED.url))).requests == 1, (
        "nothing was asked that could give offence"
    )


async def test_not_modified_that_nobody_asked_for_is_refused(world: World) -> None:
    world.server.at(FEED.url, world.server.page("", 304))
    report = await world.poll()
    assert isinstance(report.error, Refused)
    assert world.state().first_contact is None


async def test_the_same_body_again_is_not_read_but_its_validators_are_taken(world: World) -> None:
    world.lists(Item(number=1), etag='"1"')
    await world.poll()
    world.lists(Item(number=1), etag='"2"')
    assert (await world.poll()).state == "unchanged"
    assert world.state().validators.etag == '"2"'
    world.lists(Item(number=1))
    await world.poll()
    assert world.state().validators == Validators()


@pytest.mark.parametrize("case", ["html-page", "block-page", "cut-in-an-item", "empty-body", "no-known-encoding"])
async def test_what_cannot_be_read_changes_nothing_but_the_sources_state(world: World, case: str) -> None:
    world.lists(Item(number=1), etag='"good"')
    await world.poll()
    before = world.state()
    (document,) = (CASES / case).glob("document.*")
    world.server.at(FEED.url, world.server.page(document.read_bytes(), etag='"bad"'))
    report = await world.poll()
    after = world.state()
    assert report.error is not None
    assert after.state == report.state == report.error.name
    assert (after.validators, after.body_hash, after.cursor) == (before.validators, before.body_hash, before.cursor)
    assert (after.failures, after.listed, after.last_success) == (1, 1, before.last_success)
    assert len(world.articles()) == 1
    world.lists(Item(number=1), Item(number=2), etag='"good again"')
    assert (await world.poll()).new == 1
    assert world.server.headers()["If-None-Match"] == '"good"'
    assert (world.state().state, world.state().failures, world.state().error) == ("ok", 0, "")


@pytest.mark.parametrize("status", [400, 403, 404, 405, 429, 500, 503])
async def test_a_refusal_is_a_state_and_a_later_visit(world: World, status: int) -> None:
    world.server.at(FEED.url, world.server.page("nope", status, retry_after="7200"))
    report = await world.poll()
    assert isinstance(report.error, Refused)
    assert report.error.status == status
    assert report.due is not None
    assert report.due >= world.clock() + timedelta(seconds=7200)


async def test_a_fault_of_our_own_is_the_sources_state_and_a_later_visit(world: World) -> None:
    """Otherwise it would stay due for ever, and nobody would see which source it is."""

    def stumbles(article: Article) -> Verdict:
        raise KeyError(f"serviceKey=moonlit-otter {article.title}")

    world.lists(Item(number=1))
    await world.poll()
    world.lists(Item(number=1), Item(number=2))
    world.parts["judge"] = stumbles
    with capture_logs() as logged:
        report = await world.poll()
    state = world.state()
    assert report.state == state.state == "InternalError"
    assert (state.failures, len(world.articles())) == (1, 1)
    assert state.due is not None
    assert state.due > world.clock()
    assert [(line["log_level"], line["source"]) for line in logged] == [("error", FEED.id)]
    assert "stumbles" in logged[0]["where"]
    assert "moonlit-otter" not in f"{logged} {state.error}"
    world.parts["judge"] = fakes.judge
    assert (await world.poll()).new == 1


async def test_failures_wait_longer_and_longer_and_never_for_ever(world: World) -> None:
    world.server.at(FEED.url, Unreachable("{url} did not answer.", url=FEED.url))
    waits = []
    for _ in range(12):
        report = await world.poll()
        assert report.due is not None
        waits.append(report.due - world.clock())
    assert world.state().failures == 12
    assert waits[0] >= timedelta(minutes=5)
    assert max(waits) <= timedelta(hours=24)
    assert waits[-1] == timedelta(hours=24)


async def test_a_source_that_lists_nothing_any_more_has_emptied(world: World) -> None:
    world.lists(Item(number=1))
    await world.poll()
    world.lists()
    report = await world.poll()
    assert isinstance(report.error, Emptied)
    assert len(world.articles()) == 1


async def test_a_source_that_never_listed_anything_is_right(world: World) -> None:
    world.lists()
    assert (await world.poll()).state == "ok"
    world.lists(Item(number=1))
    assert (await world.poll()).new == 1


async def test_what_is_odd_in_a_list_is_said_in_english_and_told_in_korean(world: World) -> None:
    world.lists(Item(number=1, published="어제"))
    (warning,) = pickle.loads(pickle.dumps((await world.poll()).warnings))  # noqa: S301 - workers send it so
    assert warning == "a date could not be read and was left out: '어제'"
    assert told(warning, translator("ko")) == "날짜를 읽을 수 없어 뺐습니다: '어제'"


async def test_what_is_odd_in_what_was_last_read_is_kept_for_the_operator(world: World) -> None:
    world.lists(*(Item(number=number, published="어제") for number in range(5)))
    await world.poll()
    one = "날짜를 읽을 수 없어 뺐습니다: '어제'"
    assert told(world.state().remarks, translator("ko")) == f"{one}; {one}; {one}; 그 밖에 2건"
    await world.poll()
    assert world.state().remarks != ""  # nothing was read since
    world.lists(Item(number=6), *(Item(number=number, published="어제") for number in range(5)))
    await world.poll()
    assert world.state().remarks == ""


BOARD = source(
    kind="page",
    url="https://www.example.go.kr/board/list.do",
    options={"item": "li", "title": "a", "link": "a", "frame": "ul", "allow_empty": True},
)


@pytest.mark.parametrize(
    ("of", "full", "empty"),
    [
        (source(options={"allow_empty": True}), rss(Item(number=1)), rss()),
        (BOARD, '<ul><li><a href="/1">1차 기본계획 확정</a></li></ul>', "<ul></ul>"),
        (
            replace(BOARD, kind="json", options={"title": "t", "link": "u", "allow_empty": True}),
            '[{"t": "1차 기본계획 확정", "u": "/1"}]',
            "[]",
        ),
    ],
    ids=lambda given: given.kind if isinstance(given, Source) else "",
)
async def test_a_list_that_may_be_empty_is_right_when_it_is(world: World, of: Source, full: str, empty: str) -> None:
    world.server.at(of.url, world.server.page(full), world.server.page(empty), world.server.page(full))
    assert (await world.poll(of)).new == 1
    report = await world.poll(of)
    assert (report.state, report.entries) == ("ok", 0)
    assert world.state(of).failures == 0
    report = await world.poll(of)
    assert (report.state, report.entries, report.new) == ("ok", 1, 0)


async def test_quiet_days_of_a_list_with_a_total_are_right(world: World) -> None:
    of, today = korea_kr(rep_code="A00031"), world.clock().date()
    site = PressList([Release(id=number, day=today) for number in (1, 2)])
    world.server.at(of.url, site)
    assert (await world.poll(of)).new == 2
    for listed in (2, 2, 0, 0):
        report = await world.poll(of, minutes=24 * 60)
        assert (report.error, report.entries) == (None, listed)
    site.add(Release(id=3, day=today + timedelta(days=4)))
    assert (await world.poll(of)).new == 1
    site.withdraw(3)
    assert (await world.poll(of)).state == "ok"


async def test_a_total_of_none_is_no_proof_where_several_releases_were_listed_just_now(world: World) -> None:
    of, today = korea_kr(), world.clock().date()
    site = PressList([Release(id=number, day=today) for number in (1, 2)])
    world.server.at(of.url, site)
    await world.poll(of)
    site.releases = []
    assert isinstance((await world.poll(of)).error, Emptied)


@pytest.mark.parametrize(
    "changes",
    [{"url": "https://www.example.go.kr/rss/new.xml"}, {"options": {"date_only": True}}, {"encoding": "utf-8"}],
)
async def test_another_configuration_starts_from_nothing(world: World, changes: dict[str, Any]) -> None:
    world.lists(Item(number=1), etag='"1"')
    await world.poll()
    changed = replace(FEED, **changes)
    world.server.at(changed.url, world.server.page(rss(Item(number=1), OLD, site="example-press.kr")))
    report = await world.poll(changed)
    assert "If-None-Match" not in world.server.headers()
    assert (report.state, report.new, report.owed) == ("ok", 1, 0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"timezone": "UTC"}, {"published": datetime(2026, 5, 20, 9, 0, tzinfo=UTC)}),
        ({"article_kind": Kind.ACTIVITY}, {"kind": Kind.ACTIVITY}),
        ({"ministry": "moel"}, {"ministry": MinistryName(id="moel", name="고용노동부")}),
        ({"language": "en"}, {"attribution": "Source: 기후에너지환경부"}),
        ({"licence": "공공누리 제1유형"}, {"licence": "공공누리 제1유형"}),
    ],
)
async def test_a_list_is_read_once_more_where_its_entries_are_read_otherwise(
    world: World, changes: dict[str, Any], told: dict[str, Any]
) -> None:
    await world.contact()
    item = Item(number=2, published="2026-05-20 09:00")
    world.server.at(FEED.url, conditional(world.server, rss(item), etag='"1"'))
    await world.poll()
    before = world.articles()[-1].article
    changed = replace(FEED, **changes)
    refused, fine = world.server.page("", 503), conditional(world.server, rss(item), etag='"1"')
    world.server.at(FEED.url, refused, fine)
    reports = [await world.poll(changed) for _ in range(3)]
    assert [(one.state, one.parsed, one.revised) for one in reports] == [
        ("Refused", 0, 0),
        ("ok", 1, 1),
        ("unchanged", 0, 0),
    ]
    assert sum(one.new + one.owed for one in reports) == 0, "it is nobody's news"
    assert ["If-None-Match" in dict(one.headers) for one in world.server.got[-3:]] == [False, False, True]
    after = world.articles()[-1].article
    assert {name: getattr(after, name) for name in told} == told != {name: getattr(before, name) for name in told}
    assert (after.revision, after.updated) == (1, after.published)


async def test_what_says_something_else_follows_other_settings_too(world: World) -> None:
    """A site was rebuilt: text and date are taken from elsewhere now."""
    await world.contact()
    item = Item(number=2, published="2026-05-20 09:00")
    world.lists(item)
    await world.poll()
    world.lists(replace(item, text=f"{item.text} 붙임 참고."))
    report = await world.poll(replace(FEED, timezone="UTC", ministry="moel"))
    assert (report.new, report.revised) == (0, 2)
    found = world.articles()[-1].article
    assert (found.published, found.ministry.id) == (datetime(2026, 5, 20, 9, 0, tzinfo=UTC), "moel")
    assert (found.revision, found.summary.endswith("참고.")) == (2, True)


async def test_stored_articles_follow_the_selectors_of_their_board(world: World) -> None:
    options = {"item": "li", "title": "a", "link": "a@href", "date": ".seen"}
    board = source(kind="page", options=options)
    dates = '<i class="seen">2026.05.18</i><i class="out">2026.05.20 09:00</i>'
    row = f'<ul><li><a href="/1">1차 기본계획 확정</a>{dates}<b>대변인</b></li></ul>'
    world.server.at(board.url, world.server.page(row))
    await world.poll(board)
    report = await world.poll(replace(board, options={**options, "date": ".out", "department": "b"}))
    assert (report.new, report.revised) == (0, 1)
    found = world.articles()[-1].article
    assert (found.published, found.department) == (datetime(2026, 5, 20, 0, 0, tzinfo=UTC), "대변인")


async def test_what_is_new_when_entries_are_read_otherwise_is_told(world: World) -> None:
    await world.contact()
    world.lists(
        Item(number=2, title="언제인지 모르는 탄소중립 대책", published=""),
        Item(number=1, title="지난 소식을 전하는 자료"),
    )
    report = await world.poll(replace(FEED, timezone="UTC"))
    assert (report.new, report.owed) == (1, 1)


async def test_what_another_place_knew_better_stays_when_entries_are_read_otherwise(world: World) -> None:
    await world.contact(FEED, OTHER)
    title = "하천 유역 탄소중립 시범사업 다섯 곳 선정"
    world.lists(Item(number=2, title=title))
    world.lists(Item(number=2, title=f"[설명] {title}"), of=OTHER)
    for one in (FEED, OTHER):
        await world.poll(one)
    reports = [await world.poll(replace(one, timezone="UTC", licence="공공누리")) for one in (OTHER, FEED)]
    assert [(one.state, one.revised) for one in reports] == [("ok", 0), ("ok", 1)]
    found = world.articles()[-1].article
    assert (found.kind, found.licence, len(found.origins)) == (Kind.EXPLANATION, "공공누리", 2)


async def test_what_came_out_since_the_last_success_is_told_also_under_another_configuration(world: World) -> None:
    await world.contact()
    last = world.clock()
    items = [
        Item(number=2, title="지난 탄소중립 회의", published=format_datetime(last - timedelta(minutes=1))),
        Item(number=3, title="새로운 탄소중립 기본계획 확정", published=format_datetime(last + timedelta(minutes=1))),
        Item(number=4, title="언제인지 모르는 미세먼지 대책", published=""),
    ]
    world.lists(*items)
    report = await world.poll(replace(FEED, headers=(("Accept-Language", "ko"),)))
    assert (report.new, report.owed) == (3, 1)
    assert world.owed() == [("team", "새로운 탄소중립 기본계획 확정")]


async def test_of_a_source_that_gives_days_only_the_day_of_the_last_success_is_news(world: World) -> None:
    await world.contact()
    today, before = world.clock(), world.clock() - timedelta(days=1)
    world.lists(
        Item(number=2, title="어제 탄소중립 회의", published=f"{before.astimezone(KST):%Y-%m-%d}"),
        Item(number=3, title="오늘 탄소중립 기본계획 확정", published=f"{today.astimezone(KST):%Y-%m-%d}"),
    )
    await world.poll(replace(FEED, options={"date_only": True}))
    assert world.owed() == [("team", "오늘 탄소중립 기본계획 확정")]


async def test_the_rhythm_and_what_was_spent_of_it_stay_under_another_configuration(world: World) -> None:
    await world.contact()
    before = Profile.from_json(world.state().profile)
    await world.poll(replace(FEED, headers=(("Accept-Language", "ko"),)))
    after = Profile.from_json(world.state().profile)
    assert (after.first, after.used) == (before.first, before.used + 1)


# Telling --------------------------------------------------------------------------------------------------------------


async def test_first_contact_is_quiet(world: World) -> None:
    world.lists(*(Item(number=number, title=f"{number}차 탄소중립 회의") for number in range(20)))
    report = await world.poll()
    assert (report.new, report.kept, report.owed) == (20, 20, 0)
    assert world.owed() == []


async def test_a_failed_first_contact_stays_quiet_at_the_next(world: World) -> None:
    world.server.at(FEED.url, Unreachable("{url} did not answer.", url=FEED.url))
    await world.poll()
    world.lists(Item(number=1))
    assert (await world.poll()).owed == 0


async def test_a_first_answer_without_entries_is_no_first_contact(world: World) -> None:
    """외교부's feed is empty at times: what it had all along is no news when it is back."""
    of = source(options={"allow_empty": True})
    old, late = "Mon, 18 May 2026 09:00:00 +0900", format_datetime(world.clock() + timedelta(minutes=45))
    world.lists(of=of)
    assert [(await world.poll(of)).state for _ in range(2)] == ["ok", "unchanged"]
    world.lists(Item(number=1, published=old), Item(number=2, published=late), of=of)
    report = await world.poll(of)
    assert (report.new, report.owed) == (2, 1), "what came out since it was asked first is news"
    world.lists(of=of)
    await world.poll(of)
    world.lists(Item(number=3, published=old), of=of)
    assert (await world.poll(of)).owed == 1, "once met, whatever is new is news"


async def test_news_are_owed_to_every_channel_that_takes_them_exactly_once(world: World) -> None:
    world.parts["channels"] = (
        channel("a"),
        channel("b", Selection(min_score=95)),
        channel("c", Selection(words=("녹조",))),
    )
    await world.contact()
    world.lists(
        Item(number=2, title="탄소중립 기본계획 확정"),
        Item(number=3, title="녹조와 탄소 대책"),
        Item(number=4, title="봄 음악회 개최", text=""),
    )
    for _ in range(3):
        await world.poll()
    assert sorted(world.owed()) == [
        ("a", "녹조와 탄소 대책"),
        ("a", "탄소중립 기본계획 확정"),
        ("c", "녹조와 탄소 대책"),
    ]


async def test_what_is_dropped_is_stored_with_its_reasons_and_told_to_nobody(world: World) -> None:
    await world.contact()
    world.lists(Item(number=2, title="가을 음악회 개최 안내", text="누구나 들을 수 있다."))
    report = await world.poll()
    assert (report.new, report.kept, report.owed) == (1, 0, 0)
    (dropped,) = [one for one in world.articles() if "음악회" in one.article.title]
    assert not dropped.verdict.kept
    assert dropped.verdict.reasons


async def test_the_same_release_from_two_places_is_one_article_told_once(world: World) -> None:
    await world.contact(FEED, OTHER)
    world.lists(Item(number=2, title="여름철 탄소중립 실천 대책 발표"))
    assert (await world.poll()).owed == 1
    world.lists(Item(number=9, title="[보도자료] 여름철 탄소중립 실천대책 발표"), of=OTHER)
    report = await world.poll(OTHER)
    assert (report.new, report.joined, report.owed) == (0, 1, 0)
    found = world.articles()[-1].article
    assert [origin.source for origin in found.origins] == ["example-press", "other-press"]


async def test_each_place_learns_when_it_publishes_also_from_what_others_had_before(world: World) -> None:
    await world.contact(FEED, OTHER)
    title, before = "여름철 탄소중립 실천 대책 발표", Profile.from_json(world.state(OTHER).profile).releases
    world.lists(Item(number=2, title=title, published="Wed, 20 May 2026 09:00:00 +0900"))
    await world.poll()
    world.lists(Item(number=9, title=title, published="Wed, 20 May 2026 09:07:30 +0900"), of=OTHER)
    assert (await world.poll(OTHER)).joined == 1
    own = datetime(2026, 5, 20, 9, 7, 30, tzinfo=KST).timestamp()
    assert Profile.from_json(world.state(OTHER).profile).releases == (*before, own)


async def test_each_place_is_measured_by_the_time_that_it_gives_itself(world: World) -> None:
    """Publish-to-seen: another place's earlier time is no delay of this one, and who only dates has none."""
    await world.contact(FEED, OTHER)
    for number, (title, own) in enumerate(
        {
            "여름철 탄소중립 실천 대책 발표": "Wed, 20 May 2026 11:20:00 +0900",
            "하천 유역 시범사업 다섯 곳 선정": "2026-05-21",
        }.items()
    ):
        world.clock.advance(days=number)
        world.lists(Item(number=2 + number, title=title, published=format_datetime(world.clock().astimezone(KST))))
        await world.poll()
        world.lists(Item(number=9 + number, title=title, published=own), of=OTHER)
        assert (await world.poll(OTHER)).joined == 1
    found = waits(world.store, world.clock())
    assert (found[FEED.id].releases, found[FEED.id].p99) == (2, 1800)
    assert (found[OTHER.id].releases, found[OTHER.id].p99) == (1, 600)


async def test_a_source_that_only_dates_its_releases_is_not_measured_by_others_times(world: World) -> None:
    await world.contact(FEED)
    world.lists(Item(number=1, published="2026-05-19"), of=OTHER)
    await world.poll(OTHER)
    world.lists(Item(number=9, title="여름철 탄소중립 실천 대책 발표", published="2026-05-20"), of=OTHER)
    await world.poll(OTHER)
    world.lists(
        Item(number=2, title="여름철 탄소중립 실천 대책 발표", published="Wed, 20 May 2026 11:20:00 +0900"),
        Item(number=3, title="하천 유역 시범사업 다섯 곳 선정", published="Wed, 20 May 2026 11:20:00 +0900"),
    )
    assert (await world.poll()).joined == 1
    assert not world.articles()[1].article.dated
    assert {source: one.releases for source, one in waits(world.store, world.clock()).items()} == {FEED.id: 2}


async def test_the_same_link_from_two_sources_is_one_article(world: World) -> None:
    await world.contact(FEED, OTHER)
    link = "https://www.korea.kr/briefing/pressReleaseView.do?newsId=156700007"
    world.lists(Item(number=2, title="여름철 탄소중립 실천 대책", url=link))
    world.lists(Item(number=3, title="전혀 다른 제목을 단 자료", url=f"{link}&call_from=rss"), of=OTHER)
    await world.poll()
    assert (await world.poll(OTHER)).joined == 1


async def test_what_was_dropped_and_is_kept_by_a_join_is_told_once(world: World) -> None:
    await world.contact(FEED, OTHER)
    title = "여름철 실천 대책 발표회 개최 안내"
    world.lists(Item(number=2, title=title, text=""))
    assert (await world.poll()).owed == 0
    world.lists(Item(number=9, title=title, text="탄소 배출을 줄인다."), of=OTHER)
    assert (await world.poll(OTHER)).owed == 1
    await world.poll()
    world.lists(Item(number=9, title=title, text="탄소 배출을 더 줄인다."), of=OTHER)
    await world.poll(OTHER)
    assert world.owed() == [("team", title)]


async def test_a_revision_is_told_again_to_those_who_want_corrections(world: World) -> None:
    world.parts["channels"] = (channel(), replace(channel("desk"), revisions=True))
    await world.contact()
    world.lists(Item(number=2, text="탄소 배출을 줄인다."))
    assert (await world.poll()).owed == 2
    world.lists(Item(number=2, text="탄소 배출을 절반으로 줄인다."))
    assert (await world.poll()).owed == 1
    assert [name for name, _ in world.owed()].count("desk") == 2
    assert (await world.poll()).owed == 0


async def test_first_contact_of_a_later_source_swallows_no_news(world: World) -> None:
    await world.contact(FEED)
    title = "하천 유역 탄소중립 시범사업 다섯 곳 선정"
    world.server.at(OTHER.url, world.server.page(rss(Item(number=9, title=title), site="other.kr")))
    assert (await world.poll(OTHER)).owed == 0, "first contact is quiet"
    world.lists(Item(number=2, title=title))
    report = await world.poll(FEED)
    assert (report.joined, report.owed) == (1, 1), "it is news of the source that was there before"
    assert (await world.poll(OTHER)).owed == 0


async def test_sources_that_began_together_announce_nothing_of_each_others_beginning(world: World) -> None:
    title = "하천 유역 탄소중립 시범사업 다섯 곳 선정"
    world.server.at(FEED.url, world.server.page(rss(Item(number=1, title="지난 소식을 전하는 자료"))))
    world.server.at(OTHER.url, world.server.page(rss(Item(number=9, title=title), site="other.kr")))
    await world.poll(FEED, minutes=1)
    await world.poll(OTHER, minutes=1)
    world.lists(Item(number=2, title=title))
    assert (await world.poll(FEED)).owed == 0


async def test_a_date_that_comes_later_is_taken_over_and_told_to_nobody(world: World) -> None:
    """A board shows only the time of what is of today."""
    await world.contact()
    world.lists(Item(number=2, text="탄소 배출을 줄인다.", published="09:12"))
    assert (await world.poll()).owed == 1
    assert world.articles()[-1].article.published is None
    world.lists(Item(number=2, text="탄소 배출을 줄인다."))
    report = await world.poll()
    assert (report.new, report.revised, report.owed) == (0, 1, 0)
    found = world.articles()[-1].article
    assert (found.published, found.revision) == (datetime(2026, 5, 20, 0, 0, tzinfo=UTC), 1)
    assert (await world.poll()).revised == 0


async def test_an_address_of_whatever_is_the_latest_is_another_release_each_day(world: World) -> None:
    latest = "https://www.example.go.kr/main/notice.do"
    await world.contact()
    texts = ("온실가스 감축 목표를 산업별로 다시 나누었다.", "화학물질 사업장의 안전 진단 비용을 나라가 낸다.")
    for day, (title, text) in enumerate(zip(("탄소중립 산업전환 지원", "유해물질 관리 강화"), texts, strict=True), 20):
        world.lists(Item(number=1, title=title, text=text, url=latest, published=f"{day} May 2026 09:00:00 +0900"))
        report = await world.poll()
        assert (report.new, report.revised) == (1, 0)
    world.lists(
        Item(number=1, title=title, text=texts[1] + " 올해부터다.", url=latest, published="21 May 2026 09:00:00 +0900")
    )
    report = await world.poll()
    assert (report.new, report.revised) == (0, 1)
    assert [one.article.title for one in world.articles()][-2:] == ["탄소중립 산업전환 지원", "유해물질 관리 강화"]


@pytest.mark.parametrize(
    ("first", "then", "was", "changes", "kind", "credited"),
    [
        (FEED, OTHER, {}, {"ministry": "moel"}, Kind.PRESS_RELEASE, ["moel", "mcee"]),
        (OTHER, FEED, {}, {"ministry": "moel"}, Kind.PRESS_RELEASE, ["mcee", "moel"]),
        (OTHER, FEED, {"ministry": "moel"}, {}, Kind.PRESS_RELEASE, ["mcee"]),
        (FEED, OTHER, {"article_kind": Kind.EXPLANATION}, {}, Kind.PRESS_RELEASE, ["mcee"]),
    ],
)
async def test_of_an_article_at_several_places_each_has_its_own_settings(
    world: World,
    first: Source,
    then: Source,
    was: dict[str, Any],
    changes: dict[str, Any],
    kind: Kind,
    credited: list[str],
) -> None:
    """Whoever credits a ministry goes on to do so, and whoever did by mistake does no more."""
    await world.contact(FEED, OTHER)
    for one in (first, then):
        world.lists(Item(number=2, title="하천 유역 탄소중립 시범사업 다섯 곳 선정"), of=one)
        await world.poll(replace(FEED, **was) if one is FEED else one)
    asked = replace(FEED, **changes)
    reports = [await world.poll(one) for one in (asked, asked, OTHER)]
    assert [(one.new, one.revised, one.owed) for one in reports] == [(0, 1, 0), (0, 0, 0), (0, 0, 0)]
    found = world.articles()[-1].article
    assert (found.kind, [one.id for one in found.ministries], len(found.origins)) == (kind, credited, 2)


async def test_an_entry_whose_link_was_another_entrys_too_is_known_when_that_one_has_gone(world: World) -> None:
    await world.contact()
    board = "https://www.example.go.kr/board/list.do"
    first = Item(number=2, title="탄소 회의", text="", url=board, guid="a")
    second = Item(number=3, title="기후 점검", text="", url=board, guid="b")
    world.lists(second, first, Item(number=4, title="수소 선정", text=""))
    assert (await world.poll()).new == 3
    world.lists(second, Item(number=4, title="수소 선정 정정", text=""))  # a known link: the whole is read
    report = await world.poll()
    assert (report.new, report.joined, report.revised) == (0, 0, 1)


async def test_a_broken_place_costs_neither_the_feed_nor_what_is_known(world: World) -> None:
    cut = Item(number=3, text="온실가스 감축을 앞당긴@")

    async def listing(*items: Item) -> PollReport:
        world.server.at(FEED.url, world.server.page(rss(*items).encode().replace(b"@", "다".encode()[:2])))
        return await world.poll()

    report = await listing(cut, Item(number=2))
    assert (report.state, report.new, len(report.warnings)) == ("ok", 2, 1)
    report = await listing(Item(number=4), cut, Item(number=2))
    assert (report.new, report.revised, report.parsed) == (1, 0, 1)
    report = await listing(Item(number=4), replace(cut, text="온실가스 감축을 앞당긴다."), Item(number=2))
    assert (report.new, report.revised, report.warnings) == (0, 1, ())


async def test_a_revision_is_kept_and_not_told_again(world: World) -> None:
    await world.contact()
    world.lists(Item(number=2, text="탄소 배출을 줄인다."))
    await world.poll()
    world.lists(Item(number=2, text="탄소 배출을 절반으로 줄인다."))
    report = await world.poll()
    assert (report.new, report.revised, report.owed) == (0, 1, 0)
    found = world.articles()[-1].article
    assert (found.revision, found.summary) == (2, "탄소 배출을 절반으로 줄인다.")
    with world.store.read() as tx:
        assert [one["summary"] for one in articles.history(tx, found.number)] == ["탄소 배출을 줄인다.", found.summary]
    assert len(world.owed()) == 1


async def test_a_change_of_mind_and_back_is_told_once(world: World) -> None:
    await world.contact()
    for text in ("탄소 배출을 줄인다.", "음악회를 연다.", "탄소 배출을 늘린다.", "음악회를 닫는다.", "탄소를 모은다."):
        world.lists(Item(number=2, title="여름철 실천 대책", text=text))
        await world.poll()
    assert world.articles()[-1].article.revision == 5
    assert world.owed() == [("team", "여름철 실천 대책")]


async def test_a_known_article_that_comes_to_be_kept_is_told(world: World) -> None:
    await world.contact()
    world.lists(Item(number=2, title="여름철 실천 대책", text="음악회를 연다."))
    await world.poll()
    world.lists(Item(number=2, title="여름철 실천 대책", text="탄소 배출을 줄인다."))
    assert (await world.poll()).owed == 1


async def test_what_is_known_word_for_word_is_not_judged_again(world: World) -> None:
    judged: list[str] = []

    def judge(article: Article) -> Verdict:
        judged.append(article.title)
        return fakes.judge(article)

    world.parts["judge"] = judge
    await world.contact()
    world.lists(Item(number=2), Item(number=3, title="셋째 자료의 제목"))
    await world.poll()
    judged.clear()
    world.lists(Item(number=2), Item(number=3, title="셋째 자료의 제목"), Item(number=4, title="넷째 자료의 제목"))
    await world.poll()
    assert judged == ["넷째 자료의 제목"]


async def test_two_joins_in_one_poll_lose_neither(world: World) -> None:
    await world.contact(FEED, OTHER)
    title = "여름철 탄소중립 실천 대책 발표"
    link = "https://www.korea.kr/briefing/pressReleaseView.do?newsId=156700007"
    world.lists(Item(number=2, title=title, url=link, text=""))
    await world.poll()
    joint = Item(number=9, title=title, url="https://other.example.go.kr/view?no=9", text="<p>전문을 싣는다.</p>")
    world.lists(Item(number=8, title=title, url=link, text="짧은 요약"), joint, of=OTHER)
    assert (await world.poll(OTHER)).joined == 2
    found = world.articles()[-1].article
    assert (found.content, len(found.origins)) == ("<p>전문을 싣는다.</p>", 3)


async def test_numbers_run_with_time(world: World) -> None:
    same_moment = [Item(number=number, title=f"{number}번째로 나온 자료") for number in (9, 8, 7, 6)]
    older = Item(number=1, title="첫 번째로 나온 자료", published="Tue, 19 May 2026 09:00:00 +0900")
    world.lists(*same_moment, older)
    await world.poll()
    titles = [one.article.title for one in sorted(world.articles(), key=lambda one: one.article.number)]
    assert titles == [older.said, *(item.said for item in reversed(same_moment))]


# Saving ---------------------------------------------------------------------------------------------------------------


async def test_one_poll_is_one_transaction(world: World) -> None:
    await world.contact()
    before = world.state()

    def judge(article: Article) -> Verdict:
        if "셋째" in article.title:
            raise ZeroDivisionError
        return fakes.judge(article)

    world.parts["judge"] = judge
    world.lists(
        *(Item(number=number, title=f"{word} 탄소 자료") for number, word in ((2, "둘째"), (3, "셋째"))), etag='"2"'
    )
    assert (await world.poll()).state == "InternalError"
    assert len(world.articles()) == 1
    assert world.owed() == []
    after = world.state()
    assert (after.validators, after.cursor, after.listed) == (before.validators, before.cursor, before.listed)
    world.parts["judge"] = fakes.judge
    report = await world.poll()
    assert (report.new, report.owed) == (2, 2)


async def test_an_entry_that_says_nothing_is_quarantined_with_a_warning(world: World) -> None:
    world.lists(Item(number=1), Item(number=2, title="", text=""), Item(number=3, title="\x07\x1b", text="글은 있다"))
    report = await world.poll()
    assert (report.state, report.new) == ("ok", 2)
    assert any("was left out" in warning for warning in report.warnings)


async def test_a_source_that_pages_without_end_is_an_error(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(source: Source, cursor: Mapping[str, Any], document: Document) -> Reading:
        found = read_document(source, {}, document, MINISTRIES)
        return replace(found, next=Request(url=source.url), cursor={"page": 1})

    world.parts["read"] = endless
    world.lists(Item(number=1))
    report = await world.poll()
    assert isinstance(report.error, LayoutChanged)
    assert len(world.server.got) == MOST_PAGES
    assert world.articles() == []


async def test_a_page_that_fails_fails_the_poll_and_the_next_one_begins_again(world: World) -> None:
    site, press = PressList(), korea_kr()
    today = world.clock().date()
    site.add(*(Release(id=number, day=today, title=f"{number}번 탄소 사업") for number in range(45)))
    failing = Unreadable("{url} is no page.", url="x")
    world.server.at(press.url, site, failing)
    report = await world.poll(press)
    assert report.state == "Unreadable"
    assert (world.articles(), world.state(press).cursor) == ([], {})
    world.server.at(press.url, site)
    assert (await world.poll(press)).new == 45


async def test_of_a_paged_list_the_first_page_and_one_more_are_in_memory(world: World) -> None:
    site, press, load = PressList(), korea_kr(), Load(most=2, small=0)

    async def fetch(of: Source, request: Request) -> Document:
        with load.answer(request.url) as grown:
            grown(1)
            return await world.server(of, request)

    site.add(*(Release(id=number, day=world.clock().date(), title=f"{number}번 탄소 사업") for number in range(75)))
    world.server.at(press.url, site)
    world.parts["fetch"] = fetch
    report = await world.poll(press)
    assert (report.state, report.new) == ("ok", 75)
    assert report.requests > 2
    assert load.bytes == 0


async def test_a_paged_list_keeps_no_validators_of_its_first_page(world: World) -> None:
    site, press = PressList(), korea_kr()
    site.add(Release(id=7, day=world.clock().date()))

    def with_etag(request: Request) -> Document:
        return replace(site(request), headers={"etag": '"page 1"'})

    world.server.at(press.url, with_etag)
    await world.poll(press)
    assert (world.state(press).validators, world.state(press).body_hash) == (Validators(), None)


async def test_korea_kr_day_after_day(world: World) -> None:
    site, press = PressList(), korea_kr()
    world.server.at(press.url, site)
    for day in range(4):
        today = world.clock().date()
        site.add(
            *(
                Release(id=day * 100 + number, day=today, title=f"{day}일차 {number}번 탄소 사업")
                for number in range(30)
            )
        )
        await world.poll(press, minutes=24 * 60)
    assert len(world.articles()) == 120
    assert len(world.owed()) == 90
