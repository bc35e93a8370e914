"""The board as files, beside the feeds, for a plain web server: ``publish(…, pages=pages(…))``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from policyfeed import publish, store
from policyfeed.formats import Feed
from policyfeed.i18n import translator
from policyfeed.publish import Page
from policyfeed.selection import Selection
from policyfeed.store import Transaction
from policyfeed.web import rendering
from policyfeed.web.pages import Paging
from policyfeed.web.rows import row

STATIC = Path(__file__).with_name("static")


def pages(
    feeds: Sequence[Feed],
    *,
    title: str,
    language: str = "ko",
    topic_names: Mapping[str, str] | None = None,
    size: int = 200,
) -> dict[str, Page]:
    """``index.html`` with the newest kept articles, and what it needs. Links are relative: any folder will do."""
    names = topic_names or {}
    formats = sorted((extension, made.MEDIA_TYPE) for extension, made in publish.formats().items())

    def index(tx: Transaction) -> bytes:
        rows = [row(judged, names, translator(language)) for judged in store.articles.newest(tx, Selection(), size)]
        page = rendering.html(
            "board.html",
            language,
            root=".",
            languages={},
            keep="",
            site=title,
            feeds=[(feed, f"./feeds/{feed.name}") for feed in feeds],
            formats=formats,
            rows=rows,
            paging=Paging(page=1, pages=1),
            static=True,
            buttons=None,
        )
        return page.encode("utf-8", "replace")

    return {"index.html": index} | {f"static/{file.name}": _file(file) for file in sorted(STATIC.iterdir())}


def _file(file: Path) -> Page:
    return lambda _tx: file.read_bytes()
