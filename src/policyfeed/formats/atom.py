"""Atom (RFC 4287), laid out by feedgen."""

from __future__ import annotations

from collections.abc import Sequence

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from policyfeed.formats import EPOCH, SCHEMES, Feed, Rendered, Shown, collect, updated
from policyfeed.i18n import translator
from policyfeed.types import Judged

EXTENSION = "atom"
MEDIA_TYPE = "application/atom+xml"

_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def render(feed: Feed, articles: Sequence[Judged]) -> Rendered:
    """The feed as UTF-8 XML. An article that cannot be shown, or whose id came before, is left out and named."""
    entries, left_out = collect(feed, EXTENSION, articles, _entry)
    head = _head(feed, articles).atom_str(pretty=True)
    end = head.rindex(b"</feed>")
    return Rendered(body=head[:end] + b"".join(entries) + head[end:], left_out=left_out)


def _head(feed: Feed, articles: Sequence[Judged]) -> FeedGenerator:
    _ = translator(feed.language)
    document = FeedGenerator()
    document.id(feed.id)
    document.title(feed.title)
    document.subtitle(feed.subtitle or None)
    document.language(feed.language)
    document.updated(updated(articles))
    document.generator("policyfeed")
    document.rights(_("Each entry names its source, and its licence where the publisher states one."))
    author = {"name": "policyfeed"}
    if feed.base_url:
        document.link(href=feed.url(EXTENSION), rel="self", type=MEDIA_TYPE)
        document.link(href=f"{feed.base_url}/", rel="alternate", type="text/html")
        document.icon(f"{feed.base_url}/static/icon.svg")
        author["uri"] = f"{feed.base_url}/"
    document.author(author)
    return document


def _entry(feed: Feed, one: Shown, _judged: Judged) -> bytes:
    """One entry as it stands in a feed. Raises ValueError when XML cannot carry it."""
    entry = FeedEntry()
    entry.id(one.id)
    entry.title(one.title)
    entry.updated(one.updated)
    entry.published(one.published)
    entry.author([{"name": name} for name in one.authors])
    entry.summary(one.summary)
    entry.rights(one.rights or None)
    if one.content:
        entry.content(one.content, type="html")
    entry.link(href=one.url, rel="alternate")
    for category in one.categories:
        entry.category(term=category.term, scheme=f"{SCHEMES}{category.scheme}", label=category.label)
    entry.register_extension("beyond_feedgen", _Beyond, atom=True, rss=False)
    entry.beyond_feedgen.of(feed, one)
    around = FeedGenerator()
    around.id(feed.id)
    around.title(feed.name)
    around.updated(EPOCH)
    around.add_entry(entry)
    body: bytes = around.atom_str(pretty=True)
    return body[body.index(b"  <entry") : body.rindex(b"</feed>")]


class _Beyond(BaseEntryExtension):  # type: ignore[misc]  # feedgen ships no types
    """What feedgen's entries lack: links' ``rel`` and ``type`` (feedgen 1.0.0 loses them), ``atom:source`` with an id
    (RFC 4287 §4.2.11), and a language of their own.
    """

    def of(self, feed: Feed, one: Shown) -> None:
        self._one, self._own_language = one, one.language != feed.language

    def extend_atom(self, entry: etree._Element) -> None:
        if self._own_language:
            entry.set(_LANG, self._one.language)
        for rel, urls in (("via", self._one.via), ("related", (self._one.page, *self._one.answers))):
            for url in filter(None, urls):
                etree.SubElement(entry, "link", href=url, rel=rel, type="text/html")
        for enclosure in self._one.enclosures:
            link = etree.SubElement(entry, "link", href=enclosure.url, rel="enclosure")
            for name, value in (("type", enclosure.type), ("title", enclosure.title)):
                if value:
                    link.set(name, value)
        source = etree.SubElement(entry, "source")
        etree.SubElement(source, "id").text = self._one.source_id
        etree.SubElement(source, "title").text = self._one.source.name
        # RFC 4287 §4.2.11 wants it; of the source as it is now nothing may stand here, or old entries would change
        etree.SubElement(source, "updated").text = self._one.first_seen.isoformat()
        etree.SubElement(source, "link", href=self._one.source.url, rel="alternate")
        if self._one.source.feed:
            etree.SubElement(source, "link", href=self._one.source.feed, rel="self")
