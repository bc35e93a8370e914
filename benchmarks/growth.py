"""What a poll with one new entry costs with 10³ and with many articles stored.

    python benchmarks/growth.py [--stored 100000] [--feeds 60] [--json]

The stored articles are spread over the ten years before, 30 a day on the days of the feeds' own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import tempfile
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedbodies
import feedserver
from poll import PHASES, ask
from poll_peers import configured, cpu

from policyfeed.app import App, opened
from policyfeed.store import articles
from policyfeed.types import Article, MinistryName, Origin, Verdict

BATCH = 5_000


def fill(app: App, count: int) -> None:
    """Store invented articles, older ones the more the further back."""
    bodies = feedbodies.made()[-1]
    ministries = [MinistryName(id=one.id, name=one.name) for one in app.config.ministries]
    now = app.clock()
    made = Article(title="", ministry=ministries[0], first_seen=now, changed=now, url="", content="", summary="요약")
    origin = Origin(source="archive", key="", url="https://x.kr/", title="", digest="", first_seen=now)
    with app.store.read() as tx:
        start = articles.reserve(tx)
    for low in range(0, count, BATCH):
        some = []
        for at in range(low, min(low + BATCH, count)):
            ministry = ministries[at % len(ministries)]
            some.append(
                replace(
                    made,
                    number=start + at,
                    id=f"urn:x:{at}",
                    title=f"{at}번째 {feedserver._SUBJECTS[at % 6]} 계획",
                    ministry=ministry,
                    ministries=(ministry,),
                    published=now - timedelta(minutes=at * 52),
                    content=bodies[at % len(bodies)],
                    url=f"https://x.kr/{at}",
                    origins=(replace(origin, key=f"x.kr/{at}"),),
                )
            )
        with app.store.write() as tx:
            articles.insert_all(tx, some)
            articles.insert_verdicts(tx, {one.number: Verdict(kept=True) for one in some}, now)


async def run(stored: int, feeds: int, port: int, folder: Path) -> dict[str, float]:
    config = configured(folder, [feedserver.feed_url(port, feed) for feed in range(feeds)])
    costs = {}
    async with opened(config, folder / "data", environ={}) as app:

        async def round_(said: str) -> float:
            ask(port, f"/control?{said}")
            before = cpu(os.getpid())
            await asyncio.gather(*(app.poll(source) for source in app.enabled()))
            return (cpu(os.getpid()) - before) / feeds * 1000

        await round_(PHASES["first"])
        for extra in range(1, 4):
            costs["few"] = await round_(f"built={extra}&extra={extra}")
        await asyncio.to_thread(fill, app, stored)
        for extra in range(4, 7):
            costs["many"] = await round_(f"built={extra}&extra={extra}")
    return {**costs, "ratio": costs["many"] / costs["few"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stored", type=int, default=100_000)
    parser.add_argument("--feeds", type=int, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="policyfeed-growth-"))
    process, port = feedserver.start()
    try:
        told = asyncio.run(run(arguments.stored, arguments.feeds, port, folder))
    finally:
        process.terminate()
        shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(told))
    else:
        print("ms of CPU a poll: {few:.1f} with few, {many:.1f} with many stored: {ratio:.2f} ×".format(**told))


if __name__ == "__main__":
    main()
