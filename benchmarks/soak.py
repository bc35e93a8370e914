"""A daemon that is started and forgotten: the shipped configuration over many days, and what grows, stalls or lies.

    python benchmarks/soak.py --replica DIR [--start TIME] [--days 14] [--troubles] [--volume DIR] [--keep DIR]

DIR holds the replica (``python -m replica``), the world of ``real_input``, whose clock flows only as fast as both can
work (``real_world``). Every half hour readers ask for pages and feeds; every midnight gives a line of figures: memory,
descriptors, threads, files, database, log, processor's time, requests. ``--troubles`` bring kill -9, reloads, hours
without upstream, a machine that sleeps and a clock that was set back, in the three days after the first midnight;
``--volume`` is a small file system for the data (``mount -t tmpfs -o size=200m tmpfs DIR``), which is filled to the
last byte for two hours. In the end all is compared with the replica's truth as ``real_input`` does. SIGINT ends a run
early. The exit code is 1 when there is any problem.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import mean

from real_checks import Compared, Watched
from real_input import once
from real_world import KST, Daemon, world
from soak_looks import Figures, Meter, Readers

from policyfeed.app import bounds
from policyfeed.config import find_folder, load

START = "2024-08-05T05:00:00+09:00"
STEP = timedelta(minutes=30)
BEFORE = timedelta(days=2)
"""The list of korea.kr is read from so long before the start."""
LONGEST = timedelta(hours=25)
"""Every source is polled once a day at least."""
LATE = timedelta(minutes=15)
WHOLE = 20
"""Requests beyond its budget: a look through a list that began is brought to its end."""
GROWTH = 1.1
"""So many times as much memory may the last third of the days take as the second."""
_WAITS = """SELECT (julianday(min(o.first_seen)) - julianday(a.published)) * 86400
    FROM articles a JOIN origins o USING (number) WHERE NOT a.dated AND a.published >= :since GROUP BY a.number"""


class Soak:
    """The daemon's days: what happens at which hour, and what is looked at every midnight."""

    def __init__(self, daemon: Daemon, watched: Watched, volume: Path | None) -> None:
        self.daemon, self.watched, self.volume = daemon, watched, volume
        self.meter, self.readers = Meter(daemon), Readers(daemon, watched)
        self.table: list[Figures] = []
        self._start = daemon.clock.moment.astimezone(UTC).replace(tzinfo=None)
        self._log = daemon.work / "requests.jsonl"
        self._read, self._before = 0, Counter[str]()
        config = load(find_folder(None, daemon.work))
        self._budget = {one.id: bounds(config, one).polls_per_day for one in config.sources if one.enabled}

    def pass_by(self, until: datetime) -> None:
        """Let time go by, with readers, and a look at every midnight."""
        while (moment := self.daemon.clock.moment) < until:
            midnight = (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
            self.daemon.flow(min(until, moment + STEP, midnight))
            self.readers.visit(self.daemon.clock.moment)
            if self.daemon.clock.moment >= midnight:
                self.look(midnight)

    def look(self, midnight: datetime) -> None:
        figures = {"day": f"{midnight - timedelta(days=1):%Y-%m-%d}"} | self.meter.figures() | self._grown()
        figures |= self._asked() | self._owed(midnight)
        self.table.append(figures)
        print(json.dumps(figures, ensure_ascii=False), file=sys.stderr, flush=True)

    def _grown(self) -> Figures:
        data = self.daemon.data
        sizes = {file: file.stat().st_size for file in data.rglob("*") if file.is_file()}
        log = (self.daemon.work / "daemon.log").stat().st_size
        now = Counter({"CPU s": self.meter.seconds(), "log kB": log / 1000})
        gone, self._before = self._before, now
        tables = ("articles", "origins", "revisions", "deliveries", "notices", "copies", "hosts", "health", "bodies")
        rows = {name: self.daemon.rows(f"SELECT count(*) FROM {name}") for name in tables}  # noqa: S608 - no input
        return {
            "db MB": round(sizes.get(data / "policyfeed.db", 0) / 1e6, 2),
            "WAL MB": round(sizes.get(data / "policyfeed.db-wal", 0) / 1e6, 2),
            "var MB": round(sum(sizes.values()) / 1e6, 2),
            "files": len(sizes),
            **{name: round(value - gone[name], 1) for name, value in now.items()},
            "rows": {name: found[0][0] for name, found in rows.items() if found},
        }

    def _asked(self) -> Figures:
        """Requests that upstream counted, by host, and those of each source against its budget."""
        hosts = Counter[str]()
        with self._log.open("rb") as log:
            log.seek(self._read)
            for line in log:
                if line.endswith(b"\n"):
                    self._read += len(line)
                    one = json.loads(line)
                    hosts[one["host"]] += one["method"] != "CONNECT"
        asked, self.readers.requests = self.readers.requests, Counter()
        over = {id_: number for id_, number in asked.items() if number > self._budget.get(id_, 0) + WHOLE}
        return {"requests": hosts.total(), "hosts": dict(hosts.most_common(4)), "polls": asked.total(), "over": over}

    def _owed(self, midnight: datetime) -> Figures:
        """What is waiting, how old the last success of a source is at most, whether every next poll is planned."""
        now = midnight.astimezone(UTC).replace(tzinfo=None)
        sources = self.daemon.rows("SELECT id, due, last_success FROM sources WHERE state != 'gone'")
        dues = {id_: datetime.fromisoformat(due) - now if due else LONGEST * 2 for id_, due, _ in sources}
        lost = {id_: str(wait) for id_, wait in dues.items() if not -LATE <= wait <= LONGEST}
        self.watched.check(not lost, f"{midnight:%m-%d} the next poll is not planned: {lost}")
        age = max((now - datetime.fromisoformat(at) for _, _, at in sources if at), default=timedelta(0))
        waiting = self.daemon.rows("SELECT count(*) FROM deliveries WHERE state = 'pending'")
        texts = self.daemon.rows("SELECT count(*) FROM bodies WHERE state = 'pending'")
        since = max(now - timedelta(days=1), self._start)
        waits = sorted(seconds for (seconds,) in self.daemon.rows(_WAITS, since=str(since)))
        return {
            "last success h": round(age.total_seconds() / 3600, 1),
            "owed": waiting[0][0] if waiting else None,
            "texts owed": texts[0][0] if texts else None,
            "delay min": [round(waits[int(len(waits) * part)] / 60, 1) for part in (0.5, 0.9)] if waits else [],
        }

    def levels(self) -> None:
        """What may not grow did not, from the second third of the days to the last."""
        third = len(self.table) // 3
        for name in ("main PSS", "all PSS", "fds", "threads", "processes", "WAL MB", "files") if third > 1 else ():
            then, now = (mean(day[name] for day in days) for days in (self.table[third:-third], self.table[-third:]))
            self.watched.check(now <= then * GROWTH, f"{name} grew from {then:.1f} to {now:.1f}")
        over = {day["day"]: day["over"] for day in self.table if day["over"]}
        self.watched.check(not over, f"more requests than their budget: {over}")

    # Troubles ---------------------------------------------------------------------------------------------------

    def kill(self) -> None:
        self.readers.count(self.daemon.clock.moment)
        self.meter.seconds()
        self.daemon.kill()
        self.readers.restarted()

    def start(self) -> None:
        self.daemon.start()
        self.daemon.ready()

    def reload(self) -> None:
        assert self.daemon.process is not None
        self.daemon.process.send_signal(signal.SIGHUP)

    @contextmanager
    def troubled(self, name: str) -> Iterator[None]:
        """The hours in which /readyz may say that something is wrong."""
        print(f"{self.daemon.clock.moment:%m-%d %H:%M} {name}", file=sys.stderr, flush=True)
        self.readers.trouble = name
        try:
            yield
        finally:
            self.readers.trouble = ""

    def troubles(self, start: datetime) -> None:
        """Three days of them, each followed by hours of peace."""
        for hour in (10, 11.5, 15, 20):
            self.pass_by(start + timedelta(hours=hour))
            with self.troubled("kill -9"):
                self.kill()
                time.sleep(0.1)
                self.start()
                self.daemon.flow(self.daemon.clock.moment + timedelta(minutes=10))
            self.reload()
        self.pass_by(start + timedelta(hours=33))
        self._without(start + timedelta(hours=37), "upstream down", {"kind": "connect_502"}, {"kind": "reset"})
        self._without(start + timedelta(hours=43), "upstream hangs", {"kind": "hang"})
        self._sleep(start + timedelta(hours=58))
        if self.volume is not None:
            self._full(self.volume, start + timedelta(hours=63))

    def _without(self, until: datetime, name: str, *faults: Figures) -> None:
        with self.troubled(name):
            self.daemon.replica.ask("/faults", {"fault": [{"host": "*", **one} for one in faults]})
            self.pass_by(until)
            self.daemon.replica.ask("/faults", {"fault": []})
            self.pass_by(until + timedelta(hours=1))

    def _sleep(self, until: datetime) -> None:
        """The machine sleeps for six hours, and comes up an hour before another time, its clock set back."""
        self.pass_by(until - timedelta(hours=9))
        with self.troubled("sleep, clock set back"):
            self.daemon.clock.move(self.daemon.clock.moment + timedelta(hours=6))
            self.pass_by(until - timedelta(hours=1))
            self.kill()
            self.daemon.clock.move(self.daemon.clock.moment - timedelta(hours=1))
            self.start()
            self.pass_by(until)

    def _full(self, volume: Path, until: datetime) -> None:
        self.pass_by(until - timedelta(hours=2))
        with self.troubled("full disk"):
            ballast = volume / "ballast"
            with suppress(OSError), ballast.open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
            left = shutil.disk_usage(volume).free
            self.watched.check(left < 4096, f"the volume still has {left} bytes")
            self.pass_by(until)
            told = any("full disk" in one for one in self.readers.unready)
            self.watched.check(told, "/readyz never told of a full disk")
            ballast.unlink()
            self.daemon.flow(until + timedelta(minutes=30))


def run(daemon: Daemon, watched: Watched, arguments: argparse.Namespace) -> list[Figures]:
    start = daemon.clock.moment
    before = once(daemon, watched, start - BEFORE)
    soak = Soak(daemon, watched, arguments.volume)
    soak.start()
    with suppress(KeyboardInterrupt):  # ended early: what there is is compared
        if arguments.troubles:
            soak.pass_by(_midnight(start + timedelta(days=1)))
            soak.troubles(daemon.clock.moment)
        soak.pass_by(_midnight(start + timedelta(days=arguments.days)))
    soak.levels()
    watched.figures |= {"pages": dict(soak.readers.answers), "not ready": dict(soak.readers.unready)}
    seconds = daemon.stop()
    watched.check(seconds < 10, f"SIGTERM took {seconds:.1f} s")
    daemon.run("poll", "--all")  # what came out in the last minutes
    _delivered(daemon)
    compared = Compared(daemon, watched, start - BEFORE)
    compared.complete("after the run")
    compared.told(before)
    return soak.table


def _delivered(daemon: Daemon) -> None:
    """A messenger's own limits spread what came at once."""
    for _ in range(20):
        daemon.run("deliver")
        if daemon.rows("SELECT count(*) FROM deliveries WHERE state = 'pending'") == [(0,)]:
            return
        daemon.clock.move(daemon.clock.moment + timedelta(minutes=1))


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replica", type=Path, required=True, help="the folder of the replica")
    parser.add_argument("--start", default=START, help="virtual time of the beginning (ISO 8601)")
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--troubles", action="store_true")
    parser.add_argument("--volume", type=Path, help="a small file system of its own, for the data")
    parser.add_argument("--keep", type=Path, help="copy the data folder and the logs here at the end")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts it in the background has it ignored
    watched, began = Watched(), time.monotonic()
    with world(arguments.replica, datetime.fromisoformat(arguments.start).astimezone(KST)) as daemon:
        if arguments.volume is not None:
            daemon.data = arguments.volume / "data"
            daemon.environ["POLICYFEED_DATA"] = str(daemon.data)
        try:
            watched.figures["days"] = run(daemon, watched, arguments)
        finally:
            watched.figures["real seconds"] = round(time.monotonic() - began)
            if arguments.keep:
                shutil.copytree(daemon.work, arguments.keep, dirs_exist_ok=True)
    print(json.dumps({"problems": watched.problems, **watched.figures}, ensure_ascii=False, indent=2))
    return 1 if watched.problems else 0


if __name__ == "__main__":
    sys.exit(main())
