"""Enter what a poll found into the store: recognise, judge, and owe the news to channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from policyfeed import identity, revision
from policyfeed.channels import Channel
from policyfeed.clock import KST
from policyfeed.documents import Judge
from policyfeed.relevance.case import judged_alike
from policyfeed.route import owed
from policyfeed.sources import body_url
from policyfeed.store import Transaction, articles, bodies, copies, outbox, sources
from policyfeed.types import Article, Delivery, Judged, Source, Verdict


class Judging(Protocol):
    """What entering needs of the poller: the judge, and whom to tell."""

    @property
    def judge(self) -> Judge: ...

    @property
    def channels(self) -> Sequence[Channel]: ...


TOGETHER = timedelta(minutes=10)
"""Sources whose first contacts lie so close together began together: what each had is nobody's news."""


CALM = timedelta(hours=1)
"""When the page of a release that is listed again is looked at: list and page may disagree for a while."""


@dataclass(slots=True)
class Books:
    """Enters seen articles into the store, within one transaction, and counts."""

    tx: Transaction
    poller: Judging
    quiet: bool
    now: datetime
    since: datetime | None = None
    """What came out later is news, even where all else is ``quiet``."""
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    """Canonical key → the verdict that the reader came to; what is not there, or here another case, is judged here."""
    judged: int = 0
    rows: int = 0
    new: int = 0
    joined: int = 0
    revised: int = 0
    restored: int = 0
    kept: int = 0
    owed: int = 0
    times: list[datetime] = field(default_factory=list)
    """When the source published what it had not listed before, new articles or not."""
    _next: int = 0
    _unwritten: list[Judged] = field(default_factory=list)

    def enter(self, source: Source, seen: Sequence[Article]) -> None:
        """Oldest first, so that numbers run with time (of one moment, the last listed: lists begin with the newest).

        What is known word for word costs nothing.
        """
        stored = articles.places(self.tx, [article.origins[0].key for article in seen])
        said = {key: digest for place, key, _, digest in stored if place == source.id}
        if said:
            self._restore(source, list(said))
        fresh = [one for one in seen if said.get(one.origins[0].key) != one.origins[0].digest]
        if not fresh:
            return
        numbers = {key: number for _, key, number, _ in stored}
        known = articles.get(self.tx, {numbers[key] for one in fresh if (key := one.origins[0].key) in numbers})
        again = [one for one in fresh if one.origins[0].key in said]
        others = [one for one in again if identity.replaced(known[numbers[one.origins[0].key]], one)]
        fresh = [one for one in fresh if one not in others]
        unknown = [one for one in fresh if one.origins[0].key not in numbers]
        titles, neighbours = self._neighbours(unknown)
        self._next = articles.reserve(self.tx) if unknown else 0
        listed = (one for one in fresh if one not in again and not one.dated)
        self.times += [one.published for one in listed if one.published is not None]
        places: dict[int, str] = {}
        fresh.reverse()
        for article in sorted(fresh, key=lambda one: one.sort_time):
            key = article.origins[0].key
            if key in numbers:
                before = known[numbers[key]]
                after = self._again(before, article) if key in said else self._join(before, article)
            elif titles.like(article.title, article.sort_time) and (same := neighbours.match(article)) is not None:
                after = self._join(same, article)
            else:
                after = self._new(article)
            places[after.number] = body_url(source, article.origins[0].url)
            known[after.number] = after
            neighbours.add(after)
            titles.add(after.number, after.title, after.sort_time)
        self._write()
        for number, place in places.items():
            one = known[number]
            self.rows += bodies.need(self.tx, one, source.id, place, self.now, quiet=self._quiet(one))
        if others:
            self.enter(source, [revision.apart(one) for one in others])

    def read_anew(self, source: Source, seen: Sequence[Article]) -> None:
        """What follows from other settings now: time, kind … That is nobody's news; other words are for ``enter``."""
        own = {one.origins[0].key: one for one in seen}
        places = articles.places(self.tx, list(own))
        numbers = {key: number for place, key, number, _ in places if place == source.id}
        known = articles.get(self.tx, set(numbers.values()))
        for key, number in numbers.items():
            before, one = known[number], own[key]
            if identity.replaced(before, one):
                continue
            copies.renew(self.tx, one)
            others = [copies.get(self.tx, place) or before for place in before.origins[1:]]
            settled = revision.resettled(before, one, others, self.now)
            if settled is not None:
                self.rows += 1 + articles.update(self.tx, settled, revised=False)
                articles.save_verdict(self.tx, number, self._verdict(settled, one), self.now)
                known[number] = settled
                self.revised += 1

    def _restore(self, source: Source, keys: list[str]) -> None:
        """What was withdrawn and is listed again is there again."""
        for number in articles.restore(self.tx, source.id, keys, self.now):
            bodies.again(self.tx, number, self.now + CALM)
            self.restored += 1
            recalled = outbox.recall(self.tx, number, self.now)
            self.owed += recalled
            self.rows += recalled

    def doubt(self, source: Source, vanished: Sequence[str]) -> None:
        """What the list does not hold any more is looked at on its own page: only that page says that it is gone."""
        for article in articles.get(self.tx, articles.by_keys(self.tx, vanished).values()).values():
            own = [one.url for one in article.origins if one.source == source.id and one.key in vanished]
            if own and article.withdrawn is None:
                bodies.doubt(self.tx, article.number, source.id, body_url(source, own[0]), self.now)

    def _neighbours(self, unknown: Sequence[Article]) -> tuple[identity.Titles, identity.Neighbours]:
        """The stored articles that one of these could be a copy of. Titles are compared before articles are loaded."""
        titles = identity.Titles()
        if not unknown:
            return titles, identity.Neighbours()
        times = [article.sort_time for article in unknown]
        ministries = {one.id for article in unknown for one in (article.ministry, *article.ministries)}
        reach = (min(times) - identity.REACH, max(times) + identity.REACH)
        for number, title, at in articles.titles(self.tx, *reach, ministries, [one.title for one in unknown]):
            titles.add(number, title, at)
        wanted = {number for article in unknown for number in titles.like(article.title, article.sort_time)}
        return titles, identity.Neighbours.of(articles.get(self.tx, wanted).values())

    def _new(self, article: Article) -> Article:
        minted = replace(
            article,
            id=identity.mint(article.origins[0].key),
            number=self._next,
            updated=article.updated or article.sort_time,
        )
        self._next += 1
        verdict = self._verdict(minted, article)
        self._unwritten.append(Judged(article=minted, verdict=verdict))
        self.new += 1
        self.kept += verdict.kept
        return minted

    def _write(self) -> None:
        """Write the new articles: many rows at once cost a third of as many single ones."""
        new, self._unwritten = self._unwritten, []
        articles.insert_all(self.tx, [one.article for one in new])
        articles.insert_verdicts(self.tx, {one.article.number: one.verdict for one in new}, self.now)
        owed = outbox.owe(self.tx, [due for one in new for due in self._owed(one)])
        self.owed += owed
        self.rows += owed + sum(2 + len(one.article.origins) for one in new)

    def _join(self, known: Article, seen: Article) -> Article:
        self._write()
        articles.add_origin(self.tx, known.number, seen.origins[0])
        copies.keep(self.tx, seen)
        joined = revision.join(known, seen, self.now)
        articles.update(self.tx, joined, revised=False)
        self.joined += 1
        self.rows += 3
        self._judge(joined, seen, before=known, news=self._stored_unheard(known, seen.origins[0].source))
        return joined

    def _stored_unheard(self, known: Article, source: str) -> bool:
        """Whether only the quiet first contact of later sources kept this source from announcing it."""
        contacts = sources.first_contacts(self.tx, [source, *(one.source for one in known.origins)])
        own = contacts.get(source)
        if self.quiet or own is None:
            return False
        theirs = ((one.first_seen, contacts.get(one.source)) for one in known.origins)
        return all(contact and seen <= contact and contact > own + TOGETHER for seen, contact in theirs)

    def _again(self, known: Article, seen: Article) -> Article:
        """The same place says something else now: a revision, or only that place's slip."""
        self._write()
        revised = revision.revise(known, seen, self.now)
        articles.change_origin(self.tx, seen.origins[0])
        copies.renew(self.tx, seen)
        self.rows += 1
        if revised is None:
            return known
        self.revised += 1
        if revised.revision == known.revision:
            self.rows += articles.update(self.tx, revised, revised=False)
            return revised
        self.rows += articles.update(self.tx, revised, revised=True)
        bodies.again(self.tx, revised.number, self.now)
        self._judge(revised, seen, before=known)
        return revised

    def _judge(self, article: Article, seen: Article, *, before: Article, news: bool = False) -> None:
        """Judge again, and owe the news to the channels that neither were told before nor would have been.

        ``news``: it was stored, but could not be announced: then only those that were told know of it.
        A correction is news, too, to those that were told of the article and want to hear of it (``revisions``).
        """
        verdict = self._verdict(article, seen)
        due = self._owed(Judged(article=article, verdict=verdict))
        was = articles.judged(self.tx, [before.number])[before.number]
        told = outbox.told(self.tx, article.number)
        known = told if news else told | {old.channel for old in self._owed(replace(was, article=before))}
        if article.revision > before.revision:
            known -= {one.name for one in self.poller.channels if one.revisions and one.name in told}
        due = [one for one in due if one.channel not in known]
        articles.save_verdict(self.tx, article.number, verdict, self.now)
        self.kept += verdict.kept
        owed = outbox.owe(self.tx, due)
        self.owed += owed
        self.rows += 1 + owed

    def _verdict(self, article: Article, seen: Article) -> Verdict:
        given = self.verdicts.get(seen.origins[0].key)
        if given is not None and judged_alike(article, seen):
            return given
        self.judged += 1
        return self.poller.judge(article)

    def _owed(self, judged: Judged) -> list[Delivery]:
        return list(owed(judged, self.poller.channels, self.now, quiet=self._quiet(judged.article)))

    def _quiet(self, article: Article) -> bool:
        """Whether nobody is told of it: what was there before is no news."""
        return self.quiet and not (self.since is not None and _since(article, self.since))


def _since(article: Article, moment: datetime) -> bool:
    """Whether it came out then or later; on that day, where only its day is known."""
    if article.published is None:
        return False
    if article.dated:
        return article.published.astimezone(KST).date() >= moment.astimezone(KST).date()
    return article.published >= moment
