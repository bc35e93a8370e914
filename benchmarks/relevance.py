"""How well articles are judged, beside simpler ways: a word list, all strong terms, TF-IDF with logistic regression.

    python -m benchmarks.relevance --labels labels.jsonl                    cross-validated: retrained for each fold
    python -m benchmarks.relevance --labels unseen.jsonl --shipped          the shipped model, on labels it never saw
    python -m benchmarks.relevance --labels unseen.jsonl --train a.jsonl    trained on other labels first

Labels are JSON lines (title, ministry, lead, relevant, pillars); ``--texts`` names releases for labels that give only a
newsId. TF-IDF needs scikit-learn; without it that row is left out. Intervals are 95 % bootstrap percentiles over
articles. Nothing is written but ``--svg FILE``.
"""

from __future__ import annotations

import argparse
import importlib
import json
import resource
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from policyfeed.relevance import Judge, Rules, judge_text, load_topics
from policyfeed.relevance.evaluate import (
    Bin,
    Rated,
    Report,
    average_precision,
    calibration_error,
    rate,
    recall_at_precision,
    reliability,
    reliability_text,
    report,
)
from policyfeed.relevance.labels import Label, read_labels, samples
from policyfeed.relevance.rules import Model, Strength
from policyfeed.relevance.train import train

ROOT = Path(__file__).parent.parent
FOLDS = 5
RESAMPLES = 1000
WORDS = (  # noqa: SIM905 - easier to read and to change than a list
    "탄소중립 온실가스 기후 재생에너지 태양광 미세먼지 수질 폐기물 재활용 플라스틱 생물다양성 친환경 전기차 화학물질 "
    "임금 노동 산업안전 중대재해 고용 여성 장애인 인권 복지 개인정보 소비자 안전 재난 "
    "공정거래 하도급 청렴 규제 지배구조 ESG"
).split()
"""33 words that a careful reader would put into a filter by hand."""


@dataclass(frozen=True, slots=True)
class Figures:
    """One way of judging on all labels; scores are 0–1."""

    name: str
    kept: Sequence[bool]
    scores: Sequence[float]
    milliseconds: float


def main() -> None:
    options = _options()
    rules = load_topics(options.topics)
    labels = read_labels(options.labels, options.texts)
    others = read_labels(options.train, options.texts) if options.train else ()
    rated, spent = _ours(rules, labels, others, shipped=options.shipped)
    rows = [
        Figures("topics + re-ranker", [one.verdict.kept for one in rated], _scores(rated), spent),
        _untrained(rules, labels),
        _contains("33 words", WORDS, labels),
        _contains("all strong terms", _strong(rules), labels),
    ]
    if (learned := _tfidf(labels, others)) is not None:
        rows.append(learned)
    found = report(rated)
    if options.svg:
        options.svg.write_text(picture(found.bins), encoding="utf-8")
    tell = _tell_json if options.json else _tell
    tell(rows, found, [label.relevant for label in labels], _speed(options.topics, labels))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", nargs="+", type=Path, required=True)
    parser.add_argument("--texts", nargs="*", type=Path, default=[])
    parser.add_argument("--train", nargs="*", type=Path, default=[])
    parser.add_argument("--shipped", action="store_true")
    parser.add_argument("--topics", type=Path, default=ROOT / "config" / "topics")
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def _ours(
    rules: Rules, labels: Sequence[Label], others: Sequence[Label], *, shipped: bool
) -> tuple[tuple[Rated, ...], float]:
    parts = [((), labels)] if shipped else _parts(labels, others)
    judges = [(Judge(rules) if shipped else _trained(rules, known), own) for known, own in parts]
    began = time.perf_counter()
    rated = {one.label.id: one for judge, own in judges for one in rate(judge, own)}
    spent = 1000 * (time.perf_counter() - began) / len(labels)
    return tuple(rated[label.id] for label in labels), spent


def _trained(rules: Rules, labels: Sequence[Label]) -> Judge:
    return Judge(replace(rules, model=train(rules, samples(rules, labels))))


