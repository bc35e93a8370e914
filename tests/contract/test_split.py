"""A merge undone by the operator: two articles again, each with what is its own, and no poll joins them again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from policyfeed.errors import UsageError
from policyfeed.selection import Selection
from policyfeed.split import split
from policyfeed.store import Store, articles, bodies, copies, outbox
from policyfeed.types import Article, Judged
from tests.alerts import Hand
from tests.fakes import Item, PressList, Release, Server, channel, judge, korea_kr, poller, rss, source

TITLE = "제12차 배출권 할당위원회 정기회의 개최"
SITE = source("place-a", url="https://place-a.go.kr/rss.xml", ministry="mcee")
OTHER = source("place-b", url="https://place-b.go.kr/rss.xml", ministry="motir")
SOURCES = {one.id: one for one in (SITE, OTHER)}


class World:
    """Two ministries' feeds, which list a release under the same title."""

    def __init__(self, store: Store) -> None:
        self.clock = Hand()
        self.store, self.server = store, Server(self.clock)
        self.poller = poller(self.store, self.server, (channel(),))
        self.texts = {SITE.id: "<p>탄소 배출권 할당을 정했다.</p>", OTHER.id: "<p>산업계와 만났다.</p>"}

    async def poll(self) -> None:
        for one in SOURCES.values():
            self.clock.advance(minutes=7)
            item = Item(number=1, title=TITLE, text=self.texts[one.id], published="20 May 2026 09:00:00 +0900")
            old = Item(number=100, title=f"{one.id}의 옛 자료")
            self.server.at(one.url, self.server.page(rss(item, old, site=f"{one.id}.go.kr")))
            report = await self.poller.poll(one)
            assert report.error is None

    def everything(self) -> list[Judged]:
        with self.store.read() as tx:
            found = articles.newest(tx, Selection(kept_only=False), 100)
        return [one for one in found if one.article.title == TITLE]

    def split(self, place: str) -> tuple[Judged, Judged]:
        (merged,) = self.everything()
        with self.store.write() as tx:
            return split(tx, merged.article, place, judge, SOURCES, self.clock())


@pytest.fixture
async def world(store: Store) -> World:
    made = World(store)
    await made.poll()
    return made


def place(article: Article, number: int) -> str:
    return article.origins[number].url


async def test_each_article_has_again_what_is_its_own(world: World) -> None:
    (merged,) = world.everything()
    assert [one.id for one in merged.article.ministries] == ["mcee", "motir"]
    left, alone = world.split(place(merged.article, 1))
    assert (left.article.number, left.article.id) == (merged.article.number, merged.article.id)
    assert [one.id for one in left.article.ministries] == ["mcee"]
    assert [one.id for one in alone.article.ministries] == ["motir"]
    assert [one.source for one in left.article.origins] == [SITE.id]
    assert [one.source for one in alone.article.origins] == [OTHER.id]
    assert "할당" in left.article.content
    assert "산업계" in alone.article.content
    assert (left.verdict.kept, alone.verdict.kept) == (True, False)
    assert sorted(one.article.number for one in world.everything()) == [left.article.number, alone.article.number]


async def test_what_is_left_has_the_licence_of_its_own_place(world: World) -> None:
    (merged,) = world.everything()
    with world.store.write() as tx:
        copy = copies.get(tx, merged.article.origins[1])
        assert copy is not None
        copies.renew(tx, replace(copy, licence="공공누리 제1유형"))
        articles.update(tx, replace(merged.article, licence="공공누리 제1유형"), revised=False)
        licensed = {SITE.id: replace(SITE, licence="공공누리 제1유형")}
        merged = articles.judged(tx, [merged.article.number])[merged.article.number]
        left, _ = split(tx, merged.article, place(merged.article, 1), judge, licensed, world.clock())
    assert left.article.licence == "공공누리 제1유형"


async def test_polls_and_edits_join_them_never_again(world: World) -> None:
    left, alone = world.split(place(world.everything()[0].article, 1))
    world.texts[OTHER.id] = "<p>산업계와 만났다. 탄소도 이야기했다.</p>"
    for _ in range(3):
        await world.poll()
    found = {one.article.number: one.article for one in world.everything()}
    assert set(found) == {left.article.number, alone.article.number}
    assert (found[left.article.number].revision, found[alone.article.number].revision) == (1, 2)
    assert "이야기" in found[alone.article.number].content


async def test_what_the_place_says_meanwhile_goes_with_it(world: World) -> None:
    world.texts[OTHER.id] = "<p>고친 글이다.</p>"
    await world.poll()
    (merged,) = world.everything()
    assert "할당" in merged.article.content
    _, alone = world.split(place(merged.article, 1))
    assert "고친 글" in alone.article.content


async def test_nobody_is_told_of_a_split(world: World) -> None:
    with world.store.read() as tx:
        before = outbox.listing(tx)
    world.split(place(world.everything()[0].article, 1))
    with world.store.read() as tx:
        assert outbox.listing(tx) == before


async def test_what_it_began_with_cannot_be_split_off(world: World) -> None:
    (merged,) = world.everything()
    for wrong in (place(merged.article, 0), "https://other.example/"):
        with pytest.raises(UsageError, match="is no place that was joined"):
            world.split(wrong)
    with pytest.raises(UsageError) as refused:
        world.split(place(merged.article, 0))
    assert place(merged.article, 1) in str(refused.value.text())


async def test_a_release_of_korea_kr_gets_its_text_asked_for(store: Store) -> None:
    world = World(store)
    await world.poll()
    portal, listed = korea_kr(), PressList()
    listed.add(Release(id=156770001, day=world.clock().date(), title=TITLE, ministry="산업통상부", lead="산업계와"))
    world.server.at(portal.url, listed)
    await world.poller.poll(portal)
    (merged,) = world.everything()
    (joined,) = (one for one in merged.article.origins if one.source == portal.id)
    with world.store.write() as tx:
        _, alone = split(tx, merged.article, joined.key, judge, {portal.id: portal}, world.clock())
        duty = bodies.get(tx, alone.article.number)
    assert duty is not None
    assert (duty.quiet, duty.source) == (True, portal.id)
