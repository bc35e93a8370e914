"""``policyfeed topics``: check, measure, improve and train the topics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from policyfeed.errors import ConfigErrors, PolicyfeedError
from policyfeed.i18n import environment_language, translator
from policyfeed.relevance import Judge, check_topics, load_topics
from policyfeed.relevance.checking import Severity
from policyfeed.relevance.evaluate import Counts, Rated, Report, rate, reliability_text, report
from policyfeed.relevance.labels import read_labels, samples
from policyfeed.relevance.reading import MODEL_FILE
from policyfeed.relevance.suggest import suggest
from policyfeed.relevance.train import model_toml, train

app = typer.Typer(help="Check, measure, improve and train the topics.", no_args_is_help=True)

FAILED = 1
USAGE = 2
EXAMPLES = 10

Topics = Annotated[Path, typer.Option("--topics", help="The folder of topic files.")]
Files = Annotated[list[Path], typer.Argument(help="Label files: JSON lines with title, ministry, lead, relevant.")]
Texts = Annotated[list[Path] | None, typer.Option("--texts", help="Releases that labels name by newsId.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON lines on stdout, nothing else.")]

DEFAULT = Path("config/topics")


@app.command()
def check(topics: Topics = DEFAULT, as_json: AsJson = False) -> None:
    """Run the topics' own examples; name dead and doubled terms. Exit code 1 when an example fails."""
    with _told():
        findings = check_topics(load_topics(topics))
    for finding in findings:
        if as_json:
            typer.echo(json.dumps(asdict(finding), ensure_ascii=False))
        else:
            typer.echo(f"{finding.severity}: {finding.text()}")
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if not as_json:
        typer.echo(
            _say("{errors} failed examples, {warnings} warnings", errors=errors, warnings=len(findings) - errors)
        )
    if errors:
        raise typer.Exit(FAILED)


@app.command(name="eval")
def evaluate(files: Files, topics: Topics = DEFAULT, texts: Texts = None, as_json: AsJson = False) -> None:
    """Precision, recall, F1, PR-AUC, per pillar and ministry, calibration, and the worst mistakes."""
    with _told():
        judge = Judge(load_topics(topics))
        found = report(rate(judge, read_labels(files, texts or ())))
    if as_json:
        typer.echo(json.dumps(figures(found), ensure_ascii=False))
    else:
        _print(found)


@app.command(name="suggest")
def suggest_terms(
    files: Files, topics: Topics = DEFAULT, texts: Texts = None, limit: int = 20, as_json: AsJson = False
) -> None:
    """Terms that would fix most misses, with what they would wrongly keep."""
    with _told():
        judge = Judge(load_topics(topics))
        found = suggest(judge, rate(judge, read_labels(files, texts or ())), limit=limit)
    if as_json:
        for one in found:
            typer.echo(json.dumps(asdict(one), ensure_ascii=False))
        return
    table = Table(_say("term"), _say("topic"), _say("fixes"), _say("costs"), _say("for example"))
    for one in found:
        table.add_row(one.term, one.topic, str(one.fixes), str(one.costs), one.examples[0] if one.examples else "")
    Console().print(table)


@app.command(name="train")
def train_model(
    files: Files,
    topics: Topics = DEFAULT,
    texts: Texts = None,
    out: Annotated[Path | None, typer.Option(help="Where to write; default: _model.toml beside the topics.")] = None,
) -> None:
    """Learn corrections to the topics' weights from labelled articles: readable, and the same for the same input."""
    with _told():
        rules = load_topics(topics)
        labels = read_labels(files, texts or ())
        model = train(rules, samples(rules, labels))
        relevant = sum(label.relevant for label in labels)
        note = f"Trained on {len(labels)} labelled articles, {relevant} of them relevant."
        target = out or topics / MODEL_FILE
        target.write_text(model_toml(model, note), encoding="utf-8")
    typer.echo(_say("{count} corrections written to {file}", count=len(model.corrections), file=str(target)))


def figures(found: Report) -> dict[str, Any]:
    """A report as JSON values; examples of mistakes as titles with scores."""
    return {
        **_counts(found.counts),
        "pr_auc": round(found.pr_auc, 4),
        "ece": round(found.ece, 4),
        "alerts": round(found.alerts, 4),
        "pillars": {name: _counts(counts) for name, counts in found.pillars.items()},
        "ministries": {name: _counts(counts) for name, counts in found.ministries.items()},
        "reliability": [asdict(one) for one in found.bins],
        "false_keeps": [_example(one) for one in found.false_keeps[:EXAMPLES]],
        "misses": [_example(one) for one in found.misses[:EXAMPLES]],
    }


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "articles": counts.all,
        "relevant": counts.relevant,
        "kept": counts.kept,
        "precision": round(counts.precision, 4),
        "recall": round(counts.recall, 4),
        "f1": round(counts.f1, 4),
    }


def _example(one: Rated) -> dict[str, Any]:
    return {"title": one.label.title, "ministry": one.label.ministry, "score": one.verdict.score}


def _print(found: Report) -> None:
    console = Console()
    counts = found.counts
    console.print(
        f"P {counts.precision:.3f}  R {counts.recall:.3f}  F1 {counts.f1:.3f}  PR-AUC {found.pr_auc:.3f}  "
        f"ECE {found.ece:.3f}  ({counts.relevant}/{counts.all})"
    )
    table = Table(_say("group"), _say("articles"), _say("relevant"), _say("kept"), "P", "R", "F1")
    for name, own in (*found.pillars.items(), *found.ministries.items()):
        table.add_row(
            name,
            str(own.all),
            str(own.relevant),
            str(own.kept),
            *(_share(x) for x in (own.precision, own.recall, own.f1)),
        )
    console.print(table)
    console.print(reliability_text(found.bins), highlight=False)
    for title, examples in ((_say("wrongly kept"), found.false_keeps), (_say("missed"), found.misses)):
        console.print(f"\n{title}: {len(examples)}")
        for one in examples[:EXAMPLES]:
            console.print(f"  {one.verdict.score:5.1f}  {one.label.title}", markup=False, highlight=False)


def _share(value: float) -> str:
    return f"{value:.3f}"


def _say(template: str, **facts: object) -> str:
    return _translate()(template).format(**facts)


def _translate() -> Callable[[str], str]:
    return translator(environment_language())


@contextmanager
def _told() -> Iterator[None]:
    """Errors as text on stderr, with exit code 2: they are all of usage or configuration here."""
    try:
        yield
    except ConfigErrors as errors:
        for mistake in errors.mistakes:
            typer.echo(mistake.text(_translate()), err=True)
        raise typer.Exit(USAGE) from errors
    except PolicyfeedError as error:
        typer.echo(error.text(_translate()), err=True)
        raise typer.Exit(USAGE) from error
