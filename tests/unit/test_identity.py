"""Which articles are one release; titles in ``tests/cases/identity/pairs.toml``. And what becomes of an article."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from policyfeed.clock import KST
from policyfeed.identity import Neighbours, Titles, close_title, mint, replaced, same_release
from policyfeed.revision import apart, digest, join, revise, separate
from policyfeed.types import Article, Attachment, Kind, MinistryName, Origin
from tests.alerts import NOW

PAIRS = tomllib.loads((Path(__file__).parents[1] / "cases" / "identity" / "pairs.toml").read_text(encoding="utf-8"))
CLIMATE = MinistryName(id="mcee", name="기후에너지환경부")
LABOUR = MinistryName(id="moel", name="고용노동부")
FOREST = MinistryName(id="forest", name="산림청")
TITLE = "여름철 녹조 종합대책 발표"


def kst(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """A Korean moment as the product has it: in UTC."""
    return datetime(2026, 5, day, hour, minute, tzinfo=KST).astimezone(UTC)


def article(title: str = TITLE, place: str = "ministry", **changes: Any) -> Article:
    """A release with one origin, as a source called ``place`` shows it."""
    text = changes.get("summary", "녹조 대책을 내놓았다.")
    origin = Origin(
        source=place, key=f"{place}/{title}{changes.get('published')}", url=f"https://{place}.example.go.kr/7",
        title=title, digest=digest(title, text, changes.get("content", "")), first_seen=NOW,
    )  # fmt: skip
    credited = changes.get("ministry", CLIMATE)
    made = Article(
        title=title,
        ministry=credited,
        ministries=(credited,),
        published=kst(20, 10),
        first_seen=NOW,
        changed=NOW,
        summary=text,
        url=origin.url,
        origins=(origin,),
    )
    return replace(made, **changes)


def korea(title: str = TITLE, day: int = 20, **changes: Any) -> Article:
    """A release as korea.kr's list shows it: with a day only."""
    return article(title, "korea-press", **{"published": kst(day), "dated": True, **changes})


def same(one: Article, other: Article) -> bool:
    """And it does not matter which is asked first."""
    assert same_release(one, other) == same_release(other, one)
    return same_release(one, other)


@pytest.mark.parametrize(("one", "other"), PAIRS["same"])
def test_one_release_under_two_titles(one: str, other: str) -> None:
    assert same(korea(one), article(other))
    assert same(korea(other), article(one))


@pytest.mark.parametrize(("one", "other"), PAIRS["different"])
def test_two_releases_under_like_titles(one: str, other: str) -> None:
    assert not same(korea(one), article(other))
    assert not same(korea(other), article(one))


@pytest.mark.parametrize(
    ("hours", "joined"), [(0, True), (23, True), (24, True), (25, False), (-24, True), (-25, False)]
)
def test_moments_within_a_day_are_close(hours: int, joined: bool) -> None:
    assert same(article(), article(place="other", published=kst(20, 10) + timedelta(hours=hours))) is joined


@pytest.mark.parametrize(
    ("moment", "joined"),
    [
        (kst(20, 0, 1), True),
        (kst(20, 23, 59), True),
        (kst(19, 19), True),
        (kst(21, 5), True),
        (kst(21, 9), False),
        (kst(19, 9), False),
        (kst(27, 10), False),
    ],
)
def test_a_day_is_close_to_the_moments_in_it_and_a_little_about_it(moment: datetime, joined: bool) -> None:
    assert same(korea(day=20), article(published=moment)) is joined


def test_days_are_close_to_the_next_day_and_no_further() -> None:
    assert same(korea(day=20), article(published=kst(21), dated=True))
    assert not same(korea(day=20), article(published=kst(22), dated=True))


def test_a_weekly_title_of_one_ministry_is_many_releases() -> None:
    weeks = [korea("주간 미세먼지 예보 브리핑 자료", day) for day in (6, 13, 20, 27)]
    assert not any(same(one, other) for one in weeks for other in weeks if one is not other)


