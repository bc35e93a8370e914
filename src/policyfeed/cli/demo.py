"""demo: a self-contained example world, no network."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from policyfeed import daemon
from policyfeed.cli.say import _, out, say
from policyfeed.config import listening_address
from policyfeed.demo import DemoReport, demo

app = typer.Typer()


@app.command("demo")
def run(
    serve: Annotated[bool, typer.Option(help=_("Serve the pages until Ctrl-C."))] = True,
) -> None:
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup wishes
            signal.signal(number, _as_ctrl_c)
    with ExitStack() as stack:
        listening = stack.enter_context(daemon.listen(*listening_address())) if serve else None
        own = daemon.url(listening) if listening else "http://127.0.0.1:8000"
        stack.enter_context(suppress(KeyboardInterrupt))
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="policyfeed-demo-"))
        asyncio.run(demo(Path(folder), own, shown=partial(_show, own, serve=serve), listening=listening))


def _as_ctrl_c(_number: int, _frame: object) -> None:
    """End it as asyncio and uvicorn do at Ctrl-C, wherever they are: nothing is left behind."""
    signal.raise_signal(signal.SIGINT)


def _show(own: str, report: DemoReport, *, serve: bool) -> None:
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
        out.print(f"  • {str(message.get('text', '')).splitlines()[0]}")
    if serve:
        say("The board: {url}  The feed: {url}/feeds/esg.atom  (Ctrl-C ends it)", url=own)
