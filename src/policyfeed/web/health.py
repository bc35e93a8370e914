"""Whether the process lives, whether it does its work, and its figures."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from policyfeed import metrics, store
from policyfeed.clock import Clock
from policyfeed.errors import PolicyfeedError
from policyfeed.formats import Feed
from policyfeed.health import Condition
from policyfeed.publish import formats
from policyfeed.store import Store
from policyfeed.web.context import Check, Context
from policyfeed.web.published import Published

_PROBE = 65_536
_SLACK = timedelta(minutes=1)
"""So little a clock may be set back without a word."""
_FRESH = {"Cache-Control": "no-store"}


async def healthz(_request: Request) -> Response:
    """The process answers: restarting it would not help."""
    return JSONResponse({"alive": True}, headers=_FRESH)


def readyz(request: Request) -> Response:
    """200 when every check is well, else 503; either way each check with what is wrong."""
    context: Context = request.app.state.context
    problems = {name: _run(check) for name, check in context.checks.items()}
    ready = not any(problems.values())
    told = {name: {"ok": not problem, "problem": problem} for name, problem in problems.items()}
    return JSONResponse({"ready": ready, "checks": told}, 200 if ready else 503, _FRESH)


def metrics_page(request: Request) -> Response:
    """Prometheus' text format. What the store counts is asked for now; without it the rest is still told."""
    context: Context = request.app.state.context
    with suppress(PolicyfeedError):
        _count(context)
    return Response(generate_latest(metrics.REGISTRY), headers=_FRESH | {"Content-Type": CONTENT_TYPE_LATEST})


def _count(context: Context) -> None:
    with context.store.read() as tx:
        counted, owed = store.articles.count(tx), store.outbox.counts(tx)
    metrics.ARTICLES.labels("kept").set(counted["kept"])
    metrics.ARTICLES.labels("dropped").set(counted["articles"] - counted["kept"])
    metrics.OUTBOX.clear()
    for (channel, state), number in owed.items():
        metrics.OUTBOX.labels(channel, state).set(number)
    _count_sources(context.conditions())
    metrics.PUBLISH_TO_SEEN.clear()
    for source, waits in context.waits().items():
        for quantile, seconds in (("0.5", waits.median), ("0.9", waits.p90), ("0.99", waits.p99)):
            metrics.PUBLISH_TO_SEEN.labels(source, quantile).set(seconds)


def _count_sources(found: Sequence[Condition]) -> None:
    """From what is stored: a restart forgets nothing, and a source that is configured no more is counted no more."""
    for gauge in (metrics.SOURCE_CONDITION, metrics.SOURCE_FAILURES, metrics.LAST_SUCCESS):
        gauge.clear()
    for one in found:
        metrics.SOURCE_CONDITION.labels(one.source.id, one.name.value).set(1)
        metrics.SOURCE_FAILURES.labels(one.source.id).set(one.state.failures)
        if one.state.last_success is not None:
            metrics.LAST_SUCCESS.labels(one.source.id).set(one.state.last_success.timestamp())


def database_readable(opened: Store) -> Check:
    """The database answers a query, and is the file that is there."""

    def check() -> str:
        with opened.read() as tx:
            store.articles.count(tx)
        if opened.astray():
            return f"{opened.file} was moved, removed or replaced: stop policyfeed, put the right one there, start"
        return ""

    return check


def polled_within(opened: Store, clock: Clock, longest: timedelta) -> Check:
    """Some source was read without an error not longer ago than ``longest``. A success in the future is none."""

    def check() -> str:
        with opened.read() as tx:
            times = [state.last_success for state in store.sources.every(tx).values() if state.last_success]
        if not times:
            return "no source has been read yet"
        now = clock()
        past = [moment for moment in times if moment <= now + _SLACK]
        if not past:
            return f"the last success lies in the future, at {max(times):%Y-%m-%d %H:%M} UTC: the clock was set back"
        age = now - max(past)
        return f"no source was read for {int(age.total_seconds() // 60)} minutes" if age > longest else ""

    return check


def feeds_published(published: Published, feeds: Callable[[], Sequence[Feed]]) -> Check:
    """Every configured feed has been published in every format."""

    def check() -> str:
        there = set(published.names())
        wanted = [f"{feed.name}.{extension}" for feed in feeds() for extension in formats()]
        missing = [name for name in wanted if name not in there]
        return f"not published: {', '.join(missing)}" if missing else ""

    return check


def folder_writable(folder: Path) -> Check:
    """The folder of published files takes a file: it may be written, and the disk is not full."""

    def check() -> str:
        try:
            with tempfile.TemporaryFile(dir=folder) as probe:
                probe.write(bytes(_PROBE))
                probe.flush()
        except OSError as problem:
            return f"{folder} cannot be written: {problem.strerror}"
        return ""

    return check


def _run(check: Check) -> str:
    try:
        return check()
    except PolicyfeedError as problem:
        return problem.text()
