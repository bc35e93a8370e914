"""Lists of feeds as OPML 2.0 (opml.org/spec2.opml): what readers export and import.

It is no format of ``policyfeed.formats``: those turn articles into a feed, this lists feeds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

from lxml import etree

from policyfeed.errors import UsageError

MEDIA_TYPE = "text/x-opml"
MOST = 10_000
"""Outlines of one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One feed: its name, its address, and the site's page."""

    title: str
    url: str
    page: str = ""
    language: str = ""


def write(title: str, outlines: Iterable[Outline], created: datetime | None = None) -> bytes:
    """The list as bytes; the same for the same list, where no time is given."""
    root = etree.Element("opml", version="2.0")
    head, body = etree.SubElement(root, "head"), etree.SubElement(root, "body")
    etree.SubElement(head, "title").text = title
    if created is not None:
        etree.SubElement(head, "dateCreated").text = format_datetime(created)
    for one in outlines:
        given = {"text": one.title, "title": one.title, "type": "rss", "xmlUrl": one.url}
        given |= {"htmlUrl": one.page} if one.page else {}
        given |= {"language": one.language} if one.language else {}
        etree.SubElement(body, "outline", given)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def read(text: str, name: str) -> tuple[Outline, ...]:
    """The feeds of a file, folders opened, each address once. Raises UsageError; ``name`` stands in its message.

    The parser forgives much, but of an address with a bare ``&`` it would leave a parameter's name out: what people
    bring is to be ``normalize.xml.mended``.
    """
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "replace"), parser)
    except etree.XMLSyntaxError:
        root = None
    if root is None or etree.QName(root).localname.lower() != "opml":
        raise UsageError("{file} is no OPML.", remedy="Give the list that a feed reader exports.", file=name)
    found: dict[str, Outline] = {}
    for node in list(root.iter("outline"))[:MOST]:
        said = {str(key).lower(): str(value).strip() for key, value in node.attrib.items()}
        if url := said.get("xmlurl", ""):
            title = said.get("title") or said.get("text") or ""
            one = Outline(title=title, url=url, page=said.get("htmlurl", ""), language=said.get("language", ""))
            found.setdefault(url, one)
    return tuple(found.values())
