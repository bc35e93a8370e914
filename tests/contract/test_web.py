"""The web over its wire: feeds as RFC 9110 wants them, pages in two languages, health that tells the truth."""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import process_time
from urllib.parse import unquote

import httpx
import pytest
from lxml import html

from policyfeed import publish, store
from policyfeed.errors import Remark, noted
from policyfeed.formats import Feed
from policyfeed.health import conditions, waits
from policyfeed.store import Store
from policyfeed.types import Kind, Reason, Source
from policyfeed.web import Buttons, Context, Published, create_app, health, pages
from tests import releases
from tests.releases import NOW

FEEDS = (releases.feed(), releases.EVERYTHING)
ATOM = "/feeds/esg.atom"
BUTTONS = Buttons(origin="http://test", topics=("E1", "S2"))
KOREA_KR = Source(id="korea-kr", kind="korea_kr", url="https://www.korea.kr/briefing/pressReleaseList.do")


class World:
    """A store, a folder, and a client of the application over them."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.store = Store(folder / "var")
        self.published = Published(self.out)
        self.feeds: tuple[Feed, ...] = FEEDS
        self.problem = ""
        self.now = NOW
        self.buttons: Buttons | None = None
        self.faulty = False
        self.address = "https://feeds.example.org"
        self.title = "ESG 정책뉴스"
        checks = {
            "database": health.database_readable(self.store),
            "polls": health.polled_within(self.store, lambda: self.now, timedelta(hours=3)),
            "folder": health.folder_writable(self.out),
            "feeds": health.feeds_published(self.published, lambda: self.feeds),
            "other": lambda: self.problem,
        }
        context = Context(
            store=self.store,
            published=self.published,
            feeds=lambda: self.feeds,
            address=lambda: self.address,
            checks=checks,
            topic_names=lambda language: releases.TOPIC_NAMES if language == "ko" else {"E1": "Climate"},
            sources=lambda: releases.SOURCES,
            buttons=self._buttons,
            conditions=lambda: conditions(self.store, [KOREA_KR], self.now),
            waits=lambda: waits(self.store, self.now),
            page_size=5,
            title=lambda: self.title,
        )
        transport = httpx.ASGITransport(create_app(context), raise_app_exceptions=False)
        browsers = {"Accept-Language": "ko", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test", headers=browsers)

    def _buttons(self) -> Buttons | None:
        if self.faulty:
            raise KeyError("a fault of ours")
        return self.buttons

    def publish(self, now: int = 0) -> None:
        publish.publish(self.store, self.feeds, self.out, NOW + timedelta(minutes=now))
        self.published.load()

    def revise(self, number: int, title: str) -> None:
        with self.store.write() as tx:
            one = store.articles.get(tx, [number])[number]
            changed = NOW + timedelta(days=1)
            store.articles.update(
                tx, replace(one, title=title, revision=one.revision + 1, changed=changed), revised=True
            )

    async def get(self, path: str, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.get(path, headers={"Accept-Encoding": "identity", **named})

    async def press(self, form: str, path: str = "/articles/1/label", origin: str = "http://test") -> httpx.Response:
        return await self.client.post(path, content=form, headers={"Origin": origin} if origin else {})

    def said(self) -> dict[int, tuple[bool, str]]:
        with self.store.read() as tx:
            return {one.number: (one.relevant, one.topic) for one in store.labels.every(tx)}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twelve releases, to be copied."""
    folder = tmp_path_factory.mktemp("stored")
    releases.stored(folder / "var", [*releases.many(11), releases.joint(12)]).close()
    return folder


@pytest.fixture
async def unpublished(stored: Path, tmp_path: Path) -> AsyncIterator[World]:
    made = World(shutil.copytree(stored, tmp_path / "world"))
    yield made
    await made.client.aclose()
    made.store.close()


@pytest.fixture
def world(unpublished: World) -> World:
    unpublished.publish()
    return unpublished


async def test_a_feed_is_served_as_it_was_published(world: World) -> None:
    answer = await world.get(ATOM)
    body = (world.out / "feeds/esg.atom").read_bytes()
    assert answer.status_code == 200
    assert answer.content == body
    assert answer.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert answer.headers["content-length"] == str(len(body))
    assert answer.headers["etag"] == f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    assert answer.headers["last-modified"] == "Wed, 20 May 2026 00:30:00 GMT"
    assert answer.headers["cache-control"] == "public, max-age=300"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("extension", "media_type"), [("rss", "application/rss+xml"), ("json", "application/feed+json")]
)
async def test_every_format_has_its_type(world: World, extension: str, media_type: str) -> None:
    answer = await world.get(f"/feeds/all.{extension}")
    assert answer.headers["content-type"] == f"{media_type}; charset=utf-8"


