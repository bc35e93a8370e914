"""HWP 5 (Hancom's published format): a compound file whose sections are deflated lists of records."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import olefile

from policyfeed.errors import Unreadable

UNPACKED = 32 * 1024 * 1024
"""Bytes that all sections may unpack to."""
_SIGNATURE = b"HWP Document File"
_COMPRESSED, _PASSWORD, _DISTRIBUTION = 1, 2, 4
"""Bits of the file header's properties: distribution documents keep their text encrypted."""
_SECTION = re.compile(r"Section(\d{1,4})")
_PARAGRAPH_TEXT = 0x10 + 51  # HWPTAG_PARA_TEXT
_LONG = 0xFFF
# A control is one unit, or eight when it refers to something (the same code stands at both ends).
_SINGLE = {0: "", 10: "\n", 13: "", 24: "-", 30: " ", 31: " "}
_TAB, _WIDE = 9, 8
_BROKEN = (OSError, zlib.error, struct.error, UnicodeDecodeError, IndexError, KeyError, ValueError, TypeError,
           AttributeError)  # fmt: skip


def text(data: bytes) -> str:
    """The text of an HWP 5 document, table cells as paragraphs of their own. Raises Unreadable."""
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as ole:
            packed = _properties(ole) & _COMPRESSED
            lines = [line for section in _sections(ole, bool(packed)) for line in _lines(section)]
    except _BROKEN as problem:
        raise Unreadable("The attached HWP cannot be read ({problem}).", problem=type(problem).__name__) from problem
    return "\n".join(lines)


def _properties(ole: olefile.OleFileIO[Any]) -> int:
    header = ole.openstream("FileHeader").read(40)
    if not header.startswith(_SIGNATURE):
        raise Unreadable("The attachment is no HWP 5 document.")
    properties = int(struct.unpack_from("<I", header, 36)[0])
    if properties & (_PASSWORD | _DISTRIBUTION):
        raise Unreadable("The attached HWP is protected.")
    return properties


def _sections(ole: olefile.OleFileIO[Any], packed: bool) -> Iterator[bytes]:
    """The sections' records in order, unpacked within the limit."""
    found = [
        (int(name[1]), path)
        for path in ole.listdir()
        if path[0] == "BodyText" and (name := _SECTION.fullmatch(path[-1]))
    ]
    left = UNPACKED
    for _, path in sorted(found):
        raw = ole.openstream(path).read()
        section = zlib.decompressobj(-zlib.MAX_WBITS).decompress(raw, left + 1) if packed else raw
        left -= len(section)
        if left < 0:
            raise Unreadable("The attached HWP unpacks to more than {limit} bytes.", limit=UNPACKED)
        yield section


def _lines(section: bytes) -> Iterator[str]:
    """Each paragraph's text; a broken end ends the section."""
    at = 0
    while at + 4 <= len(section):
        header = struct.unpack_from("<I", section, at)[0]
        at, size = at + 4, header >> 20
        if size == _LONG:
            size = struct.unpack_from("<I", section, at)[0]
            at += 4
        if header & 0x3FF == _PARAGRAPH_TEXT and (line := _paragraph(section[at : at + size]).strip()):
            yield line
        at += size


def _paragraph(record: bytes) -> str:
    """A record's UTF-16 text without its controls."""
    units = struct.unpack(f"<{len(record) // 2}H", record[: len(record) // 2 * 2])
    kept: list[int] = []
    at = 0
    while at < len(units):
        unit = units[at]
        if unit >= 32:
            kept.append(unit)
        elif unit == _TAB:
            kept.append(_TAB)
        else:
            kept.extend(map(ord, _SINGLE.get(unit, "")))
        at += 1 if unit >= 32 or unit in _SINGLE or 25 <= unit <= 29 else _WIDE
    return struct.pack(f"<{len(kept)}H", *kept).decode("utf-16-le", errors="replace")
