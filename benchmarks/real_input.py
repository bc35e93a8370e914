"""Acceptance on real input: the shipped configuration against a replica of the real upstream world.

    python benchmarks/real_input.py --replica DIR [--start TIME] [--hours 24] [--step 20] [--kills 50] [--faults FILE]

DIR holds the replica (``python -m replica``), which plays korea.kr, the ministries and the messengers as a proxy with
a clock of its own. The daemon runs under Debian's ``faketime`` at the same virtual time, which is moved on in steps.
Checked: every listed release is stored once and equals the replica's truth; every kept release that came out while the
daemon ran is in the feed and in exactly one Slack message and one signed webhook, dropped ones in neither; with
``--kills`` the daemon is killed (SIGKILL) at random moments meanwhile.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

KST = timezone(timedelta(hours=9))
START = "2026-05-20T09:00:00+09:00"
SLACK = "https://hooks.slack.com/services/T000/B000/acceptance"
WEBHOOK = "https://hooks.example.com/acceptance"
ATOM = "{http://www.w3.org/2005/Atom}"


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
        self.moment = start
        self.move(start)

    def move(self, to: datetime) -> None:
        self.moment = to
        self.offset = to.timestamp() - time.time()
        temporary = self._file.with_suffix(".new")
        temporary.write_text(f"{self.offset:+.3f}\n")
        temporary.rename(self._file)


class Replica:
    """The replica as a child process, and its control pages."""

    def __init__(self, folder: Path, work: Path, clock: Clock, faults: Path | None) -> None:
        self.ca = work / "ca.pem"
        command = [sys.executable, "-m", "replica", "--port", "0", "--ca", str(self.ca), "--now", "real"]
        command += ["--faults", str(faults.resolve())] if faults else []
        environ = os.environ | clock.environ
        self.process = subprocess.Popen(command, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", self.process.stdout.readline())
        assert found, "the replica did not start"
        self.url = found[0]

    def ask(self, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"{self.url}{path}", timeout=60) as answer:
            return json.load(answer)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


class Daemon:
    """``policyfeed`` under the same clock, with the shipped configuration."""

    def __init__(self, replica: Replica, work: Path, clock: Clock) -> None:
        self.work, self.clock, self.replica = work, clock, replica
        self.data = work / "data"
        self.environ = clock.environ | {
            **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
            "HOME": str(work),
            "HTTPS_PROXY": replica.url,
            "HTTP_PROXY": replica.url,
            "NO_PROXY": "127.0.0.1,localhost",
            "SSL_CERT_FILE": str(replica.ca),
            "POLICYFEED_DATA": str(self.data),
            "POLICYFEED_HTTP": f"127.0.0.1:{18_000 + os.getpid() % 2000}",
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
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        until = time.monotonic() + 60
        while time.monotonic() < until:
            time.sleep(0.1)
            with suppress(OSError), opener.open(f"http://{self.environ['POLICYFEED_HTTP']}/healthz", timeout=5):
                return
        raise SystemExit("the daemon did not start within 60 s")

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

    def count(self, query: str, *values: object) -> int:
        with suppress(sqlite3.Error), sqlite3.connect(f"file:{self.data}/policyfeed.db?mode=ro", uri=True) as store:
            return int(store.execute(query, values).fetchone()[0])
        return 0

    def pending(self) -> int:
        """Deliveries owed, and sources that are due and not polled yet."""
        moment = datetime.fromtimestamp(time.time() + self.clock.offset, UTC) - timedelta(seconds=1)
        due = self.count("SELECT count(*) FROM sources WHERE due <= ?", f"{moment:%Y-%m-%d %H:%M:%S}")
        return due + self.count("SELECT count(*) FROM deliveries WHERE state = 'pending'")

    def settle(self, most: float = 120) -> None:
        """Wait until nothing is due or owed any more and no request was made for a while."""
        quiet, seen, until = 0, -1, time.monotonic() + most
        while quiet < 5 and time.monotonic() < until:
            time.sleep(0.2)
            now = self.replica.ask("/stats")["requests"]
            quiet = quiet + 1 if now == seen and not self.pending() else 0
            seen = now
        if quiet < 5:
            print(f"not settled after {most} s: {self.pending()} pending", file=sys.stderr, flush=True)

    def fill(self, until: datetime) -> None:
        """Let time go by in small steps while bodies are due: the daemon asks for one every few seconds, politely."""
        query = "SELECT count(*) FROM bodies WHERE state IN ('pending', 'again') AND due <= ?"
        while self.clock.moment + timedelta(seconds=20) < until:
            if not self.count(query, f"{self.clock.moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"):
                return
            self.clock.move(self.clock.moment + timedelta(seconds=4))
            time.sleep(0.08)

    def articles(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("articles", "--all", "--json").stdout.splitlines()]


class Watched:
    """Problems found, with the figures."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.figures: dict[str, Any] = {}

    def check(self, right: bool, problem: str) -> None:
        if not right:
            self.problems.append(problem)


