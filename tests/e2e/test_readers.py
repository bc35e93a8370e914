"""Real feed readers subscribe over HTTP: every article once, with its title, link and date, also after many rounds."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import feedparser_sgmllib
import pytest
import reader as reader_package

from policyfeed import publish, store
from policyfeed.store import Store
from policyfeed.web import Context, Published, create_app
from tests import releases
from tests.releases import NOW
from tests.serving import serving

# reader 3.26 brings a feedparser of its own that asks for sgmllib, and requires only a feedparser that has it renamed
sys.modules.setdefault("sgmllib", feedparser_sgmllib)

Seen = dict[str, tuple[str, str, float]]
"""Entry id → title, link, seconds of the publication."""

ROUNDS = 20


class Site:
    """A feed that is served, and can change."""

    def __init__(self, opened: Store, out: Path) -> None:
        self.store, self.out = opened, out
        self.published = Published(out)
        self.feeds = (releases.feed(),)
        self.count = 0
        self.app = create_app(Context(store=opened, published=self.published, feeds=lambda: self.feeds))

    def round(self) -> None:
        """One more article, an old one revised, and everything published."""
        self.count += 1
        with self.store.write() as tx:
            kept = store.articles.insert(tx, releases.article(self.count))
            store.articles.save_verdict(tx, kept.number, releases.verdict(), NOW)
            one = store.articles.get(tx, [1])[1]
            changed = NOW + timedelta(days=1, minutes=self.count)
            revised = replace(one, summary=f"{self.count}차 수정", revision=one.revision + 1, changed=changed)
            store.articles.update(tx, revised, revised=True)
        publish.publish(self.store, self.feeds, self.out, NOW + timedelta(minutes=self.count))
        self.published.load()

    def expected(self) -> Seen:
        articles = [releases.article(number) for number in range(1, self.count + 1)]
        return {one.id: (one.title, one.url, one.sort_time.timestamp()) for one in articles}


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    opened = Store(tmp_path / "var")
    made = Site(opened, tmp_path / "out")
    made.round()
    yield made
    opened.close()


async def _follow(site: Site, visit: Callable[[], None]) -> None:
    for _ in range(ROUNDS):
        await asyncio.to_thread(visit)
        site.round()
    await asyncio.to_thread(visit)


@pytest.mark.parametrize("extension", ["atom", "rss", "json"])
async def test_the_reader_package_sees_every_article_once(site: Site, tmp_path: Path, extension: str) -> None:
    database = str(tmp_path / "reader.sqlite")

    def visit() -> None:
        with closing(reader_package.make_reader(database)) as reader:
            reader.add_feed(address, exist_ok=True)
            reader.update_feed(address)

    async with serving(site.app) as base:
        address = f"{base}/feeds/esg.{extension}"
        await _follow(site, visit)
    with closing(reader_package.make_reader(database)) as reader:
        entries = list(reader.get_entries())
    seen = {
        one.id: (one.title or "", one.link or "", one.published.timestamp() if one.published else 0) for one in entries
    }
    assert len(entries) == len(seen) == ROUNDS + 1
    assert seen == site.expected()


async def test_newsboat_sees_every_article_once(site: Site, tmp_path: Path) -> None:
    newsboat = shutil.which("newsboat")
    assert newsboat, "Debian's newsboat is missing: apt-get install newsboat"
    cache, urls, config = tmp_path / "cache.db", tmp_path / "urls", tmp_path / "config"
    config.write_text("cookie-cache /dev/null\n")

    async def visit() -> None:
        command = ("-C", str(config), "-u", str(urls), "-c", str(cache), "-x", "reload")
        process = await asyncio.create_subprocess_exec(newsboat, *command, stdout=asyncio.subprocess.PIPE)
        await process.communicate()
        assert process.returncode == 0

    async with serving(site.app) as base:
        urls.write_text(f"{base}/feeds/esg.atom\n")
        for _ in range(ROUNDS):
            await visit()
            site.round()
        await visit()
    with closing(sqlite3.connect(cache)) as opened:
        rows = opened.execute("SELECT guid, title, url, pubDate FROM rss_item").fetchall()
    assert len(rows) == ROUNDS + 1
    assert {guid: (title, url, float(date)) for guid, title, url, date in rows} == site.expected()
