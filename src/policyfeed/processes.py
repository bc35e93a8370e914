"""Processes that do what an asyncio loop asks for: one thing at a time each, and what takes too long ends with its
process.

The loop itself sends to them and hears from them. Libraries' pools have threads between (pebble three), which wake each
other and wait for the interpreter: a sixteenth of what a poll with one new entry costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import mmap
import os
import pickle
import socket
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

import structlog

from policyfeed.errors import Busy

log = structlog.get_logger(__name__)

_TRIES = 3
"""Processes, one after the other, that may end before they could be asked for anything."""
_ROOM = 1024 * 1024
"""Bytes that a shelf has room for. What is larger is unpacked beside the loop, which it would hold up."""
_THERE = b"."
"""What the line carries: something lies on the shelf."""


class ProcessEnded(Exception):
    """A process ended before it answered; ``code`` as multiprocessing has it, negative for a signal."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"it ended with {code}")
        self.code = code


class Processes:
    """``most`` processes at most, started when they are wanted; each calls ``begin(*given)`` first.

    A fork server makes them, with ``preload`` (names of modules) imported: it does not matter to them what threads this
    process has by then. It is that of all of a process's pools.
    """

    def __init__(self, most: int, begin: Callable[..., object], *given: Any, preload: list[str]) -> None:
        self._context = ForkServerContext()
        self._context.set_forkserver_preload(preload)
        self._begin = begin, given
        self._most = most
        self._places = asyncio.Semaphore(most)
        self._idle: list[_Process] = []
        self._all = set[_Process]()
        self._closed = False

    def start(self) -> None:
        """Have all of them begin now, and not with the first thing to do. Raises Busy."""
        while len(self._all) < self._most:
            self._idle.append(self._made())

    async def run(self, seconds: float, work: Callable[..., Any], *arguments: Any) -> Any:
        """What ``work`` gives in a process that is free. Raises what it raises; TimeoutError, ProcessEnded; Busy where
        the system refuses what processes want; CancelledError once they are closed.
        """
        async with self._places:
            died = 0
            while True:
                process = self._free()
                try:
                    await process.begun()
                    async with asyncio.timeout(seconds):
                        done, answer = await process.ask(work, arguments)
                except (ConnectionError, EOFError) as ended:
                    self._end(process)
                    if self._closed:
                        raise asyncio.CancelledError from None
                    if isinstance(ended, EOFError):
                        raise ProcessEnded(await process.code()) from None
                    died += 1
                    if died == _TRIES:
                        raise _refused(ended) from ended
                    log.warning("a process died while it had nothing to do: another one takes its place")
                except BaseException:
                    self._end(process)
                    raise
                else:
                    self._idle.append(process)
                    if done:
                        return answer
                    raise answer

    def _free(self) -> _Process:
        if self._closed:
            raise asyncio.CancelledError
        return self._idle.pop() if self._idle else self._made()

    def _made(self, tries: int = _TRIES) -> _Process:
        try:
            process = _Process(self._context, *self._begin)
        except (OSError, RuntimeError, EOFError) as problem:
            if tries > 1 and isinstance(problem, (EOFError, ConnectionError)):  # the fork server just died: another one
                return self._made(tries - 1)
            raise _refused(problem) from problem
        self._all.add(process)
        return process

    def _end(self, process: _Process) -> None:
        """Another one begins in its place, whether it is wanted at once or not."""
        self._all.discard(process)
        process.end()
        if not self._closed:
            with contextlib.suppress(Busy):
                self._idle.insert(0, self._made())

    def close(self) -> None:
        """End all of them at once."""
        self._closed = True
        for process in self._all:
            process.kill()
        while self._idle:
            self._end(self._idle.pop())


