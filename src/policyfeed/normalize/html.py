"""HTML from upstream → sanitized HTML that any reader may show, and → plain text."""

from __future__ import annotations

import re

import nh3
from selectolax.lexbor import LexborHTMLParser

from policyfeed.normalize.text import clean, one_line

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"},
               "ol": {"start"}, "*": {"lang", "dir"}}  # fmt: skip
_CLEANER = nh3.Cleaner(
    tags=_TAGS,
    attributes=_ATTRIBUTES,
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer",
    clean_content_tags={"script", "style", "noscript", "template", "iframe", "object"},
)
_MARKUP = re.compile(r"<[a-zA-Z!/?]|&(?:[a-zA-Z]{2,10}|#\d{1,6}|#x[0-9a-fA-F]{1,6});")
_BREAKS = "p, div, br, li, tr, h1, h2, h3, h4, h5, h6, dt, dd, blockquote, pre, hr, table, ul, ol"
_LINES = re.compile(r"[ \t\xa0]*\n[\s\xa0]*")
MOST = 1_000_000
"""Characters of a text that are kept: more is no press release (the longest of 62,000 had 26,045)."""


def is_html(text: str) -> bool:
    """Whether the text holds tags or character references."""
    return _MARKUP.search(text) is not None


def sanitize(text: str) -> str:
    """HTML without anything that runs, loads or styles (nh3). Images go: photos are not part of the licence."""
    if not text.strip():
        return ""
    if not is_html(text):
        return paragraphs(text)
    return clean(_CLEANER.clean(clean(text[:MOST]))).strip()


def paragraphs(text: str) -> str:
    """Plain text as HTML: each line a paragraph."""
    lines = (line.strip() for line in clean(text[:MOST]).split("\n"))
    return "".join(f"<p>{nh3.clean_text(line).replace('&#32;', ' ')}</p>" for line in lines if line)


def to_text(markup: str) -> str:
    """The text of HTML, blocks on lines of their own. Plain text comes back cleaned."""
    if not is_html(markup):
        return clean(markup).strip()
    tree = LexborHTMLParser(markup[:MOST])
    tree.strip_tags(["script", "style", "noscript", "template", "iframe"])
    for node in tree.css(_BREAKS):
        node.insert_before("\n")
        if node.tag != "br":
            node.insert_after("\n")
    root = tree.body or tree.root
    return _LINES.sub("\n", clean(root.text() if root else "")).strip()


def to_line(markup: str) -> str:
    """The text of HTML on one line."""
    return one_line(to_text(markup))
