from __future__ import annotations
from typing import Any


def draw(rows: Any, releases: list[float]) -> str:
    return ""
