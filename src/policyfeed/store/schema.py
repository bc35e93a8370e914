"""The tables; a change here needs a migration in ``migrations/``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    literal_column,
    true,
)

from policyfeed.types import Kind

HEAD = "0007"
"""The newest migration: what a database of this version says in ``alembic_version``."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime, kept in UTC. SQLite has no zones: there it is stored naive and means UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        """SQLite's text is written here: the same as SQLAlchemy's, for a quarter of the time."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return _in_utc(value) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime was about to be stored")
    return value.astimezone(UTC)


@lru_cache(maxsize=32)  # of the dozens that a poll writes many are the moment of its end
def _as_text(value: datetime | None) -> str | None:
    return _in_utc(value).replace(tzinfo=None).isoformat(" ", "microseconds") if value is not None else None


BigId = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

sources = Table(
    "sources",
    metadata,
    Column("id", String(100), primary_key=True),
    Column("fingerprint", String(64), nullable=False, default=""),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", String(64)),
    Column("final_url", Text, nullable=False, default=""),
    Column("asked_whole", UtcDateTime),
    Column("cursor", JSON, nullable=False, default=dict),
    Column("wishes", JSON, nullable=False, default=dict),
    Column("profile", Text, nullable=False, default=""),
    Column("due", UtcDateTime),
    Column("first_contact", UtcDateTime),
    Column("last_poll", UtcDateTime),
    Column("last_success", UtcDateTime),
    Column("last_new", UtcDateTime),
    Column("listed", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("state", String(40), nullable=False, default="new"),
    Column("since", UtcDateTime),
    Column("error", Text, nullable=False, default=""),
    Column("remarks", Text, nullable=False, server_default=""),
    Column("url", Text, nullable=False, default=""),
    Column("moved_to", Text, nullable=False, default=""),
    Column("moved_times", Integer, nullable=False, default=0),
    Column("moved_since", UtcDateTime),
    Column("missing", Integer, nullable=False, default=0),
    Column("missing_since", UtcDateTime),
)

hosts = Table(
    "hosts",
    metadata,
    Column("name", String(300), primary_key=True),
    Column("refusals", Integer, nullable=False, default=0),
    Column("paused_until", UtcDateTime, nullable=False),
)

articles = Table(
    "articles",
    metadata,
    Column("number", BigId, primary_key=True, autoincrement=True),
    Column("id", String(100), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("title_mark", String(24), nullable=False),
    Column("head_mark", String(24)),
    Column("like_mark", String(24), nullable=False, server_default=""),
    Column("ministry_id", String(60), nullable=False),
    Column("ministry_name", Text, nullable=False),
    Column("ministries", JSON, nullable=False),
    Column("joint", Boolean, nullable=False),
    Column("department", Text, nullable=False),
    Column("kind", String(40), nullable=False),
    Column("tags", JSON, nullable=False),
    Column("published", UtcDateTime),
    Column("dated", Boolean, nullable=False),
    Column("updated", UtcDateTime),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("changed", UtcDateTime, nullable=False),
    Column("sort_time", UtcDateTime, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("language", String(20), nullable=False),
    Column("attachments", JSON, nullable=False),
    Column("licence", Text, nullable=False),
    Column("attribution", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("withdrawn", UtcDateTime),
    Index(None, "sort_time", "number"),
    Index(None, "ministry_id", "like_mark", "sort_time"),
    Index(None, "title_mark", "sort_time"),
    sqlite_autoincrement=True,
)
Index(None, articles.c.like_mark, articles.c.sort_time, sqlite_where=articles.c.joint == true())
Index(None, articles.c.head_mark, articles.c.sort_time, sqlite_where=articles.c.head_mark.is_not(None))
EXPLAINS = articles.c.kind == literal_column(f"'{Kind.EXPLANATION.value}'")
"""Written out, so that SQLite sees that the index holds what is asked for."""
Index(None, articles.c.sort_time, sqlite_where=EXPLAINS)

origins = Table(
    "origins",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("number", BigId, ForeignKey("articles.number"), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Index(None, "key"),
)

copies = Table(
    "copies",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("key", Text, primary_key=True),
    Column("seen", JSON, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("number", BigId, ForeignKey("articles.number"), primary_key=True),
    Column("answered", BigId, ForeignKey("articles.number"), primary_key=True, index=True),
)

revisions = Table(
    "revisions",
    metadata,
    Column("number", BigId, ForeignKey("articles.number"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("seen", UtcDateTime, nullable=False),
    Column("source", String(100), nullable=False),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("content", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("number", BigId, ForeignKey("articles.number"), primary_key=True),
    Column("kept", Boolean, nullable=False),
    Column("alert", Boolean, nullable=False),
    Column("score", Float, nullable=False),
    Column("topics", JSON, nullable=False),
    Column("pillars", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("rule_version", String(64), nullable=False),
    Column("judged", UtcDateTime, nullable=False),
)

labels = Table(
    "labels",
    metadata,
    Column("number", BigId, ForeignKey("articles.number"), primary_key=True),
    Column("relevant", Boolean, nullable=False),
    Column("topic", String(60), nullable=False),
    Column("sampled", Boolean, nullable=False),
    Column("said", UtcDateTime, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("source", String(100), nullable=False),
    Column("name", Text, nullable=False),
    Column("condition", String(40), nullable=False),
    Column("recovered", Boolean, nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("detail", Text, nullable=False),
    Column("created", UtcDateTime, nullable=False),
)

health = Table(
    "health",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("condition", String(40), nullable=False),
    Column("since", UtcDateTime, nullable=False),
    Column("told", String(40), nullable=False, default=""),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("channel", String(100), nullable=False),
    Column("number", BigId, ForeignKey("articles.number")),
    Column("revision", Integer, nullable=False),
    Column("notice", String(200), ForeignKey("notices.id")),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcDateTime, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("leased_until", UtcDateTime),
    Column("delivered", UtcDateTime),
    Column("error", Text, nullable=False, default=""),
    UniqueConstraint("channel", "number", "revision"),
    Index(None, "state", "channel", "due"),
)

channels = Table(
    "channels",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("address", String(16), nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, default=0),
    Column("paused_until", UtcDateTime),
    Column("closed", Text, nullable=False, default=""),
)

feeds = Table(
    "feeds",
    metadata,
    Column("name", String(100), primary_key=True),
    Column("format", String(20), primary_key=True),
    Column("sha256", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("changed", UtcDateTime, nullable=False),
)

bodies = Table(
    "bodies",
    metadata,
    Column("number", BigId, ForeignKey("articles.number"), primary_key=True),
    Column("source", String(100), nullable=False),
    Column("url", Text, nullable=False),
    Column("host", String(255), nullable=False),
    Column("quiet", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", String(20), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("error", Text, nullable=False, default=""),
    Index(None, "state", "host", "due"),
)

backfills = Table(
    "backfills",
    metadata,
    Column("source", String(100), primary_key=True),
    Column("first_day", Date, primary_key=True),
    Column("last_day", Date, primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("next_day", Date, nullable=False),
    Column("place", JSON, nullable=False),
    Column("requests", Integer, nullable=False),
    Column("entries", Integer, nullable=False),
    Column("new", Integer, nullable=False),
    Column("joined", Integer, nullable=False),
    Column("done", UtcDateTime),
)
