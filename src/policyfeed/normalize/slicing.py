"""A feed without the items that are known byte for byte: what is not new is not read again.

Expat finds where items begin and end (0.5 ms for 50 items of 5 kB), everything else stays as it stands: namespaces,
head, tail. Whatever is not plain sailing is not sliced: then the whole is read, which costs more and misses nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from xml.parsers import expat

_ITEMS = {"rss": ("channel", "item"), "rdf:RDF": ("item",), "feed": ("entry",)}
"""Root → the path from it to an item. Other names, or items elsewhere, are not sliced."""
_NAMES = ("item", "entry")
SIZE = 8
"""Bytes of a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliced:
    """``body`` is UTF-8 and holds ``left`` of the ``marks``' items: those that are not known."""

    body: bytes
    left: int
    marks: tuple[bytes, ...]


class _Doubtful(Exception):
    """Something that a slice could change the meaning of."""


def slice_feed(body: bytes, known: Collection[bytes]) -> Sliced | None:
    """The feed (UTF-8) without the items whose marks are known; None when it had better be read as a whole."""
    places = _Places(body)
    try:
        places.parse()
    except (expat.ExpatError, _Doubtful):
        return None
    kept, marks, end = list[bytes](), list[bytes](), 0
    context = hashlib.sha256(places.context).digest()
    for start, stop in places.items:
        item = body[start:stop]
        marks.append(mark(item, context))
        if marks[-1] in known:
            kept.append(body[end:start])
            end = stop
    left = len(marks) - len(kept)
    return Sliced(body=b"".join([*kept, body[end:]]), left=left, marks=tuple(marks))


def mark(said: bytes, context: bytes = b"") -> bytes:
    """What is remembered of an item: a hash of its bytes, keyed by what it inherits (at most 64 bytes)."""
    return hashlib.blake2b(said, digest_size=SIZE, key=context).digest()


@dataclass(slots=True)
class _Places:
    """Where the items are. ``context`` is what they inherit: the start tags around them (xml:base, namespaces)."""

    body: bytes
    items: list[tuple[int, int]] = field(default_factory=list)
    context: bytes = b""
    _path: tuple[str, ...] = ()
    _depth: int = 0
    _start: int = -1
    _parser: expat.XMLParserType = field(init=False)

    def parse(self) -> None:
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._begin
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.Parse(self.body, True)

    def _doctype(self, *_: object) -> None:
        raise _Doubtful

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._start >= 0:
            return
        if self._depth == 1:
            self._path = _ITEMS.get(name, ())
            if not self._path:
                raise _Doubtful
        elif self._depth - 1 == len(self._path) and name == self._path[-1]:
            self._start = self._parser.CurrentByteIndex
            return
        elif name.rpartition(":")[2] in _NAMES:
            raise _Doubtful
        if self._depth <= len(self._path):
            if self._depth == 2 and name != self._path[0]:
                raise _Doubtful
            self.context += repr((name, sorted(attributes.items()))).encode()

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._start >= 0 and self._depth == len(self._path):
            end = self._parser.CurrentByteIndex
            if end <= self._start or self.body[end : end + 2] != b"</":
                raise _Doubtful
            self.items.append((self._start, self.body.index(b">", end) + 1))
            self._start = -1
