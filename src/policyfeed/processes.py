"""Processes that do what an asyncio loop asks for: one thing at a time each, and what takes too long ends with its
process.

The loop itself sends to them and hears from them. Libraries' pools have threads between (pebble three), which wake each
other and wait for the interpreter: a sixteenth of what a poll with one new entry costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import pickle
import socket
import struct
from collections.abc import Callable
from multiprocessing.context import ForkServerContext
from typing import Any

import structlog

from policyfeed.errors import Busy

log = structlog.get_logger(__name__)

_SIZE = struct.Struct("!Q")
_TRIES = 3
"""Processes, one after the other, that may end before they could be asked for anything."""
_BUFFER = 512 * 1024
"""Bytes on their way to a process: with the usual buffers both sides wake each other for every part of a document."""
_LARGE = 1024 * 1024
"""Bytes of an answer that is unpacked beside the loop, which it would hold up."""


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


class _Process:
    """One process, and the line to it. Raises OSError, RuntimeError; EOFError, when the fork server has just died."""

    def __init__(self, context: ForkServerContext, begin: Callable[..., object], given: tuple[Any, ...]) -> None:
        self._line, theirs = socket.socketpair()
        with theirs:
            try:
                for end in (self._line, theirs):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER)
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
        had read all of this; EOFError: it ended later."""
        asked = pickle.dumps((work, arguments), pickle.HIGHEST_PROTOCOL)
        await asyncio.get_running_loop().sock_sendall(self._line, asked)
        return await self._answer()

    async def _answer(self) -> tuple[bool, Any]:
        (size,) = _SIZE.unpack(await self._received(_SIZE.size))
        answer = await self._received(size)
        if size < _LARGE:
            return pickle.loads(answer)  # type: ignore[no-any-return]  # noqa: S301 - from a process of our own
        return await asyncio.to_thread(pickle.loads, answer)

    async def _received(self, size: int) -> bytearray:
        loop, received = asyncio.get_running_loop(), bytearray(size)
        rest = memoryview(received)
        while rest:
            size = await loop.sock_recv_into(self._line, rest)
            if not size:
                raise EOFError
            rest = rest[size:]
        return received

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
    begin(*given)
    work, arguments = _nothing, ()
    with line, line.makefile("rb", buffering=_BUFFER) as asked, contextlib.suppress(EOFError, ConnectionError):
        while True:
            answer = _packed(work, arguments)
            line.sendall(_SIZE.pack(len(answer)) + answer)
            work, arguments = pickle.load(asked)  # noqa: S301 - from the process that made this one


def _packed(work: Callable[..., object], arguments: tuple[Any, ...]) -> bytes:
    try:
        return pickle.dumps((True, work(*arguments)), pickle.HIGHEST_PROTOCOL)
    except Exception as problem:
        return pickle.dumps((False, problem), pickle.HIGHEST_PROTOCOL)
