"""Feeds as plain as they are mostly published (RSS 2.0 and 1.0, Atom), read by lxml to what feedparser reads in them.

feedparser takes 0.5 ms for an entry of 5 kB even with its sanitizing and its link resolution off, lxml 0.03 ms: it was
the greatest part of a first poll. Whatever is out of the ordinary is left to it: other formats, elements that are
repeated, nested or have unusual attributes, XML that is not well-formed, text that it would mend.
``tests/property/test_plain_feed.py`` compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin
from xml.sax.saxutils import escape

from feedparser import FeedParserDict
from feedparser.mixin import _FeedParserMixin
from lxml import etree

_ATOM, _RSS1 = "{http://www.w3.org/2005/Atom}", "{http://purl.org/rss/1.0/}"
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XHTML, _BASE, _LANG = (
    "{http://www.w3.org/1999/xhtml}",
    "{http://www.w3.org/XML/1998/namespace}base",
    "{http://www.w3.org/XML/1998/namespace}lang",
)
_PREFIXES = {uri.lower(): prefix for uri, prefix in _FeedParserMixin.namespaces.items()}
"""Namespaces that feedparser knows → the prefixes of its own names; "" for those of the formats themselves."""
_HANDLED = {name.split("_", 2)[2] for name in dir(_FeedParserMixin) if name.startswith(("_start_", "_end_"))}
"""The elements that mean something to it; it keeps the text of all others under their own names."""
_FIELDS = {
    "title": "title",
    "link": "link",
    "guid": "id",
    "id": "id",
    "description": "summary",
    "summary": "summary",
    "content": "content",
    "content_encoded": "content",
    "pubdate": "published",
    "published": "published",
    "updated": "updated",
    "dc_date": "updated",
    "author": "author",
    "dc_creator": "author",
    "enclosure": "links",
}
"""An entry's elements by feedparser's names → what it calls what they say."""
_UNREAD = {
    *("category", "keywords", "language", "rights", "copyright", "source"),
    *("dc_subject", "dc_language", "dc_publisher", "dc_rights"),
    *("media_content", "media_thumbnail", "media_credit", "media_category", "media_keywords"),
}
"""Elements that mean something to feedparser, and nothing to any source."""
_ODD = (_HANDLED | {*_FIELDS.values(), *FeedParserDict.keymap, "guidislink", "created"}) - _UNREAD
"""Elements with a meaning of their own, or whose text feedparser would keep under a name that is looked at."""
_TEXTS = ("title", "summary", "content")
_ATTRIBUTES = {
    **{name: {"type", _LANG, _BASE} for name in _TEXTS},
    "id": {"isPermaLink"},
    "link": {"href", "rel", "type", "title", "hreflang", "length"},
    "links": {"url", "type", "length"},
}
_TYPES = ("", "text", "html", "text/plain", "text/html")
_PAGES = ("html", "text/html", "xhtml", "application/xhtml+xml")
_WISHES = ("ttl", "sy_updateperiod", "sy_updatefrequency")
_ADDRESS = re.compile(r"(?:https?:/)?/(?!/)[^&\s]")
_WINDOWS = (re.compile(rb"\xc2[\x80-\x9f]"), re.compile(rb"&#(?:1[2-5]\d|[xX][89][0-9a-fA-F]);"))
"""What feedparser takes for characters of windows-1252."""
_DECLARED = re.compile(rb"""xmlns:([^\s=]{1,100})\s{0,9}=\s{0,9}["']([^"']{0,300})""")


@dataclass(frozen=True, slots=True)
class Plain:
    """What ``feedparser.parse`` would give under ``entries`` and ``feed``, of that what sources look at."""

    entries: list[dict[str, Any]]
    feed: dict[str, Any]


class _Odd(Exception):
    """Something that feedparser had better read."""


def parse(text: str) -> Plain | None:
    """The feed, ``text`` without XML declaration; None when it is not as plain as that."""
    body = text.encode()
    if b"<!DOCTYPE" in body or any(pattern.search(body) for pattern in _WINDOWS):
        return None
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True)
    try:
        _check_prefixes(body)
        return _Reader(etree.fromstring(body, parser)).read()
    except (etree.XMLSyntaxError, _Odd, ValueError):
        return None