def _parts(labels: Sequence[Label], others: Sequence[Label]) -> list[tuple[Sequence[Label], Sequence[Label]]]:
    """What to learn from and what to judge: other labels and all of these, or fold by fold these alone."""
    if others:
        return [(others, labels)]
    ordered = sorted(labels, key=lambda label: label.id)
    folds = [ordered[fold::FOLDS] for fold in range(FOLDS)]
    return [([label for other in folds if other is not fold for label in other], fold) for fold in folds]


def _untrained(rules: Rules, labels: Sequence[Label]) -> Figures:
    judge = Judge(replace(rules, model=Model()))
    began = time.perf_counter()
    rated = rate(judge, labels)
    spent = 1000 * (time.perf_counter() - began) / len(labels)
    return Figures("topics as written", [one.verdict.kept for one in rated], _scores(rated), spent)


def _scores(rated: Sequence[Rated]) -> list[float]:
    return [one.verdict.score / 100 for one in rated]


def _strong(rules: Rules) -> list[str]:
    terms = (term for topic in rules.topics for term in topic.terms if term.strength is Strength.STRONG)
    return [term.text.strip("|*") for term in terms if "+" not in term.text]


def _contains(name: str, words: Sequence[str], labels: Sequence[Label]) -> Figures:
    began = time.perf_counter()
    scores = [float(sum(word in f"{label.title} {label.lead}" for word in words)) for label in labels]
    spent = 1000 * (time.perf_counter() - began) / len(labels)
    return Figures(name, [score > 0 for score in scores], scores, spent)


def _tfidf(labels: Sequence[Label], others: Sequence[Label]) -> Figures | None:
    """Character n-grams of title, lead and ministry; learned from the same labels as ours."""
    try:
        text: Any = importlib.import_module("sklearn.feature_extraction.text")
        linear: Any = importlib.import_module("sklearn.linear_model")
    except ImportError:
        return None
    scores: dict[str, float] = {}
    spent = 0.0
    for known, own in _parts(labels, others):
        vectors = text.TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
        model = linear.LogisticRegression(C=10, max_iter=1000)
        model.fit(vectors.fit_transform([_whole(label) for label in known]), [label.relevant for label in known])
        began = time.perf_counter()
        chances = model.predict_proba(vectors.transform([_whole(label) for label in own]))[:, 1]
        spent += time.perf_counter() - began
        scores |= {label.id: float(chance) for label, chance in zip(own, chances, strict=True)}
    ordered = [scores[label.id] for label in labels]
    return Figures("TF-IDF + LR", [one >= 0.5 for one in ordered], ordered, 1000 * spent / len(labels))


def _whole(label: Label) -> str:
    return f"{label.title} {label.lead} {label.ministry}"


def _speed(topics: Path, labels: Sequence[Label]) -> dict[str, float]:
    """CPU milliseconds for loading, and at the 95th percentile for a title with lead and for a whole article."""
    began = time.process_time()
    judge = Judge(load_topics(topics))
    loading = 1000 * (time.process_time() - began)
    whole = [label for label in labels if label.body]
    short = _percentile(judge, [(label.title, label.lead, "") for label in labels])
    long = _percentile(judge, [(label.title, label.lead, label.body) for label in whole]) if whole else 0.0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"loading_ms": loading, "p95_lead_ms": short, "p95_body_ms": long, "peak_mb_of_this_run": memory}


def _percentile(judge: Judge, texts: Sequence[tuple[str, str, str]], share: float = 0.95) -> float:
    spent = []
    for title, lead, body in texts:
        began = time.process_time()
        judge_text(judge, title=title, lead=lead, body=body)
        spent.append(1000 * (time.process_time() - began))
    return sorted(spent)[int(share * (len(spent) - 1))]


def _row(one: Figures, truth: Sequence[bool]) -> dict[str, Any]:
    both = sum(kept and true for kept, true in zip(one.kept, truth, strict=True))
    kept, relevant = sum(one.kept), sum(truth)
    top = max(one.scores) or 1.0
    error = calibration_error(reliability(truth, one.scores)) if top <= 1.0 else None
    return {
        "method": one.name,
        "precision": both / kept if kept else 0.0,
        "recall": both / relevant,
        "f1": 2 * both / (kept + relevant),
        "pr_auc": average_precision(truth, one.scores),
        "recall_at_p85": recall_at_precision(truth, one.scores, 0.85),
        "ece": error,
        "ms": one.milliseconds,
    }


