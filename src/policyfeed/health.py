"""Health of sources: what condition each is in, and what the operator is told of it: a lasting change, once, and the
recovery, once.

A source that answers and is silent is as broken as one that does not answer. How long it may be silent is its own
rhythm: half as long again as the longest silence among its last releases, counted in Korean working days.

When nobody can be reached it is our own network that is down: that is told, and not of each source.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

from policyfeed import errors
from policyfeed.channels import Channel
from policyfeed.clock import KST
from policyfeed.normalize.dates import Moment
from policyfeed.notices import NETWORK
from policyfeed.rhythm import works
from policyfeed.store import SourceState, Store, health, outbox, sources
from policyfeed.store.health import Seen
from policyfeed.types import ConditionName, Delivery, Notice, Source

LAST = 40
"""Releases of a source that its rhythm is read from."""
LEAST_SILENCE = 3
"""Working days that any source may be silent."""
RECENT = timedelta(days=30)
"""How far back it is counted how long releases waited to be seen."""
HOSTS, LEAST = 3, timedelta(minutes=30)
"""So many hosts do not fail at once, and nobody is read for so long, by chance."""
_PERSISTS = {
    ConditionName.UNREACHABLE: timedelta(hours=3),
    ConditionName.INCOMPLETE: timedelta(hours=3),
    ConditionName.BLOCKED: timedelta(hours=1),
    ConditionName.LAYOUT_CHANGED: timedelta(hours=1),
    ConditionName.MISCONFIGURED: timedelta(hours=1),
    ConditionName.STALE: timedelta(0),
    ConditionName.GONE: timedelta(0),
}
_BY_ERROR = {
    "LayoutChanged": ConditionName.LAYOUT_CHANGED,
    "Emptied": ConditionName.LAYOUT_CHANGED,
    "Blocked": ConditionName.BLOCKED,
    "Truncated": ConditionName.INCOMPLETE,
    "Incomplete": ConditionName.INCOMPLETE,
    "TooLarge": ConditionName.MISCONFIGURED,
    "Unreadable": ConditionName.MISCONFIGURED,
    "Forbidden": ConditionName.MISCONFIGURED,
    "Misconfigured": ConditionName.MISCONFIGURED,
    "HostileDocument": ConditionName.MISCONFIGURED,
    "InternalError": ConditionName.MISCONFIGURED,
    "gone": ConditionName.GONE,
}
_BY_STATUS = {
    401: ConditionName.MISCONFIGURED,
    403: ConditionName.BLOCKED,
    404: ConditionName.MISCONFIGURED,
    405: ConditionName.MISCONFIGURED,
    410: ConditionName.GONE,
    429: ConditionName.BLOCKED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A source's condition now. ``newest`` is its newest article's publication, ``silent`` the working days since.

    ``detail`` is the failure's message as it is stored (``errors.told``).
    """

    source: Source
    name: ConditionName
    since: datetime | None
    detail: str
    state: SourceState
    newest: Moment | None = None
    silent: int = 0

    @property
    def well(self) -> bool:
        return self.name in (ConditionName.NEW, ConditionName.OK, ConditionName.UNCHANGED)


