"""The text of attached documents. One file per format; a document is known by its bytes, whatever its name says.

Everything here is hostile until read: what is unpacked is bounded, and all of it runs in a worker process with limits
on time and memory. A reader raises Unreadable for what is broken, protected, or not its format.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from importlib import import_module
from pathlib import PurePosixPath

from policyfeed.errors import Unreadable
from policyfeed.normalize.text import clean

MOST = 1_000_000
"""Characters of a document's text that are kept."""
READABLE = ("hwpx", "hwp", "odt", "pdf")
"""The formats that are read; the first one tells most and costs least."""
_MAGIC = ((b"PK\x03\x04", "package"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "hwp"))
_TYPES = mimetypes.MimeTypes()  # Python's own table: the machine's would make bytes differ between machines
for _extension, _type in {
    ".hwp": "application/vnd.hancom.hwp",
    ".hwpx": "application/vnd.hancom.hwpx",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}.items():
    _TYPES.add_type(_type, _extension)
_PDF_WITHIN = 1024  # ISO 32000-1 annex H.3.4.1: readers look for the header so far


def extension(name: str) -> str:
    """A file name's extension in lower case; "" for none."""
    return PurePosixPath(name.strip()).suffix.lower().lstrip(".")


def media_type(name: str) -> str:
    """The media type that a file's name tells; "" = unknown."""
    return _TYPES.types_map[True].get(f".{extension(name)}", "")


def text(data: bytes) -> str:
    """The document's text, a paragraph a line. Raises Unreadable."""
    kind = next((kind for magic, kind in _MAGIC if data.startswith(magic)), "")
    if not kind and b"%PDF-" in data[:_PDF_WITHIN]:
        kind = "pdf"
    if not kind:
        raise Unreadable("The attachment is no document whose text can be read (HWPX, HWP, ODT, PDF).")
    read: Callable[[bytes], str] = import_module(f"{__name__}.{kind}").text  # a PDF's reader is loaded for PDFs alone
    found = clean(read(data)[:MOST]).strip()
    if not found:
        raise Unreadable("The attachment holds no text: it may be a scanned picture.")
    return found
