"""demo: a self-contained example world, no network."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from policyfeed import daemon
from policyfeed.cli.say import _, out, say
from policyfeed.demo import DemoReport, demo

app = typer.Typer()


@app.command("demo")
def run(
    serve: Annotated[bool, typer.Option(help=_("Serve the pages until Ctrl-C."))] = True,
) -> None:
    host, port = daemon.address()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended as by Ctrl-C: the folder goes
    with tempfile.TemporaryDirectory(prefix="policyfeed-demo-") as folder, contextlib.suppress(KeyboardInterrupt):
        asyncio.run(demo(Path(folder), (host, port), shown=_show, serve=serve))


def _show(report: DemoReport) -> None:
    say(
        "{sources} sources polled twice: {new} articles, {joined} seen in two places, {kept} kept.",
        sources=len(report.first),
        new=report.articles,
        joined=sum(one.joined for one in (*report.first, *report.second)),
        kept=report.kept,
    )
    say(
        "What was there at first contact was stored quietly; {told} new releases were announced:", told=len(report.told)
    )
    for message in report.told:
        out.print(f"  • {str(message.get('text', '')).splitlines()[0]}", markup=False)
    host, port = daemon.address()
    say("The board: {url}  The feed: {url}/feeds/esg.atom  (Ctrl-C ends it)", url=f"http://{host}:{port}")
