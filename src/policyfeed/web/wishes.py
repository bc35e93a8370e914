"""What a client wishes in Accept-Language and Accept-Encoding: names with their weights (RFC 9110 §12.4.2)."""

from __future__ import annotations

import re

_WEIGHT = re.compile(r"\s*q\s*=\s*([0-9]+(?:\.[0-9]*)?)\s*")


def weights(header: str) -> dict[str, float]:
    """Name in small letters → weight, in the order of the header; 1 where it gives none that can be read."""
    return dict(_weighed(part) for part in header.lower().split(",") if part.strip())


def _weighed(part: str) -> tuple[str, float]:
    name, _, rest = part.partition(";")
    found = _WEIGHT.fullmatch(rest)
    return name.strip(), float(found[1]) if found else 1.0
