"""Tell a channel what it is owed: claim → message → send → judge → settle, one delivery after the other.

Each answer is stored in its own short transaction before the next message goes out. A process that dies in between
repeats at most the one in flight, under the same key. Rules of retrying: ``docs/channels.md``.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import cast

from policyfeed import faults
from policyfeed.channels import Channel, Messenger
from policyfeed.clock import KST, Clock
from policyfeed.errors import Forbidden, Refused, UpstreamError
from policyfeed.i18n import Translate, marked, retold
from policyfeed.notices import as_judged
from policyfeed.registry import load
from policyfeed.store import InDatabase, Store, Transaction, articles, health, outbox
from policyfeed.store.outbox import ChannelState
from policyfeed.types import Delivery, DeliveryState, Document, Judged, Outcome, Request, Result

# Standard Webhooks, "Deliverability and reliability": the waits between attempts, in seconds
SCHEDULE = (5, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600)
BREAKS_AFTER = 5  # failures in a row
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
_LONGEST_WISH = outbox.LONGEST_WAIT.total_seconds()  # no server's Retry-After holds a channel longer than a day
_LEASE = timedelta(minutes=5)
_URL = re.compile(r"\w+://\S+")

# What is stored of an attempt: English text. Of an error its name alone, for its text may hold the channel's secret.
_GIVEN_UP = marked("{said}; given up after {attempts} attempts")
_INNER = marked("{said} by us: an inner host must be in [network] allow")
_STATUS = marked("{said} HTTP {status}")
_FAULT = marked("{error} in policyfeed.channels.{kind}")
_REDIRECTS = marked("the address redirects: give the channel the one it leads to")
_NO_MESSAGE = marked("there is no message")
_NO_ARTICLE = marked("article {number} is not stored")
_OVER = marked("over the day's cap of {cap}")
BY_OPERATOR = marked("dropped by the operator")
_WITH_FACTS = (_GIVEN_UP, _INNER, _STATUS, _FAULT, _NO_ARTICLE, _OVER)

Send = Callable[[Request], Awaitable[Document]]
"""Sends a request and gives whatever answer came, of any status. Raises UpstreamError when there was none."""
Pace = Callable[[Channel], AbstractAsyncContextManager[None]]
"""Entered when the channel may be sent one more message (``per_second``), left when that one is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """What one round came to. ``next_due``: when to call again, None = when something new is owed.

    ``closed`` is why the channel takes nothing any more; what it is owed stays pending.
    """

    channel: str
    delivered: int = 0
    retried: int = 0
    dead: int = 0
    error: str = ""
    """The last one, without any secret."""
    closed: str = ""
    next_due: datetime | None = None
    owed: bool = False
    """Whether anything is still owed."""

    @property
    def news(self) -> bool:
        """Whether there is anything to say."""
        return bool(self.delivered or self.retried or self.dead or self.error or self.closed)

    @property
    def failed(self) -> bool:
        """Whether something that is owed could not be told, now or for as long as the channel is closed."""
        return bool(self.error or (self.closed and self.owed))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    delivery: Delivery
    judged: Judged | None


def _never() -> bool:
    return False


async def deliver(
    channel: Channel,
    *,
    store: Store,
    db: InDatabase,
    send: Send,
    pace: Pace,
    clock: Clock,
    lease: timedelta = _LEASE,
    luck: Callable[[], float] = random.random,
    stopping: Callable[[], bool] = _never,
) -> DeliveryReport:
    """Send what is due until nothing is, the channel pauses or closes, or ``stopping()``. Raises StoreError.

    ``lease`` must outlast two paces and two sends. Not for two calls at a time for one channel: they would be safe,
    but tell out of order.
    """
    report = DeliveryReport(channel=channel.name)
    post = partial(_post, channel, send=send, pace=pace, clock=clock)
    task: _Task | int = 0
    while not stopping() and isinstance(task := await db(_take, store, channel, clock(), lease), _Task):
        if task.judged is None or task.judged.article.withdrawn:
            ended = _undeliverable(task)
            await db(_settle, store, ended, None, clock())
        else:
            outcome = _safe(await _attempt(channel, task.delivery, task.judged, post), channel)
            ended = after_attempt(task.delivery, outcome, clock(), luck())
            await db(_settle, store, ended, outcome, clock())
        report = _counted(report, task.delivery, ended)
    if isinstance(task, int) and task:
        report = replace(report, dead=report.dead + task, error=_over(channel))
    return await db(_completed, store, report)


