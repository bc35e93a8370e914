"""HTML from upstream → sanitized HTML that any reader may show, and → plain text."""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

from policyfeed.normalize import links, parsers
from policyfeed.normalize.text import clean, one_line, unescape, unescape_once, wanted

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Cleaner

_TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "code", "dd", "del", "div", "dl", "dt", "em", "figcaption",
    "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "ins", "li", "ol", "p", "pre", "q", "s", "small", "span",
    "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "u", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "td": {"colspan", "rowspan"}, "th": {"colspan", "rowspan", "scope"},
               "ol": {"start"}, "*": {"lang", "dir"}}  # fmt: skip
_UNSHOWN = {"script", "style", "noscript", "template", "iframe", "object"}
_OTHER_TAGS = {
    "article", "aside", "body", "button", "center", "font", "footer", "form", "head", "header", "html", "img", "input",
    "label", "link", "main", "mark", "math", "meta", "nav", "section", "select", "strike", "svg", "title", "tt",
}  # fmt: skip
_TAG = rf"</?(?:{'|'.join(sorted(_TAGS | _UNSHOWN | _OTHER_TAGS, key=len, reverse=True))})(?:[\s/][^<>]*)?>"
_MARKUP = re.compile(_TAG, re.IGNORECASE)
_SOME_MARKUP = re.compile(
    rf"{_TAG}|<!--|<!doctype|&(?:[a-zA-Z]{{2,10}}|#\d{{1,6}}|#x[0-9a-fA-F]{{1,6}});", re.IGNORECASE
)
# An end of a tag in references: who writes about tags names their beginnings
_ESCAPED = re.compile(r"&lt;/(?:p|div|span|a|b|strong|font|h[1-6]|ul|ol|li|table|tbody|tr|td)\s*&gt;", re.IGNORECASE)
# <K-푸드> and <창업> are words in brackets
_BRACKET = re.compile(rf"<(?!!--)(?!{_TAG[1:]})", re.IGNORECASE)
_BREAKS = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "blockquote", "pre", "hr",
           "table", "caption", "ul", "ol")  # fmt: skip
_PARTED = dict.fromkeys(_BREAKS, "\n") | {"td": " ", "th": " "}
"""What parts an element from the text around it."""
_LINES = re.compile(r"[ \t\xa0]*\n[\s\xa0]*")
_SAFE_TAG = re.compile(r"""</?([a-z1-6]+)[^<>"]*(?:"[^"]*"[^<>"]*)*>""")
_HEADING = re.compile(r"(</?h)([1-6])(?=[ >])")
_OPENED = re.compile(r"<(/?)([a-zA-Z][^\s/<>]*)")
_SHALLOW = {
    "area", "base", "body", "br", "caption", "col", "colgroup", "dd", "dt", "embed", "head", "hr", "html", "img",
    "input", "li", "link", "meta", "option", "p", "param", "rp", "rt", "source", "tbody", "td", "tfoot", "th", "thead",
    "tr", "track", "wbr",
}  # fmt: skip
"""What has no content, or ends where the next one of its kind begins: it is as deep as what is around it."""
MOST = 1_000_000
"""Characters of a text that are kept: more is no press release (the longest of 62,000 had 26,045)."""
DEEPEST = 512
"""So deep browsers nest elements, too. What a parser does for a tag may grow with the depth at which it stands."""


def is_html(text: str) -> bool:
    """Whether the text holds HTML's tags or character references; other words in angle brackets are words."""
    return _SOME_MARKUP.search(text) is not None


def sanitize(text: str, base: str) -> str:
    """HTML without anything that runs, loads or styles (nh3), its links absolute to ``base``.

    Images go: photos are not part of the licence.
    """
    if not text.strip():
        return ""
    text = _resolved(text)
    if not is_html(text):
        return paragraphs(text)

    with_base = _BASE.set(base)
    try:
        safe = clean(_cleaner().clean(wanted(_bracketed(flat(text[:MOST]))))).strip()
    finally:
        _BASE.reset(with_base)
    return safe if _MARKUP.search(safe) else paragraphs(to_text(safe))


