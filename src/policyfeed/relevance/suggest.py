"""Proposes terms: which words would bring back what was missed, and what else they would bring in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from policyfeed.relevance.evaluate import Rated
from policyfeed.relevance.labels import Label
from policyfeed.relevance.rules import Rules
from policyfeed.relevance.verdict import Judge, sigmoid

_WORD = re.compile(r"[가-힣A-Za-z]{2,}")
LENGTHS = range(2, 6)
LEAST_FIXED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A strong term to add to a topic: misses that it would bring back, drops it would wrongly keep (``costs``), and
    how many more of the unlabelled corpus would be kept (``gains``)."""

    term: str
    topic: str
    fixes: int
    costs: int
    gains: int
    examples: tuple[str, ...]


def suggest(judge: Judge, rated: Sequence[Rated], corpus: Sequence[Label] = (), limit: int = 20) -> list[Suggestion]:
    """The terms that fix most, net of what they cost, best first. ``corpus`` needs no labels: its truth is not read."""
    missed = [one.label for one in rated if one.label.relevant and not one.verdict.kept]
    dropped = [one.label for one in rated if not one.label.relevant and not one.verdict.kept]
    known = {term.text for topic in judge.rules.topics for term in topic.terms}
    found = _holders(missed)
    made = [
        _suggestion(judge, word, labels, dropped, corpus)
        for word, labels in found.items()
        if len(labels) >= LEAST_FIXED and word not in known
    ]
    useful = [one for one in made if one.fixes >= LEAST_FIXED and one.fixes > one.costs]
    useful.sort(key=lambda one: (one.costs - one.fixes, -len(one.term), one.term))
    return _distinct(useful)[:limit]


def _holders(labels: Iterable[Label]) -> dict[str, list[Label]]:
    holders: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        for word in {
            found[:length] for found in _WORD.findall(label.title) for length in LENGTHS if len(found) >= length
        }:
            holders[word].append(label)
    return holders


def _suggestion(
    judge: Judge, word: str, missed: Sequence[Label], dropped: Sequence[Label], corpus: Sequence[Label]
) -> Suggestion:
    back = [label for label in missed if would_keep(judge, label)]
    return Suggestion(
        term=word,
        topic=_topic(back or missed),
        fixes=len(back),
        costs=sum(word in label.title and would_keep(judge, label) for label in dropped),
        gains=sum(
            word in label.title and not judge.judge_case(label.case(judge.rules)).kept and would_keep(judge, label)
            for label in corpus
        ),
        examples=tuple(label.title for label in back[:3]),
    )


def would_keep(judge: Judge, label: Label) -> bool:
    """Whether one more strong term in the title would keep the article."""
    return (
        sigmoid(judge.log_odds(label.case(judge.rules)) + strong_gain(judge.rules)) * 100 >= judge.rules.settings.keep
    )


def strong_gain(rules: Rules) -> float:
    """The log-odds that a further strong term in a title adds, the model's corrections included."""
    learned = rules.model.corrections.get("strength/title/strong", 0.0)
    silence = rules.model.corrections.get("shape/no strong term", 0.0)
    return rules.model.slope * (rules.settings.strong + learned - silence)


def _topic(labels: Sequence[Label]) -> str:
    votes: dict[str, int] = defaultdict(int)
    for label in labels:
        for topic in label.topics[:1]:
            votes[topic] += 1
    return max(sorted(votes), key=lambda topic: votes[topic], default="")


def _distinct(suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Of terms with the same examples only the first: the longest says it best."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for one in suggestions:
        if one.examples not in seen:
            seen.add(one.examples)
            kept.append(one)
    return kept
