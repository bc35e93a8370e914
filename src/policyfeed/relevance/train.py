"""Learns corrections to the topics' weights from labelled articles, as readable coefficients.

Deterministic: rows are ordered by their case, folds are dealt by position, coefficients are rounded. What is learned is kept
apart from what editors write, so that an edit counts at once and the next training starts from it.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policyfeed.relevance.case import Case
from policyfeed.relevance.evidence import Evidence, Gatherer
from policyfeed.relevance.fitting import Row, fit, log_odds
from policyfeed.relevance.rules import Model, Rules, Zone
from policyfeed.relevance.text import words_of
from policyfeed.relevance.verdict import sigmoid

PENALTIES = {"base": 0.5, "strength": 1.0, "shape": 1.0, "genre": 2.0, "topic": 3.0, "ministry": 2.0, "term": 3.0, "word": 4.0}
"""How firmly each sort of correction is held near zero: rare evidence is held more firmly than what all articles share."""

FOLDS = 5
WORDS = 150
WORD_DOCUMENTS = 8
WORD_SIGNIFICANCE = 2.5
LEAST = 0.05
"""Smaller corrections are left out of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A labelled case. ``group`` holds variants of one article together, so that no fold sees an article twice."""

    case: Case
    relevant: bool
    group: str
    weight: float = 1.0


def train(rules: Rules, samples: Sequence[Sample]) -> Model:
    """The model of these samples. The rules' own model is left aside."""
    plain = replace(rules, model=Model())
    ordered = sorted(samples, key=lambda sample: (sample.group, sample.weight, len(sample.case.passages)))
    words = choose_words(plain, ordered)
    offered = replace(plain, model=Model(words=dict.fromkeys(words, 0.0)))
    rows = rows_of(offered, ordered)
    slope, intercept = calibrate(rows, [sample.group for sample in ordered])
    found = fit(rows, penalty)
    return Model(
        corrections={
            name: round(value, 2)
            for name, value in found.items()
            if not name.startswith("word/") and abs(value) >= LEAST
        },
        words={
            name.removeprefix("word/"): round(value, 2)
            for name, value in found.items()
            if name.startswith("word/") and abs(value) >= LEAST
        },
        slope=slope,
        intercept=intercept,
    )


def penalty(name: str) -> float:
    """How firmly a correction of this name is held near zero."""
    return PENALTIES[name.split("/", 1)[0]]


def rows_of(rules: Rules, samples: Iterable[Sample]) -> list[Row]:
    """The samples as rows to fit."""
    gatherer = Gatherer(rules)
    return [row_of(rules, gatherer.gather(sample.case), sample) for sample in samples]


def row_of(rules: Rules, evidence: Iterable[Evidence], sample: Sample) -> Row:
    """One sample as a row: the written amounts are its prior."""
    features: dict[str, float] = defaultdict(float)
    features["base"] = 1.0
    prior = rules.settings.base
    for one in evidence:
        prior += one.written
        for name, factor in one.parts:
            features[name] += factor
    return Row(prior=prior, features=dict(features), relevant=sample.relevant, weight=sample.weight)


def choose_words(rules: Rules, samples: Sequence[Sample]) -> list[str]:
    """Beginnings of words that tell what the rules do not: those that go best with what a first fit leaves over."""
    rows = rows_of(rules, samples)
    first = fit(rows, penalty)
    left = [row.weight * (row.relevant - sigmoid(log_odds(row, first))) for row in rows]
    spread = [row.weight**2 * _variance(row, first) for row in rows]
    known = {term.text for topic in rules.topics for term in topic.terms}
    places = _places(samples)
    scored = []
    for word, found in places.items():
        if len({samples[place].group for place, _ in found}) < WORD_DOCUMENTS or word in known:
            continue
        pull = math.fsum(left[place] * factor for place, factor in found)
        noise = math.sqrt(math.fsum(spread[place] * factor * factor for place, factor in found)) or 1.0
        if abs(pull / noise) >= WORD_SIGNIFICANCE:
            scored.append((-abs(pull / noise), word))
    return [word for _, word in sorted(scored)[:WORDS]]


def _variance(row: Row, coefficients: Mapping[str, float]) -> float:
    chance = sigmoid(log_odds(row, coefficients))
    return chance * (1.0 - chance)


def _places(samples: Sequence[Sample]) -> dict[str, list[tuple[int, float]]]:
    places: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for place, sample in enumerate(samples):
        seen: set[str] = set()
        for passage in sample.case.passages:
            if passage.zone is Zone.BODY:
                continue
            for word in words_of(passage.text):
                for length in (2, 3, 4):
                    if len(word) >= length and word[:length] not in seen:
                        seen.add(word[:length])
                        places[word[:length]].append((place, 1.0 if passage.zone is Zone.TITLE else 0.4))
    return places


def calibrate(rows: Sequence[Row], groups: Sequence[str]) -> tuple[float, float]:
    """Slope and intercept that make out-of-fold predictions true to frequency (Platt 1999)."""
    order = {group: place for place, group in enumerate(sorted(set(groups)))}
    folds = [order[group] % FOLDS for group in groups]
    outside: list[Row] = []
    for fold in range(FOLDS):
        found = fit([row for row, own in zip(rows, folds, strict=True) if own != fold], penalty)
        for row, own in zip(rows, folds, strict=True):
            if own == fold:
                odds = log_odds(row, found)
                outside.append(
                    Row(prior=odds, features={"slope": odds, "intercept": 1.0}, relevant=row.relevant, weight=row.weight)
                )
    found = fit(outside, lambda _name: 1e-3)
    return round(max(0.1, 1.0 + found["slope"]), 3), round(found["intercept"], 3)


def counts(samples: Iterable[Sample]) -> Counter[bool]:
    """How many articles are relevant and how many are not."""
    return Counter({sample.group: sample.relevant for sample in samples}.values())
