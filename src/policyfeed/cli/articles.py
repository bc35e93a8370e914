"""Articles: list them, judge text, explain a verdict."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from policyfeed.article_json import as_json as article_json
from policyfeed.article_json import verdict_json
from policyfeed.cli.say import _, configuration, json_line, opened_store, out, say, table, when
from policyfeed.config import Config
from policyfeed.errors import UsageError
from policyfeed.normalize import dates
from policyfeed.relevance import Judge, judge_text
from policyfeed.selection import Selection
from policyfeed.store import articles as stored
from policyfeed.types import Judged, Verdict

app = typer.Typer()


@app.command(help=_("List stored articles, newest first."))
def articles(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))] = False,
    all_: Annotated[bool, typer.Option("--all", help=_("Kept and dropped."))] = False,
    kept: Annotated[bool, typer.Option("--kept", help=_("Only kept ones (the default)."))] = False,
    dropped: Annotated[bool, typer.Option("--dropped", help=_("Only dropped ones."))] = False,
    since: Annotated[str, typer.Option(help=_("Published on or after this day or time (KST)."))] = "",
    ministry: Annotated[list[str] | None, typer.Option(help=_("Id or name of a ministry."))] = None,
    topic: Annotated[list[str] | None, typer.Option(help=_("Id of a topic, for example E1."))] = None,
    words: Annotated[list[str] | None, typer.Option("-q", help=_("A word that must occur."))] = None,
    limit: Annotated[int, typer.Option(min=0, help=_("At most so many; 0 = all."))] = 0,
) -> None:
    if all_ + kept + dropped > 1:
        raise UsageError("--all, --kept and --dropped exclude each other.", remedy="Give one of them.")
    config = configuration(context)
    selection = Selection(
        kept_only=not (all_ or dropped),
        ministries=tuple(config.ministries.named(one).id for one in ministry or ()),
        topics=tuple(topic or ()),
        words=tuple(words or ()),
    )
    with opened_store() as store, store.read() as tx:
        found = stored.newest(tx, selection, sys.maxsize, since=_since(since))
    chosen = [one for one in found if not (dropped and one.verdict.kept)][: limit or None]
    if as_json:
        for one in chosen:
            json_line(article_json(one))
    else:
        _show(chosen)


@app.command(help=_("Judge JSON lines from stdin ({title, lead?, body?, ministry?}) and add the verdict."))
def classify(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help=_("JSON lines on stdout, nothing else."))] = False,
) -> None:
    judge = Judge(configuration(context).rules)
    for value in _lines():
        verdict = _judged(judge, value)
        if as_json:
            json_line(value | verdict_json(verdict))
        else:
            mark = _("kept") if verdict.kept else _("dropped")
            out.print(f"{mark}\t{verdict.score:.0f}\t{','.join(verdict.topics)}\t{value['title']}", markup=False)


@app.command(help=_("Why an article was kept or dropped, term by term; also for any title."))
def explain(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="ID|URL|TITLE", help=_("An article, or a title to judge."))],
) -> None:
    config = configuration(context)
    with opened_store() as store, store.read() as tx:
        found = stored.find(tx, wanted)
    if found is not None:
        article = found.article
        out.print(f"{article.number} · {article.title}", markup=False)
        out.print(f"{article.ministry.name} · {when(article.published)} · {article.url}", markup=False)
        _explain(config, found.verdict)
        return
    if wanted.isdigit() or wanted.startswith(("http://", "https://", "urn:")):
        raise UsageError(
            "No stored article has the number, id or address {wanted}.",
            remedy="`policyfeed articles --all` lists them; a title may be given as well.",
            wanted=wanted,
        )
    _explain(config, judge_text(Judge(config.rules), title=wanted))


def _since(text: str) -> datetime | None:
    if not text:
        return None
    moment = dates.parse(text)
    if moment is None:
        raise UsageError("{text!r} is no date.", remedy="Write 2026-05-20 or 2026-05-20T09:00.", text=text)
    return moment.at


def _lines() -> Iterator[dict[str, Any]]:
    for number, line in enumerate(sys.stdin, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError:
            value = None
        if not isinstance(value, dict) or not isinstance(value.get("title"), str):
            raise UsageError(
                "Line {number} of the input is not a JSON object with a title.",
                remedy='Write one object a line: {{"title": "…", "lead": "…"}}.',
                number=number,
            )
        yield value


def _judged(judge: Judge, value: dict[str, Any]) -> Verdict:
    lead, body, ministry = (str(value.get(name) or "") for name in ("lead", "body", "ministry"))
    return judge_text(judge, title=value["title"], lead=lead, body=body, ministry=ministry)


def _show(chosen: list[Judged]) -> None:
    shown = table("number", "title", "ministry", "published", "score", "topics")
    for one in chosen:
        article, verdict = one.article, one.verdict
        topics = " ".join(verdict.topics) if verdict.kept else _("dropped")
        named = (str(article.number), article.title, article.ministry.name, when(article.published))
        shown.add_row(*named, f"{verdict.score:.0f}", topics)
    out.print(shown)


def _explain(config: Config, verdict: Verdict) -> None:
    template = "Kept with {score} of 100 points: {topics}" if verdict.kept else "Dropped with {score} of 100 points"
    names = {topic.id: topic.name_ko for topic in config.rules.topics}
    topics = ", ".join(f"{topic} {names.get(topic, '')}".strip() for topic in verdict.topics)
    say(template, score=f"{verdict.score:.1f}", topics=topics)
    shown = table("points", "rule", "topic", "term", "field", "position")
    for reason in verdict.reasons:
        place = str(reason.offset) if reason.offset >= 0 else ""
        shown.add_row(f"{reason.points:+.1f}", reason.rule, reason.topic, reason.term, reason.field, place)
    out.print(shown)
    say("Rules {version}", version=verdict.rule_version)
