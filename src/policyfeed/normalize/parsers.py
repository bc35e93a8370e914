"""The parsers of what comes from outside: each is loaded by the first text that it is to read, and that is in a worker.

The process that polls loads none of them: what a document makes of a parser written in C it makes of a worker, and
memory that is not needed there is not taken. (Pages, and a body that completes an article, sanitize once more what was
read: these load the sanitizer.) So this is the one place from which readers have them.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import nh3
    from lxml import etree
    from selectolax.lexbor import LexborHTMLParser, LexborNode

    Tree: TypeAlias = LexborHTMLParser
    Node: TypeAlias = LexborNode
    Element: TypeAlias = etree._Element
    Cleaner: TypeAlias = nh3.Cleaner

LIBRARIES = ("feedparser", "lxml.etree", "nh3", "selectolax.lexbor")
PRELOAD = [*LIBRARIES, "policyfeed.normalize.plain_feed"]
"""What workers are made with: each would load it anew."""


def html(markup: str) -> Tree:
    """The tree of a page, or of a part of one."""
    from selectolax.lexbor import LexborHTMLParser

    return LexborHTMLParser(markup)


def is_selector(css: str) -> bool:
    """Whether trees can be asked for it. (The operator wrote it, and no document: a configuration may be asked.)"""
    from selectolax.lexbor import SelectolaxError

    try:
        html("<p></p>").css(css)
    except SelectolaxError:
        return False
    return True


def xml(text: str) -> Element:
    """The root of a document of XML; nothing is fetched or unfolded for it. Raises ValueError for what is none."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        return etree.fromstring(text, parser)
    except etree.XMLSyntaxError as problem:
        raise ValueError(str(problem)) from problem


def feed(text: str) -> Any:
    """What feedparser makes of a feed, without what normalize does."""
    import feedparser

    # without the feed's address: feedparser would resolve guids against it, and they would change with it
    return feedparser.parse(
        io.BytesIO(text.encode()),
        response_headers={"content-type": "application/xml; charset=utf-8"},
        sanitize_html=False,
        resolve_relative_uris=False,
    )


def cleaner(**rules: Any) -> Cleaner:
    """A sanitizer of HTML."""
    import nh3

    return nh3.Cleaner(**rules)
