"""policyfeed as its users run it: the installed command in a process of its own, on a configuration for loopback."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.upstream import SECRET

SOURCES = """
[[source]]
id = "list"
kind = "korea_kr"
url = "{url}/briefing/pressReleaseList.do"
allow_private = true
interval_minutes = 1
polls_per_day = 1440

[[source]]
id = "board"
kind = "feed"
ministry = "mcee"
url = "{url}/rss"
allow_private = true
interval_minutes = 1
polls_per_day = 1440
"""
CHANNELS = """
[[channel]]
name = "slack"
kind = "slack"
url = "env:POLICYFEED_SLACK_URL"
per_second = 50

[[channel]]
name = "webhook"
kind = "webhook"
url = "env:POLICYFEED_WEBHOOK_URL"
secrets = { secret = "env:POLICYFEED_WEBHOOK_SECRET" }
per_second = 50
"""
MAIN = """
[service]
base_url = "http://{address}"
[polling]
least_minutes = 1
[network]
allow = ["127.0.0.1"]
"""


def free_address() -> str:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{taken.getsockname()[1]}"


@dataclass
class Program:
    """One configuration and data folder; ``run`` a command, or ``start`` and end the daemon."""

    folder: Path
    upstream: str
    address: str = field(default_factory=free_address)
    extra: Mapping[str, str] = field(default_factory=dict)
    daemon: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        (self.folder / "config" / "sources").mkdir(parents=True)
        (self.folder / "config" / "sources" / "local.toml").write_text(SOURCES.format(url=self.upstream))
        (self.folder / "config" / "channels.toml").write_text(CHANNELS)
        (self.folder / "config" / "policyfeed.toml").write_text(MAIN.format(address=self.address))

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environ(self) -> dict[str, str]:
        ours = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "POLICYFEED_DATA": str(self.data),
            "POLICYFEED_HTTP": self.address,
            "POLICYFEED_SLACK_URL": f"{self.upstream}/slack/hook-secret-part",
            "POLICYFEED_WEBHOOK_URL": f"{self.upstream}/webhook",
            "POLICYFEED_WEBHOOK_SECRET": SECRET,
        }
        return ours | dict(self.extra)

    def run(
        self, *arguments: str, stdin: str = "", largest_file: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        def limit() -> None:
            if largest_file is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

        return subprocess.run(
            [sys.executable, "-m", "policyfeed", *arguments],
            cwd=self.folder,
            env=self.environ,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            preexec_fn=limit,
        )

    def articles(self) -> list[dict[str, Any]]:
        listed = self.run("articles", "--all", "--json")
        assert listed.returncode == 0, listed.stderr
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def start(self) -> None:
        with (self.folder / "daemon.log").open("ab") as log:
            command = [sys.executable, "-m", "policyfeed", "run"]
            self.daemon = subprocess.Popen(command, cwd=self.folder, env=self.environ, stderr=log)

    def log(self) -> str:
        return (self.folder / "daemon.log").read_text(encoding="utf-8")

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://{self.address}{path}", headers=headers, trust_env=False)

    def kill(self) -> None:
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Signal, and the exit code. Raises TimeoutExpired after the ten seconds that it may take."""
        assert self.daemon is not None
        self.daemon.send_signal(number)
        return self.daemon.wait(timeout=10)
