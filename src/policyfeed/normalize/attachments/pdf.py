"""PDF (ISO 32000), through pypdf. The last choice: a PDF knows lines on paper, not paragraphs."""

from __future__ import annotations

import io
import logging
import re

from pypdf import PdfReader

from policyfeed.errors import Unreadable

PAGES = 200
_FULL = 0.8
"""A line at least so long, compared with its page's longest, may go on in the next one."""
_ENDS = re.compile(r"[.?!:;。」』)\]】〉》]\s*$")
_BEGINS = re.compile(r"\s*(?:[^\w\s(‘“'\"「『<〈《]|\(?\d{1,2}[.)]|[가-하][.)]|[①-⑳])")

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it reports each oddity of each file


def text(data: bytes) -> str:
    """The text of a PDF, lines that only the paper's width broke joined again. Raises Unreadable."""
    try:
        reader = PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise Unreadable("The attached PDF is protected.")
        pages = [page.extract_text() for _, page in zip(range(PAGES), reader.pages, strict=False)]
    except (Unreadable, MemoryError):
        raise
    except Exception as problem:  # pypdf lets through whatever a broken file provokes: KeyError, TypeError, recursion
        raise Unreadable("The attached PDF cannot be read ({problem}).", problem=type(problem).__name__) from problem
    return "\n".join(paragraph for page in pages for paragraph in _paragraphs(page.split("\n")))


def _paragraphs(lines: list[str]) -> list[str]:
    """A page's lines with those joined that are one paragraph: Korean words are broken anywhere, so without a space."""
    longest = max(map(len, lines), default=0)
    found: list[str] = []
    goes_on = False
    for line in lines:
        if goes_on and line.strip() and not _BEGINS.match(line):
            found[-1] += line
        elif line.strip():
            found.append(line)
        goes_on = len(line) >= _FULL * longest and not _ENDS.search(line)
    return [line.strip() for line in found]
