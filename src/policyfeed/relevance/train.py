"""Learns corrections to the topics' weights from labelled articles, as readable coefficients.

Deterministic: rows are ordered, folds are dealt by position, coefficients are rounded. What is learned is kept apart
from what editors write, so that an edit counts at once and the next training starts from it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from policyfeed.relevance.case import Case
from policyfeed.relevance.evidence import Evidence, Gatherer
from policyfeed.relevance.fitting import Row, fit, log_odds
from policyfeed.relevance.rules import Model, Rules

PENALTIES = {"base": 0.5, "strength": 1.0, "shape": 1.0, "genre": 1.0, "topic": 3.0, "ministry": 3.0, "term": 2.0}
"""How firmly each sort of correction is held near zero; what few articles show is held more firmly."""

FOLDS = 5
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
    """The model of these samples. The rules' own model is left aside; their written weights are the prior."""
    ordered = sorted(samples, key=lambda sample: (sample.group, -sample.weight))
    rows = rows_of(replace(rules, model=Model()), ordered)
    slope, intercept = calibrate(rows, [sample.group for sample in ordered])
    return Model(corrections=_readable(fit(rows, penalty)), slope=slope, intercept=intercept)


def _readable(found: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 2) for name, value in found.items() if abs(value) >= LEAST}


def penalty(name: str) -> float:
    """How firmly a correction of this name is held near zero."""
    return PENALTIES[name.split("/", 1)[0]]


def rows_of(rules: Rules, samples: Sequence[Sample]) -> list[Row]:
    """The samples as rows to fit, without the terms that one article alone shows.

    Who writes terms has read labelled articles, so each of them shows a term; an unread one often shows none. Left in,
    such terms would teach that silence means irrelevance, and scores of unread articles would be too low.
    """
    gatherer = Gatherer(rules)
    holders: dict[str, set[str]] = defaultdict(set)
    for sample in samples:
        for one in gatherer.gather(sample.case):
            holders[one.term].add(sample.group)
    rare = {term for term, groups in holders.items() if len(groups) == 1}
    return [row_of(rules, gatherer.gather(sample.case, rare), sample) for sample in samples]


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
                    Row(
                        prior=odds, features={"slope": odds, "intercept": 1.0}, relevant=row.relevant, weight=row.weight
                    )
                )
    found = fit(outside, lambda _name: 1e-3)
    return round(max(0.1, 1.0 + found["slope"]), 3), round(found["intercept"], 3)


def model_toml(model: Model, note: str) -> str:
    """The model as the text of a ``_model.toml``; ``note`` says in one line what it was trained on."""
    lines = [
        "# Written by `policyfeed topics train`; do not edit by hand: edit the topics and train again.",
        f"# {note}",
        "",
        "[calibration]",
        f"slope = {model.slope}",
        f"intercept = {model.intercept}",
        "",
        "# Corrections, in log-odds, to what the files say of each kind of evidence.",
        "[corrections]",
    ]
    lines += [f"{_quoted(name)} = {value}" for name, value in sorted(model.corrections.items())]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
