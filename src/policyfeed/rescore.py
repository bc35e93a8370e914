"""Apply changed topics to stored articles: new verdicts, what enters and leaves each feed, and no news unless asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from policyfeed.documents import Judge
from policyfeed.formats import Feed
from policyfeed.route import Listener, owed
from policyfeed.store import Store, Transaction, articles, outbox
from policyfeed.types import Judged

BATCH = 500


@dataclass(slots=True, kw_only=True)
class FeedChange:
    """A feed's articles before and after; titles of those that enter and leave, newest first, at most ``SHOWN``."""

    name: str
    before: int = 0
    after: int = 0
    enter: list[str] = field(default_factory=list)
    leave: list[str] = field(default_factory=list)


SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """The channels that are to be told of what is theirs only now, if it was published ``since`` then."""

    channels: Sequence[Listener]
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoreReport:
    """``changed``: verdicts that differ in kept, alert, score or topics; ``kept`` and ``dropped``: changes of mind;
    ``owed``: messages that channels are owed now.
    """

    articles: int
    changed: int
    kept: int
    dropped: int
    owed: int
    feeds: tuple[FeedChange, ...]


def rescore(
    store: Store,
    judge: Judge,
    feeds: Sequence[Feed],
    now: datetime,
    *,
    save: bool,
    announce: Announcement | None = None,
    step: Callable[[str], None] = lambda _number: None,
) -> RescoreReport:
    """Judge every stored article anew, a transaction for each batch; ``save`` False only counts.

    Nobody is told but by ``announce``. ``step`` is called with the number of each article that is done.
    """
    changes = [FeedChange(name=feed.name) for feed in feeds]
    done = changed = kept = dropped = told = 0
    for batch in _batches(store):
        fresh = [(one, Judged(article=one.article, verdict=judge(one.article))) for one in batch]
        moved = [(was, new) for was, new in fresh if was.verdict != new.verdict]
        if save and moved:
            with store.write() as tx:
                moved = _as_stored_now(tx, moved, judge)
                for _was, new in moved:
                    articles.save_verdict(tx, new.article.number, new.verdict, now)
                told += _announce(tx, moved, announce, now) if announce else 0
        done, changed = done + len(batch), changed + sum(_shows_otherwise(was, new) for was, new in moved)
        kept += sum(new.verdict.kept and not was.verdict.kept for was, new in moved)
        dropped += sum(was.verdict.kept and not new.verdict.kept for was, new in moved)
        for feed, change in zip(feeds, changes, strict=True):
            _count(feed, change, fresh)
        for one in batch:
            step(str(one.article.number))
    return RescoreReport(articles=done, changed=changed, kept=kept, dropped=dropped, owed=told, feeds=tuple(changes))


def _as_stored_now(
    tx: Transaction, moved: Sequence[tuple[Judged, Judged]], judge: Judge
) -> list[tuple[Judged, Judged]]:
    """The same with what a daemon beside us stored since: another revision, a body, is judged as it is now."""
    stored = articles.judged(tx, [was.article.number for was, _new in moved])
    found = []
    for was, new in moved:
        now = stored[was.article.number]
        same = now.article == was.article
        found.append((now, new if same else Judged(article=now.article, verdict=judge(now.article))))
    return found


def _announce(tx: Transaction, moved: Sequence[tuple[Judged, Judged]], to: Announcement, now: datetime) -> int:
    due = []
    for was, new in moved:
        if new.article.sort_time >= to.since:
            known = {one.channel for one in owed(was, to.channels, now, quiet=False)}
            known |= outbox.told(tx, new.article.number)
            due += [one for one in owed(new, to.channels, now, quiet=False) if one.channel not in known]
    return outbox.owe(tx, due)


def _shows_otherwise(was: Judged, new: Judged) -> bool:
    a, b = was.verdict, new.verdict
    return (a.kept, a.alert, a.score, a.topics, a.pillars) != (b.kept, b.alert, b.score, b.topics, b.pillars)


def _count(feed: Feed, change: FeedChange, fresh: Sequence[tuple[Judged, Judged]]) -> None:
    for was, new in fresh:
        before, after = feed.selection.takes(was), feed.selection.takes(new)
        change.before, change.after = change.before + before, change.after + after
        if before != after:
            titles = change.enter if after else change.leave
            if len(titles) < SHOWN:
                titles.append(new.article.title)


def _batches(store: Store) -> Iterator[list[Judged]]:
    """All stored articles, newest first."""
    before: tuple[datetime, int] | None = None
    while True:
        with store.read() as tx:
            batch = articles.page(tx, before, BATCH)
        if batch:
            yield batch
        if len(batch) < BATCH:
            return
        before = (batch[-1].article.sort_time, batch[-1].article.number)
