"""The demo as a person runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.program import free_address


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_of_it_is_left_behind(tmp_path: Path, number: signal.Signals) -> None:
    environ = {"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path), "POLICYFEED_HTTP": free_address()}
    command = [sys.executable, "-m", "policyfeed", "demo"]
    with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE) as demo:
        assert demo.stderr is not None
        assert any(b"running on" in line for line in demo.stderr), "it serves"
        demo.send_signal(number)
        said = demo.stderr.read()
    assert demo.returncode == 0, said
    assert b"leaked" not in said
    assert list(tmp_path.iterdir()) == []
