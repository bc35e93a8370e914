"""The database chooses what ``Selection.takes`` takes: no more, no less, in the same order."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyfeed.selection import Selection
from policyfeed.store import Store, articles
from policyfeed.types import Judged, Kind, MinistryName
from tests import releases

STORED = 150
TOPICS = ("E1", "E", "S2", "기후", "'")
PILLARS = ("E", "S", "G")
BODIES = tuple(MinistryName(id=id_, name=id_) for id_ in ("mcee", "moel", "me", "x-0af1", "$[0]"))
KINDS = (Kind.PRESS_RELEASE, Kind.EXPLANATION, Kind.NOTICE)
SCORES = (0.0, 12.5, 49.9, 50.0, 100.0)
TEXTS = (
    "",
    "탄소 중립",
    "탄소중립",
    "탄소\n중립 도시",
    "ESG 공시",
    "Straße 100%",
    "ǅ 소문자",
    "<p>녹조_저감</p>",
    "İstanbul",
)
WORDS = (
    "탄소 중립",
    "탄소중립",
    "esg",
    "STRASSE",
    "ß",
    "ǆ",
    "_",
    "%",
    " ",
    "",
    "녹조",
    "공시 100",
    "i̇",
    "\udcff",
    "\0",
    "없는말",
)


def release(number: int, luck: random.Random) -> Judged:
    """One of many kinds, several at the same time."""
    credited = luck.sample(BODIES, luck.randint(1, 3))
    said = releases.verdict(
        kept=luck.random() < 0.5,
        alert=luck.random() < 0.3,
        score=luck.choice(SCORES),
        topics=tuple(luck.sample(TOPICS, luck.randint(0, 2))),
        pillars=tuple(luck.sample(PILLARS, luck.randint(0, 2))),
    )
    return releases.judged(
        number,
        said,
        title=luck.choice(TEXTS),
        summary=luck.choice(TEXTS),
        content=luck.choice(TEXTS),
        kind=luck.choice(KINDS),
        ministry=luck.choice(BODIES),
        ministries=tuple(credited),
        published=releases.NOW.replace(minute=luck.randint(0, 9)),
    )


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    luck = random.Random(11)  # noqa: S311 - the same archive each time
    opened = releases.stored(tmp_path_factory.mktemp("archive"), [release(n, luck) for n in range(1, STORED + 1)])
    yield opened
    opened.close()


def some(values: tuple[object, ...]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=2).map(tuple)


SELECTIONS = st.builds(
    Selection,
    kept_only=st.booleans(),
    dropped_only=st.booleans(),
    alert_only=st.booleans(),
    topics=some((*TOPICS, "none")),
    pillars=some(PILLARS),
    ministries=some((*(one.id for one in BODIES), "none")),
    kinds=some(KINDS),
    words=some(WORDS),
    min_score=st.sampled_from((*SCORES, 50.1)),
)


@given(selection=SELECTIONS, limit=st.sampled_from((0, 1, 7, 1000)), skip=st.integers(0, 5), late=st.booleans())
def test_the_database_chooses_what_the_selection_takes(
    archive: Store, selection: Selection, limit: int, skip: int, late: bool
) -> None:
    since = releases.NOW.replace(minute=4) if late else None
    with archive.read() as tx:
        every = articles.page(tx, None, STORED)
        chosen = articles.newest(tx, selection, limit, since=since, skip=skip)
        each = articles.newest_each(tx, [(selection, limit), (Selection(), 9), (replace(selection, words=()), 9)])
    taken = [one for one in every if selection.takes(one)]
    assert chosen == [one for one in taken if since is None or one.article.sort_time >= since][skip : skip + limit]
    assert each[0] == taken[:limit]
    assert each[1] == [one for one in every if Selection().takes(one)][:9]


@pytest.mark.parametrize(
    "selection",
    [
        Selection(topics=("E1",)),
        Selection(pillars=("G",)),
        Selection(kept_only=False, ministries=("moel",)),
        Selection(kept_only=False, words=("탄소 중립",)),
        Selection(kept_only=False, words=("STRASSE",)),
        Selection(kept_only=False, dropped_only=True, kinds=(Kind.NOTICE,)),
    ],
)
def test_the_archive_holds_what_such_a_selection_takes_and_what_it_does_not(
    archive: Store, selection: Selection
) -> None:
    with archive.read() as tx:
        assert 0 < len(articles.newest(tx, selection, STORED)) < STORED


def test_only_what_is_chosen_is_loaded(archive: Store) -> None:
    asked = list[str]()
    with archive.read() as tx:
        driver: Any = tx.connection.dbapi_connection
        driver.set_trace_callback(asked.append)
        chosen = articles.newest(tx, Selection(topics=("기후",), words=("녹조",)), STORED)
        driver.set_trace_callback(None)
    loaded = [re.findall(r"\d+", sql.partition(" IN ")[2].partition(")")[0]) for sql in asked if "FROM origins" in sql]
    assert [sorted(map(int, numbers)) for numbers in loaded] == [sorted(one.article.number for one in chosen)]
