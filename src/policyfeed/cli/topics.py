"""``policyfeed topics``: check, measure, improve and train the topics."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from policyfeed.cli import given
from policyfeed.cli.given import Json
from policyfeed.cli.say import FAILED, _, json_line, out, say, show, table
from policyfeed.cli.stored import opened_store
from policyfeed.config import find_folder
from policyfeed.errors import OutputError, UsageError
from policyfeed.i18n import marked
from policyfeed.relevance import Judge, Rules, check_topics, load_topics
from policyfeed.relevance.checking import Severity, check_patterns
from policyfeed.relevance.evaluate import Counts, Rated, Report, rate, reliability_text, report
from policyfeed.relevance.genres import PATTERN_CHARS
from policyfeed.relevance.labels import Label, read_labels, samples
from policyfeed.relevance.reading import MODEL_FILE
from policyfeed.relevance.suggest import Suggestion, suggest, suggest_against
from policyfeed.relevance.train import model_toml, train
from policyfeed.selection import Selection
from policyfeed.store import articles
from policyfeed.store import labels as stored_labels
from policyfeed.types import Article

app = typer.Typer()

EXAMPLES = 10
STORED = 5000
ENOUGH = 1000
"""From so many labels on what is learned is no worse than the weights as written (docs/relevance.md)."""
PATIENCE = 1.0
"""Seconds of CPU that a pattern may search in one title; the slowest one shipped takes a tenth of that."""

Topics = Annotated[Path | None, typer.Option("--topics", help=_("A folder of topics; default: the configuration's."))]
Files = Annotated[
    list[Path] | None,
    typer.Argument(metavar=_("FILE"), help=_("Label files: JSON lines with title, ministry, lead, relevant.")),
]
Texts = Annotated[list[Path] | None, typer.Option("--texts", help=_("Releases that labels name by newsId."))]
Feedback = Annotated[bool, typer.Option("--feedback", help=_("What `policyfeed label` stored, too."))]


@app.command()
def check(context: typer.Context, topics: Topics = None, as_json: Json = False) -> None:
    rules = _rules(context, topics)
    findings = (*check_topics(rules), *check_patterns(rules, _takes_long))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    for finding in findings:
        if as_json:
            json_line(asdict(finding))
        else:
            out.print(f"{_(finding.severity.value)}: {finding.text(_)}")
    if not as_json:
        say("{errors} errors, {warnings} warnings", errors=errors, warnings=len(findings) - errors)
    if errors:
        raise typer.Exit(FAILED)


def _takes_long(pattern: str, title: str) -> bool:
    """Gives up by a signal: the search looks for one now and then, a thread could not stop it."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE)
    try:
        re.compile(pattern).search(title, 0, PATTERN_CHARS)
    except TimeoutError:
        return True
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return False


def _give_up(*_signal: object) -> None:
    raise TimeoutError


@app.command("eval")
def evaluate(
    context: typer.Context,
    files: Files = None,
    topics: Topics = None,
    texts: Texts = None,
    feedback: Feedback = False,
    as_json: Json = False,
) -> None:
    judge = Judge(_rules(context, topics))
    found = report(rate(judge, _labels(files, texts, feedback=feedback)))
    if as_json:
        json_line(figures(found))
    else:
        _print(found)


@app.command("suggest")
def suggest_terms(
    context: typer.Context,
    files: Files = None,
    topics: Topics = None,
    texts: Texts = None,
    feedback: Feedback = False,
    stored: Annotated[
        bool, typer.Option("--stored", help=_("Count the stored articles that it would keep, too."))
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help=_("How many at most."))] = 20,
    as_json: Json = False,
) -> None:
    judge = Judge(_rules(context, topics))
    rated = rate(judge, _labels(files, texts, feedback=feedback))
    corpus = _stored() if stored else ()
    for_misses, for_keeps = suggest(judge, rated, corpus, limit), suggest_against(judge, rated, corpus, limit)
    if as_json:
        for one in (*for_misses, *for_keeps):
            json_line(asdict(one))
        return
    show(_suggested(marked("newly kept"), for_misses))
    say("Against what is wrongly kept, as a mask or a pattern:")
    show(_suggested(marked("newly dropped"), for_keeps))


def _suggested(changed: str, found: Sequence[Suggestion]) -> Table:
    shown = table("term", "topic", "fixes", "costs", changed, "for example", wide="for example")
    for one in found:
        shown.add_row(one.term, one.topic, str(one.fixes), str(one.costs), str(one.gains), next(iter(one.examples), ""))
    return shown


