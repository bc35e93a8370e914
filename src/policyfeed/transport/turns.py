"""Whose turn it is at a host: polls go at once; what can wait goes after them, one at a time and at a distance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


class Polling:
    """A poll under way. (Thousands may wait for their places at once: as a generator each would hold half a kilobyte
    more.)"""

    __slots__ = ("_host", "_turns")

    def __init__(self, turns: Turns, host: str) -> None:
        self._turns, self._host = turns, host

    def __enter__(self) -> None:
        self._turns.begin(self._host)

    def __exit__(self, *_error: object) -> None:
        self._turns.end(self._host)


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

    def polling(self, host: str) -> Polling:
        """While a poll of the host is under way (``with``), nobody else gets a turn there."""
        return Polling(self, host)

    def begin(self, host: str) -> None:
        """A poll of the host is under way from now on, until ``end``."""
        self._polls[host] += 1

    def end(self, host: str) -> None:
        """A poll of the host is over."""
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