async def test_gzip_is_a_representation_of_its_own(world: World) -> None:
    plain = await world.get(ATOM)
    async with world.client.stream("GET", ATOM, headers={"Accept-Encoding": "br, gzip;q=0.5"}) as answer:
        raw = b"".join([part async for part in answer.aiter_raw()])
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == plain.content
    assert answer.headers["content-length"] == str(len(raw))
    assert answer.headers["etag"] != plain.headers["etag"]
    assert not answer.headers["etag"].startswith("W/")
    assert answer.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    ("wish", "zipped"),
    [("gzip", True), ("GZIP", True), ("x-gzip", True), ("*", True), ("gzip;q=0.001", True), ("gzip; q=0", False),
     ("*;q=0", False), ("gzip;q=0, *", False), ("identity", False), ("", False), ("br", False), ("gzip;q=x", True)],
)  # fmt: skip
async def test_gzip_is_given_to_those_who_take_it(world: World, wish: str, zipped: bool) -> None:
    answer = await world.get(ATOM, Accept_Encoding=wish)
    assert (answer.headers.get("content-encoding") == "gzip") is zipped


async def test_head_is_get_without_a_body(world: World) -> None:
    got = await world.get(ATOM)
    head = await world.client.head(ATOM, headers={"Accept-Encoding": "identity"})
    assert head.content == b""
    assert head.headers == got.headers


async def test_a_held_feed_is_not_sent_again(world: World) -> None:
    tag = (await world.get(ATOM)).headers["etag"]
    for held in (tag, f"W/{tag}", f'"other", W/"x,y", {tag}', "*", f'"other",{tag}'):
        answer = await world.get(ATOM, If_None_Match=held)
        assert (answer.status_code, answer.content) == (304, b""), held
        assert answer.headers["etag"] == tag
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == "public, max-age=300"
        assert "content-type" not in answer.headers
        assert "content-length" not in answer.headers
    for other in ('"other"', tag[1:-1], 'W/"other"', ""):
        assert (await world.get(ATOM, If_None_Match=other)).status_code == 200, other


async def test_a_list_may_come_in_several_lines(world: World) -> None:
    tag = (await world.get(ATOM)).headers["etag"]
    identity = ("Accept-Encoding", "identity")
    answer = await world.client.get(ATOM, headers=[("If-None-Match", '"other"'), ("If-None-Match", tag), identity])
    assert answer.status_code == 304
    answer = await world.client.get(ATOM, headers=[identity, ("Accept-Encoding", "gzip")])
    assert answer.headers["content-encoding"] == "gzip"


async def test_either_form_of_a_feed_is_as_fresh_as_the_other(world: World) -> None:
    plain = (await world.get(ATOM)).headers["etag"]
    zipped = (await world.get(ATOM, Accept_Encoding="gzip")).headers["etag"]
    answer = await world.get(ATOM, Accept_Encoding="gzip", If_None_Match=plain)
    assert (answer.status_code, answer.headers["etag"]) == (304, plain)
    answer = await world.get(ATOM, If_None_Match=zipped)
    assert (answer.status_code, answer.headers["etag"]) == (304, zipped)


@pytest.mark.parametrize(
    ("since", "status"),
    [
        ("Wed, 20 May 2026 00:30:00 GMT", 304),
        ("Wed, 20 May 2026 09:30:00 +0900", 304),
        ("Thu, 21 May 2026 00:30:00 GMT", 304),
        ("Wed, 20 May 99999999999999999999 00:30:00 GMT", 200),
        ("Wed, 20 May 2026 00:29:59 GMT", 200),
        ("yesterday", 200),
        ("", 200),
    ],
)
async def test_dates_are_validators_too(world: World, since: str, status: int) -> None:
    assert (await world.get(ATOM, If_Modified_Since=since)).status_code == status


async def test_a_tag_outweighs_a_date(world: World) -> None:
    answer = await world.get(ATOM, If_None_Match='"other"', If_Modified_Since="Thu, 21 May 2026 00:30:00 GMT")
    assert answer.status_code == 200


async def test_a_precondition_that_fails_is_said(world: World) -> None:
    tag = (await world.get(ATOM)).headers["etag"]
    assert (await world.get(ATOM, If_Match=tag)).status_code == 200
    assert (await world.get(ATOM, If_Match="*")).status_code == 200
    assert (await world.get(ATOM, If_Match=f"W/{tag}")).status_code == 412
    assert (await world.get(ATOM, If_Match='"other"')).status_code == 412


async def test_a_change_changes_the_validators_and_nothing_else_does(world: World) -> None:
    first = await world.get(ATOM)
    world.publish(now=10)
    assert (await world.get(ATOM)).headers == first.headers
    world.revise(4, "고친 제목")
    world.publish(now=20)
    answer = await world.get(ATOM, If_None_Match=first.headers["etag"])
    assert answer.status_code == 200
    assert "고친 제목" in answer.text
    assert answer.headers["last-modified"] == "Wed, 20 May 2026 00:50:00 GMT"


