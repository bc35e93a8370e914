"""Finds adapters by name: the file name IS the configuration's value.

``kind = "korea_kr"`` of a source is ``policyfeed/sources/korea_kr.py``. Packages from elsewhere register modules under
the entry-point groups ``policyfeed.sources``, ``policyfeed.formats`` and ``policyfeed.channels``.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType
from typing import Any


@cache
def names(group: str) -> tuple[str, ...]:
    """The names that ``load`` accepts for a group ("sources", "formats", "channels"), sorted."""
    package = importlib.import_module(f"policyfeed.{group}")
    ours = {module.name for module in pkgutil.iter_modules(package.__path__)}
    theirs = {point.name for point in entry_points(group=f"policyfeed.{group}")}
    return tuple(sorted(ours | theirs))


def options(group: str, name: str) -> type[Any]:
    """The dataclass of the options that an adapter takes: its module's ``Options``, else its group's own."""
    package = importlib.import_module(f"policyfeed.{group}")
    found: type[Any] = getattr(load(group, name), "Options", package.Options)
    return found


@cache
def load(group: str, name: str) -> ModuleType:
    """The adapter's module. Raises KeyError for a name that is neither in the folder nor an installed entry point."""
    if name not in names(group):
        raise KeyError(name)
    for point in entry_points(group=f"policyfeed.{group}", name=name):
        loaded: ModuleType = point.load()
        return loaded
    return importlib.import_module(f"policyfeed.{group}.{name}")
