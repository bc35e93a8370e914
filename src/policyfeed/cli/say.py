"""What commands share: the language and the output."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table

from policyfeed.clock import KST, now
from policyfeed.errors import PolicyfeedError
from policyfeed.i18n import adopt, environment_language, translator
from policyfeed.types import Article

FAILED, USAGE = 1, 2
NARROWEST = 16
"""Cells of a folded column, eight Korean letters, before a table becomes wider than its terminal."""
_COMMANDS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys, and what turns the order of a line's letters around."""
_ = translator(environment_language())
adopt(environment_language())


class Plain(Console):
    """Shows what upstream or a user wrote as it stands: it holds no markup and no emoji, and commands no terminal."""

    def __init__(self, **how: Any) -> None:
        super().__init__(markup=False, emoji=False, highlight=False, soft_wrap=True, **how)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=_COMMANDS.sub("", segment.text))


out = Plain()
err = Plain(stderr=True)


def complain(error: PolicyfeedError) -> None:
    err.print(error.text(_), style="red")


def say(template: str, **facts: object) -> None:
    """A sentence in the user's language, on stdout."""
    out.print(_(template).format(**facts))


def json_line(value: Any) -> None:
    """A line of JSON, in UTF-8 whatever the terminal has; halves of surrogate pairs from a user's input are escaped."""
    sys.stdout.flush()
    sys.stdout.buffer.write(f"{json.dumps(value, ensure_ascii=False)}\n".encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()  # of a long run that is killed, what was done is known


def table(*headers: str, wide: str = "title") -> Table:
    """A plain table: one header a column, translated. On a narrow terminal only the column ``wide`` is folded."""
    made = Table(box=None, pad_edge=False, header_style="bold")
    for header in headers:
        folded = header == wide
        made.add_column(_(header), overflow="fold", no_wrap=not folded, min_width=NARROWEST if folded else None)
    return made


def show(shown: Table, on: Console = out) -> None:
    """Print a table. Elsewhere than on a terminal a row is one line, whatever its length, for grep and awk."""
    needed = Measurement.get(on, on.options.update(max_width=sys.maxsize), shown)
    shown.width = min(needed.maximum, max(on.width, needed.minimum)) if on.is_terminal else needed.maximum
    on.print(shown)


def when(moment: datetime | None, *, dated: bool = False) -> str:
    """A time as Korean publishers read it: KST, to the minute. ``dated``: only the day is known."""
    return f"{moment.astimezone(KST):{'%Y-%m-%d' if dated else '%Y-%m-%d %H:%M'}}" if moment else "–"


def brief(moment: datetime | None, *, dated: bool = False) -> str:
    """``when`` as it fits into a table: on a terminal this year is not named, and of another year no time."""
    if moment is None or dated or not out.is_terminal:
        return when(moment, dated=dated)
    there = moment.astimezone(KST)
    return f"{there:%m-%d %H:%M}" if there.year == now().astimezone(KST).year else f"{there:%Y-%m-%d}"


def cells(article: Article) -> tuple[str, str, str, str]:
    """An article in a table: number, title, ministry, published."""
    published = brief(article.published, dated=article.dated)
    return str(article.number), article.title, article.ministry.name, published


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
