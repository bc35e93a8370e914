"""docs/feeds.md names every format and route."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyfeed import publish

DOCS = (Path(__file__).parents[2] / "docs/feeds.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("extension", sorted(publish.formats()))
def test_every_format_is_documented(extension: str) -> None:
    assert f"`/feeds/{{name}}.{extension}`" in DOCS


@pytest.mark.parametrize("route", ["/", "/articles/{number}", "/healthz", "/readyz", "/metrics"])
def test_every_route_is_documented(route: str) -> None:
    assert f"`{route}`" in DOCS
