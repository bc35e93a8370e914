"""An article and what its own page says → the article with its body: text, time of day, files, licence."""

from __future__ import annotations

import html as escapes
import re
from dataclasses import replace
from datetime import datetime

from policyfeed.clock import KST
from policyfeed.identity import close_title
from policyfeed.normalize import dates, html
from policyfeed.normalize.article import NAME_LIMIT, SUMMARY_LIMIT, attached
from policyfeed.normalize.text import one_line, shorten
from policyfeed.types import Article, Attachment, Detail, Source

_PARAGRAPH = re.compile(r"^<p>(.*?)</p>\s*", re.DOTALL)
_KOGL = re.compile(r"제?\s*([0-4])\s*유형")
_SEE_ATTACHED = re.compile(
    r"(?:자세한|상세한?)?\s*(?:내용은)?\s*(?:붙임|첨부)\s*(?:파일|자료|문서)?(?:을|를)?\s*참[고조]\W*"
)
"""What stands in the place of a lead where a release is only its attachment."""
_LETTER = re.compile(r"\S")
_OPENING = 3
"""Paragraphs at a text's beginning in which a subtitle may stand already."""


def enrich(known: Article, detail: Detail, source: Source, now: datetime, *, own_text: bool = False) -> Article:
    """The known article with what its own page adds; the very same one when that is nothing.

    ``own_text``: the text that is known came from this page; else it is kept, since another place gave it. A day
    becomes a time of day when both are of the same Korean day. It is no revision: the publisher changed nothing.
    """
    content = _content(known, detail) if own_text or not known.content else known.content
    published, dated = _published(known, detail, source)
    fresh = replace(
        known,
        content=content,
        summary=_summary(known.summary, content),
        department=known.department or shorten(one_line(detail.department), NAME_LIMIT),
        published=published,
        dated=dated,
        updated=_updated(known, published, detail, source, now),
        attachments=_attachments(known, detail),
        licence=licence(detail.licence) or known.licence,
    )
    return known if fresh == known else replace(fresh, changed=now)


def licence(mark: str) -> str:
    """The KOGL licence that a mark names (``공공누리 제1유형``); "" when it names none."""
    found = _KOGL.search(one_line(mark))
    return kogl(found[1]) if found else ""


def kogl(number: str) -> str:
    """The type of the Korea Open Government License (공공누리) that has this number, from 0 to 4."""
    return f"공공누리 제{number}유형 (KOGL Type {number})"


def _content(known: Article, detail: Detail) -> str:
    """The subtitles and the text, without the title that documents begin with."""
    text = html.sanitize(detail.content, known.url)
    if not text:
        return known.content
    titles = {close_title(known.title), *(close_title(origin.title) for origin in known.origins)}
    found = _PARAGRAPH.match(text)
    if found and text[found.end() :] and close_title(html.to_line(found[1])) in titles:
        text = text[found.end() :]
    opening = close_title("".join(html.to_text(text).split("\n")[:_OPENING]))
    said = [one for one in map(one_line, detail.subtitles) if one and close_title(one) not in opening]
    return "".join(f"<h2>{escapes.escape(one, quote=False)}</h2>" for one in said) + text


def _summary(summary: str, content: str) -> str:
    if summary and not _SEE_ATTACHED.fullmatch(summary):
        return _respaced(summary, html.opening(content, 2 * len(summary)))
    return shorten(html.to_line(content), SUMMARY_LIMIT) or summary


def _respaced(summary: str, text: str) -> str:
    """The summary with the white space of the text that it begins: korea.kr's list glues paragraphs together."""
    said = summary.removesuffix("…")
    letters = list(_LETTER.finditer(text))[: len("".join(said.split()))]
    if not letters or "".join(one[0] for one in letters) != "".join(said.split()):
        return summary
    return text[: letters[-1].end()] + summary[len(said) :]


def _published(known: Article, detail: Detail, source: Source) -> tuple[datetime | None, bool]:
    said = dates.parse(detail.published, source.timezone)
    if said is None or said.dated:
        return known.published, known.dated
    if known.published is None or (known.dated and _day(known.published) == _day(said.at)):
        return said.at, False
    return known.published, known.dated


def _updated(
    known: Article, published: datetime | None, detail: Detail, source: Source, now: datetime
) -> datetime | None:
    """Upstream's own word, unless it lies in the future; never before the publication."""
    said = dates.parse(detail.updated, source.timezone)
    moments = [known.updated, published, said.at if said and not said.dated and said.at <= now else None]
    return max((moment for moment in moments if moment is not None), default=None)


def _attachments(known: Article, detail: Detail) -> tuple[Attachment, ...]:
    """Those known, and those listed on the page that are not among them."""
    found = {one.url: one for one in known.attachments}
    for one in attached(detail.attachments, known.url):
        found.setdefault(one.url, one)
    return tuple(found.values())


def _day(moment: datetime) -> object:
    return moment.astimezone(KST).date()
