"""Recorded documents, one folder each: ``tests/cases/sources/<kind>/<name>/``.

``case.toml`` names a ``shipped`` source or has a ``[source]`` table, and may give the ``[document]`` another ``url``,
``content_type`` or byte encoding (``encode``), and the ``[cursor]`` of the last poll. ``document.*`` is what the server
sent, ``expected.json`` what is read of it: ``request`` (when it is no plain GET), ``entries`` and ``articles`` with
their fields, ``next``, ``cursor``, ``rightly_empty`` and ``warnings``; or ``error``.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policyfeed import registry
from policyfeed.config.models import MinistriesFile, SourceTable
from policyfeed.errors import UpstreamError
from policyfeed.normalize.article import normalize
from policyfeed.normalize.ministry import Ministries
from policyfeed.types import Article, Document, Entry, Page, Request, Source

CASES = Path(__file__).parents[1] / "cases" / "sources"
CONFIG = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 5, 20, 0, 0, tzinfo=UTC)
KINDS = registry.names("sources")
FOLDERS = sorted(path.parent for path in CASES.glob("*/*/case.toml"))


@cache
def shipped() -> dict[str, Source]:
    files = [tomllib.loads(file.read_text(encoding="utf-8")) for file in (CONFIG / "sources").glob("*.toml")]
    return {table["id"]: SourceTable.model_validate(table).source() for file in files for table in file["source"]}


@cache
def ministries() -> Ministries:
    data = tomllib.loads((CONFIG / "ministries.toml").read_text(encoding="utf-8"))
    return Ministries([table.ministry() for table in MinistriesFile.model_validate(data).ministry])


def source_of(case: dict[str, Any], kind: str) -> Source:
    if name := case.get("shipped"):
        return shipped()[name]
    return SourceTable.model_validate({"kind": kind, **case["source"]}).source()


def document_of(folder: Path, case: dict[str, Any], request: Request) -> Document:
    told = case.get("document", {})
    (file,) = folder.glob("document.*")
    body = file.read_bytes()
    if encoding := told.get("encode"):
        body = body.decode("utf-8").encode(encoding)
    return Document(
        url=told.get("url", request.url),
        status=200,
        headers={"content-type": told.get("content_type", "")},
        body=body,
        fetched=NOW,
    )


def said(value: Entry | Request | Article, *names: str) -> dict[str, Any]:
    """The named fields that hold something, as JSON shows them."""
    shown = {name: getattr(value, name) for name in names if getattr(value, name)}
    return {
        name: [[part.name, part.url] for part in found] if name == "attachments" else plain(found)
        for name, found in shown.items()
    }


def plain(value: object) -> object:
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value if isinstance(value, bool) else str(value)


ENTRY = tuple(Entry.__dataclass_fields__)
ARTICLE = ("title", "tags", "published", "dated", "summary", "content", "department", "attachments")


def article(found: Article) -> dict[str, Any]:
    shown = said(found, *ARTICLE)
    who = {"ministry": f"{found.ministry.id} {found.ministry.name}", "kind": str(found.kind)}
    return {**shown, **who, "url": found.url, "key": found.origins[0].key}


def read(folder: Path) -> dict[str, Any]:
    case = tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))
    source, cursor = source_of(case, folder.parent.name), case.get("cursor", {})
    adapter = registry.load("sources", source.kind)
    request = adapter.first(source, cursor, NOW)
    document = document_of(folder, case, request)
    try:
        page: Page = adapter.read(source, cursor, document)
    except UpstreamError as error:
        return {"error": error.name}
    found = normalize(page.entries, source, ministries(), NOW)
    result: dict[str, Any] = {
        "entries": [said(entry, *ENTRY) for entry in page.entries],
        "articles": [article(one) for one in found.articles],
    }
    if request.method != "GET":
        result["request"] = said(request, "method", "url", "body")
    if page.next is not None:
        result["next"] = said(page.next, "method", "url", "body")
    if page.cursor is not None:
        result["cursor"] = json.loads(json.dumps(page.cursor))
    if page.rightly_empty:
        result["rightly_empty"] = True
    if warnings := (*page.warnings, *found.warnings):
        result["warnings"] = [warning.partition(": <")[0] for warning in warnings]  # a parser's own words may change
    return result


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_recorded_document_is_read(folder: Path) -> None:
    expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
    assert read(folder) == expected


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_recorded_examples(kind: str) -> None:
    names = [folder.name for folder in FOLDERS if folder.parent.name == kind]
    assert names, f"kind {kind}: put a recorded example into tests/cases/sources/{kind}/"


def test_every_folder_belongs_to_a_kind() -> None:
    assert {folder.parent.name for folder in FOLDERS} <= set(KINDS)


def test_every_shipped_board_has_a_recorded_example() -> None:
    cases = [tomllib.loads((folder / "case.toml").read_text(encoding="utf-8")) for folder in FOLDERS]
    tried = {case.get("shipped") for case in cases}
    assert {name for name, source in shipped().items() if source.kind != "feed"} <= tried


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_source_is_to_be_asked_with_goes_with_its_request(kind: str) -> None:
    (source, *_) = (one for one in shipped().values() if one.kind == kind)
    request = registry.load("sources", kind).first(replace(source, headers=(("X-Board", "press"),)), {}, NOW)
    assert ("X-Board", "press") in request.headers
    assert [name for name, _ in request.headers].count("Accept") <= 1
