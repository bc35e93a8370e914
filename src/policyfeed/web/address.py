"""Where readers reach the pages: the public address with its path, else whatever address a request was sent to."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from policyfeed.web.context import Context


class Rooted:
    """Serves under the public address's path, whether the server before us passes that path on or strips it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        context: Context = scope["app"].state.context
        if scope["type"] == "http" and (root := unquote(urlsplit(context.address()).path)):
            passed = f"{scope['path']}/".startswith(f"{root}/")
            scope.update(root_path=root, path=scope["path"] if passed else root + scope["path"])
        await self.app(scope, receive, send)


def root(request: Request) -> str:
    """The path under which our pages lie, without a final /."""
    asked: str = request.scope.get("app_root_path", request.scope.get("root_path", ""))  # a mount changes root_path
    return asked


def site(request: Request) -> str:
    """Our address, without a final /."""
    context: Context = request.app.state.context
    return context.address() or str(request.base_url).rstrip("/")
