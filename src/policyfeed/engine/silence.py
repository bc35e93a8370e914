"""Cut off: when nobody can be reached any more, it is our own network that is down, and not all of them at once.

Left to its own back-off each source would wait for twice as long after each failure, most of a day after a long night,
though the network is back. So while we are cut off one of them is tried now and then, and when one is read, all others
are asked again soon: by the daemon, and by ``once`` from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from policyfeed.app import App
from policyfeed.errors import Unreachable
from policyfeed.health import HOSTS, LEAST
from policyfeed.poll import HELD, PollReport
from policyfeed.rhythm import Profile, settled
from policyfeed.store import SourceState, sources
from policyfeed.transport.urls import take_apart
from policyfeed.types import Source

EVERY, EACH = timedelta(minutes=10), timedelta(hours=1)
"""How often one is tried, and how often the same one at most."""
AGAIN = 3
"""So many times one is asked again until it is read itself: a line that comes back may break down once more."""


class Silence:
    """Who could not be reached since anybody was read."""

    def __init__(self, states: Iterable[SourceState], polled: Iterable[Source], now: datetime) -> None:
        hosts = {source.id: take_apart(source.url).host for source in polled}
        known = [one for one in states if one.id in hosts]
        self._since = max((one.last_success for one in known if one.last_success), default=now)
        lost = [(one.last_poll, one.id) for one in known if one.last_poll and one.state == Unreachable.__name__]
        self._silent = {id_: hosts[id_] for failed, id_ in sorted(lost) if failed > self._since}
        self._asked = Counter[str]()

    def cut_off(self, now: datetime) -> bool:
        return len(set(self._silent.values())) >= HOSTS and now - self._since >= LEAST

    @property
    def wait(self) -> timedelta:
        """How long until the next one is tried, should we be cut off then."""
        return max(EVERY, EACH / len(self._silent)) if self._silent else EVERY

    def heard(self, source: Source, report: PollReport, now: datetime) -> list[str]:
        """What a poll came to: who is to be asked again, because nobody could be reached until now."""
        if isinstance(report.error, Unreachable):
            self._missed(source.id, take_apart(source.url).host)
        elif report.error is None and report.state != HELD:
            return self._broken(source.id, now)
        return []

    def _missed(self, id_: str, host: str) -> None:
        """A source could not be reached. One that is asked again in vain time and again says nothing of our network."""
        if self._asked[id_] < AGAIN:
            self._silent.pop(id_, None)
            self._silent[id_] = host

    def turn(self) -> str:
        """Who is to be tried now: the one that waited longest."""
        id_ = next(iter(self._silent))
        self._silent[id_] = self._silent.pop(id_)
        return id_

    def _broken(self, id_: str, now: datetime) -> list[str]:
        again = [one for one in self._silent if one != id_] if self.cut_off(now) else []
        self._silent.clear()
        self._since = now
        self._asked.update(again)
        del self._asked[id_]
        return again


def sooner(app: App, ids: Sequence[str], within: timedelta) -> dict[str, datetime]:
    """Make sources due then, inside every bound but their back-off: a reload, or a restart, holds to it."""
    now, dues = app.clock(), dict[str, datetime]()
    with app.store.write() as tx:
        states = sources.every(tx)
        for n, id_ in enumerate(ids):
            source, state = app.sources.get(id_), states.get(id_)
            if source is None or state is None or state.due is None or state.last_poll is None:
                continue
            bounds = app.poller.bounds(source)
            soon = max(now + within * n / len(ids), state.last_poll + bounds.least)
            due = settled(soon, Profile.from_json(state.profile), bounds, state.wishes, now, id_)
            if due < state.due:
                sources.save(tx, replace(state, due=due))
                dues[id_] = due
    return dues