def news_ids(article: dict[str, Any]) -> set[str]:
    return {found[1] for one in article["origins"] if (found := re.search(r"korea\.kr/.*newsId=(\d+)", one["url"]))}


def compare(daemon: Daemon, watched: Watched, label: str, start: datetime) -> None:
    """Every release that korea.kr listed for the days since ``start`` is stored once, and equals the truth."""
    truth, articles = daemon.replica.ask("/truth"), daemon.articles()
    where: dict[str, list[dict[str, Any]]] = {}
    for article in articles:
        for id_ in news_ids(article):
            where.setdefault(id_, []).append(article)
    withdrawn = {one["newsId"] for one in truth["withdrawn"]}
    listed = [
        one for one in truth["items"]
        if one["portal"] and one["portal_at"] <= truth["now"] and one["approved"][:10] >= start.date().isoformat()
    ]  # fmt: skip
    missing = [one for one in listed if one["newsId"] not in where and one["newsId"] not in withdrawn]
    edited = {one["newsId"] for one in daemon.replica.ask("/truth?all=1")["edits"]}
    for one in listed:
        for article in where.get(one["newsId"], [])[:1]:
            _equal(one, article, watched, edited)
    watched.check(len(missing) <= 0.005 * len(listed), f"{label}: {len(missing)} of {len(listed)} releases are missing")
    doubled = [id_ for id_, found in where.items() if len(found) > 1]
    watched.check(not doubled, f"{label}: stored twice: {doubled}")
    watched.figures[label] = {
        "listed": len(listed),
        "missing": [one["newsId"] for one in missing],
        "stored": len(articles),
    }
    watched.figures[label] |= joins(truth, articles)


def changes(daemon: Daemon, watched: Watched) -> None:
    """Of the truth's edits and withdrawals since the daemon started: how many became revisions and were marked."""
    truth = daemon.replica.ask("/truth")
    stored = {id_: article for article in daemon.articles() for id_ in news_ids(article)}
    since = daemon.since.isoformat()
    edits = [one for one in truth["edits"] if one["newsId"] in stored and one["at"] >= since]
    gone = [one for one in truth["withdrawn"] if one["newsId"] in stored and one["at"] >= since]
    seen = sum(stored[one["newsId"]]["revision"] > 1 for one in edits)
    marked = sum(stored[one["newsId"]]["withdrawn"] is not None for one in gone)
    wrong = {one["newsId"] for one in truth["withdrawn"]}
    false = [id_ for id_, article in stored.items() if article["withdrawn"] and id_ not in wrong]
    watched.check(not false, f"marked as withdrawn, though they are there: {false}")
    watched.figures["edits"] = {"upstream": len(edits), "revisions": seen}
    watched.figures["withdrawals"] = {"upstream": len(gone), "marked": marked}


def _equal(one: dict[str, Any], article: dict[str, Any], watched: Watched, edited: set[str]) -> None:
    printed = {o["title"] for o in article["origins"] if one["newsId"] in o["url"]}
    if one["newsId"] not in edited:
        watched.check(one["title"] in printed, f"title of {one['newsId']}: {printed} for {one['title']!r}")
    named = {ministry["name"] for ministry in article["ministries"]}
    watched.check(one["ministry"] in named, f"ministry of {one['newsId']}: {named} for {one['ministry']}")
    day = datetime.fromisoformat(article["published"]).astimezone(KST).date().isoformat()
    watched.check(day == one["approved"][:10], f"date of {one['newsId']}: {day} for {one['approved']}")