_BASE: ContextVar[str] = ContextVar("base")


def _attribute(_tag: str, name: str, value: str) -> str | None:
    if name != "href" or value.strip().lower().startswith("mailto:"):
        return value
    return links.absolute(value, _BASE.get()) or None


@cache
def _cleaner() -> Cleaner:
    """One for all texts: making it costs a fourth of what it costs to clean one."""
    return parsers.cleaner(
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_attribute,
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer",
        clean_content_tags=_UNSHOWN,
    )


def flat(markup: str) -> str:
    """HTML without its tags that are nested deeper than ``DEEPEST``: their text stays."""
    if markup.count("<") <= DEEPEST:
        return markup
    depth, kept, left_out = 0, Counter[str](), Counter[str]()

    def one(found: re.Match[str]) -> str:
        nonlocal depth
        name = found[2].lower()
        if name in _SHALLOW:
            return found[0]
        if found[1]:
            if left_out[name]:
                left_out[name] -= 1
                return "</wbr"
            closes = kept[name] > 0
            kept[name] -= closes
            depth -= closes
        elif depth == DEEPEST:
            left_out[name] += 1
            return "</wbr"
        else:
            kept[name] += 1
            depth += 1
        return found[0]

    return _OPENED.sub(one, markup)


def lowered(safe: str, levels: int) -> str:
    """Sanitized HTML with its headings so many levels further down, for a page that has headings of its own."""
    return _HEADING.sub(lambda found: f"{found[1]}{min(6, int(found[2]) + levels)}", safe)


def paragraphs(text: str) -> str:
    """Plain text as HTML: each line a paragraph."""
    lines = (line.strip() for line in clean(text[:MOST]).split("\n"))
    return "".join(f"<p>{_escaped(line)}</p>" for line in lines if line)


def _escaped(text: str) -> str:
    """As the sanitizer writes it, so that it leaves it alone."""
    return html.escape(text, quote=False).replace("\xa0", "&nbsp;")


def to_text(markup: str) -> str:
    """The text of HTML, blocks on lines of their own. Plain text comes back cleaned."""
    markup = _resolved(markup)
    if not is_html(markup):
        return clean(markup[:MOST]).strip()
    tree = parsers.html(f"<body>{_bracketed(flat(markup[:MOST]))}")
    tree.strip_tags(sorted(_UNSHOWN))
    for node in tree.css(",".join(_PARTED)):
        tag = node.tag or ""
        node.insert_before(_PARTED[tag])
        if tag not in ("br", "td", "th"):
            node.insert_after("\n")
    root = tree.body or tree.root
    return _LINES.sub("\n", clean(root.text() if root else "")).strip()


def to_line(markup: str) -> str:
    """The text of HTML on one line."""
    return one_line(to_text(markup))


def opening(safe: str, limit: int) -> str:
    """The text of sanitized HTML on one line, or so much of its beginning that it has more than ``limit`` characters.

    The same as ``to_line``, which would parse it all once more: that takes longer than sanitizing did.
    """
    part = safe[: max(safe.rfind("<", 0, 2 * limit), 0)] if len(safe) > 2 * limit else safe
    texts = _SAFE_TAG.split(part)
    texts[1::2] = [_PARTED.get(name, "") for name in texts[1::2]]
    text = " ".join(unicodedata.normalize("NFC", html.unescape("".join(texts))).split())
    return text if len(text) > limit or part == safe else opening(safe, 2 * limit)


def title(printed: str) -> str:
    """The text of a title, which may be plain, HTML, or HTML escaped once too often."""
    text = printed[:MOST]
    if not is_html(text):
        return one_line(text)
    return to_line(_BRACKET.sub("&lt;", unescape(text)))


def _resolved(markup: str) -> str:
    """Where the whole text was escaped once too often, it without that: all its tags stand in references."""
    return unescape_once(markup) if _ESCAPED.search(markup) and not _MARKUP.search(markup) else markup


def _bracketed(markup: str) -> str:
    """Plain text with references may hold words in angle brackets; where there are tags, unknown ones are tags too."""
    return markup if _MARKUP.search(markup) else _BRACKET.sub("&lt;", markup)
