"""Who could not be reached since anybody was read, and from when on that says something of our own network."""

from __future__ import annotations

from datetime import timedelta

from policyfeed.engine.silence import Silence
from policyfeed.health import LEAST
from policyfeed.store import SourceState
from tests.alerts import NOW

HOSTS = {one: f"{one}.go.kr" for one in "abc"}


def state(name: str, *, failed: timedelta) -> SourceState:
    return SourceState(id=name, fingerprint="f", due=NOW, state="Unreachable", last_poll=NOW + failed)


def test_all_are_silent_only_after_a_while() -> None:
    silence = Silence((), HOSTS, NOW)
    for name, host in HOSTS.items():
        silence.missed(name, host)
    assert not silence.cut_off(NOW + LEAST - timedelta(seconds=1)), "it may be chance"
    assert silence.cut_off(NOW + LEAST)
    assert silence.broken("a", NOW + LEAST) == ["b", "c"]
    assert not silence.cut_off(NOW + 2 * LEAST)


def test_after_a_restart_those_count_that_failed_since_anybody_was_read() -> None:
    read = SourceState(id="d", fingerprint="f", due=NOW, last_success=NOW, last_poll=NOW)
    hosts = {**HOSTS, "d": "d.go.kr"}
    since = [state(name, failed=timedelta(minutes=1)) for name in HOSTS]
    assert Silence([read, *since], hosts, NOW).cut_off(NOW + LEAST)
    before = state("c", failed=-timedelta(minutes=1))
    assert not Silence([read, *since[:2], before], hosts, NOW).cut_off(NOW + LEAST)
