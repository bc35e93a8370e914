"""One release is one article, in whatever order its places are visited, and under whatever noise its links stand."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from policyfeed.identity import head_mark, like_mark, mint, same_release, title_mark
from policyfeed.normalize.links import absolute, canonical
from policyfeed.revision import digest
from policyfeed.selection import Selection
from policyfeed.store import Store, articles, outbox
from policyfeed.types import Source
from tests import releases
from tests.alerts import Hand
from tests.fakes import Item, Server, channel, poller, rss, source

# Links ----------------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["no", "bbsSeq", "nttId", "menuId", "boardMasterId", "section", "copy", "mode"])
PARAMETERS = st.dictionaries(NAMES, st.text("0123456789abc가나", min_size=1, max_size=5), min_size=1, max_size=4)
NOISE = st.lists(
    st.sampled_from(
        ["utm_source=rss", "utm_medium=feed", "pageIndex=3", "currentPage=2", "searchWrd=", "srchWord=탄소",
         "call_from=rsslink", "startDate=2026-05-18", "JSESSIONID=A1B2", "sortOrder=desc", "empty="]
    ),
    max_size=4,
)  # fmt: skip


@st.composite
def twins(draw: st.DrawFn) -> tuple[str, str]:
    """Two links of one page: other order, scheme, www, session, tracking, place in the list, fragment."""
    parameters = list(draw(PARAMETERS).items())

    def link() -> str:
        pairs = [f"{name}={value}" for name, value in draw(st.permutations(parameters))]
        query = "&".join(draw(st.permutations([*pairs, *draw(NOISE)])))
        scheme, www = draw(st.sampled_from(["http", "https"])), draw(st.sampled_from(["", "www."]))
        session = draw(st.sampled_from(["", ";jsessionid=0A1B.node2"]))
        port = draw(st.sampled_from(["", ":443" if scheme == "https" else ":80"]))
        fragment = draw(st.sampled_from(["", "#content", "#a7"]))
        return f"{scheme}://{www}example.go.kr{port}/board/view.do{session}?{query}{fragment}"

    return link(), link()


@given(twins())
def test_noise_in_a_link_changes_no_id(pair: tuple[str, str]) -> None:
    one, other = (canonical(absolute(link, "https://example.go.kr/")) for link in pair)
    assert one == other
    assert mint(one) == mint(other)


@given(PARAMETERS, PARAMETERS)
def test_other_parameters_are_another_page(one: dict[str, str], other: dict[str, str]) -> None:
    links = [f"https://example.go.kr/view.do?{'&'.join(f'{k}={v}' for k, v in each.items())}" for each in (one, other)]
    keys = [canonical(absolute(link, links[0])) for link in links]
    assert (keys[0] == keys[1]) == (one == other)


# Titles ---------------------------------------------------------------------------------------------------------------

PARTS = ("탄소중립", "시범사업", "배출권", "할당위원회", "제12차", "2026년", "1분기", "개최", "결과", "선정")
WORDS = st.lists(st.sampled_from(PARTS), min_size=1, max_size=8, unique=True).map(" ".join)


@st.composite
def shown_twice(draw: st.DrawFn) -> tuple[str, str]:
    """Two titles, often of one release: with tags, signs, subtitles of their own, a letter more."""
    words = draw(WORDS)

    def shown() -> str:
        text = draw(st.sampled_from([words, words, words, draw(WORDS)])).replace(" ", draw(st.sampled_from(" ·")))
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", "", "의", "를 위한", "3"])) + text[at:]
        return draw(st.sampled_from(["", "[보도자료] "])) + text + draw(st.sampled_from(["", " - 부제", " – 개최 3건"]))

    return shown(), shown()


@given(shown_twice(), st.booleans())
def test_one_releases_titles_are_found_by_their_marks(titles: tuple[str, str], elsewhere: bool) -> None:
    """What the store looks for: ``articles.titles``."""
    one, other = (releases.article(number, title=title, published=releases.NOW) for number, title in enumerate(titles))
    other = replace(other, origins=(replace(other.origins[0], source="another"),))
    other = replace(other, ministry=releases.LABOUR, ministries=(releases.LABOUR,)) if elsewhere else other
    if same_release(one, other):
        shared = one.ministry == other.ministry and like_mark(titles[0]) == like_mark(titles[1])
        equal = title_mark(titles[1]) in (title_mark(titles[0]), head_mark(titles[0]))
        assert shared or equal or head_mark(titles[1]) == title_mark(titles[0])


# Arrival --------------------------------------------------------------------------------------------------------------

SOURCES = tuple(source(f"place-{letter}", url=f"https://place-{letter}.go.kr/rss.xml") for letter in "abc")


@dataclass(frozen=True)
class Appearance:
    """A release's number, the source that lists it, and how it is shown there."""

    release: int
    place: Source
    item: Item


