"""Entries of feeds as bytes, kept from one rendering to the next."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Hashable, Mapping
from threading import Lock

MOST = 64 * 1024 * 1024
"""Bytes that are kept; a feed whose entries are more than that is laid out anew each time."""

Entry = tuple[str, bytes]
"""An entry's id, and the entry as it stands in a feed."""


class LaidOut:
    """What each file held when it was last laid out, and nothing older. For several threads.

    ``manner`` is what decides all entries of a file, its key what decides one of them: files of one manner share them.
    """

    def __init__(self) -> None:
        self._files: dict[Hashable, tuple[Hashable, dict[Hashable, Entry]]] = {}
        self._lock = Lock()

    def known(self, manner: Hashable) -> Mapping[Hashable, Entry]:
        """Every entry that some file holds in this manner."""
        with self._lock:
            return ChainMap(*(entries for how, entries in self._files.values() if how == manner))

    def keep(self, file: Hashable, manner: Hashable, entries: dict[Hashable, Entry]) -> None:
        """The file holds these now; of too many in all those files are forgotten that were laid out longest ago."""
        with self._lock:
            self._files.pop(file, None)
            self._files[file] = manner, entries
            while self.size > MOST:
                del self._files[next(iter(self._files))]

    @property
    def size(self) -> int:
        """Bytes, at most MOST: what several files share counts once."""
        held = {id(entry): len(entry[1]) for _, entries in self._files.values() for entry in entries.values()}
        return sum(held.values())

    def clear(self) -> None:
        with self._lock:
            self._files.clear()
