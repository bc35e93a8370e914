"""What a soak looks at: what the daemon's processes take, what a reader gets, what the daemon says of itself."""

from __future__ import annotations

import json
import os
import re
import urllib.error
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from real_checks import Watched
from real_world import Daemon, children

PAGES = ("/", "/?page=2", "/sources", "/opml", "/articles/1", "/feeds/all.rss", "/feeds/esg.json")
_TICKS = os.sysconf("SC_CLK_TCK")
_COUNTED = re.compile(r"^(\w+_(?:total|count|sum|bucket)(?:\{.*\})?) (\S+)$", re.MULTILINE)
_SOURCE = re.compile(r'^policyfeed_requests_total\{source="([\w-]+)"\}$')
Figures = dict[str, Any]


@dataclass(slots=True)
class Meter:
    """What the daemon's processes take, over restarts."""

    daemon: Daemon
    used: dict[int, float] = field(default_factory=dict)
    """Process → its seconds of CPU, with those of its children that ended."""

    def pids(self) -> list[int]:
        assert self.daemon.process is not None
        return [self.daemon.process.pid, *children(self.daemon.process.pid)]

    def seconds(self) -> float:
        for pid in self.pids():
            with suppress(OSError):
                words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                self.used[pid] = sum(map(int, words[11:15])) / _TICKS
        return sum(self.used.values())

    def figures(self) -> Figures:
        main, *others = self.pids()
        taken = {pid: _memory(pid) for pid in (main, *others)}
        return {
            "main RSS": round(taken[main]["Rss"] / 1024, 1),
            "main PSS": round(taken[main]["Pss"] / 1024, 1),
            "all PSS": round(sum(one["Pss"] for one in taken.values()) / 1024, 1),
            "processes": len(taken),
            "fds": len(list(Path(f"/proc/{main}/fd").iterdir())),
            "threads": len(list(Path(f"/proc/{main}/task").iterdir())),
            "fds of others": sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in others),
        }


def _memory(pid: int) -> Counter[str]:
    found = Counter[str]()
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, size, *_ = line.split()
            found[name.rstrip(":")] += int(size)
    return found


@dataclass(slots=True)
class Readers:
    """Ask the daemon for pages and feeds now and then, and look at what it counts and says of itself."""

    daemon: Daemon
    watched: Watched
    etags: dict[str, str] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    counted: dict[str, float] = field(default_factory=dict)
    requests: Counter[str] = field(default_factory=Counter)
    """Source → requests since the last look at the day."""
    trouble: str = ""
    """What is the matter now, and may be said by /readyz."""
    unready: Counter[str] = field(default_factory=Counter)

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Status (0 = no answer) and body."""
        address = f"http://{self.daemon.http}{path}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(urllib.request.Request(address, headers=headers), timeout=60) as answer:
                self.etags[path] = answer.headers.get("ETag", "")
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except OSError:
            return 0, b""

    def visit(self, moment: datetime) -> None:
        for path in PAGES:
            self.answers[f"{path} {self.get(path)[0]}"] += 1
        feed = "/feeds/esg.atom"
        known = {"If-None-Match": self.etags.get(feed) or '"none"'}
        self.answers[f"{feed} {self.get(feed, **known)[0]}"] += 1
        self.watched.check(self.get("/healthz")[0] == 200, f"{moment:%m-%d %H:%M} /healthz does not answer")
        self.ready(moment)
        self.count(moment)

    def ready(self, moment: datetime) -> None:
        status, body = self.get("/readyz")
        ill = sorted(name for name, one in json.loads(body)["checks"].items() if not one["ok"]) if body else ["-"]
        if status != 200:
            self.unready[f"{', '.join(ill)} during {self.trouble or 'nothing'}"] += 1
        self.watched.check(status == 200 or bool(self.trouble), f"{moment:%m-%d %H:%M} /readyz {status}: {body!r}")

    def count(self, moment: datetime) -> None:
        """What is counted only grows while the process lives."""
        found = {name: float(value) for name, value in _COUNTED.findall(self.get("/metrics")[1].decode())}
        fell = [name for name, value in found.items() if value < self.counted.get(name, 0.0)]
        gone = set(self.counted) - set(found) if found else ()
        self.watched.check(not fell and not gone, f"{moment:%m-%d %H:%M} counters fell: {fell[:5]} {list(gone)[:5]}")
        for name, value in found.items():
            if source := _SOURCE.match(name):
                self.requests[source[1]] += round(value - self.counted.get(name, 0.0))
        self.counted = found or self.counted

    def restarted(self) -> None:
        self.counted.clear()
