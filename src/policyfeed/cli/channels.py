"""channels: list them; send a test message and tell the truth about it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Annotated

import typer

from policyfeed.app import opened
from policyfeed.channels import Channel
from policyfeed.cli.given import configuration
from policyfeed.cli.say import FAILED, _, err, say, show, table
from policyfeed.cli.stored import opened_store
from policyfeed.clock import now
from policyfeed.config import Config, data_folder
from policyfeed.deliver import detail_in, try_out
from policyfeed.errors import UsageError
from policyfeed.i18n import Translate, translator
from policyfeed.store import outbox as stored
from policyfeed.types import Article, Judged, MinistryName, Outcome, Reason, Result, Verdict

app = typer.Typer()


@app.command("list")
def list_(context: typer.Context) -> None:
    config = configuration(context)
    with opened_store() as store, store.read() as tx:
        counts = stored.counts(tx)
        states = {channel.name: stored.channel_state(tx, channel.name) for channel in config.channels}
    shown = table("channel", "messenger", "state", "pending", "delivered", "dead", wide="state")

    def add(name: str, kind: str, state: str) -> None:
        shown.add_row(name, kind, state, *(str(counts.get((name, of), 0)) for of in ("pending", "delivered", "dead")))

    for channel in config.channels:
        closed = detail_in(states[channel.name].closed, _)
        add(channel.name, channel.kind, f"{_('closed')}: {closed}" if closed else _("on"))
    for name in config.silent:
        add(name, "", _("off"))
    owed = {name for name, state in counts if state == "pending"}
    for name in sorted(owed - states.keys() - set(config.silent)):
        add(name, "", _("not configured"))
    show(shown)


@app.command()
def test(
    context: typer.Context, name: Annotated[str, typer.Argument(metavar=_("NAME"), help=_("The channel's name."))]
) -> None:
    config = configuration(context)
    found = [channel for channel in config.channels if channel.name == name]
    if not found:
        raise UsageError(
            "No channel called {name!r} is on.",
            remedy="`policyfeed channels list` shows them; a channel is on when its variables are set.",
            name=name,
        )
    outcome = asyncio.run(_send(config, found[0]))
    if outcome.result is Result.DELIVERED:
        say("{name} took the test message.", name=name)
        return
    detail = detail_in(outcome.detail, _)
    err.print(_("{name} did not take it: {detail}").format(name=name, detail=detail), style="red")
    raise typer.Exit(FAILED)


async def _send(config: Config, channel: Channel) -> Outcome:
    async with opened(config, data_folder()) as app:
        return await try_out(
            channel, _sample(translator(channel.language)), store=app.store, db=app.db, send=app.send, clock=app.clock
        )


def _sample(translate: Translate) -> Judged:
    """In the language of the channel, as its messages are."""
    _ = translate
    moment = now() - timedelta(minutes=1)
    article = Article(
        id="urn:uuid:00000000-0000-4000-8000-000000000000",
        title=_("policyfeed test message"),
        ministry=MinistryName(id="test", name="policyfeed"),
        published=moment,
        first_seen=moment,
        changed=moment,
        summary=_("When you can read this, the channel works."),
        url="https://www.korea.kr/",
    )
    reason = Reason(rule="term", points=100.0, topic="", term=_("test"), field="title", offset=0)
    return Judged(article=article, verdict=Verdict(kept=True, score=100.0, reasons=(reason,)))