def test_a_daily_title_of_one_source_is_many_releases() -> None:
    assert not same(korea("오늘의 녹조 예보 현황 안내", 20), korea("오늘의 녹조 예보 현황 안내", 21))
    assert not same(article(published=kst(20, 17)), article(published=kst(21, 9)))


def test_a_joint_release_stands_under_each_ministry() -> None:
    assert same(korea(), replace(korea(), ministry=LABOUR, ministries=(LABOUR,)))
    assert same(korea(), article(ministry=LABOUR))


@pytest.mark.parametrize(
    ("head", "joint"),
    [
        ("탄소중립 녹색성장 기본계획 확정해 추진", True),
        ("녹조 합동 점검", False),
        ("주간 보도자료 배포계획과 주요 일정", False),
    ],
)
def test_a_joint_release_may_have_its_subtitle_under_one_ministry_alone(head: str, joint: bool) -> None:
    """So the third place, whose title is one ministry's and the other's, finds one article in any order of arrival."""
    assert same(korea(head), article(f"{head} - 2030년까지 40% 감축 -", ministry=LABOUR)) is joint


@pytest.mark.parametrize(
    "title",
    ["주간 보도계획", "주간 보도자료 배포계획(5.18.~5.24.)", "주요 일정", "인사발령(2026년 5월 20일자)", "부고"],
)
def test_what_every_ministry_publishes_is_no_joint_release(title: str) -> None:
    assert not same(korea(title), article(title, ministry=LABOUR))
    assert same(korea(title), article(title))


def test_like_titles_of_two_ministries_are_two_releases() -> None:
    assert not same(
        korea("여름철 녹조 종합대책 발표 현장"), article("여름철 녹조 종합대책 발표 현장을", ministry=LABOUR)
    )


def test_one_ministrys_two_texts_under_one_title_on_one_day() -> None:
    morning = article("부고", published=kst(20, 9), summary="홍길동 사무관 부친상. 빈소는 달빛병원이다.")
    evening = article(
        "부고", published=kst(20, 18), summary="Lee, 김철수 서기관 모친상, 발인 22일 해오름장례식장 3호실"
    )
    assert not same(morning, evening)
    assert same(morning, replace(evening, summary=morning.summary + " (정정)"))
    assert same(korea("부고", summary=evening.summary), morning)


def test_two_accidents_told_in_the_same_words_are_two_releases() -> None:
    told = "5월 20일 {hour}시경 {place}에서 노동자 {dead}명이 {how} 사고로 사망하였습니다."
    hours = (("10", "경기 화성시 소재 공장", "1", "끼임"), ("14", "부산 사하구 소재 조선소", "1", "추락"))
    first, second = (told.format(hour=hour, place=place, dead=dead, how=how) for hour, place, dead, how in hours)
    known = article("중대재해 발생 알림", summary=first, published=kst(20, 11))
    assert not same(known, article("중대재해 발생 알림", summary=second, published=kst(20, 11)))
    again = f"{first} (2보) 작업 중지를 명령한 3개 공정은 다음과 같습니다."
    assert same(known, article("중대재해 발생 알림", summary=again, published=kst(20, 11)))


def test_untitled_articles_are_never_one() -> None:
    assert not same(article("", summary="가"), korea("", summary="가"))
    assert not same(article("[동정]"), korea("[설명]"))


@pytest.mark.parametrize(
    ("title", "close"),
    [
        ("[설명] (참고) 탄소·중립!", "탄소중립"),
        ("'26년 Ｋ-ESG", "2026년kesg"),
        ("[동정]", "동정"),
        ("Net-Zero 2050", "netzero2050"),
    ],
)
def test_what_a_copy_has_in_common(title: str, close: str) -> None:
    assert close_title(title) == close


def test_an_id_is_minted_once_for_ever() -> None:
    assert mint("korea.kr/156738805") == "urn:uuid:d048b520-42bf-5ab1-a395-42e17a265224"
    assert mint("korea.kr/1") != mint("korea.kr/2")


def test_of_several_the_nearest_in_time_is_the_same() -> None:
    stored = [replace(korea(day=day), number=day) for day in (18, 19, 20, 21)]
    found = Neighbours.of(stored).match(article(published=kst(20, 10)))
    assert found is not None
    assert found.number == 20