async def try_out(
    channel: Channel, sample: Judged, *, store: Store, db: InDatabase, send: Send, clock: Clock
) -> Outcome:
    """Send one sample message now and say how it truly ended; when it was taken, a closed channel is open again."""
    now = clock()
    key = f"test_{now:%Y%m%dT%H%M%S%f}"
    delivery = Delivery(key=key, channel=channel.name, number=sample.article.number, revision=1, created=now, due=now)
    outcome = await _attempt(
        channel, delivery, sample, partial(_post, channel, send=send, pace=lambda _: nullcontext(), clock=clock)
    )
    if outcome.result is Result.DELIVERED:
        await db(_reopen, store, channel, now)
    return _safe(outcome, channel)


_Build = Callable[[Channel, Delivery, list[Judged], datetime], Request | None]
_Judge = Callable[[Document], Outcome]
_Post = Callable[[_Build, _Judge, Delivery, Judged], Awaitable[Outcome | None]]


async def _attempt(channel: Channel, delivery: Delivery, judged: Judged, post: _Post) -> Outcome:
    """The rich message; when the messenger finds just that invalid, its plain form at once."""
    messenger = cast("Messenger", load("channels", channel.kind))
    outcome = await post(messenger.message, messenger.judge, delivery, judged)
    if outcome is not None and (outcome.result is not Result.REJECTED or outcome.closes_channel):
        return outcome
    simpler = await post(messenger.plain, messenger.judge, delivery, judged)
    return simpler or outcome or Outcome(result=Result.REJECTED, detail=_NO_MESSAGE)


async def _post(
    channel: Channel,
    build: _Build,
    judge: _Judge,
    delivery: Delivery,
    judged: Judged,
    *,
    send: Send,
    pace: Pace,
    clock: Clock,
) -> Outcome | None:
    """One request and its answer; None = the messenger has no such message."""
    try:
        async with pace(channel):
            request = build(channel, delivery, [judged], clock())
            return _judged(judge, await send(request)) if request else None
    except UpstreamError as problem:
        return Outcome(result=Result.RETRY, detail=_named(problem), after=problem.after)
    except Exception as problem:  # one strange article or answer must neither stop the others nor repeat for ever
        faults.note(faults.trace(problem), channel=channel.name)
        detail = _FAULT.format(error=type(problem).__name__, kind=channel.kind)
        return Outcome(result=Result.RETRY, detail=detail)


def _named(problem: UpstreamError) -> str:
    if isinstance(problem, Refused):
        return _STATUS.format(said=problem.name, status=problem.status)
    return _INNER.format(said=problem.name) if isinstance(problem, Forbidden) else problem.name


def _judged(judge: _Judge, answer: Document) -> Outcome:
    if 300 <= answer.status < 400:
        return Outcome(result=Result.RETRY, detail=_REDIRECTS)
    return judge(answer)


# What an outcome means: pure ------------------------------------------------------------------------


def detail_in(detail: str, translate: Translate) -> str:
    """What is stored or reported of an attempt, in the reader's language."""
    return retold(detail, _WITH_FACTS, translate)


def after_attempt(delivery: Delivery, outcome: Outcome, now: datetime, luck: float) -> Delivery:
    """The delivery after an attempt. ``luck`` in [0, 1) spreads the retries (full jitter)."""
    attempts = delivery.attempts + 1
    if outcome.result is Result.DELIVERED:
        return replace(delivery, state=DeliveryState.DELIVERED, attempts=attempts, delivered=now, error="")
    if outcome.closes_channel:
        return replace(delivery, due=now, error=outcome.detail)
    if outcome.result is Result.REJECTED:
        return replace(delivery, state=DeliveryState.DEAD, attempts=attempts, error=outcome.detail)
    if attempts > len(SCHEDULE):
        why = _GIVEN_UP.format(said=outcome.detail, attempts=attempts)
        return replace(delivery, state=DeliveryState.DEAD, attempts=attempts, error=why)
    wait = max(_wish(outcome), luck * SCHEDULE[attempts - 1])
    return replace(delivery, attempts=attempts, due=now + timedelta(seconds=wait), error=outcome.detail)


def channel_after(state: ChannelState, delivery: Delivery, outcome: Outcome, now: datetime) -> ChannelState:
    """The channel after an attempt that ended as ``delivery`` shows.

    It pauses as long as the server asks; after a message's first failure until that message was tried again, so that
    a short disturbance does not change the order; and after many failures in a row for longer and longer.
    """
    if outcome.closes_channel:
        return replace(state, closed=outcome.detail or "closed", paused_until=None)
    if outcome.result is not Result.RETRY:
        return replace(state, failures=0, paused_until=None)
    failures = state.failures + 1
    until = now + timedelta(seconds=_wish(outcome))
    if delivery.attempts == 1:
        until = max(until, delivery.due)
    if failures >= BREAKS_AFTER:
        until = max(until, now + _pause(failures))
    return replace(state, failures=failures, paused_until=until if until > now else None)