class _Shelf:
    """Memory that both ends of a line see. One puts something there, tells the other, and waits for what comes back.

    (Through the line itself a document would be copied four times more, for a twentieth of what its poll costs.)
    """

    def __init__(self, file: int) -> None:
        self._memory = mmap.mmap(file, 0)  # which keeps a file of its own

    def put(self, something: object) -> None:
        """Raises what pickling raises, and MemoryError."""
        self._fit()
        try:
            pickle.dump(something, self._memory, pickle.HIGHEST_PROTOCOL)
        except ValueError:  # it is larger than the shelf
            packed = pickle.dumps(something, pickle.HIGHEST_PROTOCOL)
            self._resize(len(packed))
            self._memory.write(packed)

    def take(self) -> Any:
        """What the other end put there; of what was large, no room is kept. Raises MemoryError."""
        self._fit()
        try:
            return pickle.loads(self._memory)  # noqa: S301 - from a process of our own
        finally:
            if self.is_large:
                self._resize(_ROOM)

    @property
    def is_large(self) -> bool:
        return self._memory.size() > _ROOM

    def close(self) -> None:
        with contextlib.suppress(BufferError):  # a thread is unpacking what nobody waits for any more
            self._memory.close()

    def _fit(self) -> None:
        """The other end may have made it larger, or small again."""
        if (size := self._memory.size()) != len(self._memory):
            self._resize(size)
        self._memory.seek(0)

    def _resize(self, size: int) -> None:
        try:
            self._memory.resize(size)
        except OSError as full:
            raise MemoryError from full
        self._memory.seek(0)


class _Process:
    """One process, and the line to it. Raises OSError, RuntimeError; EOFError, when the fork server has just died."""

    def __init__(self, context: ForkServerContext, begin: Callable[..., object], given: tuple[Any, ...]) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                with open(os.memfd_create("policyfeed"), "wb") as file:  # noqa: PTH123 - it has no path
                    file.truncate(_ROOM)
                    socket.send_fds(self._line, [_THERE], [file.fileno()])
                    self._shelf = _Shelf(file.fileno())
                self._process = context.Process(target=_serve, args=(theirs, begin, given), daemon=True)
                self._process.start()
            except BaseException:
                self._line.close()
                raise
        self._line.setblocking(False)
        self._begun = False

    async def begun(self) -> None:
        """Wait until it has begun: that is no part of what it is asked for. Raises ConnectionError when it ended before
        that."""
        if not self._begun:
            try:
                self._begun, _ = await self._answer()
            except EOFError:
                raise ConnectionResetError("it ended as it began") from None

    async def ask(self, work: Callable[..., Any], arguments: tuple[Any, ...]) -> tuple[bool, Any]:
        """Whether the work was done, and what it gave or raised. Raises ConnectionError: the process ended before it
        had heard of this; EOFError: it ended later."""
        self._shelf.put((work, arguments))
        self._line.send(_THERE)
        return await self._answer()

    async def _answer(self) -> tuple[bool, Any]:
        if not await asyncio.get_running_loop().sock_recv(self._line, len(_THERE)):
            raise EOFError
        take = self._shelf.take
        answer: tuple[bool, Any] = await asyncio.to_thread(take) if self._shelf.is_large else take()
        return answer

    async def code(self) -> int | None:
        """The exit code of a process that ended."""
        await asyncio.to_thread(self._process.join, 1.0)
        return self._process.exitcode

    def kill(self) -> None:
        """Whoever waits for its answer hears that it ended."""
        if self._process.is_alive():
            self._process.kill()

    def end(self) -> None:
        """Nobody waits for it any more."""
        self._line.close()
        self._shelf.close()
        self.kill()


def _refused(problem: Exception) -> Busy:
    return Busy(
        "The processes that read documents cannot be started: {problem}.",
        remedy="They want shared memory (/dev/shm), and room for more processes, threads and open files.",
        problem=problem,
    )


def _nothing() -> None:
    """What is answered first: that it has begun."""


def _serve(line: socket.socket, begin: Callable[..., object], given: tuple[Any, ...]) -> None:
    """A process's life: until nobody is at the other end of the line."""
    with line, contextlib.suppress(ConnectionError):
        _, files, *_ = socket.recv_fds(line, len(_THERE), 1)
        shelf = _Shelf(*files)
        os.close(*files)
        begin(*given)
        work, arguments = _nothing, ()
        while True:
            _do(shelf, work, arguments)
            line.sendall(_THERE)
            if not line.recv(len(_THERE)):
                return
            work, arguments = shelf.take()


def _do(shelf: _Shelf, work: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    try:
        shelf.put((True, work(*arguments)))
    except Exception as problem:
        shelf.put((False, problem))
