"""The feed readers of the benchmark, policyfeed among them: each polls the same feeds when it is told to."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PYTHON = sys.executable


@dataclass(frozen=True, slots=True)
class Round:
    """What one round cost: seconds of CPU (children included) and of time, peak MiB of the main process."""

    cpu: float
    wall: float
    peak: float
    counted: dict[str, int]


class Peer:
    """A reader at work in a folder of its own."""

    name = ""

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        self.folder, self.urls = folder, urls
        folder.mkdir(parents=True)

    def missing(self) -> str:
        """Why it cannot take part; "" = it can."""
        return ""

    def round(self) -> Round:
        """Poll every feed once."""
        raise NotImplementedError

    def close(self) -> None:
        """End its processes."""


class Program(Peer):
    """A peer that is run anew for each round; its start counts, and so do its children."""

    program = ""

    def missing(self) -> str:
        return "" if shutil.which(self.program) else f"{self.program} is not installed (apt-get install {self.name})"

    def command(self) -> list[str]:
        raise NotImplementedError

    def round(self) -> Round:
        import time

        began = time.perf_counter()
        process = subprocess.Popen(
            self.command(), cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder)},
        )  # fmt: skip
        _, _, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        return Round(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / 1024, {})


class Newsboat(Program):
    name = program = "newsboat"

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        super().__init__(folder, urls)
        (folder / "urls").write_text("\n".join(urls))
        (folder / "config").write_text("reload-threads 2\n")

    def command(self) -> list[str]:
        return ["newsboat", "-u", "urls", "-c", "cache.db", "-C", "config", "-x", "reload"]


class Sfeed(Program):
    name, program = "sfeed", "sfeed_update"

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        super().__init__(folder, urls)
        feeds = "\n".join(f"feed 'f{number}' '{url}'" for number, url in enumerate(urls))
        (folder / "sfeedrc").write_text(f'sfeedpath="{folder}/feeds"\nmaxjobs=16\nfeeds() {{\n{feeds}\n}}\n')

    def command(self) -> list[str]:
        return ["sfeed_update", str(self.folder / "sfeedrc")]


class Rss2Email(Program):
    name, program = "rss2email", "r2e"

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        super().__init__(folder, urls)
        feeds = "".join(f"[feed.f{number}]\nurl = {url}\n\n" for number, url in enumerate(urls))
        (folder / "r2e.cfg").write_text(f"[DEFAULT]\nto = reader@example.org\n\n{feeds}")

    def command(self) -> list[str]:
        return ["r2e", "-c", str(self.folder / "r2e.cfg"), "-d", str(self.folder / "r2e.json"), "run", "--no-send"]


class Driven(Peer):
    """A peer in Python: a process of its own that polls when a line comes in. Its start does not count."""

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        super().__init__(folder, urls)
        (folder / "urls").write_text("\n".join(urls))
        self.process: subprocess.Popen[str] | None = None

    def round(self) -> Round:
        import json
        import time

        if self.process is None:
            command = [PYTHON, __file__, self.name, str(self.folder)]
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self._hear()
        before, began = cpu(self.process.pid), time.perf_counter()
        print("go", file=self.process.stdin, flush=True)
        counted = json.loads(self._hear())
        wall = time.perf_counter() - began
        return Round(cpu(self.process.pid) - before, wall, peak(self.process.pid), counted)

    def _hear(self) -> str:
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} died")
        return line

    def close(self) -> None:
        if self.process is not None:
            assert self.process.stdin is not None
            self.process.stdin.close()
            self.process.wait(30)


class Reader(Driven):
    name = "reader"


class Policyfeed(Driven):
    name = "policyfeed"

    def __init__(self, folder: Path, urls: Sequence[str]) -> None:
        super().__init__(folder, urls)
        configure(folder, urls)  # here: whoever polls loads its own configuration only, and not the shipped one too


PEERS: dict[str, type[Peer]] = {peer.name: peer for peer in (Policyfeed, Reader, Newsboat, Sfeed, Rss2Email)}


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = list[int](), [pid]
    while waiting:
        found.append(waiting.pop())
        waiting.extend(children.get(found[-1], ()))
    return found


def cpu(pid: int) -> float:
    """Seconds of CPU of a process and its descendants, those that ended included."""
    ticks = 0
    for one in tree(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def peak(pid: int) -> float:
    """MiB that the process held at most."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def _drive(work: Callable[[], dict[str, int]]) -> None:
    import json

    print("ready", flush=True)
    for _ in sys.stdin:
        print(json.dumps(work()), flush=True)


def _reader(folder: Path, urls: Sequence[str]) -> None:
    from reader import make_reader

    reader = make_reader(str(folder / "reader.db"))
    for url in urls:
        reader.add_feed(url)

    def work() -> dict[str, int]:
        reader.update_feeds(scheduled=False)
        return {"entries": reader.get_entry_counts().total or 0}

    _drive(work)


CONFIG = """
[polling]
per_host = 2
at_once = 64
[network]
allow = ["127.0.0.0/8"]
"""


def configured(folder: Path, urls: Sequence[str], more: str = "") -> Any:
    """A policyfeed configuration of these feeds, written and loaded."""
    configure(folder, urls, more)
    return loaded(folder)


def configure(folder: Path, urls: Sequence[str], more: str = "") -> None:
    """Write a configuration of these feeds; ministries, topics, feeds and channels are the shipped ones."""
    from policyfeed.config import load, shipped

    ministries = [one.id for one in load(shipped(), {}).ministries]
    (folder / "sources").mkdir()
    (folder / "policyfeed.toml").write_text(CONFIG + more)
    rows = (
        f'[[source]]\nid = "f{number}"\nkind = "feed"\nurl = "{url}"\n'
        f'ministry = "{ministries[number % len(ministries)]}"\n'
        for number, url in enumerate(urls)
    )
    (folder / "sources" / "feeds.toml").write_text("\n".join(rows))


def loaded(folder: Path) -> Any:
    from policyfeed.config import load

    return load(
        folder, {"POLICYFEED_WEBHOOK_URL": "http://127.0.0.1:9/", "POLICYFEED_WEBHOOK_SECRET": "whsec_" + "A" * 32}
    )


def _policyfeed(folder: Path, _urls: Sequence[str]) -> None:
    from policyfeed.app import opened

    config = loaded(folder)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with opened(config, folder / "data", environ={}) as app:
            print("ready", flush=True)
            while await loop.run_in_executor(None, sys.stdin.readline):
                reports = await asyncio.gather(*(app.poll(source) for source in app.enabled()))
                print(_counts(reports), flush=True)

    asyncio.run(main())


def _counts(reports: Sequence[Any]) -> str:
    import json

    names = (
        *("entries", "new", "joined", "revised", "kept", "owed"),
        *("requests", "parsed", "sanitized", "matched", "rows"),
    )
    counted = {name: sum(getattr(report, name, 0) for report in reports) for name in names}
    failed = sum(report.error is not None for report in reports)
    return json.dumps({**counted, "failed": failed})


if __name__ == "__main__":
    work = {"reader": _reader, "policyfeed": _policyfeed}[sys.argv[1]]
    place = Path(sys.argv[2])
    work(place, (place / "urls").read_text().split())
