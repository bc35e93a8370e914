"""What it costs to turn a feed's bytes into judged articles, part by part: what a worker process does.

    python benchmarks/reading.py [--feeds 10] [--rounds 5] [--profile] [--json]

Each part alone, µs of CPU an entry (the best of some rounds), and as a multiple of the floor: SHA-256 and expat over
the same bytes. ``feedparser`` is measured beside it, as others use it and with its sanitizing and link resolution off.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import io
import json
import pickle
import pstats
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from xml.parsers import expat

import feedparser
import feedserver

from policyfeed.config import load, shipped
from policyfeed.documents import Reading, read_document
from policyfeed.normalize.article import normalize
from policyfeed.normalize.html import sanitize
from policyfeed.normalize.slicing import slice_feed
from policyfeed.relevance import Judge
from policyfeed.sources import feed
from policyfeed.types import Document, Source

NOW = datetime(2026, 11, 25, tzinfo=UTC)
Work = Callable[[], object]


class Bench:
    """The same feeds three times: as first seen, with lastBuildDate moved, with a new entry each."""

    def __init__(self, feeds: int) -> None:
        config, server = load(shipped(), {}), feedserver.Feeds(8000)
        self.ministries, self.judge = config.ministries, Judge(config.rules)
        self.sources = [
            Source(id=f"f{number}", kind="feed", url=server.url(number), ministry=one.id)
            for number, one in zip(range(feeds), config.ministries, strict=False)
        ]
        self.first = self._documents(server)
        server.built = 1
        self.moved = self._documents(server)
        server.built, server.extra = 2, 1
        self.extra = self._documents(server)
        self.known = self.read(self.first)

    def _documents(self, server: feedserver.Feeds) -> list[Document]:
        bodies = [server.body(number) for number in range(len(self.sources))]
        return [
            Document(url=source.url, status=200, body=body, fetched=NOW)
            for source, body in zip(self.sources, bodies, strict=True)
        ]

    def read(self, documents: list[Document], known: list[Reading] | None = None) -> list[Reading]:
        cursors = [one.memory for one in known] if known else [{} for _ in documents]
        return [
            read_document(source, cursor, document, self.ministries, self.judge.judge)
            for source, cursor, document in zip(self.sources, cursors, documents, strict=True)
        ]

    def parts(self) -> dict[str, Work]:
        pairs = list(zip(self.sources, self.first, strict=True))
        pages = [(source, feed.read(source, {}, document).entries) for source, document in pairs]
        bodies = [document.body for document in self.first]
        slices = [slice_feed(body, {}) for body in bodies]
        known = [dict(zip(one.marks, (*one.sizes[1:], 0), strict=True)) for one in slices if one is not None]
        sent = pickle.dumps(self.known)
        return {
            "floor": lambda: [_floor(body) for body in bodies],
            "feedparser": lambda: [_feedparser(body, True) for body in bodies],
            "feedparser, nothing but parsing": lambda: [_feedparser(body, False) for body in bodies],
            "slicing, nothing known": lambda: [slice_feed(body, {}) for body in bodies],
            "slicing, all known": lambda: [slice_feed(body, one) for body, one in zip(bodies, known, strict=True)],
            "parsing": lambda: [feed.read(source, {}, document) for source, document in pairs],
            "normalizing": lambda: [normalize(entries, source, self.ministries, NOW) for source, entries in pages],
            "of it sanitizing": lambda: [sanitize(one.summary, one.url) for _, page in pages for one in page],
            "judging": lambda: [self.judge.judge(one) for reading in self.known for one in reading.articles],
            "pickling": lambda: pickle.dumps(self.known),
            "unpickling": lambda: pickle.loads(sent),  # noqa: S301 - our own
            "first reading": lambda: self.read(self.first),
            "only lastBuildDate": lambda: self.read(self.moved, self.known),
            "one new entry": lambda: self.read(self.extra, self.known),
        }


def _floor(body: bytes) -> str:
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, _attributes: None
    parser.Parse(body, True)
    return hashlib.sha256(body).hexdigest()


def _feedparser(body: bytes, whole: bool) -> Any:
    said = {"content-type": "application/xml; charset=utf-8"}
    return feedparser.parse(io.BytesIO(body), response_headers=said, sanitize_html=whole, resolve_relative_uris=whole)


def best(work: Work, rounds: int) -> float:
    """Seconds of CPU, the least of some rounds."""
    least = float("inf")
    for _ in range(rounds):
        began = time.process_time()
        work()
        least = min(least, time.process_time() - began)
    return least


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--feeds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    bench = Bench(arguments.feeds)
    if arguments.profile:
        profile = cProfile.Profile()
        profile.runcall(bench.read, bench.first)
        pstats.Stats(profile).sort_stats("tottime").print_stats(40)
        return
    entries = len(bench.first) * feedserver.ENTRIES
    costs = {name: 1e6 * best(work, arguments.rounds) / entries for name, work in bench.parts().items()}
    if arguments.json:
        print(json.dumps(costs))
        return
    for name, cost in costs.items():
        print(f"{name:32} {cost:8.1f} µs an entry {cost / costs['floor']:8.1f} ×")


if __name__ == "__main__":
    main()
