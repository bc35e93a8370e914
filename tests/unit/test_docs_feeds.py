"""docs/feeds.md names every format, route and metric."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyfeed import metrics, publish

DOCS = (Path(__file__).parents[2] / "docs/feeds.md").read_text(encoding="utf-8")


def _metrics() -> list[str]:
    named = (metric for metric in metrics.REGISTRY.collect() if metric.name.startswith("policyfeed_"))
    return [f"{metric.name}_total" if metric.type == "counter" else metric.name for metric in named]


@pytest.mark.parametrize("name", _metrics())
def test_every_metric_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize("extension", sorted(publish.formats()))
def test_every_format_is_documented(extension: str) -> None:
    assert f"`/feeds/{{name}}.{extension}`" in DOCS


@pytest.mark.parametrize("route", ["/", "/articles/{number}", "/healthz", "/readyz", "/metrics"])
def test_every_route_is_documented(route: str) -> None:
    assert f"`{route}`" in DOCS
