"""The article as JSON: the one mapping behind ``--json`` lines, JSON Feed's ``_policyfeed`` and the webhook."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from policyfeed.types import Article, Judged, Reason, Verdict


def as_json(judged: Judged) -> dict[str, Any]:
    """An article and its verdict as JSON values; times are RFC 3339 in UTC, null where there is none.

    ``dated`` tells that upstream gave only a day: then ``published`` is that day's midnight in Korea.
    """
    return _article(judged.article) | verdict_json(judged.verdict)


def ministry_name(given: object) -> str:
    """A ministry's name, as a person writes it or as ``as_json`` gives it."""
    return str((given.get("name") if isinstance(given, dict) else given) or "")


def _article(article: Article) -> dict[str, Any]:
    return {
        "id": article.id,
        "number": article.number,
        "title": article.title,
        "ministry": {"id": article.ministry.id, "name": article.ministry.name},
        "ministries": [{"id": one.id, "name": one.name} for one in article.ministries or (article.ministry,)],
        "department": article.department,
        "kind": article.kind.value,
        "tags": list(article.tags),
        "published": time(article.published),
        "dated": article.dated,
        "updated": time(article.updated),
        "first_seen": time(article.first_seen),
        "url": article.url,
        "summary": article.summary,
        "origins": [{"source": one.source, "url": one.url, "title": one.title} for one in article.origins],
        "attachments": [{"name": one.name, "url": one.url, "type": one.type} for one in article.attachments],
        "licence": article.licence,
        "attribution": article.attribution,
        "revision": article.revision,
        "withdrawn": time(article.withdrawn),
        "answers": [
            {"id": one.id, "number": one.number, "title": one.title, "url": one.url} for one in article.answers
        ],
    }


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """kept, alert, score, topics, pillars, reasons."""
    return {
        "kept": verdict.kept,
        "alert": verdict.alert,
        "score": verdict.score,
        "topics": list(verdict.topics),
        "pillars": list(verdict.pillars),
        "reasons": [_reason(one) for one in verdict.reasons],
    }


def _reason(reason: Reason) -> dict[str, Any]:
    return {
        "rule": reason.rule,
        "points": reason.points,
        "topic": reason.topic,
        "term": reason.term,
        "field": reason.field,
        "offset": reason.offset,
    }


def time(moment: datetime | None) -> str | None:
    """RFC 3339 in UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
