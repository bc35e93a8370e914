"""A month of the past from a replica of the real upstream world: its releases with their texts, time and requests.

    python benchmarks/real_backfill.py --replica DIR [--from 2024-08-01] [--to 2024-08-31] [--speed 20]

DIR holds the replica (``python -m replica``). ``policyfeed backfill korea-press --texts`` runs at its default pace
under Debian's ``faketime``, at the same virtual time and speed as the replica, whose clock says how long it took.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from real_world import ask

RUNS = 5
"""A machine that is busy breaks deadlines, which shrink with the speed; then the same command goes on."""
NOW = "2026-05-20T09:00:00+09:00"


@contextmanager
def replica(folder: Path, work: Path, speed: float) -> Iterator[str]:
    """Its address. The virtual clock begins when it is first asked for."""
    command = [sys.executable, "-m", "replica", "--port", "0", "--ca", str(work / "ca.pem"), "--now", NOW]
    process = subprocess.Popen([*command, "--speed", str(speed)], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert found, "the replica did not start"
    try:
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def policyfeed(arguments: list[str], url: str, work: Path, speed: float) -> subprocess.CompletedProcess[str]:
    """Run the command at the replica's virtual time and speed."""
    now = datetime.fromisoformat(ask(f"{url}/clock")["now"])
    environ = {
        **{name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ},
        "HOME": str(work),
        "TZ": "Asia/Seoul",
        "HTTPS_PROXY": url,
        "HTTP_PROXY": url,
        "NO_PROXY": "127.0.0.1,localhost",
        "SSL_CERT_FILE": str(work / "ca.pem"),
        "POLICYFEED_DATA": str(work / "data"),
    }
    command = ["faketime", "-f", f"@{now:%Y-%m-%d %H:%M:%S} x{speed:g}", sys.executable, "-m", "policyfeed"]
    return subprocess.run([*command, *arguments], env=environ, cwd=work, capture_output=True, text=True, check=False)


def compared(url: str, work: Path, first: str, last: str) -> dict[str, Any]:
    """What is stored of the days against the truth: releases, texts, and what became of the bodies."""
    truth = ask(f"{url}/truth")
    days = [one for one in truth["items"] if first <= one["approved"][:10] <= last]
    withdrawn = {one["newsId"] for one in truth["withdrawn"]}
    listed = {one["newsId"] for one in days if one["portal"]} - withdrawn
    with closing(sqlite3.connect(work / "data/policyfeed.db")) as store:
        query = "SELECT o.key, length(a.content) FROM origins o JOIN articles a USING (number)"
        stored = {key.removeprefix("korea.kr/"): size for key, size in store.execute(query)}
        states = Counter(row[0] for row in store.execute("SELECT state FROM bodies"))
        gave_up = Counter(row[0] for row in store.execute("SELECT error FROM bodies WHERE state != 'done'"))
        articles = store.execute("SELECT count(*) FROM articles").fetchone()[0]
    return {
        "releases of the month": len(days),
        "on ministries' sites only": sum(not one["portal"] for one in days),
        "withdrawn": sum(one["newsId"] in withdrawn for one in days if one["portal"]),
        "listed": len(listed),
        "missing": sorted(listed - stored.keys()),
        "without text": sorted(id_ for id_ in listed & stored.keys() if not stored[id_]),
        "articles": articles,
        "bodies": dict(states),
        "not read": dict(gave_up),
    }


def _done(days: list[str], url: str, work: Path, speed: float) -> tuple[subprocess.CompletedProcess[str], int]:
    """The last run of the command, and how many it took."""
    for number in range(1, RUNS):
        ran = policyfeed(["backfill", "korea-press", *days, "--texts", "--json"], url, work, speed)
        if ran.returncode == 0:
            return ran, number
    return policyfeed(["backfill", "korea-press", *days, "--texts", "--json"], url, work, speed), RUNS


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replica", type=Path, required=True, help="the folder of the replica")
    parser.add_argument("--from", dest="first", default="2024-08-01")
    parser.add_argument("--to", dest="last", default="2024-08-31")
    parser.add_argument("--speed", type=float, default=20, help="virtual seconds of a second")
    arguments = parser.parse_args()
    days = ["--from", arguments.first, "--to", arguments.last]
    with (
        tempfile.TemporaryDirectory(prefix="policyfeed-past-") as name,
        replica(arguments.replica.resolve(), work := Path(name), arguments.speed) as url,
    ):
        began = ask(f"{url}/clock")["epoch"]
        ran, runs = _done(days, url, work, arguments.speed)
        took = ask(f"{url}/clock")["epoch"] - began
        requests = ask(f"{url}/stats")["requests"]
        found = compared(url, work, arguments.first, arguments.last)
        lines = [json.loads(line) for line in ran.stdout.splitlines()]
        (summary,) = [line for line in lines if "done" in line] or [{"error": ran.stderr[-2000:]}]
    figures = {
        "exit": ran.returncode,
        "runs": runs,
        "backfill": summary,
        "hours": round(took / 3600, 2),
        "requests": requests,
    }
    print(json.dumps(figures | found, ensure_ascii=False, indent=2))
    return ran.returncode or bool(found["missing"] or found["without text"])


if __name__ == "__main__":
    sys.exit(main())
