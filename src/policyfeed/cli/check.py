"""check: the whole configuration, every mistake at once."""

from __future__ import annotations

import typer

from policyfeed.cli.given import configuration
from policyfeed.cli.say import _, out, say
from policyfeed.clock import now
from policyfeed.config import listening_address
from policyfeed.config.doubts import doubts
from policyfeed.transport.http import HttpClient

app = typer.Typer()


@app.command()
def check(context: typer.Context) -> None:
    config = configuration(context)
    listening_address()
    HttpClient(user_agent="", clock=now)  # the proxies and authorities of the environment
    enabled = sum(source.enabled for source in config.sources)
    say("{folder} is right.", folder=config.folder)
    say(
        "Sources: {sources} ({enabled} enabled). Topics: {topics}. Feeds: {feeds}. Channels: {channels}.",
        sources=len(config.sources),
        enabled=enabled,
        topics=len(config.rules.topics),
        feeds=len(config.feeds),
        channels=len(config.channels),
    )
    for name in config.silent:
        say("The channel {name} is off: the variable of its url is not set.", name=name)
    for doubt in doubts(config):
        out.print(f"{_('warning')}: {doubt.text(_)}")
