"""run: the daemon."""

from __future__ import annotations

import asyncio
import contextlib
import signal

import typer

from policyfeed.cli.given import configuration
from policyfeed.config import data_folder

app = typer.Typer()


@app.command()
def run(context: typer.Context) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})  # until the daemon minds it: by default it kills
    from policyfeed import daemon  # it takes a while to load

    config = configuration(context)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(daemon.run(config, data_folder()))