def appearances() -> list[Appearance]:
    """Five releases, each in two or three places under slightly other titles, times and texts."""
    titles = {
        1: (
            "여름철 녹조와 탄소 저감 종합대책 확정해 발표",
            "[보도자료] 여름철 녹조와 탄소 저감 종합대책 확정해 발표",
            "여름철 녹조·탄소 저감 종합대책 확정해 발표",
        ),
        2: ("제12차 배출권 할당위원회 정기회의 개최", "제12차 배출권 할당위원회 정기회의 개최"),
        3: ("제12차 배출권 할당위원회 정기회의 개최 결과", "(참고) 제12차 배출권 할당위원회 정기회의 개최 결과"),
        4: (
            "'26년 1분기 탄소 배출량 잠정치 공개",
            "2026년 1분기 탄소배출량 잠정치 공개",
            "2026년 1분기 탄소 배출량 잠정치 공개",
        ),
        5: ("2026년 2분기 탄소 배출량 잠정치 공개", "2026년 2분기 탄소 배출량 잠정치 공개"),
    }
    days = {1: 20, 2: 19, 3: 19, 4: 18, 5: 18}
    return [
        Appearance(
            number,
            place,
            Item(number=number, title=title, text=f"{number}번 글, 탄소 {place.id}에서",
                 published=f"{days[number]} May 2026 {9 + index}:00:00 +0900"),
        )
        for number, versions in titles.items()
        for index, (title, place) in enumerate(zip(versions, SOURCES, strict=False))
    ]  # fmt: skip


ALL = appearances()


async def live(store: Store, order: list[Appearance], repeated: list[int]) -> None:
    """Each appearance comes up in its source, which is then polled; so are some others in between."""
    clock = Hand()
    server, listed = Server(clock), {place.id: [Item(number=100, title=f"{place.id}의 옛 자료")] for place in SOURCES}
    visitor = poller(store, server, (channel(),))

    async def visit(place: Source) -> None:
        clock.advance(minutes=7)
        server.at(place.url, server.page(rss(*listed[place.id], site=f"{place.id}.go.kr")))
        assert (await visitor.poll(place)).error is None

    for place in SOURCES:
        await visit(place)
    for step, appearance in enumerate(order):
        listed[appearance.place.id].insert(0, appearance.item)
        await visit(appearance.place)
        for _ in range(repeated.count(step)):
            await visit(SOURCES[step % len(SOURCES)])


def groups(store: Store) -> set[frozenset[str]]:
    with store.read() as tx:
        found = articles.newest(tx, Selection(kept_only=False), 1000)
    return {frozenset(f"{origin.source} {origin.key}" for origin in one.article.origins) for one in found}


def expected() -> set[frozenset[str]]:
    made: dict[int, set[str]] = {}
    for one in ALL:
        made.setdefault(one.release, set()).add(f"{one.place.id} {one.place.id}.go.kr/board/view.do?no={one.release}")
    old = {frozenset({f"{place.id} {place.id}.go.kr/board/view.do?no=100"}) for place in SOURCES}
    return {frozenset(keys) for keys in made.values()} | old


@settings(max_examples=6, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.too_slow])
@given(st.permutations(ALL), st.lists(st.integers(0, len(ALL) - 1), max_size=5))
def test_the_order_of_arrival_changes_neither_articles_nor_alerts(order: list[Appearance], repeated: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        asyncio.run(live(store, order, repeated))
        assert groups(store) == expected()
        with store.read() as tx:
            owed = [(one.channel, one.number) for one in outbox.listing(tx)]
        store.close()
    assert len(owed) == len(set(owed)) == 5


@given(st.text(alphabet="가a \n\t\xa0\u2028\u3000\x1c\u200b", max_size=20))
def test_no_white_space_counts_in_a_digest(text: str) -> None:
    assert digest("제목", "", text) == digest("제목", "", "".join(text.split()))
