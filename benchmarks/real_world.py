"""The upstream world on one machine, and the daemon in it, on one clock that flows only as fast as both can work.

The replica (``python -m replica``) plays korea.kr, the ministries and the messengers as a proxy. It and the daemon run
under Debian's ``faketime`` at the same virtual time, which is moved on through a file: by seconds while anything is
asked, read or sent, else to the next moment at which something is due. So nothing is hurried, and no deadline shrinks.
"""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

KST = timezone(timedelta(hours=9))
SLACK = "https://hooks.slack.com/services/T000/B000/acceptance"
WEBHOOK = "https://hooks.example.com/acceptance"
TICK = timedelta(seconds=3.1)
"""A step of the clock while something is under way: the daemon asks for bodies every three seconds."""
JUMP = timedelta(minutes=5)
LEASE = timedelta(minutes=30)
"""A body that is being asked for is due again only so long after."""


def ask(url: str, payload: Any = None) -> Any:
    """JSON from a server on loopback, past any proxy."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    body = None if payload is None else json.dumps(payload).encode()
    with opener.open(urllib.request.Request(url, body), timeout=60) as answer:
        text = answer.read()
    return json.loads(text) if answer.headers.get_content_type() == "application/json" else text.decode()


class Clock:
    """The virtual time of the child processes: Debian's faketime, moved through a file that they read at every look."""

    def __init__(self, work: Path, start: datetime) -> None:
        self._file = work / "faketime"
        library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
        self.environ = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "TZ": "Asia/Seoul",
        }
        self.move(start)

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(time.time() + self._offset, KST)

    def move(self, to: datetime) -> None:
        self._offset = to.timestamp() - time.time()
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{self._offset:+.3f}\n")
        temporary.rename(self._file)


class Replica:
    """The replica as a child process, and its control pages."""

    def __init__(self, folder: Path, work: Path, clock: Clock, faults: Path | None = None) -> None:
        self.ca = work / "ca.pem"
        command = [sys.executable, "-m", "replica", "--port", "0", "--ca", str(self.ca), "--now", "real"]
        command += ["--log", str(work / "requests.jsonl")]
        command += ["--faults", str(faults.resolve())] if faults else []
        environ = os.environ | clock.environ
        self.process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", self.process.stdout.readline())
        assert found, "the replica did not start"
        self.url = found[0]

    def ask(self, path: str, payload: Any = None) -> Any:
        return ask(f"{self.url}{path}", payload)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Daemon:
    """``policyfeed`` under the same clock, with the shipped configuration."""

    def __init__(self, replica: Replica, work: Path, clock: Clock) -> None:
        self.work, self.clock, self.replica = work, clock, replica
        self.data = work / "data"
        self.http = f"127.0.0.1:{18_000 + os.getpid() % 2000}"
        self.environ = clock.environ | {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": str(work),
            "HTTPS_PROXY": replica.url,
            "HTTP_PROXY": replica.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(replica.ca),
            "POLICYFEED_DATA": str(self.data),
            "POLICYFEED_HTTP": self.http,
            "POLICYFEED_SLACK_URL": SLACK,
            "POLICYFEED_WEBHOOK_URL": WEBHOOK,
            "POLICYFEED_WEBHOOK_SECRET": replica.ask("/secrets")["standard_webhooks"],
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.since = clock.moment

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "policyfeed", *arguments]
        return subprocess.run(command, env=self.environ, cwd=self.work, capture_output=True, text=True, check=False)

    def start(self) -> None:
        log = (self.work / "daemon.log").open("ab")
        command = [sys.executable, "-m", "policyfeed", "run"]
        self.process = subprocess.Popen(command, env=self.environ, cwd=self.work, stderr=log, start_new_session=True)

    def ready(self) -> None:
        """Wait until the daemon answers."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.1)
            with suppress(OSError):
                return self.wake()
        raise SystemExit("the daemon did not start within 60 s")

    def wake(self) -> None:
        """Any request does: who waits for a moment that the clock has passed looks at it only when awake."""
        ask(f"http://{self.http}/healthz")

    def kill(self) -> None:
        """SIGKILL to the daemon alone: its workers must notice by themselves."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> float:
        """SIGTERM; the seconds until it ended."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.monotonic() - began

    def rows(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        """What the daemon's database says; nothing while it is being made."""
        with suppress(sqlite3.Error), sqlite3.connect(f"file:{self.data}/policyfeed.db?mode=ro", uri=True) as store:
            return store.execute(query, values).fetchall()
        return []

    def articles(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("articles", "--all", "--json").stdout.splitlines()]

    # Time -----------------------------------------------------------------------------------------------------

    def flow(self, until: datetime) -> None:
        """Let virtual time go by until then."""
        while (moment := self.clock.moment) < until:
            due = self.due(moment)
            step = TICK if due is None else min(max(due - moment, TICK), JUMP)
            self.clock.move(min(until, moment + step))
            with suppress(OSError):  # it was killed, or begins
                self.wake()
            self.rest()

    def due(self, moment: datetime) -> datetime | None:
        """When something is due next; None = something is under way."""
        dues = """SELECT due FROM sources WHERE due IS NOT NULL
            UNION ALL SELECT due FROM bodies WHERE state IN ('pending', 'again')
            UNION ALL SELECT due FROM deliveries WHERE state = 'pending'"""
        query = f"SELECT min(due), sum(due > :claimed AND due <= :leased) FROM ({dues})"  # noqa: S608 - no input
        claimed = moment + LEASE - timedelta(seconds=30)
        found = self.rows(query, claimed=_stored(claimed), leased=_stored(moment + LEASE))
        if not found or found[0][0] is None or found[0][1]:
            return None
        due = datetime.fromisoformat(found[0][0]).replace(tzinfo=UTC)
        return due if due > moment else None

    def rest(self, most: float = 20.0) -> None:
        """Wait until no thread of the daemon, its workers or the replica has anything to do but wait."""
        assert self.process is not None
        pids = [self.replica.process.pid, self.process.pid, *children(self.process.pid)]
        asleep, until = 0, time.monotonic() + most
        while asleep < 2 and time.monotonic() < until:
            time.sleep(0.008)
            working = any(state in "RD" for pid in pids for state in _states(pid))
            asleep = 0 if working else asleep + 1


def _stored(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def children(pid: int) -> list[int]:
    """The processes that it started, and those that these did."""
    with suppress(OSError):
        found = [int(one) for file in Path(f"/proc/{pid}/task").glob("*/children") for one in file.read_text().split()]
        return [*found, *(one for child in found for one in children(child))]
    return []


def _states(pid: int) -> list[str]:
    """The states of a process's threads: R runs, D waits for the disk, S sleeps."""
    found = []
    for file in Path(f"/proc/{pid}/task").glob("*/stat"):
        with suppress(OSError):
            found.append(file.read_text().rpartition(")")[2].split()[0])
    return found


@contextmanager
def world(folder: Path, start: datetime, faults: Path | None = None) -> Iterator[Daemon]:
    """A replica and a daemon that was not started yet, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="policyfeed-real-") as name:
        work = Path(name)
        clock = Clock(work, start)
        replica = Replica(folder.resolve(), work, clock, faults)
        daemon = Daemon(replica, work, clock)
        try:
            yield daemon
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
            replica.stop()
