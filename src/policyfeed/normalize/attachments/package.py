"""HWPX (KS X 6101, OWPML) and ODT (ISO/IEC 26300): zipped XML. Table cells are paragraphs of their own."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator

from lxml import etree

from policyfeed.errors import Unreadable

UNPACKED = 16 * 1024 * 1024
"""Bytes that all XML parts read may unpack to: the text of hundreds of pages."""
_PARTS = 4_000
_SECTION = re.compile(r"Contents/section(\d{1,4})\.xml")
_HWPX, _ODT = frozenset({"t"}), frozenset({"p", "h"})
"""The elements that hold text, of each format."""
_PARAGRAPHS = frozenset({"p", "h"})
# Headers, footers, hidden remarks, formulas and what was deleted are no part of the text.
_LEFT_OUT = frozenset({"header", "footer", "hiddenComment", "annotation", "tracked-changes", "secPr", "script"})
_SIGNS = {"tab": "\t", "lineBreak": "\n", "line-break": "\n", "nbSpace": " ", "fwSpace": " ", "s": " ", "hyphen": "-"}
_BROKEN = (zipfile.BadZipFile, zlib.error, etree.XMLSyntaxError, RuntimeError, NotImplementedError, EOFError, KeyError,
           ValueError, OSError)  # fmt: skip


def text(data: bytes) -> str:
    """The text of an HWPX or ODT document. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names, holders = _wanted(archive.namelist())
            found = _Lines(holders)
            for part in _parts(archive, names):
                parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
                found.read(etree.fromstring(part, parser), inside=False)
    except _BROKEN as problem:
        raise Unreadable(
            "The attached package cannot be read ({problem}).", problem=type(problem).__name__
        ) from problem
    return "\n".join(found.lines)


def _wanted(names: list[str]) -> tuple[list[str], frozenset[str]]:
    """The XML parts that hold the text, in their order, and the elements in which it stands."""
    if len(names) > _PARTS:
        raise Unreadable("The attached package has {count} parts.", count=len(names))
    if sections := sorted((int(found[1]), name) for name in set(names) if (found := _SECTION.fullmatch(name))):
        return [name for _, name in sections], _HWPX
    if "content.xml" in names:
        return ["content.xml"], _ODT
    raise Unreadable("The attached package is neither HWPX nor ODT.")


def _parts(archive: zipfile.ZipFile, names: list[str]) -> Iterator[bytes]:
    """The parts unpacked, within the limit whatever sizes the package claims."""
    left = UNPACKED
    for name in names:
        with archive.open(name) as part:
            found = part.read(left + 1)
        left -= len(found)
        if left < 0:
            raise Unreadable("The attached package unpacks to more than {limit} bytes.", limit=UNPACKED)
        yield found


class _Lines:
    """Gathers paragraphs. Of one with a table in it, what stands before the table comes before it."""

    def __init__(self, holders: frozenset[str]) -> None:
        self.lines: list[str] = []
        self._holders = holders
        self._line: list[str] = []

    def read(self, node: etree._Element, *, inside: bool) -> None:
        """``inside``: the node stands in an element that holds text. libxml2 bounds the depth to 256."""
        name = etree.QName(node).localname if isinstance(node.tag, str) else ""
        if not name or name in _LEFT_OUT:
            return
        paragraph, inside = name in _PARAGRAPHS, inside or name in self._holders
        if paragraph:
            self._end()
        self._line.append(_SIGNS.get(name, ""))
        self._line.append((node.text or "") if inside else "")
        for child in node:
            self.read(child, inside=inside)
            self._line.append((child.tail or "") if inside else "")
        if paragraph:
            self._end()

    def _end(self) -> None:
        if line := "".join(self._line).strip():
            self.lines.append(line)
        self._line.clear()
