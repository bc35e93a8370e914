"""How far 1,800 sources stray from their due times while 200 others hang: one process, loopback.

    python benchmarks/wide.py [--sources 2000] [--hanging 200] [--seconds 60] [--json]

All sources were polled before and are due within the next seconds, evenly. A hanging source takes the connection and
never answers. Printed: how late the answering sources' requests came (percentiles), and what the process cost.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from statistics import quantiles

from feedbodies import SHORT_FEED
from poll_peers import configured

from policyfeed.app import App, opened
from policyfeed.clock import now
from policyfeed.engine.local import LocalEngine
from policyfeed.poll import fingerprint
from policyfeed.store import SourceState, sources


class Sites:
    """Answers at once, or never; ``asked`` holds when each path was asked for (monotonic seconds of the machine)."""

    def __init__(self, hanging: int) -> None:
        self.hanging, self.port = hanging, 0
        self.asked: dict[int, float] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                number = int(head.split(" ")[1].rsplit("/", 1)[-1])
                self.asked.setdefault(number, time.monotonic())
                if number < self.hanging:
                    await asyncio.Event().wait()
                body = SHORT_FEED.format(name=number).encode()
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        writer.close()

    def url(self, number: int) -> str:
        return f"http://127.1.{number // 250}.{number % 250 + 1}:{self.port}/{number}"


def due_evenly(app: App, seconds: float) -> dict[str, float]:
    """Make every source due within the next seconds, in a mixed order; gives source → seconds from now."""
    start, configured_ = app.clock(), app.enabled()
    before = start - timedelta(hours=1)
    step = 997  # has no divisor in common with the number: every source comes once
    mixed = [configured_[number * step % len(configured_)] for number in range(len(configured_))]
    dues = {one.id: 3.0 + seconds * number / len(mixed) for number, one in enumerate(mixed)}
    with app.store.write() as tx:
        for one in configured_:
            due = start + timedelta(seconds=dues[one.id])
            sources.save(tx, SourceState(id=one.id, fingerprint=fingerprint(one), due=due, last_poll=before))
    return dues


async def run(count: int, hanging: int, seconds: float, folder: Path) -> dict[str, float]:
    sites = Sites(hanging)
    server = await asyncio.start_server(sites.serve, "0.0.0.0", 0, backlog=4096)  # noqa: S104 - all of loopback
    sites.port = server.sockets[0].getsockname()[1]
    config = configured(folder, [sites.url(number) for number in range(count)])
    async with opened(config, folder / "data", environ={}, clock=now) as app:
        began = time.monotonic()
        dues = due_evenly(app, seconds)
        engine = LocalEngine(app)
        used = time.process_time()
        await engine.start()
        await asyncio.sleep(seconds + 8)
        used = time.process_time() - used
        await engine.stop(1)
    server.close()
    late = [sites.asked.get(n, began + 999) - began - dues[f"f{n}"] for n in range(hanging, count)]
    cut = quantiles(late, n=100)
    return {
        "median": cut[49],
        "p99": cut[98],
        "worst": max(late),
        "missed": sum(one > 900 for one in late),
        "cpu": used,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--sources", type=int, default=2000)
    parser.add_argument("--hanging", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="policyfeed-wide-"))
    try:
        told = asyncio.run(run(arguments.sources, arguments.hanging, arguments.seconds, folder))
    finally:
        shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps(told))
    else:
        print("seconds late: " + ", ".join(f"{name} {value:.2f}" for name, value in told.items()))


if __name__ == "__main__":
    main()
