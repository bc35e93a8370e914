"""Addresses of feeds on a page: announced (``<link rel="alternate">``), linked to, or only guessed."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from policyfeed.normalize import parsers
from policyfeed.normalize.links import absolute, canonical
from policyfeed.normalize.text import one_line

if TYPE_CHECKING:
    from policyfeed.normalize.parsers import Tree

_TYPES = re.compile(r"^application/((rss|atom|rdf)\+xml|feed\+json)\b|^(text|application)/xml\b", re.IGNORECASE)
_ADDRESS = re.compile(
    r"(^|[/._?=&-])(rss|atom|feeds?)([/._?=&\d-]|$)|rss(feed|list|\w*\.(do|jsp|xml|php))|\.(xml|rdf)$", re.I
)
_WORDS = re.compile(r"\b(RSS|Atom|피드|feed)\b|RSS|구독", re.IGNORECASE)
_NO_FEED = re.compile(
    r"sitemap|opensearch|/comments?/|\.(xsl|css|js|png|gif|jpe?g|svg|hwpx?|pdf|zip)($|\?)|oembed|newsletter", re.I
)
_PATHS = ("/rss.xml", "/rss", "/feed", "/atom.xml", "/feed.xml", "/rss.do")
_ROOT = re.compile(r"<(?:[\w.-]+:)?(rss|feed|RDF)[\s>]")
_VERSION = re.compile(r"<rss[^>]{0,400}?\sversion\s*=\s*[\"']([\d.]{1,6})[\"']")
_TITLE = re.compile(r"<(?:[\w.-]+:)?title[^>]*>(.*?)</(?:[\w.-]+:)?title\s*>", re.DOTALL)
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An address that may be a feed. ``how``: announced, linked or guessed."""

    url: str
    title: str
    how: str


def feed_links(text: str, url: str) -> tuple[Candidate, ...]:
    """The page's announced feeds first, then anchors of the same site whose address or text speaks of a feed."""
    tree = parsers.html(text)
    base = tree.css_first("base[href]")
    root = urljoin(url, base.attributes.get("href") or "") if base else url
    found: dict[str, Candidate] = {}
    for one in (*_announced(tree, root), *_linked(tree, root)):
        key = canonical(one.url)
        if key != canonical(url):
            found.setdefault(key, one)
    return tuple(found.values())


def guesses(url: str) -> tuple[Candidate, ...]:
    """Where feeds often are, for a site that announces none."""
    parts = urlsplit(url)
    return tuple(Candidate(url=f"{parts.scheme}://{parts.netloc}{path}", title="", how="guessed") for path in _PATHS)


def described(text: str) -> tuple[str, str]:
    """(format, title) of a feed as its first lines tell: ``("RSS 2.0", "보도자료")``; ``("", "")`` for no feed."""
    if text.lstrip().startswith("{"):
        return _json(text)
    root = _ROOT.search(text[:20_000])
    if not root:
        return "", ""
    version = _VERSION.search(text[:20_000])
    name = {"feed": "Atom", "RDF": "RSS 1.0"}.get(root[1], f"RSS {version[1]}" if version else "RSS")
    title = _TITLE.search(text[root.end() : root.end() + 50_000])
    said = _CDATA.sub(lambda part: part[1], title[1]) if title else ""
    return name, one_line(html.unescape(said))


def _json(text: str) -> tuple[str, str]:
    try:
        feed = json.loads(text)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(feed, dict) or "jsonfeed.org/version" not in str(feed.get("version")):
        return "", ""
    return "JSON Feed", one_line(str(feed.get("title") or ""))


def _announced(tree: Tree, base: str) -> Iterator[Candidate]:
    for node in tree.css("link[href]"):
        said = node.attributes
        if "alternate" not in (said.get("rel") or "").lower().split() or not _TYPES.match(said.get("type") or ""):
            continue
        if link := absolute(said.get("href") or "", base):
            yield Candidate(url=link, title=one_line(said.get("title") or ""), how="announced")


def _linked(tree: Tree, base: str) -> Iterator[Candidate]:
    for node in tree.css("a[href]"):
        href, text = node.attributes.get("href") or "", one_line(node.text() or node.attributes.get("title") or "")
        pictures = " ".join(one.attributes.get("alt") or "" for one in node.css("img"))
        link = absolute(href, base)
        if not link or _NO_FEED.search(link) or not _same_site(link, base):
            continue
        if _ADDRESS.search(urlsplit(link).path + "?" + urlsplit(link).query) or _WORDS.search(f"{text} {pictures}"):
            yield Candidate(url=link, title=text or one_line(pictures), how="linked")


def _same_site(link: str, base: str) -> bool:
    """Of the same organisation: the last three labels of the host, or two where there are no more."""
    ours, theirs = ((urlsplit(one).hostname or "").split(".") for one in (link, base))
    return ours[-3:] == theirs[-3:] or (ours[-2:] == theirs[-2:] and len(ours[-1]) > 2)
