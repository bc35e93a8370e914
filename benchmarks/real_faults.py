"""A third of the upstream hosts broken, in every way that the replica knows, wave after wave; then all of them well.

Each wave draws a third of the hosts anew and deals them the next kinds of a shuffled deck, so that every kind strikes
somewhere. The messengers get only what keeps a message from arriving: of one that arrives and whose answer is lost
nobody can know, and it is sent again under the same id.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from real_checks import Watched
from real_world import Daemon

from policyfeed.errors import told

WAVE = timedelta(hours=2)
PORTAL = "www.korea.kr"
MESSENGERS = ("hooks.slack.com", "hooks.example.com")
CONNECT: tuple[dict[str, Any], ...] = (
    {"kind": "connect_502"},
    {"kind": "connect_hang"},
    {"kind": "tls_hang"},
    {"kind": "tls_reset"},
    {"kind": "tls_badcert"},
)
GONE = "gone"
KINDS: tuple[dict[str, Any], ...] = (
    *CONNECT,
    {"kind": "status", "code": 500},
    {"kind": "status", "code": 403},
    {"kind": "status", "code": 404},
    {"kind": "too_many", "retry_after": 600},
    {"kind": "unavailable", "retry_after": 900, "retry_form": "date"},
    {"kind": "hang"},
    {"kind": "delay", "seconds": 12},
    {"kind": "drip", "chunk": 16, "interval": 0.5},
    {"kind": "reset"},
    {"kind": "truncate"},
    {"kind": "chunk_cut"},
    {"kind": "charset", "mode": "body"},
    {"kind": "charset", "mode": "header"},
    {"kind": "empty"},
    {"kind": "blank"},
    {"kind": "block"},
    *({"kind": "broken_xml", "mode": mode} for mode in ("amp", "control", "bom", "declaration", "cut")),
    {"kind": "entities"},
    {"kind": "redirect", "code": 301},
    {"kind": "loop"},
    {"kind": "ssrf", "to": "http://169.254.169.254/latest/meta-data/"},
    {"kind": "huge", "size_mb": 30},
    {"kind": "bomb", "size_mb": 100},
    {"kind": "stale"},
    {"kind": "ignore_filter"},
)


class Faults:
    """Breaks and mends the replica's hosts; ``change`` is called now and then with the virtual time."""

    def __init__(self, daemon: Daemon, end: datetime, seed: int) -> None:
        self._daemon, self._end, self._rng = daemon, end, random.Random(seed)
        self._next = daemon.clock.moment
        listed = [json.loads(line) for line in daemon.run("sources", "list", "--json").stdout.splitlines()]
        self._hosts = sorted({urlsplit(one["url"]).hostname or "" for one in listed if one["state"] != "off"})
        self._deck = self._dealt()
        self._gone = self._rng.choice([host for host in self._hosts if host != PORTAL])
        self._struck: Counter[str] = Counter()

    def change(self, moment: datetime) -> None:
        """The next wave, when its time has come; after the end no fault any more."""
        if moment < self._next:
            return
        self._count()
        broken = self._wave(moment) if moment < self._end else []
        self._daemon.replica.ask("/faults", {"fault": broken})
        self._next = moment + WAVE if broken else datetime.max.replace(tzinfo=moment.tzinfo)

    def recovered(self, watched: Watched) -> None:
        """Every kind struck, no inner address was asked, and every source but the one that is gone is well."""
        watched.figures["faults"] = dict(sorted(self._struck.items()))
        never = {one["kind"] for one in KINDS} | {GONE}
        watched.check(not never - set(self._struck), f"never struck: {never - set(self._struck)}")
        inside = [one for one in self._daemon.replica.ask("/log")["requests"] if one.get("canary")]
        watched.check(not inside, f"inner addresses were asked: {inside[:3]}")
        ill = self._daemon.rows("SELECT id, state, error FROM sources WHERE failures > 0")
        watched.figures["not well at the end"] = {id_: f"{state}: {told(error)}" for id_, state, error in ill}
        still = [id_ for id_, state, _ in ill if state != GONE]
        watched.check(not still, f"did not recover: {still}")

    def revive(self) -> None:
        """What an operator does for a source that is gone for good (410) and comes back."""
        for id_, _ in self._daemon.rows("SELECT id, state FROM sources WHERE state = :gone", gone=GONE):
            self._daemon.run("poll", id_)
        for _ in range(20):  # a messenger's own limits spread what came at once
            self._daemon.run("deliver")
            if self._daemon.rows("SELECT count(*) FROM deliveries WHERE state = 'pending'") == [(0,)]:
                return
            self._daemon.clock.move(self._daemon.clock.moment + timedelta(minutes=1))

    def _wave(self, moment: datetime) -> list[dict[str, Any]]:
        hosts = self._rng.sample(self._hosts, len(self._hosts) // 3)
        broken = [_at(host, next(self._deck), moment) for host in hosts]
        for host in MESSENGERS:
            if self._rng.random() < 1 / 3:
                broken.append(_at(host, self._rng.choice(CONNECT), moment))
        if not self._struck[GONE]:
            broken.insert(0, {"kind": GONE, "host": self._gone})
        return broken

    def _dealt(self) -> Iterator[dict[str, Any]]:
        while True:
            yield from self._rng.sample(KINDS, len(KINDS))

    def _count(self) -> None:
        for rule in self._daemon.replica.ask("/faults")["fault"]:
            self._struck[rule["kind"]] += rule["used"]


def _at(host: str, fault: dict[str, Any], moment: datetime) -> dict[str, Any]:
    more = {"redirect": {"to": f"https://{host}/"}, "stale": {"at": (moment - timedelta(days=1)).isoformat()}}
    return {"host": host, **fault, **more.get(fault["kind"], {})}