def _intervals(one: Figures, truth: Sequence[bool]) -> dict[str, tuple[float, float]]:
    """95 % of what other draws of as many articles would give."""
    chance, places = Random(1), range(len(truth))
    drawn: dict[str, list[float]] = {"precision": [], "recall": [], "f1": [], "pr_auc": []}
    for _ in range(RESAMPLES):
        chosen = chance.choices(places, k=len(truth))
        part = replace(one, kept=[one.kept[place] for place in chosen], scores=[one.scores[place] for place in chosen])
        row = _row(part, [truth[place] for place in chosen])
        for name, values in drawn.items():
            values.append(row[name])
    ordered = {name: sorted(values) for name, values in drawn.items()}
    return {name: (values[RESAMPLES // 40], values[-RESAMPLES // 40]) for name, values in ordered.items()}


def _tell_json(rows: Sequence[Figures], found: Report, truth: Sequence[bool], speed: dict[str, float]) -> None:
    for one in rows:
        print(json.dumps(_row(one, truth), ensure_ascii=False))
    pillars = {name: counts.recall for name, counts in found.pillars.items()}
    named = {name: {"precision": own.precision, "recall": own.recall} for name, own in found.attributed.items()}
    told = {"pillar_recall": pillars, "pillar_named": named, "alerts": found.alerts, **speed}
    print(json.dumps(told | {"intervals": _intervals(rows[0], truth)}))


def _tell(rows: Sequence[Figures], found: Report, truth: Sequence[bool], speed: dict[str, float]) -> None:
    show: Callable[[float | None], str] = lambda value: "  –  " if value is None else f"{value:.3f}"  # noqa: E731
    print(f"{len(truth)} labelled articles, {sum(truth)} relevant\n")
    print("method                 P      R      F1     PR-AUC R@P.85 ECE    ms (times the word list)")
    least = next(one.milliseconds for one in rows if one.name == "33 words") or 1e-6
    for one in rows:
        row = _row(one, truth)
        cells = "  ".join(show(row[key]) for key in ("precision", "recall", "f1", "pr_auc", "recall_at_p85", "ece"))
        print(f"{one.name:21}  {cells}  {one.milliseconds:.3f} ({one.milliseconds / least:.0f}×)")
    ranges = (f"{name} {low:.3f} to {high:.3f}" for name, (low, high) in _intervals(rows[0], truth).items())
    print("\ntopics + re-ranker, 95 %: " + ", ".join(ranges))
    print("\nrecall by pillar (kept; kept under that very pillar; precision of the latter)")
    for name, counts in found.pillars.items():
        named = found.attributed[name]
        print(f"  {name}  {counts.recall:.3f}  {named.recall:.3f}  {named.precision:.3f}  of {counts.relevant}")
    print(f"\nshort list: {found.alerts:.1%} of the kept")
    print("score, share that is relevant (bar), mean score (line), articles\n" + reliability_text(found.bins))
    print("\n" + ", ".join(f"{name} {value:.2f}" for name, value in speed.items()))


def picture(bins: Sequence[Bin], size: int = 320) -> str:
    """The reliability diagram as SVG: dots by bin, as large as the bin is full, on the diagonal when calibrated."""
    most = max((one.size for one in bins), default=1) or 1
    dots = "".join(
        f'<circle cx="{one.score * size:.1f}" cy="{size - one.relevant * size:.1f}" '
        f'r="{3 + 9 * (one.size / most) ** 0.5:.1f}"><title>{one.size}</title></circle>'
        for one in bins
        if one.size
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-40 -10 {size + 60} {size + 50}" font-family="sans-serif" '
        f'font-size="12"><rect width="{size}" height="{size}" fill="none" stroke="#999"/>'
        f'<path d="M0 {size}L{size} 0" stroke="#999" stroke-dasharray="4"/>'
        f'<g fill="#17634f" fill-opacity=".7">{dots}</g>'
        f'<text x="{size / 2}" y="{size + 30}" text-anchor="middle">score</text>'
        f'<text transform="translate(-20 {size / 2}) rotate(-90)" text-anchor="middle">share relevant</text></svg>\n'
    )


if __name__ == "__main__":
    main()
