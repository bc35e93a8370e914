"""Any interleaving of claims, answers, crashes and expiries tells every delivery, and no lease has two holders."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from policyfeed import route
from policyfeed.deliver import after_attempt, channel_after, deliver
from policyfeed.errors import Unreachable
from policyfeed.store import Store, outbox
from policyfeed.store.outbox import ChannelState
from policyfeed.types import Delivery, DeliveryState, Document, Outcome, Request, Result
from tests.alerts import NOW, Hand, Paces, answer, channel, delivery, directly, judged, owe, stored

LEASE = timedelta(minutes=5)
SEVERAL = 4
CHANNELS = count()
"""Every run of the machine has a channel of its own in the one database: opening a new one takes too long."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("outbox")
    opened = Store(folder)
    stored(opened, *(judged(number) for number in range(1, SEVERAL + 1)))
    yield opened
    opened.close()


class Workers(RuleBasedStateMachine):
    """Several workers at one outbox; a worker may die, be slow beyond its lease, or fail."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.name = f"channel-{next(CHANNELS)}"
        self.at = Hand()
        self.held: list[Delivery] = []
        self.received: list[str] = []
        self.keys: set[str] = set()

    @initialize()
    def owe_some(self) -> None:
        to = channel(name=self.name)
        owed = [one for n in range(1, SEVERAL + 1) for one in route.owed(judged(n), (to,), NOW, quiet=False)]
        self.keys = {one.key for one in owed}
        owe(self.store, *owed)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        with self.store.write() as tx:
            claimed = outbox.claim(tx, self.name, self.at(), LEASE, limit)
        holding = {one.key for one in self.held if one.leased_until and one.leased_until > self.at()}
        assert not holding & {one.key for one in claimed}, "two holders of one lease"
        self.held += claimed

    @rule(data=st.data(), result=st.sampled_from([Result.DELIVERED, Result.DELIVERED, Result.RETRY]))
    def answer(self, data: st.DataObject, result: Result) -> None:
        """A holder, perhaps one whose lease ran out long ago, hears from the messenger and says so."""
        if not self.held:
            return
        one = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if result is Result.DELIVERED:
            self.received.append(one.key)
        ended = after_attempt(one, Outcome(result=result), self.at(), 0.5)
        with self.store.write() as tx:
            outbox.settle(tx, ended)

    @rule(data=st.data(), heard=st.booleans())
    def die(self, data: st.DataObject, heard: bool) -> None:
        """A holder dies before it can say how it ended; the message may have arrived."""
        if not self.held:
            return
        one = self.held.pop(data.draw(st.integers(0, len(self.held) - 1)))
        if heard:
            self.received.append(one.key)

    @rule(minutes=st.integers(1, 12))
    def wait(self, minutes: int) -> None:
        self.at.advance(minutes=minutes)

    @invariant()
    def what_was_not_received_is_still_owed(self) -> None:
        with self.store.read() as tx:
            rows = outbox.listing(tx, channel=self.name)
        assert {one.key for one in rows} == self.keys
        done = {one.key for one in rows if one.state is DeliveryState.DELIVERED}
        assert done <= set(self.received)
        assert {one.key for one in rows if one.state is DeliveryState.PENDING} == self.keys - done

    def teardown(self) -> None:
        """A worker that lives brings everything home."""
        for _ in range(3):
            self.at.advance(hours=25)
            with self.store.write() as tx:
                for one in outbox.claim(tx, self.name, self.at(), LEASE, 100):
                    self.received.append(one.key)
                    outbox.settle(tx, after_attempt(one, Outcome(result=Result.DELIVERED), self.at(), 0.5))
        assert self.keys <= set(self.received)


def test_every_interleaving_of_workers_delivers_each_key_and_no_lease_has_two_holders(store: Store) -> None:
    machine = type("WorkersOfOneStore", (Workers,), {"store": store})
    run_state_machine_as_test(machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


class Killed(BaseException):
    """The process is gone."""


class Flaky:
    """A receiver that keeps what arrived, answers as drawn and may take the process down before or after that."""

    def __init__(self, fates: list[str]) -> None:
        self._fates = iter(fates)
        self.got: list[str] = []

    async def __call__(self, request: Request) -> Document:
        fate = next(self._fates, "204")
        if fate in ("204", "killed after", "answer lost"):
            self.got.append(dict(request.headers)["webhook-id"])
        if fate.startswith("killed"):
            raise Killed
        if fate.endswith(("answer", "lost")):
            raise Unreachable("{url} did not answer.", url=request.url)
        return answer(int(fate))


FATES = st.lists(
    st.sampled_from(["204", "killed before", "killed after", "no answer", "answer lost", "500", "429"]), max_size=10
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fates=FATES, released=st.lists(st.booleans(), min_size=1, max_size=5))
async def test_whatever_happens_on_the_way_each_alert_arrives_under_its_one_id(
    store: Store, fates: list[str], released: list[bool]
) -> None:
    hook = channel("webhook", name=f"channel-{next(CHANNELS)}")
    owed = [one for n in range(1, SEVERAL + 1) for one in route.owed(judged(n), (hook,), NOW, quiet=False)]
    owe(store, *owed)
    at, send = Hand(), Flaky(fates)
    for place in count():
        try:
            report = await deliver(hook, store=store, db=directly, send=send, pace=Paces(), clock=at, lease=LEASE)
            if report.next_due is None:
                break
        except Killed:
            if released[place % len(released)]:
                with store.write() as tx:
                    outbox.release(tx)
        at.advance(hours=25)
    assert set(send.got) == {one.key for one in owed}
    repeated = len(send.got) - len(owed)
    assert repeated <= sum(fate in ("killed after", "answer lost") for fate in fates)


OUTCOMES = st.builds(
    Outcome,
    result=st.sampled_from(Result),
    detail=st.sampled_from(["", "HTTP 500"]),
    after=st.none() | st.floats(0, 1e12),
    closes_channel=st.just(False),
)


@given(outcomes=st.lists(OUTCOMES, max_size=30), luck=st.floats(0, 1, exclude_max=True))
def test_every_delivery_ends_and_no_pause_is_endless(outcomes: list[Outcome], luck: float) -> None:
    one, state, now = delivery(), ChannelState(name="slack-team"), NOW
    for outcome in outcomes:
        if one.state is not DeliveryState.PENDING:
            break
        one = after_attempt(one, outcome, now, luck)
        state = channel_after(state, one, outcome, now)
        assert one.due - now <= timedelta(days=1)
        assert state.paused_until is None or now < state.paused_until <= now + timedelta(days=1)
        now = max(one.due, state.paused_until or now)
    assert one.attempts <= 10
    assert len(outcomes) < 10 or one.state is not DeliveryState.PENDING


@given(closing=st.sampled_from(["HTTP 404 no_service", ""]), attempts=st.integers(0, 9))
def test_closing_a_channel_costs_no_delivery_an_attempt(closing: str, attempts: int) -> None:
    before = delivery(attempts=attempts)
    outcome = Outcome(result=Result.REJECTED, detail=closing, closes_channel=True)
    after = after_attempt(before, outcome, NOW, 0.5)
    assert after == replace(before, error=closing)
    assert channel_after(ChannelState(name="slack-team"), after, outcome, NOW).closed
