"""Entry → Article: odd entries become right articles, or articles with a warning; nothing is guessed, nothing lost."""

from __future__ import annotations

import tomllib
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.normalize.article import MOST_ATTACHMENTS, PRINTED_LIMIT, TITLE_LIMIT, Normalized, normalize, split_tags
from policyfeed.types import Article, Attachment, Entry, Kind
from tests.alerts import NOW
from tests.fakes import MINISTRIES, source

TAGS = tomllib.loads((Path(__file__).parents[1] / "cases" / "titles" / "tags.toml").read_text(encoding="utf-8"))["case"]
LINK = "https://www.example.go.kr/board/view.do?no=7"


def entry(**changes: Any) -> Entry:
    made = Entry(title="탄소중립 기본계획 확정", url=LINK, published="2026-05-20 09:00:00", summary="계획이 확정됐다.")
    return replace(made, **changes)


def normalized(*entries: Entry, **changes: Any) -> Normalized:
    return normalize(entries, source(**changes), MINISTRIES, NOW)


def one(of: Entry, **changes: Any) -> tuple[Article, tuple[str, ...]]:
    found = normalized(of, **changes)
    (article,) = found.articles
    return article, found.warnings


@pytest.mark.parametrize(("printed", "title", "kind", "tags"), TAGS)
def test_leading_tags_say_the_kind(printed: str, title: str, kind: str, tags: list[str]) -> None:
    assert split_tags(printed) == (title, Kind(kind) if kind else None, tuple(tags))


def test_an_ordinary_entry() -> None:
    article, warnings = one(entry(title="(보도참고) 탄소중립 기본계획 확정", department="기후전략과 "))
    assert warnings == ()
    assert (article.title, article.kind, article.tags) == ("탄소중립 기본계획 확정", Kind.REFERENCE, ("보도참고",))
    assert (article.ministry.id, article.ministry.name) == ("mcee", "기후에너지환경부")
    assert article.published == datetime(2026, 5, 20, tzinfo=UTC)
    assert not article.dated
    assert (article.url, article.department, article.summary) == (LINK, "기후전략과", "계획이 확정됐다.")
    (origin,) = article.origins
    assert (origin.key, origin.title) == ("example.go.kr/board/view.do?no=7", "(보도참고) 탄소중립 기본계획 확정")
    assert article.attribution == "출처: 기후에너지환경부"


def test_the_ministry_is_credited_under_the_name_of_the_day() -> None:
    assert one(entry(published="2025-09-30"))[0].ministry.name == "환경부"
    assert one(entry(published="2025-10-01"))[0].ministry.name == "기후에너지환경부"
    assert one(entry(ministry="환경부"))[0].ministry.name == "환경부"
    assert one(entry(ministry="기후부", published="2025-09-01"))[0].ministry.name == "환경부"


def test_a_ministry_that_nobody_knows_keeps_its_name_and_one_id() -> None:
    first, second = one(entry(ministry="달나라개척부"))[0], one(entry(ministry=" 달나라 개척부"))[0]
    assert first.ministry.name == "달나라개척부"
    assert first.ministry.id == second.ministry.id


@pytest.mark.parametrize("title", ["", "   ", "\x00\u200b", "<b></b>", "&nbsp;"])
def test_an_empty_title_is_stood_in_for_by_the_text(title: str) -> None:
    article, (warning,) = one(entry(title=title))
    assert article.title == "계획이 확정됐다."
    assert "no title" in warning
    assert LINK in warning


@pytest.mark.parametrize(
    "empty", [Entry(title=""), Entry(title=" ", url=LINK), Entry(title="", guid="7", published="x")]
)
def test_an_entry_that_says_nothing_is_left_out_and_the_others_go_on(empty: Entry) -> None:
    found = normalized(empty, entry())
    assert [article.title for article in found.articles] == ["탄소중립 기본계획 확정"]
    assert "was left out" in found.warnings[0]


