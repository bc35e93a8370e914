"""Processes that a loop gives work to: real ones, and what becomes of them."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from policyfeed.errors import Busy
from policyfeed.processes import ProcessEnded, Processes


@pytest.fixture
def processes() -> Iterator[Processes]:
    made = Processes(2, os.nice, 0, preload=[])
    yield made
    made.close()


async def test_what_is_asked_for_is_done_by_so_many_processes_and_no_more(processes: Processes) -> None:
    processes.start()
    pids = await asyncio.gather(*(processes.run(60, os.getpid) for _ in range(20)))
    assert len(set(pids)) <= 2
    assert os.getpid() not in pids


async def test_an_error_comes_back_and_its_process_goes_on(processes: Processes) -> None:
    pid = await processes.run(60, os.getpid)
    with pytest.raises(ZeroDivisionError):
        await processes.run(60, divmod, 1, 0)
    assert await processes.run(60, os.getpid) == pid


@pytest.mark.parametrize("size", [0, 100, 300_000, 5_000_000])
async def test_much_comes_and_goes_whole(processes: Processes, size: int) -> None:
    sent = os.urandom(size)
    assert await processes.run(60, bytes.upper, sent) == sent.upper()


async def test_of_what_was_large_no_room_is_kept(processes: Processes) -> None:
    small = await processes.run(60, shelves)
    for size in (5_000_000, 2_000_000, 10):
        assert await processes.run(60, bytes.upper, bytes(size)) == bytes(size)
        assert await processes.run(60, shelves) == small
        assert shelves() == small


async def test_what_they_had_is_given_back_when_they_are_closed() -> None:
    before = shelves()
    processes = Processes(2, os.nice, 0, preload=[])
    assert await processes.run(60, os.getpid)
    assert len(shelves()) == len(before) + 1
    processes.close()
    assert shelves() == before


async def test_what_cannot_be_sent_back_is_an_error(processes: Processes) -> None:
    with pytest.raises(TypeError, match="pickle"):
        await processes.run(60, memoryview, b"")


async def test_what_takes_too_long_ends_with_its_process(processes: Processes) -> None:
    pid = await processes.run(60, os.getpid)
    with pytest.raises(TimeoutError):
        await processes.run(0.01, signal.pause)
    assert await processes.run(60, os.getpid) != pid
    await gone(pid)


async def test_what_nobody_waits_for_any_more_ends_with_its_process(processes: Processes) -> None:
    pid = await processes.run(60, os.getpid)
    pausing = asyncio.create_task(processes.run(60, signal.pause))
    await asyncio.sleep(0)
    pausing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pausing
    await gone(pid)


async def test_how_a_process_ended_is_told(processes: Processes) -> None:
    with pytest.raises(ProcessEnded) as ended:
        await processes.run(60, os.abort)
    assert ended.value.code == -signal.SIGABRT
    assert await processes.run(60, os.getpid)


async def test_who_waits_when_they_are_closed_is_told_so(processes: Processes) -> None:
    processes.start()
    waiting = [asyncio.create_task(processes.run(60, signal.pause)) for _ in range(5)]
    await asyncio.sleep(0)
    processes.close()
    await asyncio.wait(waiting)
    assert all(one.cancelled() for one in waiting)


async def test_a_process_that_ends_as_it_begins_is_told_as_one_that_cannot_be_had() -> None:
    processes = Processes(1, os.abort, preload=[])
    with pytest.raises(Busy, match="cannot be started"):
        await processes.run(60, os.getpid)
    processes.close()


ALONE = """
import asyncio, os, signal
from policyfeed.processes import Processes

async def main():
    processes = Processes(1, os.nice, 0, preload=[])
    print(await processes.run(60, os.getpid), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_they_end_when_the_process_that_made_them_is_killed() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=False)  # noqa: ASYNC221
    assert done.returncode == -signal.SIGKILL
    await gone(int(done.stdout))


async def gone(pid: int) -> None:
    """Until the process has ended. (One whose parent ended before it is somebody else's to bury.)"""
    while state(pid) not in ("Z", ""):  # noqa: ASYNC110 - another process sets no event of ours
        await asyncio.sleep(0)


def shelves() -> list[int]:
    """Sizes of the memory that this process shares with others by files without a name."""
    files = [file for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    return [file.stat().st_size for file in files if str(file.readlink()).startswith("/memfd:")]


def state(pid: int) -> str:
    """The letter of what a process is doing, "" = it is not there."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
