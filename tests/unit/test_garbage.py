"""What a process is set to: one arena for the memory of all its threads."""

import platform
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, threading
from policyfeed import garbage

if "share" in sys.argv:
    garbage.share()
together = threading.Barrier(4)

def allocate():
    together.wait()
    held = [bytes(100_000) for _ in range(10)]
    together.wait()
    return held

threads = [threading.Thread(target=allocate) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
c = ctypes.CDLL(None)
c.malloc_info(0, ctypes.c_void_p.in_dll(c, "stdout"))
c.fflush(None)
"""


def arenas(*said: str) -> int:
    """How many arenas a process has in which threads took memory."""
    told = subprocess.run([sys.executable, "-c", ARENAS, *said], capture_output=True, text=True, check=True)
    return told.stdout.count("<heap nr=")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library than glibc has no arenas")
def test_threads_share_one_arena() -> None:
    assert arenas() > 1
    assert arenas("share") == 1