def _check_prefixes(body: bytes) -> None:
    """feedparser mixes the prefixes that it knows up with those of a document, and those that are declared twice."""
    declared = {(prefix.decode(), uri.decode().lower()) for prefix, uri in _DECLARED.findall(body)}
    known = _PREFIXES.values()
    if len({prefix for prefix, _ in declared}) < len(declared):
        raise _Odd
    if any(prefix in known and _PREFIXES.get(uri) != prefix for prefix, uri in declared):
        raise _Odd


@dataclass(slots=True)
class _Reader:
    """Reads one feed. ``base`` is what addresses are relative to; feedparser forgets none that stands in no other."""

    root: etree._Element
    feed: dict[str, Any] = field(default_factory=lambda: {"links": []})
    base: str = ""

    def read(self) -> Plain:
        self._enter(self.root, {"version", _LANG})
        children = list(self.root)
        if self.root.tag == "rss" and [one.tag for one in children] == ["channel"]:
            self._enter(children[0], {_LANG})
            return Plain(self._list(children[0], "item"), self.feed)
        if self.root.tag == f"{_RDF}RDF" and children and children[0].tag == f"{_RSS1}channel":
            self._enter(children[0], {f"{_RDF}about"})
            return Plain(self._list([*children[0], *children[1:]], f"{_RSS1}item"), self.feed)
        if self._is_atom:
            return Plain(self._list(children, f"{_ATOM}entry"), self.feed)
        raise _Odd

    @property
    def _is_atom(self) -> bool:
        return self.root.tag == f"{_ATOM}feed" and _RSS1[1:-1] not in self.root.nsmap.values()

    def _enter(self, element: etree._Element, allowed: set[str]) -> None:
        """Look at an element's attributes; its base counts from here."""
        if set(element.keys()) - allowed - {_BASE}:
            raise _Odd
        if given := element.get(_BASE):
            self.base = _joined(self.base, given)
            if not self.base.startswith(("http://", "https://")):
                raise _Odd

    def _list(self, elements: Iterable[etree._Element], item: str) -> list[dict[str, Any]]:
        entries = []
        for element in elements:
            if element.tag == item:
                entries.append(self._entry(element))
            else:
                self._head(element)
        return entries

    def _head(self, element: etree._Element) -> None:
        if any(str(one.tag).lower().endswith(("item", "entry")) or _has_base(one) for one in element.iter()):
            raise _Odd
        name = _name(element)
        if name == "link" and element.get("rel", "").lower() == "next":
            self.feed["links"].append({"rel": "next", "href": _joined(self.base, element.get("href", ""))})
        elif name in _WISHES:
            if element.keys():
                raise _Odd
            self.feed[name] = _text(element)

    def _entry(self, entry: etree._Element) -> dict[str, Any]:
        outer = self.base
        self._enter(entry, {f"{_RDF}about", _LANG})
        said: dict[str, Any] = {"links": []}
        if about := entry.get(f"{_RDF}about"):
            said["id"] = about
        for element in entry:
            name = _name(element)
            if name in _FIELDS:
                self._field(element, _FIELDS[name], said)
            elif name in _ODD or len(element) or _has_base(element):
                raise _Odd
        self.base = outer or self.base
        return _settled(said)

    def _field(self, element: etree._Element, key: str, said: dict[str, Any]) -> None:
        given = element.keys()
        if given and set(given) - _ATTRIBUTES.get(key, set()):
            raise _Odd
        if key == "links":
            href, kind = element.get("url", ""), element.get("type", "").lower()
            said["links"].append({"rel": "enclosure", "type": kind, "href": href})
            return
        if key == "link" and given:
            link = self._link(element)
            if link["rel"] == "enclosure":
                said["links"].append(link)
            if link["rel"] != "alternate" or link["type"] not in _PAGES:
                return
            value = link["href"]
        else:
            value = self._value(element, key)
        if key in said:
            raise _Odd
        said[key] = value

    def _link(self, element: etree._Element) -> dict[str, str]:
        if len(element) or "href" not in element.attrib:
            raise _Odd
        rel = element.get("rel", "alternate").lower()
        kind = element.get("type", "application/atom+xml" if rel == "self" else "text/html").lower()
        href = _joined(self.base, element.get("href", ""))
        return {"rel": rel, "type": kind, "href": href, "title": element.get("title", "")}

    def _value(self, element: etree._Element, key: str) -> Any:
        if key in _TEXTS:
            return self._told(element, key)
        if key == "author":
            return _author(element)
        text = _text(element)
        address = key == "link" or (key == "id" and element.get("isPermaLink", "true") == "true")
        return _joined(self.base, text) if address else text

    def _told(self, element: etree._Element, key: str) -> Any:
        base, kind = self.base, ""
        if element.keys():
            self._enter(element, {"type", _LANG})
            base, self.base = self.base, base or self.base
            kind = element.get("type", "").lower()
        if kind in _TYPES:
            text = _text(element)
        elif kind == "xhtml" and self._is_atom:
            text = _markup(element)
        else:
            raise _Odd
        return [{"value": text, "base": base}] if key == "content" else text


