"""httpx upon httpcore's connections: a transport for requests that are complete, where nothing is added or followed.

httpx's own lets nobody give its connections a network backend, where our guard and byte counter are. What its client
does around every request is done in ``http`` under rules, or not at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpcore
import httpx

from policyfeed.transport.pools import Lent, Pools
from policyfeed.transport.wire import METER


class Transport(httpx.AsyncBaseTransport):
    """The request's extensions say the ``route`` to go, and the ``target`` to ask for byte for byte.

    httpcore's exceptions come out as they are: httpx's would hide their causes.
    """

    def __init__(self, pools: Pools) -> None:
        self._pools = pools

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        # The extensions end here: httpcore would put the target over those that proxies are sent, too.
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.extensions["target"],
        )
        asked = httpcore.Request(request.method, url, headers=request.headers.raw, content=request.stream)
        route = request.extensions["route"]
        lent = await self._pools.take(route, url.origin)
        try:
            answer = await _answer(lent, asked)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError):
            # RFC 9112 §9.3.1: the server closed what had been idle while we asked, and never heard of the request.
            if not lent.used or request.method != "GET" or _heard():
                raise
            lent = await self._pools.connect(route, url.origin)
            answer = await _answer(lent, asked)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer, lent, self._pools))

    async def aclose(self) -> None:
        await self._pools.aclose()


async def _answer(lent: Lent, asked: httpcore.Request) -> httpcore.Response:
    try:
        return await lent.connection.handle_async_request(asked)
    except BaseException:
        await lent.connection.aclose()
        raise


def _heard() -> bool:
    """Whether the server said anything in this exchange."""
    meter = METER.get()
    return meter is not None and meter.bytes > 0


class _Body(httpx.AsyncByteStream):
    def __init__(self, answer: httpcore.Response, lent: Lent, pools: Pools) -> None:
        self._answer, self._lent, self._pools = answer, lent, pools

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._answer.aiter_stream()

    async def aclose(self) -> None:
        await self._answer.aclose()
        await self._pools.give_back(self._lent)
