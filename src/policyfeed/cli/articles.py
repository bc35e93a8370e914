"""Articles: list them, explain a verdict."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

from policyfeed.article_json import as_json as article_json
from policyfeed.cli.given import Json, configuration, moment, named_topic, pointed, topics
from policyfeed.cli.say import _, cells, json_line, out, say, show, table, when
from policyfeed.cli.stored import opened_store
from policyfeed.config import Config
from policyfeed.errors import UsageError
from policyfeed.i18n import environment_language
from policyfeed.naming import field_name, rule_name, weighty
from policyfeed.relevance import Judge, Rules, judge_text
from policyfeed.selection import Selection
from policyfeed.store import articles as stored
from policyfeed.types import Judged, Verdict

app = typer.Typer()


@app.command()
def articles(
    context: typer.Context,
    as_json: Json = False,
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
        dropped_only=dropped,
        ministries=tuple(config.ministries.named(one).id for one in ministry or ()),
        topics=tuple(named_topic(config.rules, one) for one in topic or ()),
        words=tuple(words or ()),
    )
    with opened_store() as store, store.read() as tx:
        chosen = stored.newest(tx, selection, min(limit, sys.maxsize) or sys.maxsize, since=moment(since))
    if not chosen:
        _check_ministries(config, ministry or ())
    if as_json:
        for one in chosen:
            json_line(article_json(one))
    else:
        _show(chosen)


@app.command()
def explain(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar=_("ID|URL|TITLE"), help=_("An article, or a title to judge."))],
) -> None:
    if not wanted.strip():
        raise UsageError("There is nothing to explain.", remedy="Give an article's number, id or address, or a title.")
    rules = topics(context)
    with opened_store() as store, store.read() as tx:
        found = stored.find(tx, pointed(context, wanted))
    if found is not None:
        article = found.article
        out.print(f"{article.number} · {article.title}")
        out.print(f"{article.ministry.name} · {when(article.published, dated=article.dated)} · {article.url}")
        _explain(rules, found.verdict)
        if found.verdict.rule_version != rules.version:
            say("The topics are others now ({version}): `policyfeed rescore` applies them.", version=rules.version)
        return
    if wanted.isdigit() or wanted.startswith(("http://", "https://", "urn:")):
        raise UsageError(
            "No stored article has the number, id or address {wanted}.",
            remedy="`policyfeed articles --all` lists them; a title may be given as well.",
            wanted=wanted,
        )
    _explain(rules, judge_text(Judge(rules), title=wanted))


def _check_ministries(config: Config, names: Sequence[str]) -> None:
    """Raises UsageError for a name that the configuration does not have: articles may be by others, but none is."""
    known = {name for one in config.ministries for name in (one.id, one.name)}
    for name in names:
        if config.ministries.get(config.ministries.named(name).id) is None:
            near = ", ".join(get_close_matches(name, known, cutoff=0.5)) or ", ".join(sorted(known)[-8:]) + " …"
            raise UsageError("No ministry is called {name!r}.", remedy="Known: {known}.", name=name, known=near)


def _show(chosen: list[Judged]) -> None:
    shown = table("number", "title", "ministry", "published", "score", "topics")
    for one in chosen:
        verdict = one.verdict
        topics = " ".join(verdict.topics) if verdict.kept else _("dropped")
        shown.add_row(*cells(one.article), f"{verdict.score:.0f}", topics)
    show(shown)


def _explain(rules: Rules, verdict: Verdict) -> None:
    template = "Kept with {score} of 100 points: {topics}" if verdict.kept else "Dropped with {score} of 100 points"
    names = rules.names(environment_language())
    named = ", ".join(f"{topic} {names.get(topic, '')}".strip() for topic in verdict.topics)
    say(template, score=f"{verdict.score:.1f}", topics=named)
    if verdict.alert:
        say("On the short list.")
    shown = table("points", "rule", "topic", "term", "field", "position", wide="term")
    reasons, more = weighty(verdict.reasons)
    for reason in reasons:
        place = str(reason.offset) if reason.offset >= 0 else ""
        where = field_name(reason.field, _), place
        shown.add_row(f"{reason.points:+.1f}", rule_name(reason.rule, _), reason.topic, reason.term, *where)
    show(shown)
    if more:
        say("and {count} more", count=more)
    say("Rules {version}", version=verdict.rule_version)
