"""/opml: the published feeds, with addresses that hold wherever the list is carried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from policyfeed.formats import Feed
from policyfeed.opml import read
from policyfeed.store import Store
from policyfeed.web import Context, Published, create_app
from tests import releases


async def _get(store: Store, folder: Path, feeds: Sequence[Feed], address: str = "") -> httpx.Response:
    app = create_app(Context(store=store, published=Published(folder), feeds=lambda: feeds, address=lambda: address))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://feeds.test") as client:
        return await client.get("/opml")


async def test_every_published_feed_is_listed(store: Store, tmp_path: Path) -> None:
    feeds = (releases.feed(), releases.EVERYTHING)
    answer = await _get(store, tmp_path, feeds, "https://policy.example.kr")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/x-opml; charset=utf-8"
    listed = read(answer.text, "opml")
    assert [one.title for one in listed] == [one.title for one in feeds]
    assert listed[0].url == f"https://policy.example.kr/feeds/{feeds[0].name}.atom"


async def test_without_a_configured_address_the_asked_one_is_told(store: Store, tmp_path: Path) -> None:
    feed = replace(releases.feed(), base_url="http://127.0.0.1:8000")
    (listed,) = read((await _get(store, tmp_path, [feed])).text, "opml")
    assert (listed.url, listed.page) == (f"http://feeds.test/feeds/{feed.name}.atom", "http://feeds.test/")
