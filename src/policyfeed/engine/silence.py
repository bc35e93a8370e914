"""Cut off: when nobody can be reached any more, it is our own network that is down, and not all of them at once.

Left to its own back-off each source would wait for twice as long after each failure, most of a day after a long night,
though the network is back. So while we are cut off one of them is tried now and then, and when one is read, all others
are asked again soon.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from policyfeed.errors import Unreachable
from policyfeed.health import HOSTS, LEAST
from policyfeed.store import SourceState

EVERY, EACH = timedelta(minutes=10), timedelta(hours=1)
"""How often one is tried, and how often the same one at most."""
AGAIN = 3
"""So many times one is asked again until it is read itself: a line that comes back may break down once more."""


class Silence:
    """Who could not be reached since anybody was read."""

    def __init__(self, states: Iterable[SourceState], hosts: Mapping[str, str], now: datetime) -> None:
        """``states``: what is stored of the sources; ``hosts``: source id → host, of those that are polled."""
        known = [one for one in states if one.id in hosts]
        self._since = max((one.last_success for one in known if one.last_success), default=now)
        lost = (one for one in known if one.state == Unreachable.__name__)
        self._silent = {one.id: hosts[one.id] for one in lost if one.last_poll and one.last_poll > self._since}
        self._asked = Counter[str]()

    def cut_off(self, now: datetime) -> bool:
        return len(set(self._silent.values())) >= HOSTS and now - self._since >= LEAST

    @property
    def wait(self) -> timedelta:
        """How long until the next one is tried, should we be cut off then."""
        return max(EVERY, EACH / len(self._silent)) if self._silent else EVERY

    def missed(self, id_: str, host: str) -> None:
        """A source could not be reached. One that is asked again in vain time and again says nothing of our network."""
        if self._asked[id_] < AGAIN:
            self._silent.pop(id_, None)
            self._silent[id_] = host

    def turn(self) -> str:
        """Who is to be tried now: the one that waited longest."""
        id_ = next(iter(self._silent))
        self._silent[id_] = self._silent.pop(id_)
        return id_

    def broken(self, id_: str, now: datetime) -> list[str]:
        """A source was read: who is to be asked again, because nobody could be reached until now."""
        again = [one for one in self._silent if one != id_] if self.cut_off(now) else []
        self._silent.clear()
        self._since = now
        self._asked.update(again)
        del self._asked[id_]
        return again
