"""What commands share: the language and the output."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from policyfeed.clock import KST
from policyfeed.errors import PolicyfeedError
from policyfeed.i18n import environment_language, translator

FAILED, USAGE = 1, 2
_ = translator(environment_language())
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def complain(error: PolicyfeedError) -> None:
    err.print(error.text(_), style="red", markup=False)


def say(template: str, **facts: object) -> None:
    """A sentence in the user's language, on stdout."""
    out.print(_(template).format(**facts), markup=False)


def json_line(value: Any) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()  # of a long run that is killed, what was done is known


def table(*headers: str) -> Table:
    """A plain table: one header a column, translated."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        made.add_column(_(header), overflow="fold")
    return made


def when(moment: datetime | None) -> str:
    """A time as Korean publishers read it: KST, to the minute."""
    return f"{moment.astimezone(KST):%Y-%m-%d %H:%M}" if moment else "–"


@contextmanager
def progress(label: str, total: int | None, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """A bar on stderr when that is a terminal; gives a function to call after each step with its name.

    ``total`` None: nobody knows how many steps there will be.
    """
    columns: Sequence[Any] = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[step]}"),
    )
    with Progress(*columns, console=err, disable=quiet or not err.is_terminal, transient=True) as bar:
        task = bar.add_task(_(label), total=total, step="")

        def step(name: str) -> None:
            bar.update(task, advance=1, step=name)

        yield step
