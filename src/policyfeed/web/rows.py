"""Articles as the pages show them: names in the reader's language, Korean time, links that may be followed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from policyfeed.clock import KST
from policyfeed.formats import web_link
from policyfeed.i18n import Translate
from policyfeed.naming import evidence, kind_name, pillar_name, rule_name, strongest, weighty
from policyfeed.types import Judged, Reason

_HANGUL = re.compile("[가-힣]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """A moment for ``<time>``: ``iso`` for machines, ``day`` and ``shown`` (with the time, where known) for people."""

    iso: str
    day: str
    shown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One reason, in words. ``evidence`` is the term with its place, or the rule where no term is named; the term is
    marked as Korean where it is.
    """

    evidence: str | Markup
    rule: str
    topic: str
    points: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    number: int
    title: str
    url: str
    ministries: str
    kind: str
    when: When
    score: str
    alert: bool
    pillars: tuple[Named, ...]
    topics: tuple[Named, ...]
    reasons: tuple[Told, ...]
    more: int
    """Further reasons, too slight to be told."""
    language: str


def row(judged: Judged, names: Mapping[str, str], translate: Translate) -> Row:
    """``names``: topic and pillar ids → names in the reader's language."""
    _ = translate
    article, verdict = judged.article, judged.verdict
    reasons, more = weighty(strongest(verdict))
    return Row(
        number=article.number,
        title=article.title or _("(untitled)"),
        url=web_link(article.url),
        ministries=", ".join(one.name for one in article.ministries or (article.ministry,)),
        kind=kind_name(article.kind, translate),
        when=when(article.sort_time, dated=article.dated and article.published is not None),
        score=f"{verdict.score:.0f}",
        alert=verdict.alert,
        pillars=tuple(Named(id=id_, name=names.get(id_) or pillar_name(id_, translate)) for id_ in verdict.pillars),
        topics=tuple(Named(id=id_, name=names.get(id_, "")) for id_ in verdict.topics),
        reasons=tuple(_told(reason, names, translate) for reason in reasons),
        more=more,
        language=article.language,
    )


def when(moment: datetime, *, dated: bool = False) -> When:
    """``dated``: only the day is known."""
    there = moment.astimezone(KST)
    day = f"{there:%Y-%m-%d}"
    return When(
        iso=day if dated else there.isoformat(timespec="seconds"),
        day=day,
        shown=day if dated else f"{there:%Y-%m-%d %H:%M}",
    )


def span(seconds: float, translate: Translate) -> str:
    """A time that passed, in the unit that tells it best."""
    _ = translate
    if seconds < 90:
        return _("{seconds:.0f} s").format(seconds=seconds)
    if seconds < 90 * 60:
        return _("{minutes:.0f} min").format(minutes=seconds / 60)
    return _("{hours:.1f} h").format(hours=seconds / 3600)


def _told(reason: Reason, names: Mapping[str, str], translate: Translate) -> Told:
    rule = rule_name(reason.rule, translate)
    return Told(
        evidence=_marked(evidence(reason, translate), reason.term.strip("|*")) if reason.term else rule,
        rule=rule,
        topic=" ".join(filter(None, (reason.topic, names.get(reason.topic, "")))),
        points=f"{reason.points:+.1f}".replace("-", "−"),
    )


def _marked(said: str, term: str) -> str | Markup:
    """What is said of a term, which stays Korean in every language of the pages (WCAG 3.1.2)."""
    if not _HANGUL.search(term):
        return said
    before, there, after = said.partition(term)
    return Markup('{}<span lang="ko">{}</span>{}').format(before, there, after)
