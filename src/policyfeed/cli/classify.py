"""classify: judge text from stdin. It needs the topics, and nothing else of the configuration."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from math import isinf
from typing import Any

import typer

from policyfeed.article_json import ministry_name, verdict_json
from policyfeed.cli.given import Json, topics
from policyfeed.cli.say import _, json_line, out
from policyfeed.errors import UsageError
from policyfeed.normalize.text import clean
from policyfeed.relevance import Judge, judge_text
from policyfeed.types import Verdict

app = typer.Typer()


@app.command()
def classify(
    context: typer.Context,
    as_json: Json = False,
) -> None:
    judge = Judge(topics(context))
    for value in _lines():
        verdict = _judged(judge, value)
        if as_json:
            json_line(value | verdict_json(verdict) | {"rule_version": verdict.rule_version})
        else:
            mark = _("kept") if verdict.kept else _("dropped")
            out.print(f"{mark}\t{verdict.score:.0f}\t{','.join(verdict.topics)}\t{value['title']}")


def _lines() -> Iterator[dict[str, Any]]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict) or not isinstance(value.get("title"), str):
            raise UsageError(
                "Line {number} of the input is not a JSON object with a title.",
                remedy='Write one object a line: {{"title": "…", "lead": "…"}}.',
                number=number,
            )
        yield value


def _refuse(constant: str) -> None:
    """NaN and Infinity are no JSON, whatever Python thinks (RFC 8259 §6)."""
    raise ValueError(constant)


def _finite(number: str) -> float:
    """1e999 is JSON, and would come out as Infinity, which is none."""
    value = float(number)
    if isinf(value):
        raise ValueError(number)
    return value


def _judged(judge: Judge, value: dict[str, Any]) -> Verdict:
    title, lead, body = (clean(str(value.get(field) or "")) for field in ("title", "lead", "body"))
    return judge_text(judge, title=title, lead=lead, body=body, ministry=clean(ministry_name(value.get("ministry"))))