def _plain(url: str) -> str:
    parts = urlsplit(url)
    return f"{(parts.hostname or '').removeprefix('www.')}{parts.path}?{parts.query}"


def joins(truth: dict[str, Any], articles: list[dict[str, Any]]) -> dict[str, Any]:
    """True pairs (portal, ministry's site) that were joined; articles that hold more than one release."""
    group = {id_: members[0] for members in truth["joint"] for id_ in members}
    sites = {_plain(one["site"]): one["newsId"] for one in truth["items"] if one["site"]}
    places: dict[str, set[int]] = {}
    kinds: dict[str, set[str]] = {}
    false = 0
    for article in articles:
        found = set()
        for origin in article["origins"]:
            portal = re.search(r"korea\.kr/.*newsId=(\d+)", origin["url"])
            id_ = portal[1] if portal else sites.get(_plain(origin["url"]))
            if id_:
                found.add(group.get(id_, id_))
                places.setdefault(id_, set()).add(article["number"])
                kinds.setdefault(id_, set()).add("portal" if portal else "site")
        false += len(found) > 1
    pairs = [id_ for id_, seen in kinds.items() if len(seen) == 2]
    joined = sum(len(places[id_]) == 1 for id_ in pairs)
    return {"pairs": len(pairs), "joined": joined, "false joins": false}


def told(daemon: Daemon, watched: Watched, before: set[str]) -> None:
    """Kept releases that came after first contact: one Slack message, one webhook; dropped ones: none."""
    articles = daemon.articles()
    sent = [one for one in daemon.replica.ask("/sent")["sent"] if one["accepted"]]
    hooks = [one for one in sent if one["host"] == "hooks.example.com"]
    slack = [json.dumps(one["payload"], ensure_ascii=False) for one in sent if one["host"] == "hooks.slack.com"]
    by_id = {article["id"]: article for article in articles}
    ids = Counter(one["payload"]["data"]["id"] for one in hooks)
    keys: dict[str, set[str]] = {}
    for one in hooks:
        keys.setdefault(one["payload"]["data"]["id"], set()).add(one["headers"]["webhook-id"])
    fresh = {id_ for id_ in by_id if id_ not in before}
    quiet = quiet_articles(daemon)
    expected = {id_ for id_ in fresh if by_id[id_]["kept"] and by_id[id_]["number"] not in quiet}
    watched.check(expected <= set(ids), f"not told by webhook: {[by_id[i]['title'] for i in expected - set(ids)]}")
    wrong = [by_id[i]["title"] for i in ids if not by_id[i]["kept"] or i in before]
    watched.check(not wrong, f"told, though dropped or old: {wrong}")
    watched.check(all(len(found) == 1 for found in keys.values()), "a repeated alert carries another id")
    numbers: Counter[str] = Counter()
    for text in slack:
        for id_ in ids:
            url = by_id[id_]["url"]
            if json.dumps(url.replace("&", "&amp;"))[1:-1] in text or url in text:
                numbers[id_] += 1
    missing = [by_id[id_]["title"] for id_ in expected if not numbers[id_]]
    watched.check(not missing, f"not told in Slack: {missing}")
    refused = sum(not one["accepted"] for one in daemon.replica.ask("/sent")["sent"])
    counted = {"expected": len(expected), "webhooks": sum(ids.values()), "slack": len(slack), "refused": refused}
    watched.figures["told"] = counted | {"repeated webhooks": sum(ids.values()) - len(ids)}
    feed = ElementTree.parse(daemon.data / "public/feeds/esg.atom").getroot()  # noqa: S314 - our own file
    entries = [entry.findtext(f"{ATOM}id") or "" for entry in feed.iter(f"{ATOM}entry")]
    watched.check(len(entries) == len(set(entries)), "the feed holds an entry twice")
    watched.check(expected <= set(entries), f"not in the feed: {[by_id[i]['title'] for i in expected - set(entries)]}")
    watched.figures["feed entries"] = len(entries)


def quiet_articles(daemon: Daemon) -> set[int]:
    """Articles first seen at some source's first contact: stored, not announced."""
    with sqlite3.connect(f"file:{daemon.data}/policyfeed.db?mode=ro", uri=True) as store:
        query = (
            "SELECT o.number FROM origins o JOIN sources s ON s.id = o.source "
            "GROUP BY o.number HAVING min(o.first_seen) >= 0 AND sum(o.first_seen <= s.first_contact) > 0"
        )
        return {row[0] for row in store.execute(query)}


