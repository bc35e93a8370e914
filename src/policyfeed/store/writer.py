"""The one thread that writes: SQLite lets one transaction write at a time, and the loop must not wait for it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from policyfeed.store.database import Outcome, P, Store, T

MOST_TOGETHER = 64
"""Transactions that are flushed to the disk together."""


class WriterThread:
    """The thread in which polls, bodies and deliveries are written: an asynchronous call for a synchronous function.

    What is asked for while it works is done together afterwards: one flush to the disk for several transactions. What
    else is stored (the state of published files, a reader's feedback, a command beside the daemon) is a short
    transaction where it arises, and waits for its turn as SQLite lets it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._waiting: deque[tuple[Callable[[], Any], asyncio.Future[Any]]] = deque()
        self._busy = False

    def __call__(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> asyncio.Future[T]:
        """What it is given is held for the work alone: who waits need hold it no longer."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((partial(work, *args, **kwargs), future))
        self._start()
        return future

    def _start(self) -> None:
        if self._waiting and not self._busy:
            self._busy = True
            some = [self._waiting.popleft() for _ in range(min(len(self._waiting), MOST_TOGETHER))]
            works, futures = [work for work, _ in some], [future for _, future in some]
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._store.together, works)
            done.add_done_callback(lambda _: self._settle(futures, done))

    def _settle(self, futures: list[asyncio.Future[Any]], done: asyncio.Future[list[Outcome]]) -> None:
        self._busy = False
        for future, (result, error) in zip(futures, done.result(), strict=True):
            if not future.done():
                future.set_exception(error) if error else future.set_result(result)
        self._start()

    def close(self) -> None:
        """Wait for what it does; what has not begun is not done any more."""
        self._waiting.clear()
        self._thread.shutdown(wait=True)
