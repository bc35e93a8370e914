"""How much polling costs: policyfeed beside other readers, on the same feeds, in one run.

    python benchmarks/poll.py --feeds 200 --peers policyfeed,reader,newsboat,sfeed,rss2email [--json]

Phases: first poll; unchanged (304; after a second round, for readers that send validators only from the third visit
on); the same bodies without ETag; only lastBuildDate moved; one new entry in each feed. A phase after the
first is repeated until it took a peer three seconds of CPU, at most five times, and its mean counts: the kernel counts
in hundredths. Costs are
printed as ratios to policyfeed's; the floor is what a socket, SHA-256, expat and one row cost in the same run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import socket
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from itertools import count
from pathlib import Path
from xml.parsers import expat

import feedserver
from poll_peers import PEERS, Peer, Round

PHASES = {
    "first": "etag=1&built=0&extra=0",
    "304 (warming up)": "etag=1",
    "304": "etag=1",
    "no ETag (warming up)": "etag=0",
    "same body, no ETag": "etag=0",
    "only lastBuildDate": "etag=0&built={time}",
    "ETags again": "etag=1&built={time}",
    "one new entry": "etag=1&built={time}&extra={turn}",
}
"""What the server is told before a round: ``time`` is another one each time, ``turn`` counts a phase's rounds."""
SHOWN = ("first", "304", "same body, no ETag", "only lastBuildDate", "one new entry")
ENOUGH, MOST_ROUNDS = 3.0, 5
"""Seconds of CPU that a phase is measured by, and rounds at most."""


def ask(port: int, target: str, address: str = "127.0.0.1") -> bytes:
    """One raw request; the body of the answer."""
    with socket.create_connection((address, port)) as line:
        line.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        parts = []
        while part := line.recv(1 << 18):
            parts.append(part)
    return b"".join(parts).partition(b"\r\n\r\n")[2]


def floor(port: int, feeds: int) -> float:
    """Seconds of CPU that nobody can save for a feed with one new entry: socket, SHA-256, expat, one row."""
    rows = sqlite3.connect(":memory:")
    rows.execute("CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")
    began = time.process_time()
    for feed in range(feeds):
        body = ask(port, f"/rss/{feed}.xml")
        hashlib.sha256(body).hexdigest()
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda _name, _attributes: None
        parser.Parse(body, True)
        rows.execute("INSERT INTO t VALUES (?, ?)", (str(feed), body[:4000].decode("utf-8", "ignore")))
    return (time.process_time() - began) / feeds


def run(names: list[str], feeds: int, folder: Path) -> dict[str, dict[str, Round]]:
    process, port = feedserver.start()
    urls = [feedserver.feed_url(port, feed) for feed in range(feeds)]
    results: dict[str, dict[str, Round]] = {}
    try:
        for name in names:
            peer = PEERS[name](folder / name, urls)
            if reason := peer.missing():
                print(f"{name}: skipped, {reason}", file=sys.stderr)
                continue
            results[name] = rounds(peer, port)
        results["floor"] = {"one new entry": Round(floor(port, min(feeds, 200)) * feeds, 0.0, 0.0, {})}
    finally:
        process.terminate()
    return results


def rounds(peer: Peer, port: int) -> dict[str, Round]:
    done, time = dict[str, Round](), count(1)
    try:
        for phase, said in PHASES.items():
            some, most = list[Round](), MOST_ROUNDS if phase in SHOWN[1:] else 1
            while len(some) < most and sum(one.cpu for one in some) < ENOUGH:
                ask(port, "/control?" + said.format(time=next(time), turn=len(some) + 1))
                some.append(peer.round())
            done[phase] = mean(some)
            print(f"{peer.name:12} {phase:24} {len(some)} × {done[phase]}", file=sys.stderr)
    finally:
        peer.close()
    return done


def mean(rounds: Sequence[Round]) -> Round:
    """Several rounds of one phase as one: what each cost on average, and the highest peak."""
    size = len(rounds)
    return Round(
        cpu=sum(one.cpu for one in rounds) / size,
        wall=sum(one.wall for one in rounds) / size,
        peak=max(one.peak for one in rounds),
        counted=rounds[-1].counted,
    )


def table(results: dict[str, dict[str, Round]]) -> str:
    """CPU s / wall s, and the CPU's ratio to policyfeed's."""
    ours = results.get("policyfeed", {})
    lines = ["| | " + " | ".join(SHOWN) + " | peak MiB |", "|---" * (len(SHOWN) + 2) + "|"]
    for name, done in results.items():
        cells = []
        for phase in SHOWN:
            one, base = done.get(phase), ours.get(phase)
            ratio = f" ({one.cpu / base.cpu:.2f} ×)" if one and base and base.cpu else ""
            cells.append(f"{one.cpu:.2f} / {one.wall:.2f}{ratio}" if one else "–")
        peak = max(one.peak for one in done.values())
        lines.append(f"| {name} | {' | '.join(cells)} | {peak:.0f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="policyfeed-poll-"))
    try:
        results = run(arguments.peers.split(","), arguments.feeds, folder)
    finally:
        shutil.rmtree(folder)
    if arguments.json:
        print(json.dumps({name: {phase: asdict(one) for phase, one in done.items()} for name, done in results.items()}))
    else:
        print(table(results))


if __name__ == "__main__":
    main()