def test_an_equal_title_goes_before_a_like_one() -> None:
    like = replace(article("여름철 녹조 종합대책을 발표", "a", published=kst(20, 10)), number=1)
    equal = replace(article(TITLE, "b", published=kst(20, 22)), number=2)
    found = Neighbours.of([like, equal]).match(article(place="c"))
    assert found is not None
    assert found.number == 2


@pytest.mark.parametrize("moment", [kst(21, 5), kst(19, 19)])
def test_a_like_title_is_looked_for_as_far_as_one_release_can_reach(moment: datetime) -> None:
    titles = Titles()
    titles.add(7, "하천 유역 탄소중립 시범사업 대상지 선정", kst(20))
    like = "하천 유역 탄소중립 시범사업 대상지를 선정"
    assert titles.like(like, moment) == {7}
    assert titles.like(like, moment + timedelta(days=7)) == set()


def test_neighbours_know_the_newest_state_only() -> None:
    stored = replace(korea(), number=1)
    neighbours = Neighbours.of([stored])
    neighbours.add(replace(stored, title="다른 제목을 단 발표 자료", published=kst(28)))
    assert neighbours.match(article()) is None


def test_a_join_keeps_everything_and_adds_what_is_missing() -> None:
    known = replace(korea(summary="대책을…"), number=7, id="urn:x", department="")
    seen = article(ministry=LABOUR, content="<p>전문</p>", department="수질과",
                   attachments=(Attachment(name="가.hwpx", url="https://a.go.kr/1"),))  # fmt: skip
    joined = join(known, seen, NOW + timedelta(hours=1))
    assert [origin.source for origin in joined.origins] == ["korea-press", "ministry"]
    assert [ministry.id for ministry in joined.ministries] == ["mcee", "moel"]
    assert (joined.number, joined.id, joined.title, joined.revision) == (7, "urn:x", known.title, 1)
    assert (joined.summary, joined.content, joined.department) == ("대책을…", "<p>전문</p>", "수질과")
    assert (joined.published, joined.dated) == (kst(20, 10), False)
    assert joined.changed == NOW + timedelta(hours=1)
    assert join(joined, seen, NOW + timedelta(hours=2)) == joined


def test_a_join_takes_nothing_away() -> None:
    known = article(department="수질과", content="<p>전문</p>", kind=Kind.EXPLANATION)
    seen = korea(department="대변인실", content="<p>다른 전문</p>", kind=Kind.REFERENCE)
    joined = join(known, seen, NOW)
    kept = ("department", "content", "kind", "title", "published", "dated")
    assert {name: getattr(joined, name) for name in kept} == {name: getattr(known, name) for name in kept}


def test_a_join_takes_no_other_days_time() -> None:
    joined = join(korea(day=20), article(published=kst(21, 3)), NOW)
    assert (joined.published, joined.dated) == (kst(20), True)
    early = join(korea(day=20), article(published=kst(20, 8)), NOW)
    assert (early.published, early.dated) == (kst(20, 8), False), "in UTC it is the day before"


def test_a_join_gives_a_date_to_what_has_none() -> None:
    assert join(article(published=None), korea(), NOW).published == kst(20)
    assert join(korea(), article(published=None), NOW).published == kst(20)


def test_a_licence_that_either_place_states_is_known_whichever_came_first() -> None:
    stated, silent = korea(licence="공공누리 제1유형"), article()
    assert join(stated, silent, NOW).licence == join(silent, stated, NOW).licence == stated.licence
    assert join(article(licence="공공누리 제4유형"), stated, NOW).licence == "공공누리 제4유형"


def test_a_licence_goes_with_the_place_that_brought_it() -> None:
    silent, copy = article(), korea(licence="공공누리 제1유형")
    left, alone = separate(join(silent, copy, NOW), copy, (), NOW)
    assert (left.licence, alone.licence) == ("", copy.licence)
    other = article(place="other", licence=copy.licence)
    assert separate(join(join(silent, copy, NOW), other, NOW), copy, (other,), NOW)[0].licence == copy.licence
    own = article(licence="공공누리 제4유형")
    assert separate(join(own, copy, NOW), copy, (), NOW)[0].licence == own.licence


