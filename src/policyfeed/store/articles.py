"""Articles with their origins, revisions and verdicts."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Connection,
    Insert,
    Integer,
    RowMapping,
    Select,
    String,
    TableClause,
    and_,
    bindparam,
    column,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
)

from policyfeed import identity
from policyfeed.normalize import links
from policyfeed.selection import Selection
from policyfeed.store import answers, codec, sieve
from policyfeed.store.prepared import Prepared, insertion
from policyfeed.store.schema import UtcDateTime, articles, origins, revisions, verdicts
from policyfeed.types import Article, Judged, Kind, Origin, Verdict

_NEWEST = (articles.c.sort_time.desc(), articles.c.number.desc())
_BATCH = 500  # SQLite takes at most 32,766 parameters in a statement
_VERDICT = [column for column in verdicts.c if column.name != "number"]


_SOME = origins.c.key.in_(bindparam("some", expanding=True))
_PLACES = Prepared(select(origins.c.source, origins.c.key, origins.c.number, origins.c.digest).where(_SOME))
_TIMES = articles.c.sort_time.between(bindparam("start", type_=UtcDateTime), bindparam("end", type_=UtcDateTime))
_LIKE = articles.c.like_mark.in_(bindparam("likes", expanding=True))
_TITLES = Prepared(
    union(
        *(
            select(articles.c.number, articles.c.title, articles.c.sort_time).where(where, _TIMES)
            for where in (
                and_(articles.c.ministry_id.in_(bindparam("ministries", expanding=True)), _LIKE),
                and_(articles.c.joint, _LIKE),
                articles.c.title_mark.in_(bindparam("heads", expanding=True)),
                articles.c.head_mark.in_(bindparam("marks", expanding=True)),
            )
        )
    )
)
_SEQUENCE = TableClause("sqlite_sequence", column("seq", Integer), column("name", String))
_LAST = Prepared(select(_SEQUENCE.c.seq).where(_SEQUENCE.c.name == bindparam("of")))
_INSERT, _INSERT_ORIGIN = insertion(articles), insertion(origins)
_INSERT_VERDICT = insertion(verdicts)


def by_keys(tx: Connection, keys: Iterable[str]) -> dict[str, int]:
    """Canonical key → article number, for the keys that are known from any source."""
    return {key: number for _, key, number, _ in places(tx, keys)}


def places(tx: Connection, keys: Iterable[str]) -> list[tuple[str, str, int, str]]:
    """(source, key, article number, digest of what the source last published there) for the keys that are known."""
    found: list[tuple[str, str, int, str]] = []
    for some in _batches(list(keys)):
        found.extend(_PLACES.rows(tx, some=some))
    return found


def get(tx: Connection, numbers: Iterable[int]) -> dict[int, Article]:
    """Number → article, its origins included."""
    return {judged.article.number: judged.article for judged in _load(tx, list(numbers))}


def judged(tx: Connection, numbers: Iterable[int]) -> dict[int, Judged]:
    return {one.article.number: one for one in _load(tx, list(numbers))}


def find(tx: Connection, wanted: str) -> Judged | None:
    """One article by number, Atom id, canonical key or URL (its own or an origin's), however the page was reached."""
    if re.fullmatch("[0-9]{1,18}", wanted) and (found := judged(tx, [int(wanted)])):
        return found[int(wanted)]
    where = or_(articles.c.id == wanted, articles.c.url == wanted)
    number = tx.execute(select(articles.c.number).where(where)).scalar()
    if number is None:
        page = links.canonical(links.absolute(wanted, wanted))
        where = or_(origins.c.key.in_({wanted, page}), origins.c.url == wanted)
        number = tx.execute(select(origins.c.number).where(where)).scalar()
    return judged(tx, [number])[number] if number is not None else None


def between(tx: Connection, start: datetime, end: datetime) -> list[Article]:
    """Articles published (or, without a date, first seen) in [start, end], oldest first."""
    where = articles.c.sort_time.between(start, end)
    numbers = tx.execute(select(articles.c.number).where(where).order_by(articles.c.sort_time, articles.c.number))
    found = get(tx, wanted := list(numbers.scalars()))
    return [found[number] for number in wanted]


def dropped(tx: Connection, start: datetime, end: datetime) -> list[tuple[int, str]]:
    """(number, id) of the articles before ``end`` and not before ``start`` that are dropped."""
    where = (~verdicts.c.kept, articles.c.sort_time >= start, articles.c.sort_time < end)
    statement = select(articles.c.number, articles.c.id).join(verdicts, verdicts.c.number == articles.c.number)
    return [(number, id_) for number, id_ in tx.execute(statement.where(*where))]


def titles(
    tx: Connection, start: datetime, end: datetime, ministries: Iterable[str], like: Iterable[str]
) -> list[tuple[int, str, datetime]]:
    """(number, title, time) of the articles in [start, end] whose titles are equal to one of these, or its head, or of
    which it is the head; and of those of these ministries, or of several, whose titles can be alike.
    """
    found: set[tuple[int, str, datetime]] = set()
    credited = sorted(set(ministries))
    for some in _batches(sorted(set(like))):
        marks = [identity.title_mark(one) for one in some]
        heads = [*marks, *(mark for one in some if (mark := identity.head_mark(one)))]
        likes = sorted({identity.like_mark(one) for one in some})
        times = {"start": start, "end": end}
        found.update(_TITLES.rows(tx, **times, ministries=credited, likes=likes, heads=heads, marks=marks))
    return sorted(found)


def reserve(tx: Connection) -> int:
    """The number that the next article gets."""
    last = _LAST.rows(tx, of=articles.name)
    return int(last[0][0]) + 1 if last else 1


def insert(tx: Connection, article: Article) -> Article:
    """Store a new article under the next number; gives it back with that."""
    stored = replace(article, number=reserve(tx))
    insert_all(tx, [stored])
    return stored


def insert_all(tx: Connection, new: Sequence[Article]) -> None:
    """Store new articles, numbered already (``reserve``), with their origins."""
    _INSERT.run_all(tx, ({**codec.article_row(one), "number": one.number} for one in new))
    _INSERT_ORIGIN.run_all(tx, (_origin_row(one.number, place) for one in new for place in one.origins))
    for one in new:
        answers.link(tx, one)
    if new:
        answers.link_late(tx, new)


def insert_verdicts(tx: Connection, verdicts_: Mapping[int, Verdict], now: datetime) -> None:
    """Store the first verdicts of these articles."""
    rows = ({**codec.verdict_row(one), "judged": now, "number": number} for number, one in verdicts_.items())
    _INSERT_VERDICT.run_all(tx, rows)


def newest(
    tx: Connection, selection: Selection, limit: int, since: datetime | None = None, skip: int = 0
) -> list[Judged]:
    """The newest articles of a selection by publication time; ``since`` bounds it from below, ``skip`` pages on."""
    return _in_order(tx, _numbers(tx, selection, limit, since, skip))


def newest_each(tx: Connection, wanted: Sequence[tuple[Selection, int]]) -> list[list[Judged]]:
    """The newest articles of each selection, as many as its limit says: what several of them take is loaded once."""
    chosen = [_numbers(tx, selection, limit) for selection, limit in wanted]
    found = judged(tx, {number for numbers in chosen for number in numbers})
    return [[found[number] for number in numbers] for numbers in chosen]


def update(tx: Connection, article: Article, *, revised: bool) -> int:
    """Store a changed article; ``revised`` also keeps what it says now, and said at first. Origins are not touched.

    The number of rows written.
    """
    written = 1
    if revised:
        source = article.origins[0].source if article.origins else ""
        written += tx.execute(_keep_first(article.number, source)).rowcount
        tx.execute(revisions.insert().values(_revision_row(article, source)))
        written += 1
    tx.execute(articles.update().where(articles.c.number == article.number).values(codec.article_row(article)))
    answers.link(tx, article)
    return written


def complete(tx: Connection, article: Article) -> None:
    """Store what was found out later of the present revision: it is no other revision."""
    update(tx, article, revised=False)
    row = {"summary": article.summary, "content": article.content}
    where = and_(revisions.c.number == article.number, revisions.c.revision == article.revision)
    tx.execute(revisions.update().where(where).values(row))


def add_origin(tx: Connection, number: int, origin: Origin) -> None:
    tx.execute(origins.insert().values(_origin_row(number, origin)))


def remove_origin(tx: Connection, origin: Origin) -> None:
    """The place belongs to the article no more."""
    tx.execute(origins.delete().where(origins.c.source == origin.source, origins.c.key == origin.key))


def change_origin(tx: Connection, origin: Origin) -> None:
    """The source published something else under the same key."""
    where = and_(origins.c.source == origin.source, origins.c.key == origin.key)
    tx.execute(origins.update().where(where).values(title=origin.title, url=origin.url, digest=origin.digest))


def page(tx: Connection, before: tuple[datetime, int] | None, limit: int) -> list[Judged]:
    """Stored articles newest first; ``before`` is (sort time, number) of the last one of the page before."""
    statement = _statement()
    if before is not None:
        statement = statement.where(tuple_(articles.c.sort_time, articles.c.number) < tuple_(*before))
    return list(_build(tx, tx.execute(statement.order_by(*_NEWEST).limit(limit)).mappings().all()))


def save_verdict(tx: Connection, number: int, verdict: Verdict, now: datetime) -> None:
    row = {**codec.verdict_row(verdict), "judged": now}
    if not tx.execute(verdicts.update().where(verdicts.c.number == number).values(row)).rowcount:
        tx.execute(verdicts.insert().values(number=number, **row))


def withdraw(tx: Connection, number: int, now: datetime) -> None:
    """Mark the article as gone upstream: it stays, and shows since when."""
    where = and_(articles.c.number == number, articles.c.withdrawn.is_(None))
    tx.execute(articles.update().where(where).values(withdrawn=now, changed=now))


def restore(tx: Connection, source: str, keys: Sequence[str], now: datetime) -> list[int]:
    """What a source lists is not withdrawn, whatever was thought. The numbers of those that were."""
    restored: list[int] = []
    for some in _batches(list(keys)):
        listed = select(origins.c.number).where(origins.c.source == source, origins.c.key.in_(some))
        where = and_(articles.c.withdrawn.is_not(None), articles.c.number.in_(listed))
        if numbers := tx.execute(select(articles.c.number).where(where)).scalars().all():
            statement = articles.update().where(articles.c.number.in_(numbers))
            tx.execute(statement.values(withdrawn=None, changed=now))
            restored += numbers
    return restored


def history(tx: Connection, number: int, most: int | None = None) -> list[dict[str, Any]]:
    """The article's revisions, at most so many of the newest, oldest first: revision, seen, source, title, summary,
    content.

    There are none as long as it says what it said at first: that stands in the article itself.
    """
    newest = select(revisions).where(revisions.c.number == number).order_by(revisions.c.revision.desc()).limit(most)
    return [dict(row) for row in tx.execute(newest).mappings()][::-1]


def count(tx: Connection) -> dict[str, int]:
    """How many articles are stored, and how many of them kept."""
    total = tx.execute(select(func.count()).select_from(articles)).scalar_one()
    kept = tx.execute(select(func.count()).select_from(verdicts).where(verdicts.c.kept)).scalar_one()
    return {"articles": total, "kept": kept}


def _origin_row(number: int, origin: Origin) -> dict[str, Any]:
    row = {name: getattr(origin, name) for name in ("source", "key", "url", "title", "digest", "first_seen")}
    return {"number": number, **row}


def _keep_first(number: int, source: str) -> Insert:
    """What an article has said from the first becomes a revision when it is about to say something else."""
    stored = {name: articles.c[name] for name in ("number", "revision", "title", "summary", "content")}
    values = {**stored, "seen": articles.c.first_seen, "source": literal(source)}
    known = select(revisions.c.number).where(revisions.c.number == number).exists()
    return revisions.insert().from_select(
        list(values), select(*values.values()).where(articles.c.number == number, ~known)
    )


def _revision_row(article: Article, source: str) -> dict[str, Any]:
    values = {name: getattr(article, name) for name in ("number", "revision", "title", "summary", "content")}
    return {"seen": article.changed, "source": source, **values}


def _numbers(
    tx: Connection, selection: Selection, limit: int, since: datetime | None = None, skip: int = 0
) -> Sequence[int]:
    where = sieve.conditions(selection)
    if since is not None:
        where.append(articles.c.sort_time >= since)
    statement = select(articles.c.number).join(verdicts, verdicts.c.number == articles.c.number).where(*where)
    return tx.execute(statement.order_by(*_NEWEST).limit(limit).offset(skip)).scalars().all()


def _in_order(tx: Connection, numbers: Sequence[int]) -> list[Judged]:
    found = judged(tx, numbers)
    return [found[number] for number in numbers]


def _statement() -> Select[Any]:
    return select(articles, *_VERDICT).join(verdicts, verdicts.c.number == articles.c.number)


def _load(tx: Connection, numbers: list[int]) -> Iterator[Judged]:
    for some in _batches(numbers):
        yield from _build(tx, tx.execute(_statement().where(articles.c.number.in_(some))).mappings().all())


def _build(tx: Connection, rows: Sequence[RowMapping]) -> Iterator[Judged]:
    where = origins.c.number.in_([row["number"] for row in rows])
    places: dict[int, list[Origin]] = defaultdict(list)
    order = (origins.c.first_seen, origins.c.source, origins.c.key)
    for row in tx.execute(select(origins).where(where).order_by(*order)).mappings():
        places[row["number"]].append(codec.origin(row))
    explained = answers.of(tx, [row["number"] for row in rows if row["kind"] == Kind.EXPLANATION])
    for row in rows:
        number = row["number"]
        article = codec.article(row, places[number], explained.get(number, ()))
        yield Judged(article=article, verdict=codec.verdict(row))


def _batches(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), _BATCH):
        yield values[start : start + _BATCH]
