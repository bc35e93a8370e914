"""The installed program beside an upstream of its own, on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.program import Program
from tests.e2e.upstream import Upstream


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    world = Upstream()
    world.start()
    yield world
    world.stop()


@pytest.fixture
def program(upstream: Upstream, tmp_path: Path) -> Iterator[Program]:
    assert upstream.server is not None
    made = Program(tmp_path, f"http://127.0.0.1:{upstream.server.server_address[1]}")
    yield made
    if made.daemon is not None and made.daemon.poll() is None:
        made.kill()
