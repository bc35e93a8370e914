"""Acceptance on real input: the shipped configuration against a replica of the real upstream world.

    python benchmarks/real_input.py --replica DIR [--start TIME] [--hours 24] [--step 20] [--kills 50] [--faulty]

DIR holds the replica (``python -m replica``), which plays korea.kr, the ministries and the messengers as a proxy with
a clock of its own (``real_world``). Checked against its truth (``real_checks``): every listed release is stored once;
one release is one article; edits are revisions and withdrawals are marked; every kept release that came out while the
daemon ran is in the feed and in exactly one Slack message and one signed webhook, dropped ones in neither;
``policyfeed coverage`` finds nothing missing. With ``--kills`` the daemon is killed (SIGKILL) at random moments
meanwhile; with ``--faulty`` a third of the hosts is broken in every way (``real_faults``), then all of them are well
again. ``--tail`` hours are for what is seen late: edits and withdrawals of them are not counted. SIGINT ends it early.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from real_checks import Compared, Watched, covered, tabled
from real_faults import Faults
from real_world import KST, Daemon, world

START = "2026-05-20T09:00:00+09:00"
LAST_LOOK, LIST_READ = timedelta(hours=36), timedelta(hours=4)
"""So long after an edit the page was looked at again, and after a withdrawal the list and the page were."""
BEFORE = timedelta(days=2)
"""The list of korea.kr is read from so long before the start."""


def live(daemon: Daemon, watched: Watched, arguments: argparse.Namespace, change: Callable[[datetime], None]) -> None:
    """Let time go by while the daemon runs, in steps; kill it at random moments. ``change`` may break the world."""
    rng = random.Random(arguments.seed)
    steps = max(1, round((arguments.hours + arguments.tail) * 60 / arguments.step))
    kills = [arguments.kills // steps + (n < arguments.kills % steps) for n in range(steps)]
    rng.shuffle(kills)
    start = daemon.clock.moment
    daemon.start()
    daemon.ready()
    for n in range(steps):
        change(daemon.clock.moment)
        for _ in range(kills[n]):
            time.sleep(rng.uniform(0.05, 4.0))
            daemon.kill()
            _whole(daemon, watched)
            daemon.start()
        daemon.ready()
        daemon.flow(start + timedelta(minutes=arguments.step * (n + 1)))
        _whole(daemon, watched)
        print(f"{daemon.clock.moment:%m-%d %H:%M} kills {sum(kills[: n + 1])}", file=sys.stderr, flush=True)


def _whole(daemon: Daemon, watched: Watched) -> None:
    for file in (daemon.data / "public" / "feeds").glob("*.atom"):
        try:
            ElementTree.parse(file)  # noqa: S314 - our own file
        except ElementTree.ParseError as problem:
            watched.check(False, f"{file.name} is broken: {problem}")


def once(daemon: Daemon, watched: Watched, begun: datetime) -> set[str]:
    """One ``policyfeed once``; the ids of what it stored."""
    ran = daemon.run("once", "--json")
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    failed = {line["source"]: line["error"]["name"] for line in lines if line["error"]}
    watched.figures["once"] = {"exit": ran.returncode, "sources": len(lines), "failed": failed}
    watched.check(bool(lines), f"once printed nothing: {ran.stderr[-500:]}")
    compared = Compared(daemon, watched, begun)
    compared.complete("first three days")
    watched.check(not daemon.replica.ask("/sent")["sent"], "something was announced at first contact")
    return {article["id"] for article in compared.articles}


def run(daemon: Daemon, watched: Watched, arguments: argparse.Namespace) -> None:
    start = daemon.clock.moment
    before = once(daemon, watched, start - BEFORE)
    if not arguments.hours:
        return
    end = start + timedelta(hours=arguments.hours)
    faults = Faults(daemon, end, arguments.seed) if arguments.faulty else None
    with suppress(KeyboardInterrupt):  # ended early: what there is is compared
        live(daemon, watched, arguments, faults.change if faults else lambda _moment: None)
    tabled(daemon, watched)
    if faults:
        faults.recovered(watched)
    seconds = daemon.stop()
    watched.check(seconds < 10, f"SIGTERM took {seconds:.1f} s")
    watched.figures |= {"kills": arguments.kills, "stop seconds": round(seconds, 2)}
    if faults:
        faults.revive()
    compared = Compared(daemon, watched, start - BEFORE)
    compared.complete("after the run")
    now = daemon.clock.moment
    compared.edits(start, min(end, now - LAST_LOOK), arguments.replica / "corpus")
    compared.withdrawals(start, min(end, now - LIST_READ))
    compared.told(before)
    covered(daemon, watched, start - BEFORE, daemon.clock.moment - timedelta(days=1))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replica", type=Path, required=True, help="the folder of the replica")
    parser.add_argument("--start", default=START, help="virtual time of the beginning (ISO 8601)")
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--tail", type=float, default=0, help="hours after them")
    parser.add_argument("--step", type=int, default=20, help="minutes of a step")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faulty", action="store_true", help="a third of the hosts is broken, in every way")
    parser.add_argument("--faults", type=Path, help="faults of your own, for the whole run")
    parser.add_argument("--keep", type=Path, help="copy the data folder and the logs here at the end")
    arguments = parser.parse_args()
    watched = Watched()
    began = datetime.now(UTC)
    with world(arguments.replica, datetime.fromisoformat(arguments.start).astimezone(KST), arguments.faults) as daemon:
        try:
            run(daemon, watched, arguments)
        finally:
            watched.figures["requests"] = daemon.replica.ask("/stats")["requests"]
            watched.figures["real seconds"] = round((datetime.now(UTC) - began).total_seconds())
            if arguments.keep:
                subprocess.run(["cp", "-a", str(daemon.work), str(arguments.keep)], check=True)
    print(json.dumps({"problems": watched.problems, **watched.figures}, ensure_ascii=False, indent=2))
    return 1 if watched.problems else 0


if __name__ == "__main__":
    sys.exit(main())
