"""The web application: routes, and what every answer carries."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from starlette.applications import Starlette
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from policyfeed import __version__, metrics
from policyfeed.errors import PolicyfeedError
from policyfeed.web import feedback, feeds, health, pages, refusals
from policyfeed.web.address import Rooted
from policyfeed.web.context import Context
from policyfeed.web.static_board import STATIC

_HEADERS = {
    # Nothing runs, nothing is loaded from elsewhere, nobody frames us: what upstream wrote stays text
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_PIECE = 131_072
_EVERY = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class _Number(IntegerConvertor):
    """An article's number. More digits than fit into the database name nothing: ``int`` raises from the 4301st on."""

    regex = "[0-9]{1,18}"


register_url_convertor("number", _Number())


def create_app(context: Context) -> ASGIApp:
    """The application over what ``context`` holds; also what it fails at is watched."""
    app = Starlette(
        routes=routes(),
        middleware=[Middleware(Rooted)],
        exception_handlers={
            **dict.fromkeys(refusals.REFUSALS, refusals.refused),
            PolicyfeedError: refusals.failed,
            Exception: refusals.broken,
        },
    )
    app.state.context = context
    metrics.BUILD.labels(__version__).set(1)
    return _Watched(app)


def routes() -> list[BaseRoute]:
    """Every address that is answered."""
    return [
        Route("/", pages.board, name="board"),
        Route("/articles/{number:number}", pages.article, name="article"),
        Route("/articles/{number:number}/label", feedback.label, name="label", methods=["POST"]),
        Route("/feeds/{name:str}.{extension:str}", feeds.feed, name="feed"),
        Route("/opml", feeds.opml_list, name="opml"),
        Route("/sources", pages.sources, name="sources"),
        Route("/healthz", health.healthz, name="healthz"),
        Route("/readyz", health.readyz, name="readyz"),
        Route("/metrics", health.metrics_page, name="metrics"),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ]


class _Watched:
    """Adds the headers of every answer, and counts it under its route's name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_EVERY]
                route = getattr(scope.get("route"), "name", None) or "other"
                metrics.HTTP_REQUESTS.labels(route, str(message["status"])).inc()
                metrics.HTTP_SECONDS.labels(route).observe(perf_counter() - began)
            for piece in _pieces(message):
                await send(piece)

        await self.app(scope, receive, answer)


def _pieces(message: Message) -> Iterator[Message]:
    """A body in parts, each sent when the reader took the one before: who asks and does not read holds no copy."""
    body, more = message.get("body", b""), message.get("more_body", False)
    if len(body) <= _PIECE:
        yield message
        return
    for start in range(0, len(body), _PIECE):
        end = start + _PIECE
        yield {**message, "body": body[start:end], "more_body": more or end < len(body)}
