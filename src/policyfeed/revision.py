"""What becomes of an article when more of it is seen: joined by a copy, parted from one, revised. Pure.

A merge deletes nothing: every origin is kept. Which articles are one release, ``identity`` says.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from policyfeed.clock import KST
from policyfeed.identity import mint, same_day, title_mark
from policyfeed.types import Article, Attachment, Kind, Origin

_MARKUP = re.compile(r"<[^>]*>")
_PARTICULAR = (Kind.REFERENCE, Kind.EXPLANATION, Kind.ACTIVITY)
"""Kinds of press releases: where one place says so, and another only that it is one, the first knows better."""


def join(known: Article, seen: Article, now: datetime) -> Article:
    """The known article with another place's origin, and with what that place adds: text, time, files, credits."""
    credited = {ministry.id for ministry in known.ministries}
    joined = replace(
        known,
        origins=(*known.origins, *(one for one in seen.origins if not _holds(known, one))),
        ministries=(*known.ministries, *(one for one in seen.ministries if one.id not in credited)),
        summary=known.summary or seen.summary,
        content=known.content or seen.content,
        department=known.department or seen.department,
        licence=known.licence or seen.licence,
        kind=seen.kind if known.kind is Kind.PRESS_RELEASE and seen.kind in _PARTICULAR else known.kind,
        attachments=(*known.attachments, *(one for one in seen.attachments if one not in known.attachments)),
    )
    joined = _timed(joined, seen)
    return joined if joined == known else replace(joined, changed=now)


def _timed(known: Article, seen: Article) -> Article:
    """The known article with the date, or the time of its day, that it lacks. A date that it has stays: many sites
    date a release anew when they mend it."""
    if known.published is None or (known.dated and not seen.dated and same_day(known, seen)):
        return replace(known, published=seen.published, dated=seen.dated)
    return known


def separate(known: Article, copy: Article, others: Iterable[Article], now: datetime) -> tuple[Article, Article]:
    """The two articles that a merge leaves when it is undone: what is left of the known one, and the copy alone.

    ``others`` are the copies that stay. What only this copy brought (text, files, credits) goes with it, and a
    licence of both: nobody remembers who brought it.
    """
    first, origin, stay = known.origins[0], copy.origins[0], tuple(others)
    credited = {known.ministry.id, *(ministry.id for one in stay for ministry in one.ministries)}
    kept = next((one.licence for one in stay if one.licence), "")
    theirs = [item for item in copy.attachments if not any(item in one.attachments for one in stay)]
    left = replace(
        known,
        origins=tuple(one for one in known.origins if one != origin),
        ministries=tuple(one for one in known.ministries if one.id in credited or one not in copy.ministries),
        summary="" if known.summary == copy.summary and _said_at(first, "", "") else known.summary,
        content="" if known.content == copy.content and not _said_at(first, "", known.content) else known.content,
        licence=kept if known.licence == copy.licence else known.licence,
        attachments=tuple(item for item in known.attachments if item not in theirs),
        changed=now,
    )
    return left, replace(copy, id=mint(origin.key), updated=copy.updated or copy.sort_time, changed=now)


def apart(seen: Article) -> Article:
    """The article under a key of its own, as its place is also another one's: by its day and title."""
    origin = seen.origins[0]
    day = f"{seen.sort_time.astimezone(KST):%Y%m%d}"
    return replace(seen, origins=(replace(origin, key=f"{origin.key}#{day}{title_mark(seen.title)}"),))


def revise(known: Article, seen: Article, now: datetime) -> Article | None:
    """The known article's next revision, when the place that it was taken from now says something else; else None.

    Another place's slip or correction changes only that origin, unless the text was taken from there. A date that was
    missing is no revision: the article then has the number of the known one. Files are those of the last list where
    no other place gave some.
    """
    origin = seen.origins[0]
    was = next(one for one in known.origins if (one.source, one.key) == (origin.source, origin.key))
    if was == known.origins[0]:
        fresh = replace(
            known,
            title=seen.title,
            kind=seen.kind,
            tags=seen.tags,
            summary=seen.summary or known.summary,
            content=seen.content or known.content,
            attachments=_files(known, seen),
        )
    elif _said_at(was, known.summary, known.content):
        fresh = replace(known, content=seen.content or known.content)
    else:
        return None
    if fresh != known:
        return _timed(replace(fresh, revision=known.revision + 1, updated=now, changed=now), seen)
    timed = _timed(known, seen)
    return replace(timed, changed=now) if timed != known else None


def resettled(known: Article, seen: Article, copies: Sequence[Article], now: datetime) -> Article | None:
    """The known article as other settings of a source have it, though its place says the same; None where nothing of it
    is other. That is no revision. ``copies`` are what all further places say: what they know better stays.
    """
    own = (known.origins[0].source, known.origins[0].key) == (seen.origins[0].source, seen.origins[0].key)
    fresh = _retaken(known, seen, copies) if own else known
    credited = (fresh.ministry, *(one for copy in copies for one in copy.ministries))
    once = (one for n, one in enumerate(credited) if one.id not in {before.id for before in credited[:n]})
    fresh = replace(fresh, ministries=tuple(once))
    return replace(fresh, changed=now) if fresh != known else None


def _retaken(known: Article, seen: Article, copies: Sequence[Article]) -> Article:
    """What is taken from the first place."""
    particular = known.kind in _PARTICULAR and any(one.kind is known.kind for one in copies)
    coarser = seen.dated and not known.dated and same_day(known, seen)
    timed = seen if seen.published is not None and not coarser else known
    fresh = replace(
        known,
        kind=known.kind if particular else seen.kind,
        ministry=seen.ministry,
        department=seen.department or known.department,
        published=timed.published,
        dated=timed.dated,
        attachments=(*known.attachments, *(one for one in seen.attachments if one not in known.attachments)),
        language=seen.language,
        licence=known.licence or seen.licence,
        attribution=seen.attribution,
    )
    return replace(fresh, updated=fresh.sort_time) if known.updated == known.sort_time else fresh


def _files(known: Article, seen: Article) -> tuple[Attachment, ...]:
    """The files of the list where it has others than before; what another place, or the release's page, gave is kept
    as long as it has not."""
    others = len(known.origins) > 1 or all(one in known.attachments for one in seen.attachments)
    return known.attachments if others else seen.attachments


def digest(title: str, summary: str, content: str, *, timeless: bool = False) -> str:
    """The hash of what is said (SHA-256, hex): white space, session ids and markup attributes do not count.

    Of dates it tells only whether there is none (``timeless``), so that one which is given later is noticed.
    """
    text = _unspaced(_MARKUP.sub("", content)) or _unspaced(summary)
    said = f"{title}\x1f{text}\x1f" if timeless else f"{title}\x1f{text}"
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()


def _said_at(place: Origin, summary: str, content: str) -> bool:
    """Whether these texts are what was said there."""
    return place.digest in (digest(place.title, summary, content, timeless=one) for one in (False, True))


def _unspaced(text: str) -> str:
    close = text.replace(" ", "").replace("\n", "")
    return close if close.isprintable() else "".join(close.split())  # what is printable holds no other white space


def _holds(article: Article, origin: Origin) -> bool:
    return any((one.source, one.key) == (origin.source, origin.key) for one in article.origins)