async def test_what_is_in_memory_outlives_the_file(world: World) -> None:
    body = (await world.get(ATOM)).content
    (world.out / "feeds/esg.atom").unlink()
    assert (await world.get(ATOM)).content == body


@pytest.mark.parametrize("path", ["/feeds/unknown.atom", "/feeds/esg.pdf", "/feeds/..%2f..%2fvar.atom"])
async def test_an_unknown_feed_names_those_that_there_are(world: World, path: str) -> None:
    answer = await world.get(path)
    assert answer.status_code == 404
    if "%" not in path:
        assert "피드는 없습니다" in answer.text
        assert "https://feeds.example.org/feeds/esg.atom  ESG 정책뉴스" in answer.text


async def test_a_feed_before_its_first_publication_asks_for_patience(unpublished: World) -> None:
    answer = await unpublished.get(ATOM)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    ready = (await unpublished.get("/readyz")).json()
    assert ready["checks"]["feeds"]["problem"].startswith("not published: esg.atom")


@pytest.mark.parametrize(
    "path", ["/", "/articles/1", ATOM, "/healthz", "/feeds/none.atom", "/nowhere", "/static/style.css"]
)
async def test_every_answer_forbids_what_pages_do_not_need(world: World, path: str) -> None:
    headers = (await world.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'none'; ")
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_changed_over_the_web(world: World, method: str) -> None:
    for path in ("/", ATOM, "/articles/1"):
        assert (await world.client.request(method, path)).status_code == 405
    assert (await world.press("word=relevant")).status_code == 404
    assert "<form" not in (await world.get("/")).text + (await world.get("/articles/1")).text
    assert world.said() == {}


async def test_a_press_is_stored_and_leads_back(world: World) -> None:
    world.buttons = BUTTONS
    answer = await world.press("word=relevant&topic=E1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/articles/1#feedback")
    assert world.said() == {1: (True, "E1")}
    answer = await world.press("word=irrelevant&topic=E1&page=2", "/articles/1/label?lang=en")
    assert answer.headers["location"] == "/?page=2&lang=en#a1"
    assert world.said() == {1: (False, "")}
    board = html.fromstring((await world.get("/?page=2")).text)
    assert len(board.cssselect("summary > .said")) == 1, "seen without opening the reasons"
    pressed = board.cssselect("#a1 button[aria-pressed=true]")
    assert [one.get("value") for one in pressed] == ["irrelevant"]


async def test_a_form_names_the_topics_and_what_was_said(world: World) -> None:
    world.buttons = BUTTONS
    await world.press("word=relevant&topic=E1")
    page = html.fromstring((await world.get("/articles/1?lang=en")).text)
    (form,) = page.forms
    assert (form.method, form.action) == ("POST", "/articles/1/label?lang=en")
    assert [option.get("value") for option in page.cssselect("option")] == ["", "E1", "S2"]
    assert form.fields["topic"] == "E1"
    assert [one.get("aria-pressed") for one in page.cssselect("form button")] == ["true", "false"]


@pytest.mark.parametrize(
    "origin", ["", "null", "http://evil.example", "http://test.evil.example", "https://test", "http://test:81"]
)
async def test_other_sites_cannot_press(world: World, origin: str) -> None:
    world.buttons = BUTTONS
    answer = await world.press("word=relevant", origin=origin)
    assert answer.status_code == 403
    assert "http://test" in answer.text
    assert world.said() == {}


@pytest.mark.parametrize(
    ("form", "path", "status"),
    [
        ("", "/articles/1/label", 400),
        ("word=perhaps", "/articles/1/label", 400),
        ("word=relevant&topic=Z9", "/articles/1/label", 400),
        ("word=relevant&topic=" + "E" * 3000, "/articles/1/label", 413),
        ("word=relevant", "/articles/99/label", 404),
        ("word=relevant", f"/articles/{'9' * 18}/label", 404),
        ("word=relevant", f"/articles/{'9' * 4301}/label", 404),
    ],
)
async def test_forms_that_are_not_ours_store_nothing(world: World, form: str, path: str, status: int) -> None:
    world.buttons = BUTTONS
    assert (await world.press(form, path)).status_code == status
    assert world.said() == {}


REFUSED = [
    ("GET", "/nowhere", "", 404, "찾을 수 없습니다", "There is nothing at this address."),
    ("POST", "/", "", 405, "할 수 없는 요청입니다", "This address only takes "),
    ("DELETE", "/static/style.css", "", 405, "할 수 없는 요청입니다", "This address only takes GET, HEAD."),
    ("GET", "/articles/1/label", "", 405, "할 수 없는 요청입니다", "This address only takes POST."),
    ("POST", "/articles/1/label", "word=relevant&topic=Z9", 400, "이해할 수 없는", "The form names what is unknown"),
    ("POST", "/articles/1/label", "topic=" + "E" * 3000, 413, "너무 큽니다", "No form of these pages is as large"),
]


@pytest.mark.parametrize(("method", "path", "form", "status", "korean", "english"), REFUSED)
async def test_a_refusal_is_a_page_for_whoever_takes_one_else_a_line(
    world: World, method: str, path: str, form: str, status: int, korean: str, english: str
) -> None:
    world.buttons = BUTTONS
    asked = {"Origin": "http://test"}
    page = await world.client.request(method, path, content=form, headers=asked)
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert korean in html.fromstring(page.text).cssselect("h1")[0].text_content()
    assert html.fromstring(page.text).cssselect('main a[href="/"]'), "the way back"
    any_kind = await world.client.request(method, path, content=form, headers={**asked, "Accept": "*/*"})
    assert any_kind.text == page.text
    asked |= {"Accept": "application/json", "Accept-Language": "en"}
    line = await world.client.request(method, path, content=form, headers=asked)
    assert (line.status_code, line.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert english in line.text
    for answer in (page, line):
        assert answer.headers["vary"] == "Accept, Accept-Language"
        assert ("allow" in answer.headers) is (status == 405)


async def test_an_answer_leads_nowhere_else(world: World) -> None:
    world.buttons = BUTTONS
    answer = await world.press("word=relevant&page=//evil.example")
    assert answer.headers["location"] == "/articles/1#feedback"


async def test_the_board_lists_kept_articles_by_page(world: World) -> None:
    first = html.fromstring((await world.get("/")).text)
    assert [cell.text for cell in first.cssselect("td.number")] == ["12", "11", "9", "8", "7"]
    row = first.cssselect("tbody tr")[0]
    assert row.cssselect("td.ministry")[0].text == "기후에너지환경부, 고용노동부"
    assert row.cssselect("time")[0].text == "2026-05-20"
    assert row.cssselect("td.original a")[0].get("href") == releases.article(12).url
    assert row.cssselect("a.headline")[0].get("href") == "/articles/12"
    reason = row.cssselect(".reasons li")[0].text_content()
    assert reason == "+50.0 탄소중립(제목) E1 기후변화·온실가스·탄소중립"
    assert first.cssselect("a[rel=next]")[0].get("href") == "/?page=2"
    last = html.fromstring((await world.get("/?page=2")).text)
    assert [cell.text for cell in last.cssselect("td.number")] == ["6", "4", "3", "2", "1"]
    assert last.cssselect("a[rel=prev]")[0].get("href") == "/?page=1"
    assert not last.cssselect("a[rel=next]")


@pytest.mark.parametrize(
    ("page", "status"),
    [
        ("3", 404),
        ("0", 200),
        ("-1", 200),
        ("x", 200),
        ("9999999", 404),
        ("1" + "0" * 7, 404),
        ("9" * 30, 404),
        ("9" * 5000, 404),
        ("²", 200),
    ],
)
async def test_odd_page_numbers_do_no_harm(world: World, page: str, status: int) -> None:
    assert (await world.get(f"/?page={page}")).status_code == status


async def test_an_empty_board_says_so(world: World) -> None:
    with world.store.write() as tx:
        for number in range(1, 13):
            store.articles.save_verdict(tx, number, releases.DROPPED, NOW)
    assert "아직 고른 글이 없습니다" in (await world.get("/")).text


@pytest.mark.parametrize(
    ("query", "accepted", "expected"),
    [
        ("", "ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("", "en-US,en;q=0.9,ko;q=0.8", "en"),
        ("", "fr;q=1, en;q=0.5", "en"),
        ("", "fr", "ko"),
        ("", "en;q=0, ko;q=x", "ko"),
        ("", "", "ko"),
        ("?lang=en", "ko", "en"),
        ("?lang=ko", "en", "ko"),
        ("?lang=xx", "en", "en"),
    ],
)
async def test_the_reader_chooses_the_language(world: World, query: str, accepted: str, expected: str) -> None:
    answer = await world.get(f"/{query}", Accept_Language=accepted)
    assert answer.headers["content-language"] == expected
    assert answer.headers["vary"] == "Accept-Language"
    assert html.fromstring(answer.text).get("lang") == expected
    assert ("고른 까닭" in answer.text) is (expected == "ko")
    assert ("Why?" in answer.text) is (expected == "en")


async def test_an_asked_language_stays_on_the_way(world: World) -> None:
    page = html.fromstring((await world.get("/?lang=en")).text)
    assert page.cssselect("a.headline")[0].get("href") == "/articles/12?lang=en"
    assert page.cssselect("a[rel=next]")[0].get("href") == "/?page=2&lang=en"


@pytest.mark.parametrize(
    ("path", "korean", "english"),
    [
        ("/", "?lang=ko", "?lang=en"),
        ("/?page=2", "?page=2&lang=ko", "?page=2&lang=en"),
        ("/?lang=en&page=2", "?lang=ko&page=2", "?lang=en&page=2"),
        ("/articles/12?lang=xx", "?lang=ko", "?lang=en"),
        ("//evil.example/x", "?lang=ko", "?lang=en"),
        ("/nowhere?q=%22%3E%26lang=en", "?q=%22%3E%26lang%3Den&lang=ko", "?q=%22%3E%26lang%3Den&lang=en"),
    ],
)
async def test_another_language_is_the_same_address(world: World, path: str, korean: str, english: str) -> None:
    page = html.fromstring((await world.get(f"http://test{path}")).text)
    assert [link.get("href") for link in page.cssselect(".languages a")] == [korean, english]


async def test_an_article_is_shown_with_everything_known_of_it(world: World) -> None:
    world.revise(12, "고친 제목")
    text = html.fromstring((await world.get("/articles/12")).text).text_content()
    for part in (
        *("고친 제목", "기후에너지환경부, 고용노동부 물순환정책과", "보도자료", "2026-05-20 09:37", "보도자료.hwpx"),
        *("이 글을 고른 까닭", "탄소중립(제목)", "+50.0", "82점", "대한민국 정책브리핑", "moel-press", "수정 이력"),
        "공공누리 제1유형",
    ):
        assert part in text, part
    page = html.fromstring((await world.get("/articles/12")).text)
    assert page.cssselect("section.text b")[0].text == "함께"


async def test_korean_in_an_english_page_is_marked_as_korean(world: World) -> None:
    for path in ("/?lang=en", "/articles/12?lang=en", "/sources?lang=en", "/nowhere?lang=en"):
        page = html.fromstring((await world.get(path)).text)
        for node in page.xpath("//text()[normalize-space()]"):
            if re.search("[가-힣]", str(node)) and node.getparent().tag != "title":  # it may be of two languages
                assert node.getparent().xpath("ancestor-or-self::*[@lang][1]/@lang") == ["ko"], (path, str(node))
        feed = page.cssselect("link[type='application/atom+xml']")[0]
        assert (feed.get("lang"), feed.get("hreflang")) == ("ko", "ko")
        assert page.cssselect("title")[0].get("lang") == ("en" if path[1:8] in ("sources", "nowhere") else "ko")


async def test_reasons_that_weigh_nothing_are_counted_only(world: World) -> None:
    slight = [Reason(rule="word", points=points, term=f"말{points}") for points in (0.04, -0.049, 0.0)]
    with world.store.write() as tx:
        store.articles.save_verdict(tx, 12, releases.verdict(reasons=(*releases.verdict().reasons, *slight)), NOW)
    board = html.fromstring((await world.get("/")).text)
    page = html.fromstring((await world.get("/articles/12")).text)
    assert [item.text_content() for item in board.cssselect(".reasons")[0].cssselect("li")][4:] == ["그 밖에 3개"]
    assert len(page.cssselect(".evidence tbody tr")) == 4
    assert "그 밖에 3개" in page.text_content()


async def test_headings_of_a_text_stand_below_those_of_the_page(world: World) -> None:
    with world.store.write() as tx:
        content = '<h1>가</h1><h4 lang="en">나</h4><h6>다</h6><hr><p>본문</p>'
        store.articles.update(tx, replace(store.articles.get(tx, [12])[12], content=content), revised=False)
    page = html.fromstring((await world.get("/articles/12")).text)
    assert [(node.tag, node.text) for node in page.cssselect(".text > *")][:3] == [
        ("h3", "가"),
        ("h6", "나"),
        ("h6", "다"),
    ]
    assert len(page.cssselect("h1")) == 1


async def test_a_revision_shows_what_it_changed(world: World) -> None:
    with world.store.write() as tx:
        one = store.articles.get(tx, [12])[12]
        for content in ("<p>가 문단</p><p>나 문단</p>", "<p>가 문단</p><p>다 <b>문단</b> &lt;script&gt;</p>"):
            one = replace(one, content=content, revision=one.revision + 1, changed=one.changed + timedelta(hours=1))
            store.articles.update(tx, one, revised=True)
    page = html.fromstring((await world.get("/articles/12")).text)
    last = page.cssselect("#revisions + ol > li")[-1]
    assert [item.text_content() for item in last.cssselect("del")] == ["나 문단"]
    assert [item.text_content() for item in last.cssselect("ins")] == ["다 문단 <script>"]
    assert not page.cssselect("#revisions + ol > li")[0].cssselect("ins, del")


async def test_what_changed_in_a_long_text_costs_no_long_time(world: World) -> None:
    """Tables have the same words in many cells; difflib compares each with each, at the worst again and again."""
    with world.store.write() as tx:
        one = store.articles.get(tx, [12])[12]
        for content in ("<p>-</p>" * 1_000, "<p>0</p><p>-</p>" * 500, "<p>-</p><p>0</p>" * 20_000) * 9:
            one = replace(one, content=content, revision=one.revision + 1, changed=one.changed + timedelta(hours=1))
            store.articles.update(tx, one, revised=True)
    began = process_time()
    page = html.fromstring((await world.get("/articles/12")).text)
    assert process_time() - began < 5
    shown = page.cssselect("#revisions + ol > li")
    assert [item.get("value") for item in shown] == [str(one.revision - back) for back in range(19, -1, -1)]
    assert all(item.cssselect("ins, del") for item in shown[1:])


async def test_a_release_and_its_explanation_lead_to_each_other(world: World) -> None:
    named = releases.article(12).title
    with world.store.write() as tx:
        explains = releases.article(50, kind=Kind.EXPLANATION, summary=f"언론이 다룬 「{named}」 자료를 설명드립니다.")
        number = store.articles.insert(tx, explains).number
        store.articles.save_verdict(tx, number, releases.verdict(), NOW)
    links = html.fromstring((await world.get(f"/articles/{number}")).text).cssselect("#answers + ul a")
    assert "/articles/12" in [link.get("href") for link in links]
    links = html.fromstring((await world.get("/articles/12")).text).cssselect("#explained + ul a")
    assert [link.get("href") for link in links] == [f"/articles/{number}"]


async def test_a_dropped_article_can_be_looked_up(world: World) -> None:
    assert "이 글을 고르지 않은 까닭" in (await world.get("/articles/5")).text


@pytest.mark.parametrize(
    "path",
    [
        *("/articles/99", "/articles/0", "/articles/x", "/search"),
        *(f"/articles/{'9' * digits}" for digits in (18, 19, 4300, 4301, 20_000)),
    ],
    ids=lambda path: f"{path[:12]}-{len(path)}",
)
async def test_what_is_not_there_is_not_found(world: World, path: str) -> None:
    answer = await world.get(path)
    assert answer.status_code == 404
    assert "찾을 수 없습니다" in answer.text


async def test_upstream_cannot_write_our_pages(world: World) -> None:
    evil = "<script>alert(1)</script>"
    with world.store.write() as tx:
        number = store.articles.insert(
            tx,
            releases.article(
                50,
                title=evil,
                summary=evil,
                content=f'{evil}<p onclick="x()" style="position:fixed">본문<img src="https://t.example/p.gif"></p>',
                url="javascript:alert(1)",
                kind=Kind.NOTICE,
                licence=evil,
                attachments=(replace(releases.article().attachments[0], name=evil, url="javascript:alert(1)"),),
            ),
        ).number
        reasons = tuple(reason._replace(term=evil) for reason in releases.verdict().reasons)
        store.articles.save_verdict(tx, number, releases.verdict(reasons=reasons), NOW)
    for path in ("/", f"/articles/{number}"):
        text = (await world.get(path)).text
        assert evil not in text
        assert "javascript:" not in text
        assert not html.fromstring(text).cssselect("script, img, iframe, [onclick], [style]")
        assert "&lt;script&gt;" in text


async def test_every_feed_can_be_found_from_the_page(world: World) -> None:
    page = html.fromstring((await world.get("/")).text)
    heads = [link.get("href") for link in page.cssselect("link[rel=alternate]")]
    feeds = [f"/feeds/{name}.{ending}" for name in ("esg", "all") for ending in ("atom", "json", "rss")]
    assert heads == [*feeds, "/opml"]
    assert set(heads) <= {link.get("href") for link in page.cssselect("footer a")}


@pytest.mark.parametrize("asked", ["/정책/esg", ""], ids=["passed on", "stripped"])
async def test_pages_lie_under_the_path_of_the_public_address(world: World, asked: str) -> None:
    world.address, world.buttons = "https://policy.example.kr/%EC%A0%95%EC%B1%85/esg", BUTTONS
    root = "/정책/esg"
    page = html.fromstring((await world.get(f"{asked}/")).text)
    ours = [str(link) for link in page.xpath("//@href") if str(link).startswith("/")]
    assert {link for link in ours if not link.startswith(f"{root}/")} == set()
    for link in ours:
        assert (await world.get(asked + link.removeprefix(root))).status_code == 200, link
    pressed = await world.press("word=relevant", f"{asked}/articles/1/label")
    assert unquote(pressed.headers["location"]) == f"{root}/articles/1#feedback"
    assert (await world.get(f"{asked}/healthz")).status_code == 200
    lost = html.fromstring((await world.get(f"{asked}/static/none.css")).text)
    assert lost.cssselect(".brand a")[0].get("href") == f"{root}/"
    listed = (await world.get(f"{asked}/opml")).text
    assert f'xmlUrl="{world.address}/feeds/esg.atom"' in listed
    assert f'htmlUrl="{world.address}/"' in listed


async def test_the_path_alone_leads_to_the_board(world: World) -> None:
    world.address = "https://policy.example.kr/esg"
    answer = await world.get("/esg")
    assert (answer.status_code, answer.headers["location"]) == (307, "http://test/esg/")
    assert (await world.get("/esgfeeds")).status_code == 404


async def test_pages_and_lists_are_called_as_the_configuration_says(world: World) -> None:
    world.title = "AI <policy> news"
    board = html.fromstring((await world.get("/")).text)
    called = [board.cssselect(one)[0] for one in ("title", "h1", ".brand")]
    assert [(one.text_content(), one.get("lang")) for one in called] == [("AI <policy> news", "en")] * 3
    assert "<title>AI &lt;policy&gt; news</title>" in (await world.get("/opml")).text
    made = pages(FEEDS, title=world.title, topic_names=releases.TOPIC_NAMES)
    publish.publish(world.store, FEEDS, world.out, NOW, made)
    files = (world.out / "index.html").read_text()
    assert "ESG" not in html.fromstring(files).cssselect("main")[0].text_content()


async def test_pages_say_what_is_on_the_short_list(world: World) -> None:
    with world.store.write() as tx:
        store.articles.save_verdict(tx, 12, releases.verdict(alert=True), NOW)
    for path in ("/", "/articles/12"):
        (said,) = html.fromstring((await world.get(path)).text).cssselect(".alert")
        assert said.text == "주요 소식"
    assert not html.fromstring((await world.get("/articles/11")).text).cssselect(".alert")


async def test_the_static_board_stands_alone(world: World) -> None:
    made = pages(FEEDS, title="ESG 정책뉴스", topic_names=releases.TOPIC_NAMES)
    publish.publish(world.store, FEEDS, world.out, NOW, made)
    page = html.fromstring((world.out / "index.html").read_text())
    assert page.get("lang") == "ko"
    links = [link for link in page.xpath("//@href") if not str(link).startswith(("https://", "#"))]
    missing = [link for link in links if not (world.out / str(link)).is_file()]
    assert not missing
    assert len(page.cssselect("tbody tr")) == 10
    assert page.cssselect("a.headline")[0].get("href") == releases.article(12).url


async def test_health_tells_life_from_work(world: World) -> None:
    assert (await world.get("/healthz")).json() == {"alive": True}
    answer = await world.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["polls"] == {"ok": False, "problem": "no source has been read yet"}
    with world.store.write() as tx:
        store.sources.save(tx, store.SourceState(id="korea-kr", last_success=NOW))
    answer = await world.get("/readyz")
    assert (answer.status_code, answer.json()["ready"]) == (200, True)
    world.now = NOW + timedelta(hours=4)
    answer = await world.get("/readyz")
    assert answer.json()["checks"]["polls"]["problem"] == "no source was read for 240 minutes"
    world.now = NOW - timedelta(hours=9)
    problem = (await world.get("/readyz")).json()["checks"]["polls"]["problem"]
    assert problem == f"the last success lies in the future, at {NOW:%Y-%m-%d %H:%M} UTC: the clock was set back"
    world.now = NOW
    shutil.rmtree(world.out)
    answer = await world.get("/readyz")
    assert answer.json()["checks"]["folder"]["problem"] == f"{world.out} cannot be written: No such file or directory"
    world.out.mkdir()
    world.problem = "the disk is full"
    answer = await world.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["other"]["problem"]) == (503, "the disk is full")


async def test_without_a_database_feeds_are_served_and_pages_say_sorry(world: World) -> None:
    world.store.close()
    for file in world.store.folder.glob("policyfeed.db*"):
        file.unlink()
    world.store.file.mkdir()
    page = await world.get("/")
    assert (page.status_code, page.headers["retry-after"]) == (503, "60")
    assert "피드는 정상입니다" in html.fromstring(page.text).text_content()
    ready = await world.get("/readyz")
    assert ready.status_code == 503
    assert "failed" in ready.json()["checks"]["database"]["problem"]
    assert (await world.get("/healthz")).status_code == 200
    assert (await world.get("/metrics")).status_code == 200
    assert (await world.get(ATOM)).status_code == 200


async def test_a_database_that_was_moved_away_is_said_though_it_answers(world: World) -> None:
    world.store.file.rename(world.store.folder / "elsewhere.db")
    checks = (await world.get("/readyz")).json()["checks"]
    assert "was moved, removed or replaced" in checks["database"]["problem"]
    world.store.file.write_bytes(b"")
    assert not (await world.get("/readyz")).json()["checks"]["database"]["ok"], "another file of that name"


async def test_a_fault_of_our_own_says_so_and_is_counted_like_any_answer(world: World) -> None:
    world.faulty = True
    before = (await world.get("/metrics")).text.count('route="board",status="500"')
    answer = await world.get("/")
    assert before == 0
    assert answer.status_code == 500
    assert "결함" in answer.text
    assert "retry-after" not in answer.headers, "trying again does not help"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert 'policyfeed_http_requests_total{route="board",status="500"} 1.0' in (await world.get("/metrics")).text


async def test_metrics_count_by_route_not_by_address(world: World) -> None:
    await world.get("/articles/1")
    await world.get("/articles/2")
    await world.get("/wp-login.php")
    text = (await world.get("/metrics")).text
    assert 'policyfeed_http_requests_total{route="article",status="200"}' in text
    assert 'route="other",status="404"' in text
    assert "wp-login" not in text
    assert 'policyfeed_articles{verdict="kept"} 10.0' in text
    assert 'policyfeed_articles{verdict="dropped"} 2.0' in text
    assert "policyfeed_build_info" in text


async def test_the_condition_of_each_source_is_a_metric(world: World) -> None:
    assert 'policyfeed_source_condition{condition="new",source="korea-kr"} 1.0' in (await world.get("/metrics")).text
    with world.store.write() as tx:
        trouble = store.SourceState(id=KOREA_KR.id, state="Blocked", error="a block page", last_poll=NOW)
        store.sources.save(tx, trouble)
    found = [line for line in (await world.get("/metrics")).text.splitlines() if "source_condition{" in line]
    assert found == ['policyfeed_source_condition{condition="blocked",source="korea-kr"} 1.0']


async def test_what_is_known_of_a_source_outlives_a_restart(world: World) -> None:
    """The process that answers has polled nothing: alerts on failures and silence must fire all the same."""
    with world.store.write() as tx:
        failing = store.SourceState(id=KOREA_KR.id, state="Blocked", failures=7, last_poll=NOW, last_success=NOW)
        store.sources.save(tx, failing)
    text = (await world.get("/metrics")).text
    assert 'policyfeed_source_failures{source="korea-kr"} 7.0' in text
    told = next(line for line in text.splitlines() if line.startswith("policyfeed_source_last_success_timestamp"))
    assert float(told.split()[1]) == NOW.timestamp()


async def test_what_was_odd_in_a_source_is_shown_in_the_readers_language(world: World) -> None:
    with world.store.write() as tx:
        odd = noted([Remark("a date could not be read and was left out: {text!r}", text="<어제>"), "{of an adapter}"])
        store.sources.save(tx, store.SourceState(id=KOREA_KR.id, state="ok", last_poll=NOW, remarks=odd))
    page = html.fromstring((await world.get("/sources")).text)
    assert "날짜를 읽을 수 없어 뺐습니다: '<어제>'; {of an adapter}" in page.text_content()


async def test_a_newest_article_that_has_only_a_day_is_told_by_its_day(world: World) -> None:
    async def newest() -> list[tuple[str | None, str | None]]:
        page = html.fromstring((await world.get("/sources")).text)
        return [(one.get("datetime"), one.text) for one in page.cssselect('[data-label="최신 글"] time')]

    assert await newest() == [("2026-05-20T09:37:00+09:00", "2026-05-20 09:37")]
    with world.store.write() as tx:
        store.articles.insert(tx, releases.article(21, published=datetime(2026, 5, 20, 15, tzinfo=UTC), dated=True))
    assert await newest() == [("2026-05-21", "2026-05-21")]


async def test_how_long_releases_waited_to_be_seen_is_told_by_source(world: World) -> None:
    """Twelve releases were seen after five minutes each; the first contact came after the second one's publication."""
    with world.store.write() as tx:
        contact = releases.article(3).published
        store.sources.save(tx, store.SourceState(id=KOREA_KR.id, state="ok", first_contact=contact, last_poll=NOW))
        slow = releases.judged(20, published=NOW, first_seen=NOW + timedelta(hours=2))
        origin = replace(slow.article.origins[0], first_seen=NOW + timedelta(hours=2))
        store.articles.insert(tx, replace(slow.article, origins=(origin,)))
        store.articles.insert(tx, releases.article(21, published=NOW - timedelta(hours=9), dated=True))
    assert waits(world.store, NOW)[KOREA_KR.id].releases == 11, "ten from the third on, and the slow one"
    text = (await world.get("/metrics")).text
    assert 'policyfeed_publish_to_seen_seconds{quantile="0.5",source="korea-kr"} 300.0' in text
    assert 'policyfeed_publish_to_seen_seconds{quantile="0.99",source="korea-kr"} 7200.0' in text
    korean = html.fromstring((await world.get("/sources")).text)
    assert korean.cssselect("tbody tr td")[-1].text_content() == "5분 · 5분"
    english = html.fromstring((await world.get("/sources", Accept_Language="en")).text)
    assert english.cssselect("tbody tr td")[-1].text_content() == "5 min · 5 min"
    assert waits(world.store, NOW + timedelta(days=31)) == {}
