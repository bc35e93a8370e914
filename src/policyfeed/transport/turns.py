"""Whose turn it is at a host: polls go at once; what can wait goes after them, one at a time and at a distance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Turns:
    """``time`` gives seconds on any scale, ``sleep`` passes them."""

    def __init__(
        self, time: Callable[[], float] = _loop_time, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self._time = time
        self._sleep = sleep
        self._free: dict[str, float] = {}
        self._polls: Counter[str] = Counter()
        self._ended = asyncio.Event()

    @contextmanager
    def polling(self, host: str) -> Iterator[None]:
        """While a poll of the host is under way, nobody else gets a turn there."""
        self._polls[host] += 1
        try:
            yield
        finally:
            self._polls[host] -= 1
            if not self._polls[host]:
                del self._polls[host]
            self._ended.set()

    async def wait(self, host: str, seconds: float) -> None:
        """Waits for one's turn at the host; the next turn comes ``seconds`` after it."""
        while (ahead := self._free.get(host, float("-inf")) - self._time()) > 0 or self._polls[host]:
            if ahead > 0:
                await self._sleep(ahead)
            else:
                self._ended.clear()
                await self._ended.wait()
        self._free[host] = self._time() + seconds
