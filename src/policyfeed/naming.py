"""What kinds, pillars and the pieces of a verdict are called in the reader's language. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from policyfeed.i18n import Translate
from policyfeed.types import Kind, Reason, Verdict

NOTHING = 0.05


def strongest(verdict: Verdict) -> list[Reason]:
    """The reasons, those of most weight first."""
    return sorted(verdict.reasons, key=lambda reason: (-abs(reason.points), reason.offset, reason.term))


def weighty(reasons: Sequence[Reason]) -> tuple[list[Reason], int]:
    """The reasons whose points are no 0.0 in print, in their order, and how many others there are."""
    found = [reason for reason in reasons if abs(reason.points) >= NOTHING]
    return found, len(reasons) - len(found)


def evidence(reason: Reason, translate: Translate) -> str:
    """A term and where it stood: 탄소중립(제목). The signs of the topics' files (``|`` and ``*``) are for editors."""
    _ = translate
    place = field_name(reason.field, translate)
    term = reason.term.strip("|*")
    return _("{term} ({place})").format(term=term, place=place) if place else term


def field_name(name: str, translate: Translate) -> str:
    """An article's field in the reader's language."""
    _ = translate
    names = {"title": _("title"), "summary": _("summary"), "lead": _("lead"), "content": _("text"), "body": _("text")}
    return names.get(name, name)


def rule_name(rule: str, translate: Translate) -> str:
    """A rule of the verdict in the reader's language; an unknown one as it is."""
    _ = translate
    names = {
        "term": _("term"),
        "phrase": _("phrase"),
        "word": _("learned word"),
        "genre": _("genre"),
        "ministry": _("ministry"),
        "kind": _("kind"),
        "title only": _("title without text"),
        "no strong term": _("no strong term"),
        "base": _("base"),
    }
    return names.get(rule, rule)


def kind_name(kind: Kind, translate: Translate) -> str:
    """A kind of publication in the reader's language."""
    _ = translate
    return {
        Kind.PRESS_RELEASE: _("press release"),
        Kind.REFERENCE: _("reference material"),
        Kind.EXPLANATION: _("explanation"),
        Kind.ACTIVITY: _("activity"),
        Kind.BRIEFING: _("briefing"),
        Kind.POLICY_NEWS: _("policy news"),
        Kind.NOTICE: _("notice"),
    }[kind]


def pillar_name(pillar: str, translate: Translate) -> str:
    """A pillar in the reader's language; an unknown one as it is."""
    _ = translate
    return {"E": _("environment"), "S": _("social"), "G": _("governance")}.get(pillar, pillar)