@contextmanager
def world(folder: Path, start: datetime, faults: Path | None) -> Iterator[tuple[Daemon, Path]]:
    with tempfile.TemporaryDirectory(prefix="policyfeed-real-") as name:
        work = Path(name)
        clock = Clock(work, start)
        replica = Replica(folder, work, clock, faults)
        daemon = Daemon(replica, work, clock)
        try:
            yield daemon, work
        finally:
            if daemon.process is not None and daemon.process.poll() is None:
                daemon.process.kill()
                daemon.process.wait()
            replica.stop()


def day(daemon: Daemon, watched: Watched, hours: float, step: int, kills: int, seed: int) -> None:
    """Move the clocks on in steps while the daemon runs; kill it at random moments."""
    rng = random.Random(seed)
    steps = int(hours * 60 / step)
    per_step = [kills // steps + (n < kills % steps) for n in range(steps)]
    rng.shuffle(per_step)
    done = 0
    start = daemon.clock.moment
    daemon.start()
    daemon.ready()
    daemon.settle()
    for n in range(steps):
        daemon.fill(start + timedelta(minutes=step * (n + 1)))
        daemon.clock.move(start + timedelta(minutes=step * (n + 1)))
        for _ in range(per_step[n]):
            time.sleep(rng.uniform(0.05, 4.0))
            daemon.kill()
            done += 1
            _whole(daemon, watched)
            daemon.start()
        daemon.ready()
        daemon.settle()
        _whole(daemon, watched)
        print(f"{daemon.clock.moment:%m-%d %H:%M} kills {done} pending {daemon.pending()}", file=sys.stderr, flush=True)
    seconds = daemon.stop()
    watched.check(seconds < 10, f"SIGTERM took {seconds:.1f} s")
    watched.figures["kills"], watched.figures["stop seconds"] = done, round(seconds, 2)


def _whole(daemon: Daemon, watched: Watched) -> None:
    for file in (daemon.data / "public" / "feeds").glob("*.atom"):
        try:
            ElementTree.parse(file)  # noqa: S314 - our own file
        except ElementTree.ParseError as problem:
            watched.check(False, f"{file.name} is broken: {problem}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replica", type=Path, required=True, help="the folder of the replica")
    parser.add_argument("--start", default=START, help="virtual time of the beginning (ISO 8601)")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--step", type=int, default=20, help="minutes of a step")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", type=Path)
    parser.add_argument("--keep", type=Path, help="copy the data folder and the log here at the end")
    arguments = parser.parse_args()
    watched = Watched()
    start = datetime.fromisoformat(arguments.start).astimezone(KST)
    with world(arguments.replica.resolve(), start, arguments.faults) as (daemon, work):
        began = datetime.now(UTC)
        once = daemon.run("once", "--json")
        lines = [json.loads(line) for line in once.stdout.splitlines()]
        failed = {line["source"]: line["error"]["name"] for line in lines if line["error"]}
        watched.figures["once"] = {"exit": once.returncode, "sources": len(lines), "failed": failed}
        watched.check(bool(lines), f"once printed nothing: {once.stderr[-500:]}")
        compare(daemon, watched, "first three days", start - timedelta(days=2))
        watched.check(not daemon.replica.ask("/sent")["sent"], "something was announced at first contact")
        before = {article["id"] for article in daemon.articles()}
        if arguments.hours:
            day(daemon, watched, arguments.hours, arguments.step, arguments.kills, arguments.seed)
            compare(daemon, watched, "after the run", start - timedelta(days=2))
            changes(daemon, watched)
            told(daemon, watched, before)
        watched.figures["requests"] = daemon.replica.ask("/stats")["requests"]
        watched.figures["real seconds"] = round((datetime.now(UTC) - began).total_seconds())
        if arguments.keep:
            subprocess.run(["cp", "-a", str(work), str(arguments.keep)], check=True)
    print(json.dumps({"problems": watched.problems, **watched.figures}, ensure_ascii=False, indent=2))
    return 1 if watched.problems else 0


if __name__ == "__main__":
    sys.exit(main())
