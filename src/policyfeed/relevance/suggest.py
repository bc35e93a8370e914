"""Proposes terms for what was missed, and expressions against what was wrongly kept, each with its cost."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from policyfeed.relevance.evaluate import Rated
from policyfeed.relevance.labels import Label
from policyfeed.relevance.rules import Rules
from policyfeed.relevance.verdict import Judge, sigmoid

_WORD = re.compile(r"[가-힣A-Za-z]{2,}")
LENGTHS = range(2, 6)
LEAST_FIXED = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """An expression to write into the files: mistakes that it would mend, right verdicts it would spoil (``costs``),
    and how many of the unlabelled corpus would be judged otherwise (``gains``). ``against``: it speaks against an
    article, as a mask or a genre's pattern; otherwise it is a strong term of ``topic``."""

    term: str
    topic: str
    fixes: int
    costs: int
    gains: int
    examples: tuple[str, ...]
    against: bool = False


def suggest(judge: Judge, rated: Sequence[Rated], corpus: Sequence[Label] = (), limit: int = 20) -> list[Suggestion]:
    """The terms that fix most misses, net of what they would wrongly keep, best first. ``corpus`` needs no labels."""
    dropped = [one.label for one in rated if not one.verdict.kept]
    known = {term.text for topic in judge.rules.topics for term in topic.terms}
    found = _proposed(dropped, True, corpus, lambda label: _moved(judge, label, strong_gain(judge.rules)))
    return [one for one in found if one.term not in known][:limit]


def suggest_against(
    judge: Judge, rated: Sequence[Rated], corpus: Sequence[Label] = (), limit: int = 20
) -> list[Suggestion]:
    """The expressions that fix most wrong keeps, net of what they would wrongly drop, best first."""
    kept = [one.label for one in rated if one.verdict.kept]
    loss = -judge.rules.model.slope * judge.rules.settings.strong
    found = _proposed(kept, False, corpus, lambda label: _moved(judge, label, loss))
    return [replace(one, against=True) for one in found][:limit]


def _moved(judge: Judge, label: Label, gain: float) -> bool:
    """Whether that much log-odds more (or less) would change the verdict."""
    odds, keep = judge.log_odds(label.case(judge.rules)), judge.rules.settings.keep
    return (sigmoid(odds) * 100 >= keep) is not (sigmoid(odds + gain) * 100 >= keep)


def _proposed(
    judged: Sequence[Label], relevant: bool, corpus: Sequence[Label], moves: Callable[[Label], bool]
) -> list[Suggestion]:
    """``judged`` had one verdict; wrong is it for those whose label says ``relevant``."""
    movable = [label for label in judged if moves(label)]
    wrong = [label for label in movable if label.relevant is relevant]
    right = [label for label in movable if label.relevant is not relevant]
    others = [label for label in corpus if moves(label)]
    made = [_suggestion(word, labels, right, others) for word, labels in _holders(wrong).items()]
    useful = [one for one in made if one.fixes >= LEAST_FIXED and one.fixes > one.costs]
    useful.sort(key=lambda one: (one.costs - one.fixes, -len(one.term), one.term))
    return _distinct(useful)


def _holders(labels: Iterable[Label]) -> dict[str, list[Label]]:
    holders: dict[str, list[Label]] = defaultdict(list)
    for label in labels:
        for word in {
            found[:length] for found in _WORD.findall(label.title) for length in LENGTHS if len(found) >= length
        }:
            holders[word].append(label)
    return holders


def _suggestion(word: str, mended: Sequence[Label], right: Sequence[Label], corpus: Sequence[Label]) -> Suggestion:
    return Suggestion(
        term=word,
        topic=_topic(mended),
        fixes=len(mended),
        costs=sum(word in label.title for label in right),
        gains=sum(word in label.title for label in corpus),
        examples=tuple(label.title for label in mended[:3]),
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
