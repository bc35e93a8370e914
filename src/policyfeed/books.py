"""Enter what a poll found into the store: recognise, judge, and owe the news to channels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

from policyfeed import identity
from policyfeed.channels import Channel
from policyfeed.route import owed
from policyfeed.sources import body_url
from policyfeed.store import Transaction, articles, bodies, outbox
from policyfeed.types import Article, Delivery, Judged, Source, Verdict

Judge = Callable[[Article], Verdict]


class Judging(Protocol):
    """What entering needs of the poller: the judge, and whom to tell."""

    @property
    def judge(self) -> Judge: ...

    @property
    def channels(self) -> Sequence[Channel]: ...


@dataclass(slots=True)
class Books:
    """Enters seen articles into the store, within one transaction, and counts."""

    tx: Transaction
    poller: Judging
    quiet: bool
    now: datetime
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Canonical key → the verdict that the reader came to; what is not there is judged here."""
    judged: int = 0
    rows: int = 0
    new: int = 0
    joined: int = 0
    revised: int = 0
    kept: int = 0
    owed: int = 0
    new_times: list[datetime] = field(default_factory=list)

    def enter(self, source: Source, seen: Sequence[Article]) -> None:
        """Oldest first, so that numbers run with time (of one moment, the last listed: lists begin with the newest).

        What is known word for word costs nothing.
        """
        keys = [article.origins[0].key for article in seen]
        articles.restore(self.tx, source.id, keys, self.now)
        said = articles.seen_digests(self.tx, source.id, keys)
        fresh = [one for one in seen if said.get(one.origins[0].key) != one.origins[0].digest]
        if not fresh:
            return
        numbers = articles.by_keys(self.tx, [one.origins[0].key for one in fresh])
        known = articles.get(self.tx, set(numbers.values()))
        unknown = [one for one in fresh if one.origins[0].key not in numbers]
        neighbours = self._neighbours(unknown)
        fresh.reverse()
        for article in sorted(fresh, key=lambda one: one.sort_time):
            key = article.origins[0].key
            if key in numbers:
                before = known[numbers[key]]
                after = self._again(before, article) if key in said else self._join(before, article)
            elif (same := neighbours.match(article)) is not None:
                after = self._join(same, article)
            else:
                after = self._new(article)
            place = body_url(source, article.origins[0].url)
            bodies.need(self.tx, after, source.id, place, self.now, quiet=self.quiet)
            known[after.number] = after
            neighbours.add(after)

    def doubt(self, source: Source, vanished: Sequence[str]) -> None:
        """What the list does not hold any more is looked at on its own page: only that page says that it is gone."""
        for article in articles.get(self.tx, articles.by_keys(self.tx, vanished).values()).values():
            own = [one.url for one in article.origins if one.source == source.id and one.key in vanished]
            if own and article.withdrawn is None:
                bodies.doubt(self.tx, article.number, source.id, body_url(source, own[0]), self.now)

    def _neighbours(self, unknown: Sequence[Article]) -> identity.Neighbours:
        if not unknown:
            return identity.Neighbours()
        times = [article.sort_time for article in unknown]
        return identity.Neighbours.of(
            articles.between(self.tx, min(times) - identity.REACH, max(times) + identity.REACH)
        )

    def _new(self, article: Article) -> Article:
        minted = replace(
            article, id=identity.mint(article.origins[0].key), updated=article.updated or article.sort_time
        )
        stored = articles.insert(self.tx, minted)
        self.new += 1
        if stored.published is not None and not stored.dated:
            self.new_times.append(stored.published)
        self._judge(stored, before=None)
        return stored

    def _join(self, known: Article, seen: Article) -> Article:
        articles.add_origin(self.tx, known.number, seen.origins[0])
        joined = identity.join(known, seen, self.now)
        articles.update(self.tx, joined, revised=False)
        self.joined += 1
        self._judge(joined, before=known)
        return joined

    def _again(self, known: Article, seen: Article) -> Article:
        """The same place says something else now: a revision, or only that place's slip."""
        revised = identity.revise(known, seen, self.now)
        articles.change_origin(self.tx, seen.origins[0])
        if revised is None:
            return known
        articles.update(self.tx, revised, revised=True)
        bodies.again(self.tx, revised.number, self.now)
        self.revised += 1
        self._judge(revised, before=known)
        return revised

    def _judge(self, article: Article, before: Article | None) -> None:
        """Judge, and owe the news to the channels that neither were told before nor would have been.

        A correction is news, too, to those that were told of the article and want to hear of it (``revisions``).
        """
        verdict = self._verdict(article, before)
        due = self._owed(Judged(article=article, verdict=verdict))
        if before is not None:
            was = articles.judged(self.tx, [before.number])[before.number]
            told = outbox.told(self.tx, article.number)
            known = told | {old.channel for old in self._owed(replace(was, article=before))}
            if article.revision > before.revision:
                known -= {one.name for one in self.poller.channels if one.selection.revisions and one.name in told}
            due = [one for one in due if one.channel not in known]
        articles.save_verdict(self.tx, article.number, verdict, self.now)
        self.kept += verdict.kept
        self.owed += outbox.owe(self.tx, due)

    def _verdict(self, article: Article, before: Article | None) -> Verdict:
        given = self.verdicts.get(article.origins[0].key) if before is None else None
        if given is not None:
            return given
        self.judged += 1
        return self.poller.judge(article)

    def _owed(self, judged: Judged) -> list[Delivery]:
        return list(owed(judged, self.poller.channels, self.now, quiet=self.quiet))
