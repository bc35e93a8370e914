"""Print the pinned set: every package that pyproject.toml leads to, at the version that is installed here.

``make constraints`` writes it to ``constraints.txt``. What else happens to be installed is left out. Every version must
run on the oldest Python that ``make run`` promises, which need not be the one that runs here.
"""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
HEADER = """\
# The versions that policyfeed is developed and tested with: `pip install -c constraints.txt .`
# Made by `make constraints`; the ranges stand in pyproject.toml.
"""
OLDEST = "3.11.2"
"""Debian 12's Python."""
BUILD = {"setuptools": "84.2.1"}
"""What some dependencies are built with, in an environment of pip's own."""


def declared() -> list[str]:
    """The requirements of pyproject.toml: to build, to run, and of every extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"].values()
    return [
        *project["build-system"]["requires"],
        *project["project"]["dependencies"],
        *(one for all_ in extras for one in all_),
    ]


def closure(requirements: list[str]) -> dict[str, str]:
    """Package → installed version of everything needed. Raises PackageNotFoundError."""
    found: dict[str, str] = {}
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = _needed(requirements, frozenset())
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) not in seen:
            seen.add((name, extras))
            made = distribution(name)
            found[name] = made.version
            waiting += _needed(made.requires or [], extras)
    return found


def _needed(lines: list[str], extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    """(name, its extras) of the requirements that hold on this machine for a package with these extras."""
    found: list[tuple[str, frozenset[str]]] = []
    for line in lines:
        needed = Requirement(line)
        if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras or {""}):
            found.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return found


def too_new(names: Iterable[str]) -> list[str]:
    """The installed packages that do not run on ``OLDEST``, with what they want."""
    wanted = {name: distribution(name).metadata.get_all("Requires-Python", [""])[0] for name in names}
    return [f"{name} wants Python {said}" for name, said in wanted.items() if said and OLDEST not in SpecifierSet(said)]


def text(pins: Mapping[str, str]) -> str:
    """The whole of constraints.txt."""
    return HEADER + "".join(f"{name}=={version}\n" for name, version in sorted({**pins, **BUILD}.items()))


if __name__ == "__main__":
    pins = closure(declared())
    if found := too_new(pins):
        sys.exit("\n".join([*found, f"Install older versions: all must run on Python {OLDEST}."]))
    sys.stdout.write(text(pins))
