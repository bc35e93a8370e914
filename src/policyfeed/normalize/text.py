"""Bytes → text, and text → the one form in which it is kept: NFC, no control characters, no lone surrogates."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata

from policyfeed.errors import Unreadable

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_KOREAN = {"euc-kr", "euckr", "euc_kr", "ks_c_5601-1987", "ks_c_5601", "ksc5601", "ks_c_5601-1989", "korean", "ms949"}
_DECLARED = (
    re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._:-]{1,40})["']"""),
    re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE),
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._:-]{1,40})""", re.IGNORECASE)
# Unicode's controls but tab and line feeds, noncharacters, surrogates, bidi overrides and invisible formats
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    "\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]"
    "|[" + "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(1, 17)) + "]"
)
_SPACES = re.compile(r"\s+")
_ROUNDS = 5


def decode(body: bytes, content_type: str = "", override: str | None = None) -> str:
    """A document's text: a configured ``override``, else BOM > strict UTF-8 > what the document or the header declares.

    Korean labels mean cp949, their superset that sites really send. Raises Unreadable: never mojibake.
    """
    for mark, encoding in _BOMS:
        if not override and body.startswith(mark):
            return _strict(body[len(mark) :], encoding)
    if not override:
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    label = override or _declared(body, content_type)
    return _strict(body, _meant(label))


def _declared(body: bytes, content_type: str) -> str:
    for pattern in _DECLARED:
        if found := pattern.search(body[:2048]):
            return found[1].decode("ascii")
    if header := _CHARSET.search(content_type):
        return header[1]
    return "cp949"  # undeclared and not UTF-8, from a Korean site; strict, so that a wrong guess is an error


def _meant(label: str) -> str:
    """Korean labels, and UTF-8 for what is not UTF-8, mean the superset that sites really send."""
    name = label.strip().lower()
    return "cp949" if name in _KOREAN or name in ("utf-8", "utf8") else name


def _strict(body: bytes, label: str) -> str:
    try:
        return body.decode(label)
    except (LookupError, UnicodeDecodeError) as problem:
        raise Unreadable(
            "The bytes are neither UTF-8 nor {label}.",
            remedy="Set `encoding` of the source if you know the right one.",
            label=label,
        ) from problem


def clean(text: str) -> str:
    """NFC without control characters, lone surrogates, invisible formats; line breaks are kept as ``\\n``."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", _UNWANTED.sub("", text))


def one_line(text: str) -> str:
    """Clean text on one line, runs of white space as one space."""
    return _SPACES.sub(" ", clean(text)).strip()


def unescape(text: str) -> str:
    """HTML character references resolved until nothing changes: some sites escape titles twice."""
    for _ in range(_ROUNDS):
        resolved = html.unescape(text)
        if resolved == text:
            break
        text = resolved
    return text


def shorten(text: str, limit: int) -> str:
    """At most ``limit`` characters, cut at a space where one is near, with an ellipsis."""
    if len(text) <= limit:
        return text
    cut = text[: limit - 1]
    space = cut.rfind(" ", limit - 40)
    return (cut[:space] if space > limit // 2 else cut).rstrip() + "…"
