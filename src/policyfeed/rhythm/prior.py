"""What is known of all ministries together: the start of every new source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """Shares of releases over the day."""

    hours: tuple[float, ...] = (1.0,) * 24


@cache
def load_prior() -> Prior:
    """The figures shipped with the package (``prior.json``)."""
    return Prior(hours=tuple(json.loads(Path(__file__).with_name("prior.json").read_text("utf-8"))["hours"]))