@app.command("train")
def train_model(
    context: typer.Context,
    files: Files = None,
    topics: Topics = None,
    texts: Texts = None,
    feedback: Feedback = False,
    out_file: Annotated[Path | None, typer.Option("--out", help=_("Default: _model.toml beside the topics."))] = None,
) -> None:
    rules = _rules(context, topics)
    labels = _labels(files, texts, feedback=feedback)
    if out_file is None and len(labels) < ENOUGH:
        raise UsageError(
            "{count} labelled articles are too few to learn from: below {enough} the corrections make verdicts worse.",
            remedy="Give more label files; to try these all the same, name another file with --out.",
            count=len(labels),
            enough=ENOUGH,
        )
    model = train(rules, samples(rules, labels))
    relevant = sum(label.relevant for label in labels)
    target = out_file or _folder(context, topics) / MODEL_FILE
    _write(target, model_toml(model, f"Trained on {len(labels)} labelled articles, {relevant} of them relevant."))
    say("{count} corrections written to {file}", count=len(model.corrections), file=str(target))


def _labels(files: list[Path] | None, texts: list[Path] | None, *, feedback: bool) -> tuple[Label, ...]:
    """The labels of files and, when asked for, of people's feedback. Raises UsageError when there are none."""
    found = read_labels(files or (), texts or ())
    if feedback:
        with opened_store() as store, store.read() as tx:
            said = stored_labels.every(tx)
            known = articles.get(tx, [one.number for one in said])
        found += tuple(_label(known[one.number], one.relevant, one.topic) for one in said)
    if not found:
        raise UsageError("There are no labels.", remedy="Name a label file, or --feedback after `policyfeed label`.")
    return found


def _stored() -> tuple[Label, ...]:
    """The newest stored articles; nobody said whether they are relevant."""
    with opened_store() as store, store.read() as tx:
        found = articles.newest(tx, Selection(kept_only=False), STORED)
    return tuple(_label(one.article, one.verdict.kept) for one in found)


def _label(article: Article, relevant: bool, topic: str = "") -> Label:
    return Label(
        id=article.id,
        title=article.title,
        relevant=relevant,
        ministry=article.ministry.name,
        lead=article.summary,
        topics=(topic,) if topic else (),
    )


def figures(found: Report) -> dict[str, Any]:
    """A report as JSON values; examples of mistakes as titles with scores."""
    return {
        **_counts(found.counts),
        "pr_auc": round(found.pr_auc, 4),
        "ece": round(found.ece, 4),
        "alerts": round(found.alerts, 4),
        "pillars": {name: _pillar(found, name) for name in found.attributed},
        "ministries": {name: _counts(counts) for name, counts in found.ministries.items()},
        "reliability": [asdict(one) for one in found.bins],
        "false_keeps": [_example(one) for one in found.false_keeps[:EXAMPLES]],
        "misses": [_example(one) for one in found.misses[:EXAMPLES]],
    }


def _rules(context: typer.Context, topics: Path | None) -> Rules:
    return load_topics(topics) if topics else given.topics(context)


def _folder(context: typer.Context, topics: Path | None) -> Path:
    return topics or find_folder(context.obj) / "topics"


def _write(target: Path, text: str) -> None:
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputError(
            "{file} could not be written: {detail}.",
            remedy="Name another file with --out.",
            file=str(target),
            detail=error,
        ) from error


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "articles": counts.all,
        "relevant": counts.relevant,
        "kept": counts.kept,
        "precision": round(counts.precision, 4),
        "recall": round(counts.recall, 4),
        "f1": round(counts.f1, 4),
    }


def _pillar(found: Report, name: str) -> dict[str, Any]:
    """Kept under that very pillar; ``recall_kept``: kept under any."""
    kept = found.pillars[name].recall if name in found.pillars else 0.0
    return _counts(found.attributed[name]) | {"recall_kept": round(kept, 4)}


def _example(one: Rated) -> dict[str, Any]:
    return {"title": one.label.title, "ministry": one.label.ministry, "score": one.verdict.score}


def _print(found: Report) -> None:
    shown = table("group", "articles", "relevant", "kept", "precision", "recall", "F1", wide="group")
    for name, own in ((_("all"), found.counts), *found.attributed.items(), *found.ministries.items()):
        shares = (f"{value:.3f}" for value in (own.precision, own.recall, own.f1))
        shown.add_row(name, str(own.all), str(own.relevant), str(own.kept), *shares)
    show(shown)
    say(
        "PR-AUC {auc:.3f}, calibration error {ece:.3f}, on the short list {alerts:.1%} of the kept",
        auc=found.pr_auc,
        ece=found.ece,
        alerts=found.alerts,
    )
    out.print(reliability_text(found.bins))
    for title, examples in ((_("wrongly kept"), found.false_keeps), (_("missed"), found.misses)):
        out.print(f"\n{title}: {len(examples)}")
        for one in examples[:EXAMPLES]:
            out.print(f"  {one.verdict.score:5.1f}  {one.label.title}")
