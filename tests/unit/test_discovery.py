"""What is found on pages: feeds, and tables for lists in the ways in which Korean ministries' boards are built."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policyfeed.discovery import Proposal, described, feed_links, guesses, propose
from policyfeed.discovery.scripts import call_of
from policyfeed.normalize import dates
from policyfeed.probe import board_of
from policyfeed.sources import page
from policyfeed.types import Document, Entry

CASES = Path(__file__).parents[1] / "cases" / "discovery"
URL = "https://www.example.go.kr/board/list.do?menuNo=200&pageIndex=1"
TITLES = (
    "공공부문 온실가스 감축 실적 점검 결과 발표",
    "중대재해 예방을 위한 합동 점검 실시",
    "하도급대금 지급 실태조사 착수",
    "장애인 의무고용 현황 공표",
    "녹색채권 발행 지침 개정안 마련",
)


def document(html: str, head: str = "") -> str:
    menu = "<ul><li><a href='/news'>뉴스·소식</a></li><li><a href='/info'>정보공개</a></li></ul>"
    return f"<!doctype html><html lang='ko'><head><title>보도자료</title>{head}</head><body>{menu}{html}</body></html>"


def rows(form: str) -> str:
    """A row for each title: {n} its place, {title}, {day}."""
    return "".join(form.format(n=n, title=title, day=f"2026.05.{20 - n}") for n, title in enumerate(TITLES))


def read(proposal: Proposal, html: str) -> tuple[Entry, ...]:
    board = board_of(URL, proposal)
    assert page.check(board) == ()
    got = Document(url=URL, status=200, body=html.encode(), fetched=datetime(2026, 5, 20, tzinfo=UTC))
    return page.read(board, {}, got).entries


@pytest.mark.parametrize("name", sorted(file.stem for file in CASES.glob("*.html")))
def test_a_board_is_proposed_and_reads_every_row(name: str) -> None:
    html = (CASES / f"{name}.html").read_text(encoding="utf-8")
    expected = json.loads((CASES / f"{name}.json").read_text(encoding="utf-8"))
    proposal = propose(html, URL)
    assert proposal is not None
    assert {key: proposal.options.get(key) for key in expected["options"]} == expected["options"]
    entries = read(proposal, html)
    assert tuple(entry.title for entry in entries) == TITLES
    assert entries[0].url == expected["first"]
    assert len({entry.url for entry in entries}) == len(TITLES)
    assert entries[0].published == expected["date"]
    assert all(dates.parse(entry.published) for entry in entries)
    assert len(proposal.notes) == expected["notes"]


@pytest.mark.parametrize(
    "html",
    [
        "<ul><li><a href='/a'>첫째 자료</a></li><li><a href='/b'>둘째 자료</a></li><li><a href='/c'>셋째</a></li></ul>",
        "<p>2026.05.20</p><p><a href='/a'>보도자료</a></p>",
        "<table><tr><td><a href='/view?no=1'>하나뿐인 자료</a></td><td>2026.05.20</td></tr></table>",
        "<ul>" + rows("<li><a href='/view?no={n}'>{title}</a> 2026.13.4{n}</li>") + "</ul>",
        "<ul>" + rows("<li><a href='/view?no={n}'>{title} {day}</a></li>") + "</ul>",
        "",
    ],
)
def test_where_nothing_repeats_with_a_date_nothing_is_proposed(html: str) -> None:
    assert propose(document(html), URL) is None


def test_the_largest_list_wins_over_boxes_beside_it() -> None:
    box = "<ul class='hot'>" + rows("<li><a href='/hot/{n}'>{n}위</a> {day}</li>") + "</ul>"
    list_ = "<ul class='main'>" + rows("<li><a href='/view/{n}'>{title}</a> <i>{day}</i></li>") + "</ul>"
    proposal = propose(document(box + list_ + box), URL)
    assert proposal is not None
    assert proposal.options["item"] == "ul.main li"


@pytest.mark.parametrize(
    ("values", "function", "changing"),
    [
        (["goView('12','9')", "goView('12','8')", "goView('12','7')"], "goView", (1,)),
        (["javascript:fn.view(31, 'A')", "javascript:fn.view(30, 'A')"], "fn.view", (0,)),
        (["return view('a1','b1');", "return view('a2','b2');"], "view", (0, 1)),
    ],
)
def test_a_call_is_told_by_what_changes_in_it(values: list[str], function: str, changing: tuple[int, ...]) -> None:
    found = call_of(values)
    assert found is not None
    assert (found.function, found.changing) == (function, changing)


@pytest.mark.parametrize(
    "values", [["goList()", "goList()"], ["a('1')", "b('2')"], ["", "x(1)"], ["v('가')", "v('나')"]]
)
def test_what_is_no_call_with_ids_is_none(values: list[str]) -> None:
    assert call_of(values) is None


# Feeds ------------------------------------------------------------------------------------------------------------


def test_announced_feeds_come_first_and_each_once() -> None:
    head = (
        '<link rel="alternate" type="application/rss+xml" title="보도자료" href="/rss/press.xml">'
        '<link rel="alternate" hreflang="en" href="/eng"><link rel="stylesheet" href="/rss.css">'
        '<link rel="alternate" type="application/atom+xml" href="https://www.example.go.kr/atom">'
    )
    html = '<a href="/rss/press.xml">RSS</a> <a href="/rss/notice.xml">공지 RSS</a>'
    found = feed_links(document(html, head), URL)
    assert [(one.url, one.how, one.title) for one in found] == [
        ("https://www.example.go.kr/rss/press.xml", "announced", "보도자료"),
        ("https://www.example.go.kr/atom", "announced", ""),
        ("https://www.example.go.kr/rss/notice.xml", "linked", "공지 RSS"),
    ]


@pytest.mark.parametrize(
    ("anchor", "is_feed"),
    [
        ('<a href="/kor/rss/board.do?bid=0027">보도</a>', True),
        ('<a href="/etc/info.do">RSS 서비스</a>', True),
        ('<a href="/etc/sub.do"><img src="/i.png" alt="RSS 구독"></a>', True),
        ('<a href="/board/selectBoardRss.do?bbsId=1">자료</a>', True),
        ('<a href="/news/feed/">소식</a>', True),
        ('<a href="/press/view.do?no=3">새마을운동 경북지부 소식</a>', False),
        ('<a href="/sitemap.xml">누리집 지도</a>', False),
        ('<a href="https://news.example.go.kr/rss">보도</a>', True),
        ('<a href="https://rss.elsewhere.example/feed">다른 곳의 RSS</a>', False),
        ('<a href="https://www.elsewhere.go.kr/rss/press.xml">다른 기관의 RSS</a>', False),
        ('<a href="/newsletter/rss">소식지 구독</a>', False),
        ('<a href="javascript:openRss()">RSS</a>', False),
        ('<a href="/feedback.do">의견 보내기</a>', False),
    ],
)
def test_anchors_that_look_like_feeds(anchor: str, is_feed: bool) -> None:
    assert bool(feed_links(document(anchor), URL)) is is_feed


def test_guesses_are_few_and_of_the_same_site() -> None:
    assert len(guesses(URL)) <= 6
    assert {one.url.rpartition("/")[0].split("/")[2] for one in guesses(URL)} == {"www.example.go.kr"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('<rss version="2.0"><channel><title><![CDATA[보도 & 설명]]></title>', ("RSS 2.0", "보도 & 설명")),
        ('<feed xmlns="http://www.w3.org/2005/Atom"><title>보도자료 &amp;c</title>', ("Atom", "보도자료 &c")),
        ('<rdf:RDF xmlns="http://purl.org/rss/1.0/"><channel><title>報道発表</title>', ("RSS 1.0", "報道発表")),
        ('{"version": "https://jsonfeed.org/version/1.1", "title": "보도자료"}', ("JSON Feed", "보도자료")),
        ('{"list": []}', ("", "")),
        ("<!doctype html><html><title>보도자료</title>", ("", "")),
    ],
)
def test_a_feed_says_what_it_is(text: str, expected: tuple[str, str]) -> None:
    assert described(text) == expected


@pytest.mark.parametrize("tag", ["o:p", "h2026.05.20<ul"])
def test_tags_that_no_selector_can_name_do_not_matter(tag: str) -> None:
    """Word processors leave ``o:p`` behind, torn pages anything."""
    form = f"<li><a href='view.do?no={{n}}'>{{title}}</a> <{tag} class='when'>{{day}}</{tag}></li>"
    html = document(f"<{tag} class='board'><ul>{rows(form)}</ul>")
    proposal = propose(html, URL)
    assert proposal is not None
    assert [entry.title for entry in read(proposal, html)] == list(TITLES)


@pytest.mark.parametrize("name", ["lg:top-0", "top-[2px]", "1top", "fix@2"])
def test_classes_that_no_selector_can_name_do_not_matter(name: str) -> None:
    form = "<tr class=''><td>{n}</td><td><a href='/view?no={n}'>{title}</a></td><td>{day}</td></tr>"
    html = document(f"<table>{rows(form)}</table>").replace("class=''", f"class='{name}'", 1)
    proposal = propose(html, URL)
    assert proposal is not None
    assert len(read(proposal, html)) == len(TITLES)
