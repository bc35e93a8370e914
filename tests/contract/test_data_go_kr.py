"""data.go.kr's API: its key is sent rightly and shown nowhere, and each of its errors is told by name."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from policyfeed.config import load, shipped
from policyfeed.errors import Blocked, ConfigErrors, LayoutChanged, Misconfigured, Refused
from policyfeed.health import conditions
from policyfeed.poll import HELD, PollReport
from policyfeed.selection import Selection
from policyfeed.sources import data_go_kr, hidden, keyed, revealed
from policyfeed.store import Store, articles, hosts, sources
from policyfeed.types import Document, Request, Secret, Source
from tests.alerts import NOW, Hand
from tests.fakes import Item, Server, poller, rss

CASES = Path(__file__).parents[1] / "cases" / "sources" / "data_go_kr"
KEY = "Moonlit+Otter/7f3a9=="
URL = "https://apis.data.go.kr/1371000/policyNewsService2/policyNewsList2"
SOURCE = Source(id="policy-api", kind="data_go_kr", url=URL, options={"key": Secret(KEY, "env:KEY")})


def recorded(name: str) -> str:
    return (CASES / name / "document.xml").read_text(encoding="utf-8")


async def polled(store: Store, clock: Hand, *answers: Document, of: Source = SOURCE) -> tuple[PollReport, Server]:
    server = Server(clock)
    server.at(URL, *answers)
    return await poller(store, server).poll(of), server


def test_the_key_is_percent_encoded_once() -> None:
    request = data_go_kr.first(SOURCE, {}, NOW)
    sent = revealed(SOURCE, request)
    assert "Moonlit" not in repr(request)
    assert "serviceKey=Moonlit%2BOtter%2F7f3a9%3D%3D&" in sent.url
    assert parse_qs(urlsplit(sent.url).query)["serviceKey"] == [KEY]
    answer = Document(url=sent.url, status=200, fetched=NOW)
    assert hidden(SOURCE, answer).url == request.url


def test_no_window_is_longer_than_three_days() -> None:
    cursor = {"covered": "2026-05-01"}
    request: Request | None = data_go_kr.first(SOURCE, cursor, NOW)
    windows = []
    while request is not None:
        asked = parse_qs(urlsplit(request.url).query)
        windows.append((asked["startDate"][0], asked["endDate"][0]))
        document = Document(url=request.url, status=200, body=recorded("next-window").encode(), fetched=NOW)
        page = data_go_kr.read(SOURCE, cursor, document)
        cursor, request = dict(page.cursor or {}), page.next
    assert windows[0] == ("20260501", "20260503")
    assert windows[-1] == ("20260519", "20260520")
    assert len(windows) == 7
    assert cursor == {"covered": "2026-05-20"}


async def test_articles_are_stored_and_the_key_is_nowhere(store: Store, clock: Hand) -> None:
    report, server = await polled(store, clock, server_page(clock, recorded("articles")))
    assert (report.state, report.new) == ("ok", 2)
    assert "Moonlit" in server.got[0].url
    with store.read() as tx:
        state = sources.get(tx, SOURCE.id)
    assert "Moonlit" not in repr(state) + repr(report) + repr(SOURCE)
    store.close()
    assert not [file for file in store.folder.iterdir() if b"Moonlit" in file.read_bytes()]


async def test_a_key_in_a_feeds_address_is_nowhere_either(store: Store, clock: Hand) -> None:
    """Not when the feed moves for good, nor when it is none any more."""
    feed = keyed(Source(id="feed", kind="feed", url=f"https://a.example.go.kr/rss?serviceKey={quote(KEY, safe='')}"))
    server = Server(clock)
    sent = revealed(feed, Request(url=feed.url)).url
    moved = sent.replace("/rss?", "/feed?")
    answers = [replace(server.page(text), url=moved, moved_to=moved) for text in (rss(Item(number=1)), "<p>none")]
    server.at(sent, *answers)
    reports = [await poller(store, server).poll(feed), await poller(store, server).poll(feed)]
    assert [one.url for one in server.got] == [sent, sent]
    assert [report.state for report in reports] == ["ok", "Unreadable"]
    assert "serviceKey=%7BserviceKey%7D is no feed" in str(reports[1].error)
    with store.read() as tx:
        assert "Moonlit" not in repr(sources.get(tx, feed.id)) + repr(reports)
    store.close()
    assert not [file for file in store.folder.iterdir() if b"Moonlit" in file.read_bytes()]


def server_page(clock: Hand, body: str, status: int = 200) -> Document:
    return Server(clock).page(body, status)


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("code", ["12", "20", "22", "30", "31"])
async def test_every_refusal_of_the_gateway_has_its_name_and_a_remedy(
    store: Store, clock: Hand, code: str, status: int
) -> None:
    report, _ = await polled(store, clock, server_page(clock, recorded(f"gateway-{code}"), status))
    assert report.error is not None
    assert isinstance(report.error, {"12": LayoutChanged, "22": Refused}.get(code, Misconfigured))
    assert f"code {code}" in str(report.error)
    assert report.error.remedy
    assert "Moonlit" not in str(report.error) + json.dumps(report.error.facts)


@pytest.mark.parametrize(("code", "name"), [("22", "blocked"), ("30", "misconfigured"), ("31", "misconfigured")])
async def test_a_refusal_with_status_200_is_no_host_that_does_not_answer(
    store: Store, clock: Hand, code: str, name: str
) -> None:
    await polled(store, clock, server_page(clock, recorded(f"gateway-{code}")))
    assert [one.name for one in conditions(store, [SOURCE], clock())] == [name]


async def test_a_block_page_is_one_though_it_is_well_formed(store: Store, clock: Hand) -> None:
    report, _ = await polled(store, clock, server_page(clock, "<html>정상적인 메뉴접근이 아닙니다</html>"))
    assert isinstance(report.error, Blocked)


async def test_references_that_xml_does_not_know_cost_no_article(store: Store, clock: Hand) -> None:
    answer = recorded("articles")
    title = answer.partition("<Title>")[2].partition("</Title>")[0]
    report, _ = await polled(store, clock, server_page(clock, answer.replace(title, "R&D 예산&nbsp;& 성과")))
    assert (report.state, report.new) == ("ok", 2)
    with store.read() as tx:
        titles = {one.article.title for one in articles.newest(tx, Selection(kept_only=False), 2)}
    assert "R&D 예산 & 성과" in titles


async def test_a_used_up_quota_waits_for_tomorrow_in_korea(store: Store, clock: Hand) -> None:
    report, _ = await polled(store, clock, server_page(clock, recorded("gateway-22")))
    assert report.due is not None
    midnight = timedelta(hours=14, minutes=30)  # it is 09:30 there
    assert midnight < report.due - clock() <= midnight + timedelta(minutes=10)


async def test_a_429_with_a_code_of_its_own_pauses_the_host_for_all_of_its_sources(store: Store, clock: Hand) -> None:
    server = Server(clock)
    server.at(URL, server.page(recorded("gateway-20"), 429))
    one = poller(store, server)
    assert isinstance((await one.poll(SOURCE)).error, Refused)
    asked = len(server.got)
    assert (await one.poll(replace(SOURCE, id="another"))).state == HELD
    assert len(server.got) == asked
    with store.read() as tx:
        assert hosts.get(tx, "apis.data.go.kr") is not None
        assert hosts.get(tx, "") is None


@pytest.mark.parametrize("body", ["<html>점검 중입니다</html>", ""])
async def test_a_refusal_without_a_code_is_told_by_its_status(store: Store, clock: Hand, body: str) -> None:
    report, _ = await polled(store, clock, server_page(clock, body, 503))
    assert isinstance(report.error, Refused)
    assert report.error.status == 503
    assert "Moonlit" not in str(report.error) + json.dumps(report.error.facts)


# Configuration -------------------------------------------------------------------------------------------------------


def configured(environ: dict[str, str]) -> Source:
    return next(one for one in load(shipped(), environ).sources if one.id == "data-go-kr-policy")


def test_the_shipped_source_is_on_when_there_is_a_key() -> None:
    assert not configured({}).enabled
    assert not configured({"POLICYFEED_DATA_GO_KR_KEY": ""}).enabled
    source = configured({"POLICYFEED_DATA_GO_KR_KEY": KEY})
    assert source.enabled
    assert source.options["key"] == Secret(KEY)
    assert "Moonlit" not in repr(source)


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ('key = "Moonlit"', "plain sight"),
        ('key = "file:/nowhere/key"', "cannot be read"),
        ("", "options.key is missing"),
    ],
)
def test_a_key_in_plain_sight_or_none_is_a_mistake(tmp_path: Path, key: str, problem: str) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    table = f'[[source]]\nid = "policy-api"\nkind = "data_go_kr"\nurl = "{URL}"\noptions = {{ {key} }}\n'
    (folder / "mine.toml").write_text(table, encoding="utf-8")
    with pytest.raises(ConfigErrors) as caught:
        load(tmp_path, {})
    (mistake,) = [one for one in caught.value.mistakes if problem in str(one)]
    assert "policy-api" in str(mistake)
    assert "Moonlit" not in str(mistake)


def test_a_source_that_is_off_needs_no_key() -> None:
    assert data_go_kr.check(replace(SOURCE, enabled=False, options={})) == ()
