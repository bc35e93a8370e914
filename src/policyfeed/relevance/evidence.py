"""What speaks for and against an article, as one list of signed amounts (log-odds) under stable names.

The names (``term/…``, ``topic/…``, ``genre/…``, ``ministry/…``, ``shape/…``) are those of the model's corrections, so
what an editor wrote and what labelled articles taught add up in one place, ``Evidence.amount``.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from policyfeed.relevance.case import Case, Passage
from policyfeed.relevance.genres import Genres, Read, Sign
from policyfeed.relevance.matching import Found, Matcher
from policyfeed.relevance.rules import Genre, Rules, Strength, Term, Topic, Zone
from policyfeed.relevance.text import squeeze

SPOKEN = 0.3
"""What a ministry's bias counts where the title itself names a subject."""


class Evidence(NamedTuple):
    """One piece of evidence: ``written`` is the editors' amount; ``parts`` names the corrections with their factors."""

    rule: str
    written: float
    parts: tuple[tuple[str, float], ...] = ()
    topic: str = ""
    term: str = ""
    field: str = ""
    offset: int = -1
    zone: Zone | None = None
    weight: float = 0.0
    """What it says for its topic, however much was said before; ``written`` is discounted for that."""
    background: bool = False
    alert: float = 0.0

    def amount(self, corrections: Mapping[str, float]) -> float:
        """The log-odds that it adds."""
        return self.written + sum([corrections.get(name, 0.0) * factor for name, factor in self.parts])


class Gatherer:
    """Collects the evidence of articles under one set of rules."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._settings = rules.settings
        self._matcher = Matcher(rules.sought)
        self._genres = Genres(rules.genres)
        self._weights = {topic.id: topic.weight for topic in rules.topics}
        self._strengths = {strength: strength_weight(rules, strength) for strength in Strength}
        self._zones = {zone: zone_weight(rules, zone) for zone in Zone}
        self._by_ministry = _by_ministry(rules.topics)

    def gather(self, case: Case, without: Container[str] = ()) -> tuple[Evidence, ...]:
        """All evidence, terms first. Linear in the length of the passages. ``without``: terms to overlook."""
        read = [(passage, squeeze(passage.text)) for passage in case.passages]
        found = [
            (passage, one)
            for passage, squeezed in read
            for one in self._matcher.find(squeezed)
            if one.sought.text not in without
        ]
        return (
            *self._terms(found),
            *self._genres_of(case, read, found),
            *self._ministry(case, SPOKEN if _names_subject(found) else 1.0),
            *self._shape(case, found),
        )

    def _terms(self, found: Iterable[tuple[Passage, Found]]) -> list[Evidence]:
        first: dict[tuple[str, str], tuple[Passage, Found]] = {}
        for passage, one in found:
            first.setdefault((one.sought.topic, one.sought.text), (passage, one))
        hits = [(self._prior(one.sought, passage.zone), passage, one) for passage, one in first.values()]
        hits.sort(key=itemgetter(0), reverse=True)
        evidence = []
        counted = set[tuple[str, int]]()
        for prior, passage, one in hits:
            # A term of two topics is one piece of evidence for relevance, told under the first topic.
            place = (passage.zone, one.start)
            factor = 0.0 if place in counted else self._settings.decay ** len(counted)
            counted.add(place)
            evidence.append(self._term(passage, one, prior, factor))
        return evidence

    def _prior(self, term: Term, zone: Zone) -> float:
        return self._weights.get(term.topic, 1.0) * self._strengths[term.strength] * self._zones[zone]

    def _term(self, passage: Passage, one: Found, prior: float, factor: float) -> Evidence:
        term = one.sought
        share = factor * self._zones[passage.zone]
        return Evidence(
            rule="phrase" if "+" in term.text or " " in term.text else "term",
            written=prior * factor,
            parts=(
                (f"strength/{passage.zone}/{term.strength}", factor),
                (f"topic/{term.topic}", share),
                (f"term/{term.text}", share),
            ),
            topic=term.topic,
            term=term.text,
            field=passage.field,
            offset=passage.shift + one.offset,
            zone=passage.zone,
            weight=prior,
            background=term.background,
        )

    def _genres_of(self, case: Case, read: Sequence[Read], found: Sequence[tuple[Passage, Found]]) -> list[Evidence]:
        return [self._genre(genre, sign) for genre, sign in self._genres.signs(case, read, found)]

    def _genre(self, genre: Genre, sign: Sign) -> Evidence:
        passage = sign.passage
        factor = self._zones[passage.zone] if passage else 1.0
        return Evidence(
            rule="genre",
            written=genre.points * factor,
            parts=((f"genre/{genre.id}", factor),),
            term=sign.text or genre.id,
            field=passage.field if passage else "",
            offset=sign.offset,
            zone=passage.zone if passage else None,
            alert=genre.alert * (0.5 if passage and passage.zone is not Zone.TITLE else 1.0),
        )

    def _ministry(self, case: Case, factor: float) -> list[Evidence]:
        rules = self._rules
        for name in case.ministries:
            topic, points = self._by_ministry.get(name, ("", 0.0))
            points += rules.ministries.get(name, 0.0)
            parts = ((f"ministry/{name}", factor),)
            known = bool(topic) or name in rules.ministries or f"ministry/{name}" in rules.model.corrections
            if known:
                return [Evidence(rule="ministry", written=points * factor, parts=parts, topic=topic, term=name)]
        return [
            Evidence(rule="ministry", written=0.0, parts=((f"ministry/{name}", factor),), term=name)
            for name in case.ministries[:1]
            if name
        ]

    def _shape(self, case: Case, found: Sequence[tuple[Passage, Found]]) -> list[Evidence]:
        """What is missing tells too: no lead to show evidence in, no strong term where titles name their subject."""
        evidence = []
        if not any(passage.zone is not Zone.TITLE and passage.text.strip() for passage in case.passages):
            evidence.append(Evidence(rule="title only", written=0.0, parts=(("shape/title only", 1.0),)))
        if not _names_subject(found):
            evidence.append(Evidence(rule="no strong term", written=0.0, parts=(("shape/no strong term", 1.0),)))
        return evidence


def _names_subject(found: Sequence[tuple[Passage, Found]]) -> bool:
    """Whether the title holds a strong term."""
    return any(passage.zone is Zone.TITLE and _is_strong(one) for passage, one in found)


def _is_strong(found: Found) -> bool:
    return found.sought.strength is Strength.STRONG


def strength_weight(rules: Rules, strength: Strength) -> float:
    """Log-odds of a term of this strength in a title."""
    return {
        Strength.STRONG: rules.settings.strong,
        Strength.NORMAL: rules.settings.normal,
        Strength.WEAK: rules.settings.weak,
    }[strength]


def zone_weight(rules: Rules, zone: Zone) -> float:
    """What part of a title's weight counts in this zone."""
    return {Zone.TITLE: 1.0, Zone.LEAD: rules.settings.lead, Zone.BODY: rules.settings.body}[zone]


def _by_ministry(topics: Sequence[Topic]) -> dict[str, tuple[str, float]]:
    """Each ministry's strongest topic and its points."""
    best: dict[str, tuple[str, float]] = {}
    for topic in topics:
        for name, points in topic.ministries.items():
            if name not in best or points > best[name][1]:
                best[name] = (topic.id, points)
    return best