def _settled(said: dict[str, Any]) -> dict[str, Any]:
    """Addresses that feedparser would leave as they are; a content stands in for a missing summary."""
    link = said.get("link", "")
    if not _ADDRESS.match(link) or ("&" in link and ";" in link):
        raise _Odd
    if content := said.get("content"):
        said.setdefault("summary", content[0]["value"])
    return said


def _joined(base: str, address: str) -> str:
    """Raises ValueError."""
    if ":///" in address or (base and not address):
        raise _Odd
    return urljoin(base, address) if base else address


def _name(element: etree._Element) -> str:
    """As feedparser names its handlers."""
    return _named(str(element.tag), element.prefix)


@lru_cache(maxsize=512)
def _named(tag: str, prefix: str | None) -> str:
    uri, _, local = tag.lower().rpartition("}")
    prefix = _PREFIXES.get(uri[1:], prefix)
    if prefix is None:
        raise _Odd
    return f"{prefix}_{local}" if prefix else local


def _has_base(element: etree._Element) -> bool:
    return "base" in element.attrib or _BASE in element.attrib


def _author(element: etree._Element) -> str:
    """A text, or Atom's name and email."""
    if not len(element):
        return _text(element)
    if any(len(one) or one.keys() or (one.tail or "").strip() for one in element) or (element.text or "").strip():
        raise _Odd
    said = {_name(one): (one.text or "").strip() for one in element}
    if len(said) < len(element) or said.keys() - {"name", "email", "uri"}:
        raise _Odd
    name, email = said.get("name", ""), said.get("email", "")
    return f"{name} ({email})" if name and email else name or email


def _text(element: etree._Element) -> str:
    if len(element):
        raise _Odd
    return _mended((element.text or "").strip())


def _mended(text: str) -> str:
    """As feedparser does it, where it is UTF-8 that somebody took for latin-1."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _markup(element: etree._Element) -> str:
    """The markup within the one div that XHTML stands in."""
    around = [element.text, *(one.tail for one in element)]
    if [one.tag for one in element] != [f"{_XHTML}div"] or any(text and text.strip() for text in around):
        raise _Odd
    pieces = list[str]()
    _write(element[0], pieces)
    return _mended("".join(pieces).strip())


def _write(element: etree._Element, pieces: list[str]) -> None:
    """What an element holds, no element closed within its tag."""
    pieces.append(escape(element.text or ""))
    for one in element:
        name = str(one.tag).removeprefix(_XHTML).lower()
        if f"xhtml_{name}" in _HANDLED or name in ("svg", "math") or ":" in name or "}" in name or _has_base(one):
            raise _Odd
        pieces.append(f"<{name}{''.join(_attribute(*pair) for pair in one.attrib.items())}>")
        _write(one, pieces)
        pieces.append(f"</{name}>{escape(one.tail or '')}")


def _attribute(name: str, value: str) -> str:
    if "}" in name:
        raise _Odd
    name = name.lower()
    value = escape(value.lower() if name in ("rel", "type") else value, {'"': "&quot;"})
    return f' {name}="{value}"'
