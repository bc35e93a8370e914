"""Where the daemon listens, or why it cannot."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from policyfeed import daemon
from policyfeed.config import load, shipped
from policyfeed.errors import AddressError


async def test_a_taken_address_is_no_mistake_of_usage(tmp_path: Path) -> None:
    """A supervisor tries again: at the next start the address may be free (exit code 1, not 2)."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(AddressError, match=address):
            await daemon.run(load(shipped(), {}), tmp_path, {"POLICYFEED_HTTP": address})