def test_a_corrected_text_is_a_revision() -> None:
    known = article()
    seen = replace(article("여름철 녹조 종합대책 발표(수정)", summary="고친 대책"), kind=Kind.REFERENCE)
    seen = replace(seen, origins=(replace(seen.origins[0], key=known.origins[0].key),))
    revised = revise(known, seen, NOW)
    assert revised is not None
    assert (revised.title, revised.summary, revised.kind) == (
        "여름철 녹조 종합대책 발표(수정)",
        "고친 대책",
        Kind.REFERENCE,
    )
    assert (revised.revision, revised.updated, revised.changed, revised.id) == (2, NOW, NOW, known.id)


def test_a_text_that_a_list_shows_no_more_stays() -> None:
    known = article(content="<p>전문</p>")
    revised = revise(known, replace(known, title="고친 제목", summary="", content=""), NOW)
    assert revised is not None
    assert (revised.title, revised.summary, revised.content) == ("고친 제목", known.summary, known.content)


def test_a_date_that_was_missing_is_no_revision() -> None:
    known = article(published=None)
    given = replace(article(), origins=known.origins)
    dated = revise(known, given, NOW)
    assert dated is not None
    assert (dated.published, dated.dated, dated.revision, dated.changed) == (kst(20, 10), False, 1, NOW)
    both = revise(known, replace(given, title="고친 제목"), NOW)
    assert both is not None
    assert (both.published, both.revision) == (kst(20, 10), 2)


def test_a_date_that_there_is_stays() -> None:
    known = article()
    assert revise(known, replace(known, published=kst(22, 9)), NOW) is None
    mended = revise(known, replace(known, published=kst(22, 9), title="고친 제목"), NOW)
    assert mended is not None
    assert mended.published == kst(20, 10)


def test_a_revision_has_the_files_of_the_list() -> None:
    files = [(Attachment(name=name, url=f"https://a.go.kr/{name}"),) for name in ("가.hwpx", "가(수정).hwpx")]
    known = article(attachments=files[0])
    revised = revise(known, replace(known, title="고친 제목", attachments=files[1]), NOW)
    assert revised is not None
    assert revised.attachments == files[1]
    joined = replace(known, origins=(*known.origins, *korea().origins))
    kept = revise(joined, replace(known, title="고친 제목", attachments=files[1]), NOW)
    assert kept is not None
    assert kept.attachments == files[0], "the other place may have given it"
    filled = replace(known, published=None, attachments=(*files[0], *files[1]))
    dated = revise(filled, known, NOW)
    assert dated is not None
    assert (dated.attachments, dated.revision) == (filled.attachments, 1), "its page gave the second one"


@pytest.mark.parametrize(
    ("title", "hour", "same"),
    [
        ("중대재해 발생 알림", 16, False),
        ("인사발령", 8, False),
        ("여름철 녹조 종합대책을 전국 하천에서 시행", 9, True),
        ("여름철 녹조 종합대책을 전국 하천에서 시행", 16, False),
    ],
)
@pytest.mark.parametrize("texts", [("", ""), ("대책을 내놓았다.", ""), ("", "대책을 내놓았다.")])
def test_a_title_that_a_source_lists_twice_on_a_day_without_a_text(
    title: str, hour: int, same: bool, texts: tuple[str, str]
) -> None:
    """A long one again soon is a slip; a short one, a routine one, or one hours later is another release."""
    twice = [article(title, summary=text, published=kst(20, at)) for text, at in zip(texts, (8, hour), strict=True)]
    assert same_release(*twice) is same


def test_another_places_slip_is_no_revision() -> None:
    known = join(korea(), article(summary="전혀 다른 요약"), NOW)
    slip = article("여름철 녹조 종합대책 발표표", summary="전혀 다른 요약")
    slip = replace(slip, origins=(replace(slip.origins[0], key=known.origins[1].key),))
    assert revise(known, slip, NOW) is None


