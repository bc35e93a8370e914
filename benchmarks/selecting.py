"""What it costs to choose the newest articles of a long archive, beside reading all of it and asking of each.

    python benchmarks/selecting.py [--stored 100000] [--data FOLDER] [--json]

The stored articles are spread over the ten years before; a third is kept. A folder that holds an archive is used as it
is. The two ways must choose the same.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import feedbodies

from policyfeed.selection import Selection
from policyfeed.store import Store, articles
from policyfeed.types import Article, Judged, Kind, MinistryName, Origin, Reason, Verdict

BATCH = 5_000
NOW = datetime(2026, 5, 20, tzinfo=UTC)
LIMIT = 200
RARE = Kind.NOTICE
REASONS = tuple(
    Reason(rule="term", points=2.5, topic="E1", term="탄소중립 기본계획", field="content", offset=at)
    for at in range(12)
)
CHOICES = {
    "kept": Selection(),
    "a rare pillar": Selection(pillars=("G",)),
    "a rare topic": Selection(topics=("G7",)),
    "a rare ministry": Selection(kept_only=False, ministries=("m77",)),
    "a rare kind": Selection(kept_only=False, kinds=(RARE,)),
    "a high score": Selection(min_score=99.5),
    "a rare word": Selection(kept_only=False, words=("77777번째",)),
    "a rare word of what is kept": Selection(words=("77777번째",)),
}


def fill(store: Store, count: int) -> None:
    """Store invented articles, older ones the further back."""
    bodies = feedbodies.made()[-1]
    for low in range(0, count, BATCH):
        some = [_article(at, bodies[at % len(bodies)]) for at in range(low, min(low + BATCH, count))]
        with store.write() as tx:
            articles.insert_all(tx, some)
            articles.insert_verdicts(tx, {one.number: _verdict(one.number) for one in some}, NOW)


def _article(at: int, body: str) -> Article:
    name = "m77" if at % 5_000 == 77 else f"m{at % 50}"
    ministry, url = MinistryName(id=name, name=name), f"https://x.kr/{at}"
    seen = NOW - timedelta(minutes=at * 52)
    return Article(
        number=at + 1,
        id=f"urn:x:{at}",
        title=f"{at}번째 계획",
        ministry=ministry,
        ministries=(ministry,),
        kind=RARE if at % 5_000 == 7 else Kind.PRESS_RELEASE,
        published=seen,
        first_seen=seen,
        changed=seen,
        summary="요약",
        content=body,
        url=url,
        origins=(Origin(source="archive", key=f"x.kr/{at}", url=url, title="", digest="", first_seen=seen),),
    )


def _verdict(number: int) -> Verdict:
    rare = number % 5_000 == 9
    topics, pillars = (("G7",), ("G",)) if rare else (("E1", "S2"), ("E", "S"))
    return Verdict(
        kept=number % 3 == 0, score=number % 1000 / 10.02, topics=topics, pillars=pillars, reasons=REASONS,
        rule_version="v1",
    )  # fmt: skip


def everything(store: Store) -> Iterator[Judged]:
    before = None
    while True:
        with store.read() as tx:
            page = articles.page(tx, before, 500)
        yield from page
        if len(page) < 500:
            return
        before = (page[-1].article.sort_time, page[-1].article.number)


def measured(store: Store) -> dict[str, float]:
    """CPU seconds for each choice, for all together as publishing makes it, and for asking of each article."""
    costs, chosen = {}, {}
    for name, selection in CHOICES.items():
        began = time.process_time()
        with store.read() as tx:
            chosen[name] = [one.article.number for one in articles.newest(tx, selection, LIMIT)]
        costs[name] = time.process_time() - began
    began = time.process_time()
    with store.read() as tx:
        articles.newest_each(tx, [(selection, LIMIT) for selection in CHOICES.values()])
    costs["all of them together"] = time.process_time() - began
    began = time.process_time()
    asked: dict[str, list[int]] = {name: [] for name in CHOICES}
    for one in everything(store):
        for name, selection in CHOICES.items():
            if len(asked[name]) < LIMIT and selection.takes(one):
                asked[name].append(one.article.number)
    costs["each article asked"] = time.process_time() - began
    assert chosen == asked
    return costs


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.data or Path(tempfile.mkdtemp(prefix="policyfeed-selecting-"))
    store = Store(folder)
    try:
        with store.read() as tx:
            empty = not articles.count(tx)["articles"]
        if empty:
            fill(store, arguments.stored)
        told = measured(store)
    finally:
        store.close()
        if arguments.data is None:
            shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(told))
        return
    most = told["each article asked"]
    for name, cost in told.items():
        print(f"{name:28} {cost:7.3f} s  {cost / most:7.2%}")


if __name__ == "__main__":
    main()
