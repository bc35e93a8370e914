"""Dead addresses are recognised in whatever way they are written, and nothing else is."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from policyfeed.retired import retired

SOURCES = Path(__file__).parents[2] / "config" / "sources"
SHIPPED = {
    table["id"]: table
    for file in SOURCES.glob("*.toml")
    for table in tomllib.loads(file.read_text(encoding="utf-8"))["source"]
}


@pytest.mark.parametrize(
    ("url", "instead"),
    [
        ("https://www.korea.kr/rss/pressrelease.xml", "korea-press"),
        ("http://korea.kr/rss/dept_me.xml", "korea-press"),
        ("https://m.korea.kr/rss/policy.xml?call_from=rsslink", "korea-press"),
        ("HTTPS://WWW.KOREA.KR/RSS/pressrelease.xml", "korea-press"),
        ("https://www.korea.kr//rss//dept_moel.xml", "korea-press"),
        ("https://www.korea.kr/etc/rss.do", "korea-press"),
        ("www.korea.kr/rss/expdoc.xml", "korea-press"),
        (" https://www.korea.kr./rss/ebriefing.xml\n", "korea-press"),
        ("https://me.go.kr/home/web/board/rss.do?menuId=286&boardMasterId=1", "mcee-press"),
        ("http://www.me.go.kr/home/web/board/rss.do?menuId=286&boardMasterId=1", "mcee-press"),
        ("https://www.moef.go.kr/com/detailRssTagService.do?bbsId=MOSFBBS_000000000028", "mofe-press"),
        ("https://moef.go.kr", "mofe-press"),
        ("https://apis.data.go.kr/1371000/pressReleaseService/pressReleaseList?serviceKey=x", "korea-press"),
    ],
)
def test_a_dead_address_names_what_to_use(url: str, instead: str) -> None:
    notice = retired(url)
    assert notice is not None
    assert notice.facts["instead"] == instead
    assert url in notice.text()
    assert f"Use the source {instead} " in notice.text()
    assert SHIPPED[instead]["url"] in notice.text()


@pytest.mark.parametrize("source_id", SHIPPED)
def test_no_shipped_source_is_dead(source_id: str) -> None:
    assert retired(SHIPPED[source_id]["url"]) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://www.korea.kr/briefing/pressReleaseView.do?newsId=156738805",
        "https://www.korea.kr/news/rssNotice.do",
        "https://notkorea.kr/rss/all.xml",
        "https://home.go.kr/rss/me.go.kr",
        "https://www.some.go.kr/rss",
        "https://apis.data.go.kr/1371000/policyNewsService2/policyNewsList2",
        "https://[broken/rss",
        "",
    ],
)
def test_other_addresses_pass(url: str) -> None:
    assert retired(url) is None