def test_a_text_that_came_from_another_place_is_revised_from_there() -> None:
    full = article(content="<p>전문</p>", summary="")
    known = join(korea(summary=""), full, NOW)
    assert known.content == "<p>전문</p>"
    seen = article(content="<p>고친 전문</p>", summary="")
    revised = revise(known, replace(seen, origins=(replace(seen.origins[0], key=full.origins[0].key),)), NOW)
    assert revised is not None
    assert (revised.content, revised.title, revised.revision) == ("<p>고친 전문</p>", known.title, 2)


def test_an_undone_merge_takes_with_it_what_no_other_place_gave() -> None:
    shared, own = (Attachment(name=name, url=f"https://a.go.kr/{name}") for name in ("가.hwpx", "나.hwpx"))
    stays = replace(article(place="b", ministry=LABOUR, attachments=(shared,)), id="urn:b")
    goes = article(place="c", ministry=FOREST, content="<p>전문</p>", attachments=(shared, own))
    goes = replace(goes, ministries=(FOREST, LABOUR))
    merged = join(join(replace(korea(), id="urn:x", number=7), stays, NOW), goes, NOW)
    left, alone = separate(merged, goes, [stays], later := NOW + timedelta(hours=1))
    assert [origin.source for origin in left.origins] == ["korea-press", "b"]
    assert [ministry.id for ministry in left.ministries] == ["mcee", "moel"]
    assert (left.id, left.number, left.content, left.attachments, left.changed) == ("urn:x", 7, "", (shared,), later)
    assert (alone.id, alone.content, alone.attachments) == (mint(goes.origins[0].key), "<p>전문</p>", (shared, own))


@pytest.mark.parametrize(
    ("own", "left"),
    [
        ({"summary": ""}, ("", "")),
        ({}, ("녹조 대책을 내놓았다.", "")),
        ({"content": "<p>전문</p>"}, ("녹조 대책을 내놓았다.", "<p>전문</p>")),
    ],
)
def test_an_undone_merge_leaves_the_first_place_its_own_text(own: dict[str, str], left: tuple[str, str]) -> None:
    copy = article(place="other", content="<p>전문</p>")
    first, _ = separate(join(article(**own), copy, NOW), copy, [], NOW)
    assert (first.summary, first.content) == left


def test_an_undone_merge_leaves_a_text_that_an_articles_page_gave() -> None:
    copy = article(place="other", content="<p>전문</p>")
    merged = replace(join(article(), copy, NOW), content="<p>지면의 전문</p>")
    assert separate(merged, copy, [], NOW)[0].content == "<p>지면의 전문</p>"


@pytest.mark.parametrize(
    ("changes", "another"),
    [
        ({}, True),
        ({"published": kst(20, 8)}, False),
        ({"published": None}, False),
        ({"title": "여름철 녹조 종합대책 확정"}, False),
        ({"summary": "녹조 대책을 곧 내놓는다."}, False),
        ({"summary": ""}, False),
    ],
)
def test_another_release_in_ones_place_is_alike_in_nothing(changes: dict[str, Any], another: bool) -> None:
    """Without two days and two texts to compare nobody knows: it is a revision."""
    known = article(published=kst(20, 10))
    seen = replace(
        article("유해물질 관리 강화", published=kst(21, 8), summary="사업장 진단 비용을 나라가 낸다."), **changes
    )
    assert replaced(known, seen) is another
    assert replaced(seen, known) is another


def test_what_stands_in_anothers_place_is_known_by_its_korean_day() -> None:
    marks = [
        apart(article(published=at)).origins[0].key.rpartition("#")[2] for at in (kst(20, 8), kst(20, 12), kst(21, 8))
    ]
    assert marks[0] == marks[1] != marks[2]
    assert marks[0].startswith("20260520")


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("<p>가 나</p>", "<p class='x'>가\n나</p>", True),
        ("<p>가</p>", "<p>나</p>", False),
        ("<a href='/v;jsessionid=1'>가</a>", "<a href='/v;jsessionid=2'>가</a>", True),
    ],
)
def test_what_counts_for_a_change(one: str, other: str, equal: bool) -> None:
    assert (digest("제목", "", one) == digest("제목", "", other)) is equal
