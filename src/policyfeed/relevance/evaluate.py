"""How well verdicts agree with labels: pure functions over (label, verdict) pairs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from policyfeed.relevance.labels import Label
from policyfeed.relevance.verdict import Judge
from policyfeed.types import Verdict

BINS = 10


@dataclass(frozen=True, slots=True)
class Rated:
    """A label and the verdict on the same article."""

    label: Label
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """A confusion table. ``both``: relevant and kept; ``kept`` and ``relevant`` are the margins."""

    both: int = 0
    kept: int = 0
    relevant: int = 0
    all: int = 0

    @property
    def precision(self) -> float:
        return self.both / self.kept if self.kept else 0.0

    @property
    def recall(self) -> float:
        return self.both / self.relevant if self.relevant else 0.0

    @property
    def f1(self) -> float:
        return 2 * self.both / (self.kept + self.relevant) if self.kept + self.relevant else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Articles of similar score: how many, their mean score and the share that is relevant (both 0–1)."""

    size: int
    score: float
    relevant: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All figures of one evaluation. ``pillars`` and ``ministries`` hold confusion tables by name."""

    counts: Counts
    pr_auc: float
    ece: float
    bins: tuple[Bin, ...]
    alerts: float
    """The share of the kept that is on the short list."""
    pillars: dict[str, Counts] = field(default_factory=dict)
    attributed: dict[str, Counts] = field(default_factory=dict)
    """By pillar: ``kept`` are kept under that very pillar, ``relevant`` are labelled with it. A relevant article that
    nobody placed under a pillar is not counted."""
    ministries: dict[str, Counts] = field(default_factory=dict)
    false_keeps: tuple[Rated, ...] = ()
    misses: tuple[Rated, ...] = ()


def rate(judge: Judge, labels: Iterable[Label]) -> tuple[Rated, ...]:
    """The labels, each under the pillars of its topics where it names only these, with our verdicts."""
    return tuple(Rated(_placed(label, judge), judge.judge_case(label.case(judge.rules))) for label in labels)


def _placed(label: Label, judge: Judge) -> Label:
    return replace(label, pillars=label.pillars or judge.pillars(label.topics)) if label.relevant else label


def report(rated: Sequence[Rated]) -> Report:
    """Every figure. Confusion examples come worst first."""
    truth = [one.label.relevant for one in rated]
    scores = [one.verdict.score / 100 for one in rated]
    bins = reliability(truth, scores)
    wrong = [one for one in rated if one.verdict.kept is not one.label.relevant]
    kept = [one for one in rated if one.verdict.kept]
    return Report(
        counts=count(rated),
        pr_auc=average_precision(truth, scores),
        ece=calibration_error(bins),
        bins=bins,
        alerts=sum(one.verdict.alert for one in kept) / len(kept) if kept else 0.0,
        pillars=_by(rated, lambda one: one.label.pillars),
        attributed=_attributed(rated),
        ministries=_by(rated, lambda one: (one.label.ministry,) if one.label.ministry else ()),
        false_keeps=tuple(sorted((one for one in wrong if one.verdict.kept), key=lambda one: -one.verdict.score)),
        misses=tuple(sorted((one for one in wrong if one.label.relevant), key=lambda one: one.verdict.score)),
    )


def count(rated: Iterable[Rated]) -> Counts:
    """The confusion table."""
    return _confusion([(one.label.relevant, one.verdict.kept) for one in rated])


def _confusion(pairs: Sequence[tuple[bool, bool]]) -> Counts:
    return Counts(
        both=sum(relevant and kept for relevant, kept in pairs),
        kept=sum(kept for _, kept in pairs),
        relevant=sum(relevant for relevant, _ in pairs),
        all=len(pairs),
    )


def average_precision(truth: Sequence[bool], scores: Sequence[float]) -> float:
    """Area under the precision-recall curve as average precision; articles of equal score count as one step."""
    relevant = sum(truth)
    if not relevant:
        return 0.0
    steps: dict[float, list[bool]] = defaultdict(list)
    for true, score in zip(truth, scores, strict=True):
        steps[score].append(true)
    area, hits, seen = 0.0, 0, 0
    for score in sorted(steps, reverse=True):
        gained = sum(steps[score])
        hits += gained
        seen += len(steps[score])
        area += gained * hits / seen
    return area / relevant


def recall_at_precision(truth: Sequence[bool], scores: Sequence[float], precision: float) -> float:
    """The best recall of any threshold whose precision is at least ``precision``."""
    best = 0.0
    for least in sorted(set(scores)):
        kept = [true for true, score in zip(truth, scores, strict=True) if score >= least]
        if sum(kept) >= precision * len(kept):
            best = max(best, sum(kept) / max(1, sum(truth)))
    return best


def reliability(truth: Sequence[bool], scores: Sequence[float], bins: int = BINS) -> tuple[Bin, ...]:
    """Equal-width bins of the scores (0–1); empty ones have size 0."""
    members: list[list[tuple[bool, float]]] = [[] for _ in range(bins)]
    for true, score in zip(truth, scores, strict=True):
        members[min(bins - 1, int(score * bins))].append((true, score))
    return tuple(
        Bin(
            size=len(own),
            score=sum(score for _, score in own) / len(own) if own else 0.0,
            relevant=sum(true for true, _ in own) / len(own) if own else 0.0,
        )
        for own in members
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: the mean gap between score and share, weighted by size (Guo et al. 2017)."""
    total = sum(one.size for one in bins)
    return sum(one.size * abs(one.score - one.relevant) for one in bins) / total if total else 0.0


def reliability_text(bins: Sequence[Bin], width: int = 40) -> str:
    """The reliability picture for a terminal: ``█`` the share that is relevant, ``│`` the mean score."""
    lines = []
    for place, one in enumerate(bins):
        bar = list("█" * round(one.relevant * width) + " " * (width - round(one.relevant * width) + 1))
        if one.size:
            bar[round(one.score * width)] = "│"
        low, high = 100 * place // len(bins), 100 * (place + 1) // len(bins)
        lines.append(f"{low:3}–{high:3} {''.join(bar)} {one.size:4}")
    return "\n".join(lines)


def _by(rated: Sequence[Rated], names: Callable[[Rated], Iterable[str]]) -> dict[str, Counts]:
    groups: dict[str, list[Rated]] = defaultdict(list)
    for one in rated:
        for name in names(one):
            groups[name].append(one)
    return {name: count(group) for name, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))}


def _attributed(rated: Sequence[Rated]) -> dict[str, Counts]:
    rated = [one for one in rated if one.label.pillars or not one.label.relevant]
    names = {name for one in rated for name in (*one.label.pillars, *(one.verdict.pillars if one.verdict.kept else ()))}
    return {name: _attributed_to(rated, name) for name in sorted(names)}


def _attributed_to(rated: Sequence[Rated], pillar: str) -> Counts:
    pairs = [(pillar in one.label.pillars, one.verdict.kept and pillar in one.verdict.pillars) for one in rated]
    return _confusion(pairs)
