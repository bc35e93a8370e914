"""Decompression that cannot be made to cost more than its limit.

Only gzip is asked for, so only gzip is unpacked, in bounded steps. Anything else is refused: stacked encodings,
brotli and zstandard turn a kilobyte into half a gigabyte before a stream's reader sees the first byte.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

from policyfeed.errors import TooLarge, Truncated, Unreadable

_PACKINGS = frozenset({"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz", "xz"})
_GZIP = b"\x1f\x8b"
_STEP = 256 * 1024

Grown = Callable[[int], None]
"""Is told a body's size after each step, and may raise."""


class Plain:
    """A body as it is, up to ``limit`` bytes."""

    def __init__(self, url: str, limit: int, grown: Grown) -> None:
        self._url = url
        self._limit = limit
        self._grown = grown
        self._parts = list[bytes]()
        self._size = 0

    def feed(self, data: bytes) -> None:
        """Raises TooLarge."""
        self._parts.append(data)
        self._size += len(data)
        if self._size > self._limit:
            raise TooLarge("{url} holds more than {limit} bytes.", url=self._url, limit=self._limit)
        self._grown(self._size)

    def beginning(self) -> bytes:
        """What came in so far, up to the limit."""
        return b"".join(self._parts)[: self._limit]

    def done(self) -> bytes:
        return b"".join(self._parts)


class Gzip(Plain):
    """A gzip body (RFC 1952, one or more members), unpacked up to ``limit`` bytes."""

    def __init__(self, url: str, limit: int, grown: Grown) -> None:
        super().__init__(url, limit, grown)
        self._member = zlib.decompressobj(wbits=31)
        self._begun = False
        self._padding = False

    def feed(self, data: bytes) -> None:
        """Raises TooLarge, and Unreadable for what is no gzip."""
        full = False  # then more may be left in the decompressor
        while (data or full) and not self._padding:
            self._begun = True
            step = min(self._limit - self._size + 1, _STEP)
            try:
                unpacked = self._member.decompress(data, step)
            except zlib.error:
                raise Unreadable("{url} says that it is packed with gzip, but it is not.", url=self._url) from None
            super().feed(unpacked)
            full = len(unpacked) == step
            data = self._next_member() if self._member.eof else self._member.unconsumed_tail

    def _next_member(self) -> bytes:
        rest = self._member.unused_data
        if rest:
            self._padding = not rest.startswith(_GZIP[: len(rest)])
            self._member = self._member if self._padding else zlib.decompressobj(wbits=31)
        return rest

    def done(self) -> bytes:
        """Raises Truncated."""
        if self._begun and not self._member.eof:
            raise Truncated("{url} ended in the middle of its packed text.", url=self._url)
        return super().done()


class Refused(Plain):
    """A body in an encoding that was not asked for: an error as soon as there is a first byte of it."""

    def __init__(self, url: str, encoding: str, grown: Grown) -> None:
        super().__init__(url, 0, grown)
        self._encoding = encoding

    def feed(self, data: bytes) -> None:
        """Raises Unreadable."""
        if data:
            raise Unreadable(
                "{url} is packed as {encoding}; only gzip was asked for.", url=self._url, encoding=self._encoding[:40]
            )


def decoder(encoding: str, url: str, limit: int, grown: Grown) -> Plain:
    """The decoder for a Content-Encoding header, for up to ``limit`` decoded bytes. Words that name no packing (utf-8,
    none) say nothing, as browsers have it.
    """
    match [word for said in encoding.split(",") if (word := said.strip().lower()) in _PACKINGS]:
        case []:
            return Plain(url, limit, grown)
        case ["gzip" | "x-gzip"]:
            return Gzip(url, limit, grown)
        case _:
            return Refused(url, encoding.strip().lower(), grown)
