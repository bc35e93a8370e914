"""httpx upon httpcore: a client that goes through a given pool and does nothing that was not asked of it.

httpx's own transport lets nobody give its pool a network backend, where our guard and byte counter are.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookiejar import CookieJar
from typing import Any

import httpcore
import httpx


def client(pool: httpcore.AsyncConnectionPool) -> httpx.AsyncClient:
    """An httpx client for ``httpx.Request``s that are complete: nothing is added, followed or remembered.

    httpcore's exceptions come out of it as they are: httpx's would hide their causes.
    """
    return httpx.AsyncClient(
        transport=_Transport(pool),
        cookies=_NoCookies(),
        follow_redirects=False,
        trust_env=False,
        timeout=None,  # noqa: S113 - fetch has one deadline for all
    )


class _Transport(httpx.AsyncBaseTransport):
    def __init__(self, pool: httpcore.AsyncConnectionPool) -> None:
        self._pool = pool

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The extension ends here: httpcore would put it over the targets that proxies are sent, too.
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.extensions.get("target", request.url.raw_path),
        )
        answer = await self._pool.handle_async_request(
            httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream)
        )
        return _Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    async def aclose(self) -> None:
        await self._pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_stream()

    async def aclose(self) -> None:
        await self._answer.aclose()


class _Response(httpx.Response):
    has_redirect_location = False
    """httpx reads where a redirect leads even when it does not follow it, and fails where that is no address."""


class _NoCookies(CookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        """httpx has no way to switch its cookies off."""
