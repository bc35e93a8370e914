"""Articles' own pages, one folder each: ``tests/cases/details/<kind>/<name>/``.

``case.toml`` has the ``article``'s address and a ``[source]`` table. It may give the ``[document]`` another ``url`` and
say what is known ``[so_far]``, its ``ways`` as addresses. ``document.*`` is what the server sent, ``expected.json``
what is known after it was read: the detail's fields that hold something, or ``error``.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from policyfeed import registry
from policyfeed.config.models import SourceTable
from policyfeed.errors import UpstreamError
from policyfeed.sources import body_url, detailed
from policyfeed.types import Attachment, Detail, Document, Request, Source
from tests.releases import NOW

CASES = Path(__file__).parents[1] / "cases" / "details"
FOLDERS = sorted(path.parent for path in CASES.glob("*/*/case.toml"))
KINDS = [kind for kind in registry.names("sources") if hasattr(registry.load("sources", kind), "detail")]


def case_of(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "case.toml").read_text(encoding="utf-8"))


def source_of(folder: Path) -> Source:
    return SourceTable.model_validate({"kind": folder.parent.name, **case_of(folder)["source"]}).source()


def so_far_of(case: dict[str, Any]) -> Detail | None:
    known = case.get("so_far")
    return Detail(**{**known, "ways": tuple(Request(url=url) for url in known["ways"])}) if known else None


def plain(value: object) -> object:
    if isinstance(value, Attachment):
        return [value.name, value.url, value.type]
    if isinstance(value, Request):
        return value.url
    return [plain(part) for part in value] if isinstance(value, tuple) else value


def read(folder: Path) -> dict[str, Any]:
    case, source, adapter = case_of(folder), source_of(folder), detailed(source_of(folder))
    assert adapter is not None
    so_far = so_far_of(case)
    asked = so_far.ways[0].url if so_far else body_url(source, case["article"])
    (file,) = folder.glob("document.*")
    url = case.get("document", {}).get("url", asked)
    document = Document(url=url, status=200, body=file.read_bytes(), fetched=NOW)
    try:
        found = adapter.read_detail(source, document, so_far)
    except UpstreamError as error:
        return {"error": error.name}
    return {one.name: plain(getattr(found, one.name)) for one in fields(found) if getattr(found, one.name)}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: f"{folder.parent.name}-{folder.name}")
def test_a_recorded_page_is_read(folder: Path) -> None:
    assert read(folder) == json.loads((folder / "expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_with_pages_of_its_own_has_recorded_examples(kind: str) -> None:
    assert [folder for folder in FOLDERS if folder.parent.name == kind]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.korea.kr/briefing/pressReleaseView.do?newsId=156770001", True),
        ("https://m.korea.kr/news/policyNewsView.do?pageIndex=1&newsId=148900001#top", True),
        ("https://www.korea.kr/briefing/pressReleaseList.do?pageIndex=1", False),
        ("https://www.korea.kr.example.com/view.do?newsId=1", False),
        ("", False),
    ],
)
def test_releases_on_korea_kr_have_pages(url: str, expected: bool) -> None:
    source = Source(id="korea-press", kind="korea_kr", url="https://www.korea.kr/briefing/pressReleaseList.do")
    assert bool(body_url(source, url)) is expected


def test_a_feed_and_a_board_without_detail_body_have_none() -> None:
    for kind in ("feed", "page"):
        assert (
            body_url(Source(id="x", kind=kind, url="https://www.example.go.kr/"), "https://www.example.go.kr/1") == ""
        )


def test_the_mobile_site_stands_in_for_the_other_and_for_nothing_else() -> None:
    adapter = detailed(Source(id="korea-press", kind="korea_kr", url="https://www.korea.kr/"))
    assert adapter is not None
    other = adapter.elsewhere(Request(url="https://www.korea.kr/a?newsId=1", headers=(("Accept", "text/html"),)))
    assert other == Request(url="https://m.korea.kr/a?newsId=1", headers=(("Accept", "text/html"),))
    assert adapter.elsewhere(Request(url="https://m.korea.kr/a?newsId=1")) is None
