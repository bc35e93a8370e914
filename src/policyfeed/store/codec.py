"""Rows ↔ the vocabulary's values. The columns' names are the fields' names wherever that is possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from policyfeed.identity import head_mark, like_mark, title_mark
from policyfeed.types import (
    Article,
    Attachment,
    Delivery,
    DeliveryState,
    Kind,
    MinistryName,
    Named,
    Origin,
    Reason,
    Verdict,
)

_PLAIN = (
    "id", "title", "department", "published", "dated", "updated", "first_seen", "changed", "summary", "content", "url",
    "language", "licence", "attribution", "revision", "withdrawn",
)  # fmt: skip


_MOMENTS = ("published", "updated", "first_seen", "changed", "withdrawn")


def article_row(article: Article) -> dict[str, Any]:
    """An article's columns, without ``number``."""
    row: dict[str, Any] = {name: getattr(article, name) for name in _PLAIN}
    row |= {
        "title_mark": title_mark(article.title),
        "head_mark": head_mark(article.title),
        "like_mark": like_mark(article.title),
        "joint": len(article.ministries) > 1,
        "ministry_id": article.ministry.id,
        "ministry_name": article.ministry.name,
        "ministries": [[ministry.id, ministry.name] for ministry in article.ministries],
        "kind": article.kind.value,
        "tags": list(article.tags),
        "sort_time": article.sort_time,
        "attachments": [[item.name, item.url, item.type] for item in article.attachments],
    }
    return row


def copy_row(article: Article) -> dict[str, Any]:
    """An article's columns as JSON values."""
    row = article_row(article).items()
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row}


def copy(said: Mapping[str, Any], origin: Origin) -> Article:
    moments = {name: datetime.fromisoformat(said[name]) for name in _MOMENTS if said[name]}
    return article({**said, **moments, "number": 0}, [origin], ())


def article(row: RowMapping | Mapping[str, Any], origins: Sequence[Origin], answers: Sequence[Named]) -> Article:
    return Article(
        **{name: row[name] for name in _PLAIN},
        number=row["number"],
        ministry=MinistryName(id=row["ministry_id"], name=row["ministry_name"]),
        ministries=tuple(MinistryName(id=id_, name=name) for id_, name in row["ministries"]),
        kind=Kind(row["kind"]),
        tags=tuple(row["tags"]),
        attachments=tuple(Attachment(name=name, url=url, type=type_) for name, url, type_ in row["attachments"]),
        origins=tuple(origins),
        answers=tuple(answers),
    )


def origin(row: RowMapping) -> Origin:
    return Origin(**{name: row[name] for name in ("source", "key", "url", "title", "digest", "first_seen")})


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {
        "kept": verdict.kept,
        "alert": verdict.alert,
        "score": verdict.score,
        "topics": list(verdict.topics),
        "pillars": list(verdict.pillars),
        "reasons": [[r.rule, r.points, r.topic, r.term, r.field, r.offset] for r in verdict.reasons],
        "rule_version": verdict.rule_version,
    }


def verdict(row: RowMapping) -> Verdict:
    return Verdict(
        kept=row["kept"],
        alert=row["alert"],
        score=row["score"],
        topics=tuple(row["topics"]),
        pillars=tuple(row["pillars"]),
        reasons=tuple(
            Reason(rule=rule, points=points, topic=topic, term=term, field=field, offset=offset)
            for rule, points, topic, term, field, offset in row["reasons"]
        ),
        rule_version=row["rule_version"],
    )


def delivery(row: RowMapping) -> Delivery:
    names = ("key", "channel", "revision", "attempts", "created", "due", "leased_until", "delivered", "error")
    return Delivery(
        **{name: row[name] for name in names},
        number=row["number"] or 0,
        notice=row["notice"] or "",
        state=DeliveryState(row["state"]),
    )
