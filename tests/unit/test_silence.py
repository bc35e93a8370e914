"""Who could not be reached since anybody was read, and from when on that says something of our own network."""

from __future__ import annotations

from datetime import timedelta

from policyfeed.engine.silence import Silence
from policyfeed.errors import Unreachable
from policyfeed.health import LEAST
from policyfeed.poll import PollReport
from policyfeed.store import SourceState
from tests.alerts import NOW
from tests.fakes import source

SOURCES = {one: source(one, url=f"https://{one}.go.kr/rss.xml") for one in "abcd"}
LOST = Unreachable("{url} could not be reached.", url="a")


def state(name: str, *, failed: timedelta) -> SourceState:
    return SourceState(id=name, fingerprint="f", due=NOW, state="Unreachable", last_poll=NOW + failed)


def test_all_are_silent_only_after_a_while() -> None:
    silence = Silence((), SOURCES.values(), NOW)
    for name in "abc":
        silence.heard(SOURCES[name], PollReport(source=name, state=LOST.name, error=LOST), NOW)
    assert not silence.cut_off(NOW + LEAST - timedelta(seconds=1)), "it may be chance"
    assert silence.cut_off(NOW + LEAST)
    assert silence.heard(SOURCES["a"], PollReport(source="a", state="ok"), NOW + LEAST) == ["b", "c"]
    assert not silence.cut_off(NOW + 2 * LEAST)


def test_after_a_restart_those_count_that_failed_since_anybody_was_read() -> None:
    read = SourceState(id="d", fingerprint="f", due=NOW, last_success=NOW, last_poll=NOW)
    since = [state(name, failed=timedelta(minutes=1)) for name in "abc"]
    assert Silence([read, *since], SOURCES.values(), NOW).cut_off(NOW + LEAST)
    before = state("c", failed=-timedelta(minutes=1))
    assert not Silence([read, *since[:2], before], SOURCES.values(), NOW).cut_off(NOW + LEAST)
