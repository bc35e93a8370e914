"""``policyfeed demo`` as a curious person starts it: served on the address that is free, and gone without a trace."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.program import free_address

DEMO = [sys.executable, "-m", "policyfeed", "demo"]


def environ(address: str, folder: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TMPDIR": str(folder), "HOME": str(folder), "POLICYFEED_HTTP": address}


@pytest.fixture(autouse=True)
def hang_up_as_usual() -> Iterator[None]:
    """Tests under nohup ignore SIGHUP, and so would what they start."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_serves_until_it_is_ended_and_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    address = free_address()
    with subprocess.Popen(DEMO, stdout=subprocess.PIPE, text=True, env=environ(address, tmp_path)) as process:
        assert process.stdout is not None
        said = next(line for line in process.stdout if address in line)
        assert f"http://{address}/feeds/esg.atom" in said
        assert httpx.get(f"http://{address}/feeds/esg.atom", trust_env=False, timeout=60).status_code == 200
        process.send_signal(number)
        try:
            assert process.wait(timeout=10) == 0
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []


def test_silent_clients_keep_no_reader_out(tmp_path: Path) -> None:
    address = free_address()
    host, port = address.split(":")
    few = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh", *DEMO]
    with ExitStack() as held:
        process = held.enter_context(
            subprocess.Popen(few, stdout=subprocess.PIPE, text=True, env=environ(address, tmp_path))
        )
        held.callback(process.kill)
        assert process.stdout is not None
        assert any(address in line for line in process.stdout)
        for _ in range(300):
            held.enter_context(socket.create_connection((host, int(port))))
        assert httpx.get(f"http://{address}/healthz", trust_env=False, timeout=10).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0


def test_an_address_that_is_taken_is_said_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(DEMO, capture_output=True, text=True, check=False, env=environ(address, tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{address} cannot be listened on")
    assert list(tmp_path.iterdir()) == []
