"""Labelled articles: JSON lines with title, ministry, lead and relevant (true, false), as ``topics eval`` reads them.

A line may give ``newsId`` instead of texts; they are then taken from collections of releases (JSON lines, plain or
gzipped, with newsId, title, subtitles, ministry and body).
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policyfeed.article_json import ministry_name
from policyfeed.errors import UsageError
from policyfeed.relevance.case import Case, text_case
from policyfeed.relevance.rules import Rules
from policyfeed.relevance.train import Sample

LEAD_CHARS = 250
"""How much of a release's text stands for its lead, where a collection gives only the whole text."""

CONFIDENCE = {"high": 1.0, "medium": 0.8, "low": 0.5}
TITLE_ONLY = 0.4
"""What a title without its lead weighs in training, so that bare titles are judged well too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One article and what a reader says of it."""

    id: str
    title: str
    relevant: bool
    ministry: str = ""
    lead: str = ""
    body: str = ""
    topics: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    confidence: str = "high"

    def case(self, rules: Rules, *, with_lead: bool = True) -> Case:
        """As the engine judges it: title and lead."""
        return text_case(rules, title=self.title, lead=self.lead if with_lead else "", ministry=self.ministry)


def read_labels(files: Iterable[Path], texts: Iterable[Path] = ()) -> tuple[Label, ...]:
    """All labels of the files. Raises UsageError naming file and line of what cannot be used."""
    known = {str(record.get("newsId")): record for path in texts for _, record in _records(path)}
    return tuple(_label(path, line, record, known) for path in files for line, record in _records(path))


def samples(rules: Rules, labels: Sequence[Label]) -> list[Sample]:
    """Labels as samples to train on: each with its lead, and lighter as a bare title."""
    made = []
    for label in labels:
        weight = CONFIDENCE.get(label.confidence, 1.0)
        if label.lead:
            made.append(Sample(case=label.case(rules), relevant=label.relevant, group=label.id, weight=weight))
            weight *= TITLE_ONLY
        bare = label.case(rules, with_lead=False)
        made.append(Sample(case=bare, relevant=label.relevant, group=label.id, weight=weight))
    return made


def _records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file with their lines. Texts hold U+2028 and the like, which end no line."""
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        lines = content.decode("utf-8-sig").split("\n")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise UsageError("{file} could not be read as JSON lines: {detail}.", file=str(path), detail=error) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _object(path, number, line)


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UsageError(
            "{file}, line {line} is no JSON object.", remedy="Write one object a line.", file=str(path), line=number
        )
    return value


def _label(path: Path, line: int, record: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> Label:
    text = dict(known.get(str(record.get("newsId", "")), {})) | dict(record)
    title = text.get("title")
    if not isinstance(text.get("relevant"), bool) or not isinstance(title, str) or not title:
        raise UsageError(
            "{file}, line {line}: a label needs a title, or a known newsId, and relevant = true or false.",
            remedy="Name the releases with --texts, or complete the line.",
            file=str(path),
            line=line,
        )
    return Label(
        id=str(text.get("id") or text.get("newsId") or f"{path.name}:{line}"),
        title=title,
        relevant=text["relevant"],
        ministry=ministry_name(text.get("ministry")),
        lead=str(text.get("lead") or _lead(text)),
        body=str(text.get("body") or ""),
        topics=_several(text.get("topics")),
        pillars=_several(text.get("pillars")),
        confidence=str(text.get("confidence") or "high"),
    )


def _several(given: object) -> tuple[str, ...]:
    """One text, or a list of them."""
    return tuple(str(one) for one in (given if isinstance(given, list) else [given] if given else []))


def _lead(text: Mapping[str, Any]) -> str:
    return " ".join((*_several(text.get("subtitles")), str(text.get("body") or "")))[:LEAD_CHARS].strip()
