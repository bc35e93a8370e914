"""How many requests go out at once: few to one host, some in all, and no slow server in another's way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Lanes:
    """Places for ``per_host`` requests to a host and ``total`` in all.

    A request that takes longer than ``patience`` seconds gives its place up to the next one and goes on in a slow
    lane of ``slow`` places, so dead servers cannot take all places and hold the others up.
    """

    def __init__(self, per_host: int, total: int, *, patience: float = 0.25, slow: int | None = None) -> None:
        self._per_host = per_host
        self._total = asyncio.Semaphore(total)
        self._patience = patience
        self._slow = slow if slow is not None else 4 * total
        self._hosts: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def place(self, host: str) -> AsyncIterator[None]:
        """Waits for a place and holds it."""
        async with self._host(host):
            await self._total.acquire()
            leave = self._hold()
            try:
                yield
            finally:
                leave()

    def _hold(self) -> Callable[[], None]:
        moved = False

        def move() -> None:
            nonlocal moved
            if self._slow > 0:
                self._slow -= 1
                moved = True
                self._total.release()

        def leave() -> None:
            timer.cancel()
            if moved:
                self._slow += 1
            else:
                self._total.release()

        timer = asyncio.get_running_loop().call_later(self._patience, move)
        return leave

    @asynccontextmanager
    async def _host(self, host: str) -> AsyncIterator[None]:
        semaphore, users = self._hosts.get(host, (asyncio.Semaphore(self._per_host), 0))
        self._hosts[host] = semaphore, users + 1
        try:
            async with semaphore:
                yield
        finally:
            semaphore, users = self._hosts.pop(host)
            if users > 1:
                self._hosts[host] = semaphore, users - 1