def _wish(outcome: Outcome) -> float:
    return min(outcome.after or 0.0, _LONGEST_WISH)


def _pause(failures: int) -> timedelta:
    doublings: int = min(failures - BREAKS_AFTER, 10)
    return min(_FIRST_PAUSE * (1 << doublings), _LONGEST_PAUSE)


def _undeliverable(task: _Task) -> Delivery:
    why = outbox.WITHDRAWN if task.judged else _NO_ARTICLE.format(number=task.delivery.number)
    return replace(task.delivery, state=DeliveryState.DEAD, error=why)


def _safe(outcome: Outcome, channel: Channel) -> Outcome:
    """The outcome without any secret or URL in its detail, whatever an adapter put there."""
    detail = outcome.detail
    for secret in (channel.url, *channel.secrets.values()):
        detail = detail.replace(secret.reveal(), "…") if secret.reveal() else detail
    return replace(outcome, detail=_URL.sub("…", detail)[:500])


def _counted(report: DeliveryReport, before: Delivery, ended: Delivery) -> DeliveryReport:
    report = replace(report, error=ended.error or report.error)
    if ended.state is DeliveryState.DELIVERED:
        return replace(report, delivered=report.delivered + 1)
    if ended.state is DeliveryState.DEAD:
        return replace(report, dead=report.dead + 1)
    return replace(report, retried=report.retried + 1) if ended.attempts > before.attempts else report


def _address(channel: Channel) -> str:
    return hashlib.sha256(f"{channel.name} {channel.url.reveal()}".encode()).hexdigest()[:16]


# In the database's thread ---------------------------------------------------------------------------


def _take(store: Store, channel: Channel, now: datetime, lease: timedelta) -> _Task | int:
    """Claim the oldest delivery that is due, unless the channel is closed or pauses; without one, how many were given
    up, being over the day's cap. A new address starts afresh."""
    with store.write() as tx:
        state = outbox.channel_state(tx, channel.name)
        if state.address != _address(channel):
            state = ChannelState(name=channel.name, address=_address(channel))
            outbox.save_channel_state(tx, state)
        if state.closed or (state.paused_until and now < state.paused_until <= now + outbox.LONGEST_WAIT):
            return 0
        cap = channel.daily_cap
        if cap is not None and outbox.delivered_since(tx, channel.name, _midnight(now)) >= cap:
            return outbox.drop(tx, _over(channel), channel=channel.name)
        claimed = outbox.claim(tx, channel.name, now, lease, 1, best_first=cap is not None)
        if not claimed:
            return 0
        return _Task(delivery=claimed[0], judged=_told(tx, channel, claimed[0]))


def _over(channel: Channel) -> str:
    return _OVER.format(cap=channel.daily_cap)


def _midnight(now: datetime) -> datetime:
    """When the Korean day began."""
    return now.astimezone(KST).replace(hour=0, minute=0, second=0, microsecond=0)


def _told(tx: Transaction, channel: Channel, delivery: Delivery) -> Judged | None:
    """The article, or the notice as one; None when it is no longer stored."""
    if delivery.notice:
        notice = health.notice(tx, delivery.notice)
        return as_judged(notice, channel.language, channel.base_url) if notice else None
    return articles.judged(tx, [delivery.number]).get(delivery.number)


def _settle(store: Store, ended: Delivery, outcome: Outcome | None, now: datetime) -> None:
    """Store the attempt and what it says of the channel; ``outcome`` None = the channel was not asked."""
    with store.write() as tx:
        outbox.settle(tx, ended)
        if outcome is None:
            return
        before = outbox.channel_state(tx, ended.channel)
        after = channel_after(before, ended, outcome, now)
        if after != before:
            outbox.save_channel_state(tx, after)
        if outcome.result is Result.DELIVERED and before.failures >= BREAKS_AFTER:
            outbox.hasten(tx, ended.channel, now)


def _completed(store: Store, report: DeliveryReport) -> DeliveryReport:
    with store.read() as tx:
        state = outbox.channel_state(tx, report.channel)
        due = outbox.next_due(tx, report.channel)
    report = replace(report, closed=state.closed, owed=due is not None)
    if due is None or state.closed:
        return report
    return replace(report, next_due=max(due, state.paused_until or due))


def _reopen(store: Store, channel: Channel, now: datetime) -> None:
    with store.write() as tx:
        outbox.save_channel_state(tx, ChannelState(name=channel.name, address=_address(channel)))
        outbox.hasten(tx, channel.name, now)
