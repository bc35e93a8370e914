"""Bytes → text, and text → the one form in which it is kept: NFC, no control characters, no lone surrogates."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata

from policyfeed.errors import Unreadable
from policyfeed.types import Document

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
# The labels of WHATWG's "euc-kr" and what else Korean sites write for it
_KOREAN = {"cp949", "cseuckr", "csksc56011987", "euc-kr", "euc_kr", "euckr", "iso-ir-149", "korean", "ks_c_5601",
           "ks_c_5601-1987", "ks_c_5601-1989", "ksc5601", "ksc_5601", "ms949", "uhc", "windows-949", "x-euc-kr",
           "x-windows-949"}  # fmt: skip
_JAPANESE = {"csshiftjis", "ms_kanji", "shift-jis", "shift_jis", "sjis", "windows-31j", "x-sjis"}
_WESTERN = {"ascii", "us-ascii", "iso-8859-1", "iso8859-1", "iso_8859-1", "latin1", "latin-1", "l1", "cp1252",
            "windows-1252"}  # fmt: skip
_UTF_8 = {"utf-8", "utf8"}
# As browsers read them: Windows' supersets are what is really sent
_MEANT = dict.fromkeys(_KOREAN, "cp949") | dict.fromkeys(_JAPANESE, "cp932") | dict.fromkeys(_WESTERN, "cp1252")
_UNPROVEN = _WESTERN | _UTF_8
"""What servers say of text that they know nothing about: of bytes that are not UTF-8 these prove nothing."""
_HANGUL = re.compile("[가-힣]{2}")
LOST = "\ufffd"
"""Stands for bytes that could not be read: mostly half a character, where a site cut a text after so many bytes."""
_LEGIBLE = 20
"""So many characters beyond ASCII for each one that is lost prove an encoding: cp949 read as UTF-8 has not even one."""
_MOSTLY_ASCII = 1000
"""And so many of any kind, where next to nothing is beyond ASCII and is not Korean either."""
# Python's own encodings that are no documents' encodings
_NO_CHARSET = {"idna", "punycode", "raw_unicode_escape", "undefined", "unicode_escape", "utf_7"}
_DECLARED = (
    re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""),
    re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE),
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# Unicode's controls but tab and line feeds, noncharacters, surrogates, bidi overrides and invisible formats
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]"
    "|[" + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)) + "]"
)
# Only with its semicolon: "&section" in a title or an address is no "§ion"
_REFERENCE = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_AMPERSANDS = re.compile(r"&(?:amp;)+")
_ROUNDS = 5
MARKS = 6
"""Combining marks that are kept on one character: Hebrew and Tibetan have five, a title that hides others hundreds."""
# More characters in a row than that, of the blocks that have such marks; Hangul, Han and Latin letters are in none
_MARKED = re.compile(
    "[\u0300-\u036f\u0483-\u1cff\u1dc0-\u1dff\u20d0-\u20ff\u2ce0-\u2dff\u302a-\u309f\ua660-\uabff\ufb1e\ufe00-\ufe2f"
    f"\U00010000-\U0010ffff]{{{MARKS + 1},}}"
)


def decode(body: bytes, content_type: str = "", override: str | None = None) -> str:
    """A document's text: a configured ``override``, else BOM > UTF-8 > what the document or the header declares.

    Labels mean Windows' supersets that sites really send: cp949 for Korean ones. A few broken places cost no document:
    they are ``LOST``. Raises Unreadable: never mojibake.
    """
    if override:
        return _decoded(body, override)
    for mark, encoding in _BOMS:
        if body.startswith(mark):
            return _decoded(body[len(mark) :], encoding)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        label, text = _declared(body, content_type), body.decode("utf-8", "replace")
    if _legible(text):
        return text
    if label in _UNPROVEN and (korean := _korean(body)) is not None:
        return korean
    return text if label in _UTF_8 and text.count(LOST) * _MOSTLY_ASCII <= len(text) else _decoded(body, label)


def text_of(document: Document, override: str | None = None) -> str:
    """A document's text, as ``decode`` has it. Raises Unreadable."""
    return decode(document.body, document.headers.get("content-type", ""), override)


def is_charset(label: str) -> bool:
    """Whether ``decode`` knows an encoding of that name."""
    try:
        found = codecs.lookup(_encoding(label))
        return bool(getattr(found, "_is_text_encoding", True)) and found.name.replace("-", "_") not in _NO_CHARSET
    except (LookupError, ValueError):
        return False


def _declared(body: bytes, content_type: str) -> str:
    for pattern in _DECLARED:
        if found := pattern.search(body[:2048]):
            return found[1].decode("ascii").lower()
    if header := _CHARSET.search(content_type):
        return header[1].lower()
    return "utf-8"


def _korean(body: bytes) -> str | None:
    """The text if it is cp949 with Korean words; single syllables come of Western accents too."""
    text = body.decode("cp949", "replace")
    return text if _legible(text) and _HANGUL.search(text) else None


def _encoding(label: str) -> str:
    name = label.strip().lower()
    return _MEANT.get(name, name)


def _decoded(body: bytes, label: str) -> str:
    problem: Exception | None = None
    if is_charset(label):
        encoding = _encoding(label)
        try:
            return body.decode(encoding)
        except UnicodeError as error:
            problem = error
        if _legible(text := body.decode(encoding, "replace")):
            return text
    template = "The bytes are neither UTF-8 nor {label}."
    if label.lower() in _UTF_8:
        template = "The bytes are not UTF-8, as they should be."
    remedy = "Set `encoding` of the source if you know the right one."
    raise Unreadable(template, remedy=remedy, label=label) from problem


def _legible(text: str) -> bool:
    """Whether next to nothing is lost of what is beyond ASCII, which alone tells encodings apart."""
    return text.count(LOST) * _LEGIBLE <= len(text) - len(text.encode("ascii", "ignore"))


def clean(text: str) -> str:
    """NFC without control characters, lone surrogates, invisible formats and heaps of combining marks; line breaks are
    kept as ``\\n``.
    """
    return _MARKED.sub(_thinned, unicodedata.normalize("NFC", wanted(text)))


def _thinned(found: re.Match[str]) -> str:
    kept, marks = [], 0
    for letter in found[0]:
        marks = marks + 1 if unicodedata.category(letter) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(letter)
    return "".join(kept)


def wanted(text: str) -> str:
    """The text without what ``clean`` drops, not yet in NFC."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    # what is printable holds nothing unwanted: 10 times faster to see
    return text if text.replace("\n", "").replace("\xa0", "").isprintable() else _UNWANTED.sub("", text)


def one_line(text: str) -> str:
    """Clean text on one line, runs of white space as one space."""
    return " ".join(clean(text).split())


def unescape(text: str) -> str:
    """Character references resolved until nothing changes (some sites escape titles twice); only with semicolons."""
    for _ in range(_ROUNDS):
        resolved = unescape_once(_AMPERSANDS.sub("&", text))
        if resolved == text:
            break
        text = resolved
    return text


def unescape_once(text: str) -> str:
    """Character references resolved, one layer of them; only with semicolons."""
    return _REFERENCE.sub(lambda found: html.unescape(found[0]), text)


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a space where one is near, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ", limit - 40)
    return (cut[:space] if space > limit // 2 else cut).rstrip() + "…"
