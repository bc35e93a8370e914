"""What several attacks at the same moment cost everybody else: one process, loopback.

    python benchmarks/hostile.py [--slow 6] [--bombs 0] [--good 200] [--seconds 30] [--json]

``slow`` feeds take minutes to read, ``bombs`` unpack ten megabytes each and then hang; all of them are due at the same
moment, and twice. The good ones are due evenly all the while, each with an article of its own. Printed: how long after
its due time a good source was stored (percentiles), how long an attack lasted at most, the peak of the main process.
With bombs the slow feeds may find no room in memory and end before they are read: try each alone, too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import resource
import shutil
import tempfile
import time
import zlib
from pathlib import Path
from statistics import quantiles
from typing import TYPE_CHECKING

from feedbodies import SHORT_FEED

if TYPE_CHECKING:
    from policyfeed.app import App

QUADRATIC = (
    "<rss version='2.0'><channel><item><title>{name}</title><link "
    + " ".join(f"a{n}='1'" for n in range(300_000))
    + "/></item></channel></rss>"
)
BOMB = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99999\r\n\r\n"
MEGABYTE = 1024 * 1024


def bomb() -> bytes:
    """Ten megabytes without their last one, packed: an answer that goes on for ever."""
    packer = zlib.compressobj(9, wbits=31)
    return packer.compress(b" " * (10 * MEGABYTE - 100)) + packer.flush(zlib.Z_FULL_FLUSH)


class Sites:
    """Answers by the number in the path: the first ones slowly to read, the next ones with bombs, the others well."""

    def __init__(self, slow: int, bombs: int) -> None:
        self.slow, self.bombs, self.port = slow, bombs, 0
        self.bomb = bomb()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                number = int(head.split(" ")[1].rsplit("/", 1)[-1])
                if self.slow <= number < self.slow + self.bombs:
                    writer.write(BOMB + self.bomb)
                    await reader.read()  # hangs until we are left
                    break
                body = (QUADRATIC if number < self.slow else SHORT_FEED).replace("{name}", f"{number}").encode()
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    def url(self, number: int) -> str:
        return f"http://127.1.{number // 250}.{number % 250 + 1}:{self.port}/{number}"


async def polled(app: App, name: str, due: float, began: float) -> tuple[float, str]:
    """Seconds from the source's due time until its poll was over, and how it ended."""
    await asyncio.sleep(began + due - time.monotonic())
    report = await app.poll(app.sources[name])
    return time.monotonic() - began - due, report.state


async def run(slow: int, bombs: int, good: int, seconds: float, folder: Path) -> dict[str, float]:
    # Imported here, as processes that read documents import the main module anew, and the daemon's is a small one.
    from poll_peers import configured

    from policyfeed.app import opened
    from policyfeed.clock import now

    sites = Sites(slow, bombs)
    server = await asyncio.start_server(sites.serve, "0.0.0.0", 0, backlog=4096)  # noqa: S104 - all of loopback
    sites.port = server.sockets[0].getsockname()[1]
    bad = slow + bombs
    config = configured(folder, [sites.url(number) for number in range(bad + good)])
    async with opened(config, folder / "data", environ={}, clock=now) as app:
        app.workers.start()
        began = time.monotonic() + 3
        evenly = [polled(app, f"f{bad + n}", seconds * n / good, began) for n in range(good)]
        attacks = [polled(app, f"f{n}", seconds / 10, began) for n in range(bad)]
        done, ended = await asyncio.gather(asyncio.gather(*evenly), asyncio.gather(*attacks))
        again = await asyncio.gather(
            *(polled(app, f"f{n}", 0, time.monotonic()) for n in range(slow)),
            *(polled(app, f"f{bad + n}", n / 10, time.monotonic()) for n in range(good)),
        )
    server.close()
    assert all(state in ("ok", "unchanged") for _, state in done), "a good source failed"
    assert not any(state in ("ok", "unchanged") for _, state in ended), "an attack did not fail"
    cut = quantiles([late for late, _ in done], n=100)
    later = [late for late, _ in again[slow:]]
    return {
        "median": cut[49],
        "p99": cut[98],
        "worst": max(late for late, _ in done),
        "worst when it happens again": max(later),
        "longest attack": max(late for late, _ in (*ended, *again[:slow])),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--slow", type=int, default=6)
    parser.add_argument("--bombs", type=int, default=0)
    parser.add_argument("--good", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="policyfeed-hostile-"))
    try:
        told = asyncio.run(run(arguments.slow, arguments.bombs, arguments.good, arguments.seconds, folder))
    finally:
        shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(told))
    else:
        print(", ".join(f"{name} {value:.2f}" for name, value in told.items()))


if __name__ == "__main__":
    main()
