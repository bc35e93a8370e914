"""XML as it is handed out, made such as a parser takes: bare ``&`` and ``<``, HTML's names, what XML forbids."""

from __future__ import annotations

import html
import re
from html import entities

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
# One that declares nothing itself: nobody fetches what it names
_DOCTYPE = re.compile(r"""^\s*<!DOCTYPE\s+[\w:.-]+(?:\s+(?:PUBLIC|SYSTEM|"[^"<>]*"|'[^'<>]*')){0,3}\s*>""")
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that no XML may hold, in references neither."""
# CDATA and comments as a whole, to the end where they have none; a < that begins no tag; an & that begins none of XML's
# own references, with the name if it is HTML's; a character's number. (feedparser's loose parser would turn the & of
# "R&D" into "R&D;", lxml's leave out the D, and both take <K-푸드> for a tag.)
_BARE = re.compile(
    r"""<!\[CDATA\[[^\]]*.*?(?:\]\]>|\Z)|<!--.*?(?:-->|\Z)|<(?![!?]|/?[A-Za-z_][\w.:-]*(?:\s*/?>|\s+[A-Za-z_:]))
    |&(?!(?:amp|lt|gt|quot|apos|\#\d{1,7}|\#x[0-9a-fA-F]{1,6});)([A-Za-z][A-Za-z0-9]{1,31};)?|&\#\w{1,8};""",
    re.DOTALL | re.VERBOSE | re.ASCII,
)
# What is closed somewhere is an element, whatever its name is written in: <부서명>대변인실</부서명>
_CLOSED, _TAG = re.compile(r"</([^\W\d][\w.:-]*)\s*>"), re.compile(r"/?([^\W\d][\w.:-]*)")


def undeclared(text: str) -> str:
    """The text without its declaration: the encoding that it names is no longer its own. And without a document type
    that has but a name and an address."""
    return _DOCTYPE.sub("", _DECLARATION.sub("", text, count=1), count=1)


def mended(text: str) -> str:
    """The text with every reference one that XML knows, and without what XML forbids. What is right stays as it is."""
    text = ILLEGAL.sub("", text)
    elements = frozenset(_CLOSED.findall(text))
    return _BARE.sub(lambda found: _escaped(found, elements), text)


def _escaped(found: re.Match[str], elements: frozenset[str]) -> str:
    """A bare & or < escaped, HTML's references (&nbsp;) as characters, numbers of forbidden characters left out."""
    said, name = found[0], found[1]
    if said == "<":
        tag = _TAG.match(found.string, found.end())
        return said if tag and tag[1] in elements else "&lt;"
    if said.startswith("<"):
        return said
    if said.startswith("&#"):
        sign = html.unescape(said)
        return "" if sign in ("", "\ufffd") or ILLEGAL.match(sign) else said
    return html.escape(entities.html5[name]) if name in entities.html5 else f"&amp;{name or ''}"
