"""What feeds show of an article."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policyfeed.formats import EPOCH, Category, Unshowable, shown, updated, web_link, why
from policyfeed.i18n import translator
from policyfeed.types import Attachment, Kind, MinistryName, Reason, Verdict
from tests import releases


def test_the_summary_ends_with_the_reason_in_the_feeds_language() -> None:
    korean = shown(releases.feed(), releases.judged()).summary.splitlines()
    english = shown(releases.feed(language="en"), releases.judged()).summary.splitlines()
    assert korean == [
        "세 유역에서 온실가스 감축과 홍수 대비를 함께 꾀한다.",
        "[policyfeed] 선별 · E1 기후변화·온실가스·탄소중립 · 82점 · 탄소중립(제목), 온실가스(요약)",
    ]
    assert english[-1].startswith("[policyfeed] kept · E1 ")
    assert english[-1].endswith("82 points · 탄소중립 (title), 온실가스 (summary)")


def test_a_dropped_article_says_so() -> None:
    assert why(releases.DROPPED, {}, translator("ko")) == "[policyfeed] 선별 안 됨 · 11점"
    assert why(Verdict(kept=False), {}, str) == "[policyfeed] not kept · 0 points"


def test_every_ministry_of_a_joint_release_is_credited_and_every_other_place_linked() -> None:
    one = shown(releases.feed(), releases.joint())
    assert one.authors == ("기후에너지환경부", "고용노동부")
    assert one.via == ("https://www.moel.go.kr/news/9?a=1&b=2",)
    assert one.page == "https://feeds.example.org/articles/3"


def test_categories_name_topic_pillar_ministries_and_kind() -> None:
    assert shown(releases.feed(), releases.judged(kind=Kind.EXPLANATION)).categories == (
        Category(scheme="topic", term="E1", label="기후변화·온실가스·탄소중립"),
        Category(scheme="pillar", term="E", label="환경"),
        Category(scheme="ministry", term="mcee", label="기후에너지환경부"),
        Category(scheme="kind", term="explanation", label="설명·해명자료"),
    )


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("보도자료.HWPX", "", "application/vnd.hancom.hwpx"),
        ("붙임.hwp", "", "application/vnd.hancom.hwp"),
        ("요약.pdf", "", "application/pdf"),
        ("요약.pdf", "application/x-own", "application/x-own"),
        ("그림", "not a type", ""),
        ("폴더.이상한확장자이름", "", ""),
    ],
)
def test_attachments_have_a_type_where_one_is_known(name: str, given: str, expected: str) -> None:
    attachment = Attachment(name=name, url="https://www.korea.kr/f", type=given)
    assert shown(releases.feed(), releases.judged(attachments=(attachment,))).enclosures[0].type == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example/x",
        "//a.example",
        "https://",
        "https://a@b.example/",
        "https://a.example/가 나",
        "https://a.example/\x00",
        "https://a.example/\u202e",
        "https://a.example/\ud800",
        "http://[::1",
        "https://a.example/" + "a" * 8_000,
    ],
)
def test_only_web_links_are_links(url: str) -> None:
    assert web_link(url) == ""


@pytest.mark.parametrize("url", ["https://www.korea.kr/a?b=1&c=가", "http://127.0.0.1:8000/", "HTTPS://a.example/%20"])
def test_web_links_stay_as_they_are(url: str) -> None:
    assert web_link(url) == url


def test_an_article_without_a_link_of_its_own_links_to_our_page() -> None:
    one = shown(releases.feed(), releases.judged(url="javascript:alert(1)"))
    assert one.url == "https://feeds.example.org/articles/1"
    assert one.page == ""


def test_a_folder_of_files_has_a_line_of_the_board_and_no_page_for_an_article() -> None:
    files = releases.feed(pages=False)
    assert shown(files, releases.judged()).page == ""
    one = shown(files, releases.judged(url="javascript:alert(1)"))
    assert (one.url, one.page) == ("https://feeds.example.org/#a1", "")


@pytest.mark.parametrize(("changes", "says"), [({"id": " \x00 "}, "no id"), ({"url": "mailto:a@b.example"}, "no http")])
def test_what_cannot_be_shown_says_why(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(Unshowable, match=says):
        shown(releases.feed(base_url=""), releases.judged(**changes))


def test_an_entry_is_updated_only_by_upstream_or_a_revision() -> None:
    base = releases.article()
    later = base.changed + timedelta(hours=3)
    merged = releases.judged(changed=later)
    assert shown(releases.feed(), merged).updated == base.published
    assert shown(releases.feed(), releases.judged(published=None)).updated == base.first_seen
    assert shown(releases.feed(), releases.judged(changed=later, revision=2)).updated == later


def test_an_update_before_the_publication_is_none() -> None:
    base = releases.article()
    assert base.published
    day, next_day = base.published - timedelta(hours=9), base.published + timedelta(days=1)
    assert shown(releases.feed(), releases.judged(updated=day)).updated == base.published
    assert shown(releases.feed(), releases.judged(updated=next_day)).updated == next_day


def test_signs_of_the_rules_are_not_shown() -> None:
    said = releases.verdict(reasons=(Reason(rule="term", points=82.4, term="|전세", field="title"),))
    assert why(said, {}, translator("ko")).endswith(" · 전세(제목)")


def test_a_term_without_a_place_stands_alone() -> None:
    said = releases.verdict(reasons=(Reason(rule="genre", points=82.4, term="입법예고"),))
    assert why(said, {}, translator("ko")).endswith(" · 입법예고")


def test_a_withdrawn_article_says_since_when_in_korean_time() -> None:
    gone = datetime(2026, 5, 20, 16, 0, tzinfo=UTC)
    one = shown(releases.feed(), releases.judged(withdrawn=gone, changed=gone))
    assert "2026-05-21" in one.summary.splitlines()[1]
    assert one.updated == gone


def test_a_feed_is_as_old_as_its_last_change() -> None:
    assert updated([]) == EPOCH
    assert updated(releases.many(3)) == releases.article(3).changed


def test_an_article_without_a_licence_says_so() -> None:
    korean = shown(releases.feed(), releases.judged(licence=""))
    english = shown(releases.feed(language="en"), releases.judged(licence="", attribution=""))
    assert korean.rights == f"이용 조건 미표시 · {releases.article().attribution}"
    assert english.rights == "no licence stated"


def test_sources_are_named_and_have_a_lasting_id() -> None:
    here = shown(releases.feed(), releases.judged())
    elsewhere = shown(releases.feed(base_url="http://other.example", sources={}), releases.judged(2))
    assert here.source == releases.SOURCES["korea-kr"]
    assert elsewhere.source_id == here.source_id
    assert (elsewhere.source.name, elsewhere.source.url) == (releases.article().attribution, "https://www.korea.kr/")
    unnamed = shown(releases.feed(sources={}), releases.judged(2, attribution=""))
    assert unnamed.source.name == "기후에너지환경부"


def test_hopeless_text_is_replaced_or_cut() -> None:
    nameless = MinistryName(id="\ud800", name="\x00")
    told = releases.judged(
        title="\x00\u202e ", ministry=nameless, ministries=(), summary="가" * 2_000_000, language="한국어!"
    )
    one = shown(releases.feed(), told)
    assert one.title == "(제목 없음)"
    assert one.authors == ("policyfeed",)
    assert len(one.summary) < 11_000
    assert one.language == "ko"
    assert [category.scheme for category in one.categories] == ["topic", "pillar", "kind"]


def test_content_is_for_feeds_that_carry_it_and_never_cut() -> None:
    assert shown(releases.feed(content=False), releases.judged()).content == ""
    assert shown(releases.feed(), releases.judged(content="<p>" + "가" * 3_000_000)).content == ""


def test_times_are_in_whole_seconds() -> None:
    moment = datetime(2026, 5, 20, 1, 2, 3, 999_999, tzinfo=UTC)
    one = shown(releases.feed(), replace(releases.judged(published=moment)))
    assert one.published == moment.replace(microsecond=0)
