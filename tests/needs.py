"""Programs that tests drive: absent on a desk a test is skipped, absent in CI it fails."""

from __future__ import annotations

import os
import shutil

import pytest


def needs(program: str) -> str:
    """The program's path; without it the test is skipped, or fails when POLICYFEED_CI is set."""
    found = shutil.which(program)
    if found is None:
        told = f"{program} is not installed: `make debian` installs what tests need"
        (pytest.fail if os.environ.get("POLICYFEED_CI") else pytest.skip)(told)
    return found