@pytest.mark.parametrize("unit", ["가", "[설명]", "<b>", "&amp;", "<"])
def test_a_title_of_two_megabytes_is_cut_and_kept_in_the_text(unit: str) -> None:
    article, warnings = one(entry(title="제목" + unit * (2_000_000 // len(unit)), summary="글", content=""))
    assert len(article.title) <= TITLE_LIMIT
    assert len(article.origins[0].title) <= PRINTED_LIMIT
    assert article.title.startswith("제목")
    assert all(len(warning) < 1_000 for warning in warnings)


def test_tags_nested_too_deep_are_left_out_with_a_warning() -> None:
    article, warnings = one(entry(summary="", content="<div>" * 600 + "본문" + "</div>" * 600))
    assert article.content.count("<div>") == 512
    assert article.summary == "본문"
    (warning,) = warnings
    assert warning.startswith("tags nested more than 512 deep were left out: ")


def test_a_cut_title_stays_whole_in_the_text() -> None:
    article, (warning,) = one(entry(title="가" * 600, summary=""))
    assert article.content == f"<p>{'가' * 600}</p>"
    assert "600 characters" in warning


@pytest.mark.parametrize("field", ["title", "summary", "content", "department", "ministry", "url", "guid", "published"])
def test_control_characters_get_nowhere(field: str) -> None:
    article, _ = one(entry(**{field: "2026\x00\x08\x1b\u202e\ud800\ufffe05"}))
    shown = repr([getattr(article, name.name) for name in fields(article)])
    assert not any(sign in shown for sign in ("\\x00", "\\x08", "\\x1b", "\\u202e", "\\ud800", "\\ufffe"))


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "", "#", "mailto:a@b.kr", "http://"])
def test_a_link_that_is_none_gives_way_to_the_sources_address(link: str) -> None:
    article, _ = one(entry(url=link, guid="r-7"))
    assert article.url == source().url
    assert article.origins[0].key.startswith("example-press#")


def test_a_guid_that_is_an_address_stands_in_for_a_missing_link() -> None:
    assert one(entry(url="", guid=LINK))[0].origins[0].key == "example.go.kr/board/view.do?no=7"


def test_without_link_and_guid_title_and_date_are_the_key() -> None:
    first, again = one(entry(url=""))[0], one(entry(url="", summary="고친 글"))[0]
    later = one(entry(url="", published="2026-05-27 09:00:00"))[0]
    assert first.origins[0].key == again.origins[0].key != later.origins[0].key


def test_one_link_for_all_items_is_nobodys() -> None:
    entries = [entry(title=f"{number}차 탄소중립 회의", url="/board/list.do") for number in (1, 2, 3)]
    found = normalized(*entries)
    assert len({article.origins[0].key for article in found.articles}) == 3
    assert {article.url for article in found.articles} == {"https://www.example.go.kr/board/list.do"}


@pytest.mark.parametrize("link", ["", "/board/list.do", "https://www.example.go.kr/"])
@pytest.mark.parametrize("guid", ["보도", "https://www.example.go.kr/rss"])
def test_one_guid_for_all_items_is_nobodys(link: str, guid: str) -> None:
    entries = [entry(title=f"{number}차 탄소중립 회의", url=link, guid=guid) for number in (1, 2, 3)]
    assert len({article.origins[0].key for article in normalized(*entries, entries[0]).articles}) == 3


def test_links_that_differ_only_in_noise_are_one_link() -> None:
    entries = [entry(title=f"{number}차 회의", url=f"{LINK}&pageIndex={number}#a{number}") for number in (1, 2)]
    assert len(normalized(*entries).articles) == 2


def test_an_item_that_is_listed_twice_keeps_its_key() -> None:
    alone, twice = normalized(entry()), normalized(entry(), entry())
    assert [one.origins[0].key for one in twice.articles] == [one.origins[0].key for one in alone.articles]


def test_the_home_page_is_no_items_own_link() -> None:
    first = normalized(entry(url="https://www.example.go.kr/", title="1차 회의")).articles[0]
    second = normalized(entry(url="https://www.example.go.kr/", title="2차 회의")).articles[0]
    assert first.origins[0].key != second.origins[0].key


@pytest.mark.parametrize("raw", ["", "어제", "2026-13-45", "x" * 500])
def test_a_date_that_cannot_be_read_is_none_and_said(raw: str) -> None:
    article, warnings = one(entry(published=raw))
    assert article.published is None
    assert article.sort_time == NOW
    assert len(warnings) == bool(raw)


@pytest.mark.parametrize("raw", ["2027-01-01", "2026-05-23 10:00", "1970-01-01 09:00:00", "0001-01-02T00:00:00Z"])
def test_a_date_far_from_now_is_none_and_said(raw: str) -> None:
    article, (warning,) = one(entry(published=raw))
    assert article.published is None
    assert raw in warning


@pytest.mark.parametrize("raw", ["2026-05-21 09:00", "2026-05-20 18:00"])
def test_an_embargo_until_tomorrow_is_a_date(raw: str) -> None:
    assert one(entry(published=raw))[0].published is not None


def test_a_source_that_dates_everything_midnight_gives_days() -> None:
    assert one(entry(published="2026-05-20 00:00:00"), options={"date_only": True})[0].dated


def test_titles_escaped_twice_and_summaries_escaped_twice() -> None:
    article, _ = one(entry(title="R&amp;amp;D &amp;lt;탄소&amp;gt;", summary="호우&amp;middot;강풍&amp;nbsp;특보"))
    assert (article.title, article.summary) == ("R&D <탄소>", "호우·강풍 특보")


def test_a_lead_that_was_cut_ends_with_an_ellipsis() -> None:
    assert one(entry(summary="기업의 부담을 ···"))[0].summary == "기업의 부담을…"


@pytest.mark.parametrize(
    "text", ["<p>온실가스 &nbsp;감축</p><p>끝</p>", "R&amp;D <K-푸드> 확정", "계획\n확정", "<br/>"]
)
def test_a_content_that_stands_in_for_a_summary_is_read_as_one_alone(text: str) -> None:
    """Atom without summaries: feedparser says the content twice."""
    assert one(entry(summary=text, content=text)) == one(entry(summary="", content=text))


def test_the_text_is_sanitized_and_the_summary_is_its_beginning() -> None:
    article, _ = one(
        entry(summary="", content="<p onclick=x>첫 문장.</p><script>x</script><a href='/f?a=1&copy=2'>파일</a>")
    )
    assert article.summary == "첫 문장. 파일"
    assert "script" not in article.content
    assert 'href="https://www.example.go.kr/f?a=1&amp;copy=2"' in article.content


def test_attachments_are_absolute_named_and_not_too_many() -> None:
    files = tuple(
        Attachment(name=name, url=url) for name, url in (("", "/f/1.hwpx"), ("가\x00", "/f/2.pdf"), ("x", "data:x"))
    )
    article, _ = one(entry(attachments=files))
    assert [(item.name, item.url) for item in article.attachments] == [
        ("1.hwpx", "https://www.example.go.kr/f/1.hwpx"),
        ("가", "https://www.example.go.kr/f/2.pdf"),
    ]
    assert len(one(entry(attachments=files[:1] * 5_000))[0].attachments) == MOST_ATTACHMENTS


TEXT = st.text(max_size=60) | st.sampled_from(
    ["[설명] ", "<b>가</b>", "&amp;amp;", "http://a.go.kr/7", "2026.05.20", "\ud800"]
)
ENTRIES = st.builds(
    Entry, title=TEXT, url=TEXT, guid=TEXT, published=TEXT, updated=TEXT, summary=TEXT, content=TEXT, ministry=TEXT,
    department=TEXT, attachments=st.lists(st.builds(Attachment, name=TEXT, url=TEXT, type=TEXT), max_size=2).map(tuple),
)  # fmt: skip


@given(st.lists(ENTRIES, max_size=5))
def test_any_entries_give_articles_that_can_be_stored_and_shown(entries: list[Entry]) -> None:
    found = normalized(*entries)
    assert bool(found.articles or found.warnings) == bool(entries)
    for article in found.articles:
        assert article.url.startswith("http")
        assert repr([getattr(article, name.name) for name in fields(article)]).encode()
        assert "".join([article.title, article.summary, article.content, article.origins[0].key]).encode()


@given(ENTRIES)
def test_what_was_normalized_once_stays_as_it_is(of: Entry) -> None:
    for article in normalized(of).articles:
        again = Entry(title=article.origins[0].title, url=article.url, content=article.content, guid=of.guid)
        for second in normalized(again).articles:
            assert second.title == article.title or not article.origins[0].title
            assert second.content == article.content
            assert second.url == article.url
