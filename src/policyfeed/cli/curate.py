"""What an editor does: label articles, undo a merge, review a sample of the dropped ones, apply changed topics."""

from __future__ import annotations

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer

from policyfeed.article_json import as_json as article_json
from policyfeed.cli.given import Json, configuration, moment, named_topic, pointed
from policyfeed.cli.say import _, cells, json_line, out, progress, say, show, table
from policyfeed.cli.stored import opened_store
from policyfeed.clock import now
from policyfeed.errors import UsageError
from policyfeed.feedback import SAMPLE, missed_share, weekly_sample
from policyfeed.feedback import say as say_of
from policyfeed.relevance import Judge
from policyfeed.rescore import Announcement, RescoreReport
from policyfeed.rescore import rescore as apply
from policyfeed.split import split as separate
from policyfeed.store import Transaction, articles, labels
from policyfeed.types import Judged

app = typer.Typer()


class Word(StrEnum):
    RELEVANT = "relevant"
    IRRELEVANT = "irrelevant"


@app.command()
def label(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="ID|URL", help=_("An article's number, id or address."))],
    word: Annotated[Word, typer.Argument(metavar=_("LABEL"), help=_("relevant or irrelevant."))],
    topic: Annotated[
        str, typer.Argument(metavar=_("TOPIC"), help=_("The topic that it belongs to, for example E1."))
    ] = "",
) -> None:
    rules = configuration(context).rules
    named = named_topic(rules, topic) if topic else ""
    with opened_store() as store, store.write() as tx:
        found = _found(tx, pointed(context, wanted))
        say_of(tx, found, relevant=word is Word.RELEVANT, topic=named, now=now())
    said = _("Relevant") if word is Word.RELEVANT else _("Not relevant")
    out.print(f"{found.article.number} · {found.article.title} · {said}")


@app.command()
def split(
    context: typer.Context,
    wanted: Annotated[str, typer.Argument(metavar="ID|URL", help=_("An article's number, id or address."))],
    place: Annotated[str, typer.Argument(metavar="URL", help=_("Where the other release stands."))],
    as_json: Json = False,
) -> None:
    config = configuration(context)
    sources = {source.id: source for source in config.sources}
    with opened_store() as store, store.write() as tx:
        known = _found(tx, pointed(context, wanted)).article
        pair = separate(tx, known, place, Judge(config.rules).judge, sources, now())
    for one in pair:
        if as_json:
            json_line(article_json(one))
        else:
            places = ", ".join(origin.url for origin in one.article.origins)
            out.print(f"{one.article.number} · {one.article.title} · {places}")


def _found(tx: Transaction, wanted: str) -> Judged:
    """Raises UsageError."""
    found = articles.find(tx, wanted)
    if found is None:
        raise UsageError(
            "No stored article has the number, id or address {wanted}.",
            remedy="`policyfeed articles --all` lists them.",
            wanted=wanted,
        )
    return found


@app.command()
def review(
    count: Annotated[int, typer.Option(min=1, max=SAMPLE, help=_("How many."))] = SAMPLE, as_json: Json = False
) -> None:
    with opened_store() as store, store.read() as tx:
        chosen = weekly_sample(tx, now())[:count]
        said = [one for one in labels.every(tx) if one.sampled]
    if as_json:
        for one in chosen:
            json_line(article_json(one))
        return
    shown = table("number", "title", "ministry", "published", "score")
    for one in chosen:
        shown.add_row(*cells(one.article), f"{one.verdict.score:.0f}")
    show(shown)
    share, low, high = missed_share(len(said), sum(one.relevant for one in said))
    if said:
        template = "Of {count} sampled and labelled, {share} were relevant (95 %: {low} to {high})."
        say(template, count=len(said), share=f"{share:.1%}", low=f"{low:.1%}", high=f"{high:.1%}")
    say("Label them: policyfeed label NUMBER relevant|irrelevant")


@app.command()
def rescore(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help=_("Only show what would enter and leave."))] = False,
    announce: Annotated[
        str,
        typer.Option(metavar=_("DAY"), help=_("Tell channels of what is theirs only now, published since that day.")),
    ] = "",
    as_json: Json = False,
) -> None:
    config = configuration(context)
    since = moment(announce)
    asked = Announcement(channels=config.channels, since=since) if since else None
    with opened_store() as store:
        with store.read() as tx:
            total = articles.count(tx)["articles"]
        with progress("Judging", total, quiet=as_json) as step:
            judge = Judge(config.rules).judge
            report = apply(store, judge, config.feeds, now(), save=not dry_run, announce=asked, step=step)
    if as_json:
        json_line(asdict(report))
        return
    _show_rescore(report)
    if asked and not dry_run:
        say("{owed} messages are owed; `policyfeed deliver` or the daemon sends them.", owed=report.owed)
    if dry_run:
        say("Nothing was stored (--dry-run).")


def _show_rescore(report: RescoreReport) -> None:
    counted = {"articles": report.articles, "changed": report.changed, "kept": report.kept, "dropped": report.dropped}
    say("{articles} articles judged: {changed} changed, {kept} newly kept, {dropped} newly dropped.", **counted)
    shown = table("feed", "before", "after")
    for one in report.feeds:
        shown.add_row(one.name, str(one.before), str(one.after))
    show(shown)
    for one in report.feeds:
        for line in (*(f"+ {title}" for title in one.enter), *(f"− {title}" for title in one.leave)):
            out.print(f"{one.name} {line}")
