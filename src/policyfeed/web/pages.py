"""Pages for people: the board, and one article with everything that is known of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from policyfeed import publish, store
from policyfeed.config import publication
from policyfeed.errors import told
from policyfeed.formats import web_link
from policyfeed.i18n import LANGUAGES, translator
from policyfeed.normalize.html import lowered, sanitize
from policyfeed.selection import Selection
from policyfeed.store import Transaction
from policyfeed.types import Judged, Origin
from policyfeed.web import address, rendering, revisions
from policyfeed.web.context import Context
from policyfeed.web.language import language_of
from policyfeed.web.rows import When, row, span, when

_HEADERS = {"Vary": "Accept-Language", "Cache-Control": "no-cache"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Paging:
    """Which page of how many; ``newer`` and ``older`` are page numbers, 0 = there is none."""

    page: int
    pages: int

    @property
    def newer(self) -> int:
        return self.page - 1

    @property
    def older(self) -> int:
        return self.page + 1 if self.page < self.pages else 0


def board(request: Request) -> Response:
    """``/``: the kept articles, newest first, ``?page=`` by page."""
    context: Context = request.app.state.context
    language = language_of(request)
    with context.store.read() as tx:
        pages = max(1, -(-store.articles.count(tx)["kept"] // context.page_size))
        paging = Paging(page=_page(request), pages=pages)
        if paging.page > pages:
            raise HTTPException(404)
        shown = store.articles.newest(tx, Selection(), context.page_size, skip=(paging.page - 1) * context.page_size)
        said = store.labels.of(tx, [one.article.number for one in shown]) if context.buttons() else {}
    names, translate = context.topic_names(language), translator(language)
    rows = [row(judged, names, translate) for judged in shown]
    return answer("board.html", request, rows=rows, paging=paging, said=said, static=False)


def article(request: Request) -> Response:
    """``/articles/{number}``."""
    context: Context = request.app.state.context
    with context.store.read() as tx:
        number = request.path_params["number"]
        judged = store.articles.judged(tx, [number]).get(number)
        if judged is None:
            raise HTTPException(404)
        return answer("article.html", request, **_everything(tx, context, judged, language_of(request)))


def sources(request: Request) -> Response:
    """``/sources``: how each source is, and how early its releases are seen."""
    context: Context = request.app.state.context
    found = context.conditions()
    translate = translator(language_of(request))
    return answer(
        "sources.html",
        request,
        found=[(one, publication(one.source)) for one in found],
        wells=sum(one.well for one in found),
        waits=context.waits(),
        when=when,
        lasted=partial(span, translate=translate),
        told=partial(told, translate=translate),
    )


def answer(template: str, request: Request, status: int = 200, **facts: Any) -> Response:
    """A page in the reader's language."""
    context: Context = request.app.state.context
    language = language_of(request)
    root = address.root(request)
    asked = request.query_params.get("lang", "")
    page = rendering.html(
        template,
        language,
        root=root,
        # relative to this address: a path like //evil.example would be another site's
        languages={one: f"?{urlencode({**request.query_params, 'lang': one})}" for one in LANGUAGES},
        keep=f"?lang={language}" if asked else "",
        site=context.title(),
        buttons=context.buttons(),
        feeds=[(one, f"{root}/feeds/{one.name}") for one in context.feeds()],
        formats=sorted((extension, made.MEDIA_TYPE) for extension, made in publish.formats().items()),
        **facts,
    )
    return HTMLResponse(page, status, _HEADERS | {"Content-Language": language})


def _everything(tx: Transaction, context: Context, judged: Judged, language: str) -> dict[str, Any]:
    one, names, buttons = judged.article, context.topic_names(language), context.buttons()
    return {
        "row": row(judged, names, translator(language)),
        "said": store.labels.of(tx, [one.number]).get(one.number),
        "topics": [(topic, names.get(topic, "")) for topic in buttons.topics] if buttons else [],
        "article": one,
        "verdict": judged.verdict,
        "content": lowered(sanitize(one.content, one.url), 2),
        "published": when(one.published, dated=one.dated) if one.published else None,
        "updated": when(one.updated) if one.updated else None,
        "withdrawn": when(one.withdrawn) if one.withdrawn else None,
        "first_seen": when(one.first_seen),
        "origins": [_place(context, origin) for origin in one.origins],
        "explained_by": store.answers.to(tx, one.number),
        "attachments": [(item.name, web_link(item.url)) for item in one.attachments],
        "revisions": revisions.told(store.articles.history(tx, one.number, revisions.MOST_REVISIONS)),
    }


def _place(context: Context, origin: Origin) -> tuple[str, str, str, When]:
    known = context.sources().get(origin.source)
    return (known.name if known else origin.source, web_link(origin.url), origin.title, when(origin.first_seen))


def _page(request: Request) -> int:
    asked = request.query_params.get("page", "")
    # no number of 19 digits is a page of ours; int() would refuse thousands of them
    return max(1, int(asked[:19])) if asked.isascii() and asked.isdigit() else 1