def conditions(store: Store, configured: Iterable[Source], now: datetime) -> list[Condition]:
    """The enabled sources' conditions, in the order of the configuration."""
    with store.read() as tx:
        states = sources.every(tx)
        return [
            condition(one, states.get(one.id, SourceState(id=one.id)), health.publication_times(tx, one.id, LAST), now)
            for one in configured
            if one.enabled
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How long a source's releases waited from publication until they were seen, in seconds."""

    releases: int
    median: float
    p90: float
    p99: float

    @classmethod
    def of(cls, seconds: Iterable[float]) -> Waits:
        """The percentiles of at least one wait: each is a wait that happened (nearest rank)."""
        ordered = sorted(seconds)
        median, p90, p99 = (ordered[-(-percent * len(ordered) // 100) - 1] for percent in (50, 90, 99))
        return cls(releases=len(ordered), median=median, p90=p90, p99=p99)


def waits(store: Store, now: datetime) -> dict[str, Waits]:
    """Source id → how long its releases of the last 30 days waited; without the sources that had none."""
    with store.read() as tx:
        return {source: Waits.of(seconds) for source, seconds in health.waits(tx, now - RECENT).items()}


def condition(source: Source, state: SourceState, published: Sequence[Moment], now: datetime) -> Condition:
    """What condition a source is in; ``published`` are its last articles' times, newest first."""
    newest = next(iter(published), None)
    silent = working_days(newest.at, now) if newest else 0
    found = Condition(
        source=source, name=ConditionName.OK, since=state.since, detail="", state=state, newest=newest, silent=silent
    )
    if state.last_poll is None:
        return replace(found, name=ConditionName.NEW)
    if state.error or state.gone:
        return replace(found, name=_trouble(state), detail=state.error)
    if newest and silent > allowed_silence([one.at for one in published]):
        return replace(found, name=ConditionName.STALE, since=newest.at)
    return found if state.last_new == state.last_success else replace(found, name=ConditionName.UNCHANGED)


def _trouble(state: SourceState) -> ConditionName:
    if state.state != "Refused":
        return _BY_ERROR.get(state.state, ConditionName.UNREACHABLE)
    status = errors.fact(state.error, "status")
    if not isinstance(status, int):
        return ConditionName.UNREACHABLE
    refused = 200 <= status < 300  # by what it says: a gateway's code
    return ConditionName.BLOCKED if refused else _BY_STATUS.get(status, ConditionName.UNREACHABLE)


def working_days(since: datetime, now: datetime) -> int:
    """Korean working days after the day of ``since``, today not counted: it is not over."""
    first, last = since.astimezone(KST).date().toordinal(), now.astimezone(KST).date().toordinal()
    return sum(works(day) for day in range(first + 1, last))


def allowed_silence(published: Sequence[datetime]) -> int:
    """Working days that a source with these publications (newest first) may be silent."""
    longest = max((working_days(older, newer) for newer, older in pairwise(published)), default=LEAST_SILENCE)
    return max(LEAST_SILENCE, -(-longest * 3 // 2) + 1)


def cut_off(found: Iterable[Condition], now: datetime) -> bool:
    """Whether nobody can be reached: all that were asked since one was read, at several hosts."""
    polled = [(one, one.state.last_poll) for one in found if one.state.last_poll is not None]
    read = max((one.state.last_success for one, _ in polled if one.state.last_success), default=None)
    lost = [one for one, asked in polled if read is None or asked > read]
    silent = all(one.name is ConditionName.UNREACHABLE for one in lost)
    hosts = {urlsplit(one.source.url).hostname for one in lost}
    return silent and len(hosts) >= HOSTS and (read is None or now - read >= LEAST)


def watch(store: Store, configured: Iterable[Source], channels: Sequence[Channel], now: datetime) -> list[Notice]:
    """Look at every source, keep what was seen, and owe the operator's channels what is news. One transaction."""
    found = conditions(store, configured, now)
    with store.write() as tx:
        before = health.every(tx)
        network, told = _of_the_network(found, before.get(NETWORK), now)
        news = [(network, told), *(_news(one, before.get(one.source.id), now, network) for one in found)]
        for seen, notice in news:
            if seen != before.get(seen.source):
                health.save(tx, seen)
            if notice is not None:
                health.add_notice(tx, notice)
                outbox.owe(tx, (_owed(notice, channel, now) for channel in channels if channel.operator))
    return [notice for _, notice in news if notice is not None]


def _of_the_network(found: Sequence[Condition], before: Seen | None, now: datetime) -> tuple[Seen, Notice | None]:
    """The same for our own network. It is well again since the first one was read."""
    name = ConditionName.UNREACHABLE if cut_off(found, now) else ConditionName.OK
    whole = Source(id=NETWORK, kind="", url="")
    state = SourceState(id=NETWORK)
    seen, notice = _news(Condition(source=whole, name=name, since=None, detail="", state=state), before, now)
    if before is not None and seen.since == now:
        read = (one.state.last_success for one in found if one.well and one.state.last_success)
        seen = replace(seen, since=min((at for at in read if at > before.since), default=now))
    return seen, notice


def _news(
    one: Condition, before: Seen | None, now: datetime, network: Seen | None = None
) -> tuple[Seen, Notice | None]:
    """What is to be remembered, and the notice that is due: trouble that lasts and was not told, or its end."""
    name = ConditionName.OK if one.well else one.name
    same = before is not None and before.condition is name
    since = before.since if before is not None and same else now
    told = before.told if before is not None else ""
    seen = Seen(source=one.source.id, condition=name, since=since, told=told)
    if one.well:
        ended = ConditionName(told) if told else None
        return replace(seen, told=""), _notice(one, ended, since, now, recovered=True) if ended else None
    if told != name and now - since >= _PERSISTS[name] and not _is_our_own(one, network):
        return replace(seen, told=name.value), _notice(one, name, since, now, recovered=False)
    return seen, None


def _is_our_own(one: Condition, network: Seen | None) -> bool:
    """Whether nobody else could be reached either when it was asked last."""
    if network is None or one.name is not ConditionName.UNREACHABLE:
        return False
    return network.condition is not ConditionName.OK or (one.state.last_poll or network.since) < network.since


def _notice(one: Condition, name: ConditionName, since: datetime, now: datetime, *, recovered: bool) -> Notice:
    end = "recovered" if recovered else name.value
    return Notice(
        id=f"{one.source.id}_{end}_{int(now.timestamp())}",
        source=one.source.id,
        name=one.source.name or one.source.id,
        condition=name,
        recovered=recovered,
        since=since,
        detail=one.detail,
        created=now,
    )


def _owed(notice: Notice, channel: Channel, now: datetime) -> Delivery:
    return Delivery(key=f"{notice.id}_{channel.name}", channel=channel.name, notice=notice.id, created=now, due=now)
