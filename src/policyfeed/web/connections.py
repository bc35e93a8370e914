"""Readers' connections: uvicorn's, but no more than there is room for. Without that a thousand of them that say nothing
take every descriptor (1,024 by default), and no source can be asked any more.
"""

from __future__ import annotations

import asyncio
import resource
import sys
from operator import attrgetter

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connection(H11Protocol):
    """When all places are taken, the next one gets that of the oldest that asks for nothing, else of the oldest."""

    since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        super().connection_made(transport)
        self.since = self.loop.time()
        if len(self.connections) > places():
            others = [one for one in self.connections if isinstance(one, Connection) and one is not self]
            silent = [one for one in others if one.cycle is None or one.cycle.response_complete]
            given_up = min(silent or others, key=attrgetter("since"))
            self.connections.discard(given_up)  # now: it is told that it was lost only after the others have come
            given_up.transport.abort()


def answering(application: ASGIApp) -> uvicorn.Config:
    """How readers are answered: no request is logged, nobody is told what answers, and connections have their limit."""
    return uvicorn.Config(
        application,
        http=Connection,
        ws="none",
        backlog=queue(),
        log_config=None,
        lifespan="off",
        server_header=False,
        access_log=False,
    )


def places() -> int:
    """A fourth of the descriptors that this process may have: sources' connections take another."""
    return min(_descriptors() // 4, 1000)


def queue() -> int:
    """How many may wait to be taken: asyncio takes them all at once, before one that is too many can be closed."""
    return min(_descriptors() // 8, 2048)


def _descriptors() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if files == resource.RLIM_INFINITY else files
