"""The outbox of the real store, and delivering from it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from policyfeed import route
from policyfeed.app import Pacer
from policyfeed.channels import Channel
from policyfeed.deliver import BREAKS_AFTER, SCHEDULE, DeliveryReport, after_attempt, deliver, try_out
from policyfeed.errors import Refused, Unreachable
from policyfeed.store import Store, articles, outbox
from policyfeed.types import Delivery, DeliveryState, Document, Outcome, Request, Result, Secret
from tests.alerts import (
    KEY,
    NOW,
    URL,
    Hand,
    Paces,
    Receiver,
    answer,
    article,
    channel,
    delivery,
    directly,
    judged,
    listing,
    names,
    owe,
    stored,
    unreachable,
)

LEASE = timedelta(minutes=5)
OK = answer(200, "ok")
DOWN = answer(503)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path)
    yield opened
    opened.close()


def fill(store: Store, count: int, *channels: Channel) -> list[Delivery]:
    """``count`` releases, each owed to the channels (one Slack channel), a second apart."""
    owed: list[Delivery] = []
    for place, one in enumerate(stored(store, *(judged(number) for number in range(1, count + 1)))):
        owed += route.owed(one, channels or (channel(),), NOW + timedelta(seconds=place - 1000), quiet=False)
    owe(store, *owed)
    return owed


def claim(store: Store, at: Hand, limit: int = 1, name: str = "slack-team") -> list[Delivery]:
    with store.write() as tx:
        return outbox.claim(tx, name, at(), LEASE, limit)


def state(store: Store, name: str = "slack-team") -> outbox.ChannelState:
    with store.read() as tx:
        return outbox.channel_state(tx, name)


async def run(
    store: Store,
    send: Receiver,
    at: Hand | None = None,
    to: Channel | None = None,
    pace: Paces | None = None,
    luck: float = 0.5,
) -> DeliveryReport:
    return await deliver(
        to or channel(),
        store=store,
        db=directly,
        send=send,
        pace=pace or Paces(),
        clock=at or Hand(),
        lease=LEASE,
        luck=lambda: luck,
    )


# The rows -------------------------------------------------------------------------------------------


def test_what_is_owed_twice_is_owed_once(store: Store) -> None:
    (owed,) = fill(store, 1)
    with store.write() as tx:
        assert outbox.owe(tx, [owed, replace(owed, key="another-key-for-the-same-thing")]) == 0
        assert outbox.owe(tx, [replace(owed, key="k2", revision=2)]) == 1
        assert outbox.told(tx, owed.number) == {"slack-team"}


def test_claims_come_in_order_of_creation_and_only_when_due(store: Store) -> None:
    owed = fill(store, 3)
    with store.write() as tx:
        tx_first = replace(owed[0], attempts=1, due=NOW + timedelta(hours=1), leased_until=NOW)
        outbox.claim(tx, "slack-team", NOW - LEASE, LEASE, 1)
        outbox.settle(tx, tx_first)
    assert [one.key for one in claim(store, Hand(), limit=5)] == [owed[1].key, owed[2].key]


def test_a_claimed_delivery_is_nobody_elses_until_the_lease_ends(store: Store) -> None:
    (owed,) = fill(store, 1)
    at = Hand()
    assert [one.key for one in claim(store, at)] == [owed.key]
    assert claim(store, at) == []
    at.advance(minutes=4, seconds=59)
    assert claim(store, at) == []
    at.advance(seconds=1)
    assert [one.key for one in claim(store, at)] == [owed.key]


def test_whoever_lost_the_lease_cannot_say_that_it_failed_but_that_it_was_delivered(store: Store) -> None:
    fill(store, 1)
    at = Hand()
    (slow,) = claim(store, at)
    at.advance(minutes=6)
    (quick,) = claim(store, at)
    with store.write() as tx:
        assert not outbox.settle(tx, replace(slow, attempts=1, error="late", due=NOW + timedelta(days=1)))
        assert outbox.settle(tx, replace(slow, state=DeliveryState.DELIVERED, delivered=NOW))
        assert not outbox.settle(tx, replace(quick, state=DeliveryState.DEAD, error="too late"))
    assert [(one.state, one.error) for one in listing(store)] == [(DeliveryState.DELIVERED, "")]


def test_a_start_gives_back_what_a_dead_process_held(store: Store) -> None:
    fill(store, 2)
    claim(store, Hand(), limit=2)
    with store.write() as tx:
        outbox.release(tx)
    assert len(claim(store, Hand(), limit=2)) == 2


def test_next_due_is_when_something_can_be_tried(store: Store) -> None:
    with store.read() as tx:
        assert outbox.next_due(tx, "slack-team") is None
    (owed,) = fill(store, 1)
    with store.read() as tx:
        assert outbox.next_due(tx, "slack-team") == owed.due
    claim(store, Hand())
    with store.read() as tx:
        assert outbox.next_due(tx, "slack-team") == NOW + LEASE


def test_the_dead_can_be_tried_again_with_the_same_key(store: Store) -> None:
    fill(store, 3, channel(), channel(name="other"))
    with store.write() as tx:
        assert outbox.drop(tx, "dropped by hand", channel="slack-team") == 3
        outbox.save_channel_state(tx, outbox.ChannelState(name="slack-team", address="a", closed="HTTP 404"))
    dead = [one for one in listing(store) if one.state is DeliveryState.DEAD]
    assert {one.error for one in dead} == {"dropped by hand"}
    with store.write() as tx:
        assert outbox.revive(tx, NOW, keys=[dead[0].key]) == 1
    assert state(store) == outbox.ChannelState(name="slack-team", address="a")
    assert [one.key for one in claim(store, Hand(), 9)] == [dead[0].key]
    with store.write() as tx:
        assert outbox.revive(tx, NOW, channel="slack-team") == 3
    assert outbox_counts(store) == {("slack-team", "pending"): 3, ("other", "pending"): 3}


def outbox_counts(store: Store) -> dict[tuple[str, str], int]:
    with store.read() as tx:
        return outbox.counts(tx)


# Delivering -----------------------------------------------------------------------------------------


async def test_everything_owed_is_told_once_in_order(store: Store) -> None:
    owed = fill(store, 3)
    send, pace = Receiver(OK), Paces()
    report = await run(store, send, pace=pace)
    assert report == DeliveryReport(channel="slack-team", delivered=3)
    assert [one.key for one in owed] == [one.key for one in owed if one.key in send.text]
    assert [send.text.index(one.key) for one in owed] == sorted(send.text.index(one.key) for one in owed)
    assert pace.waited == ["slack-team"] * 3
    assert [(one.attempts, one.delivered) for one in listing(store)] == [(1, NOW)] * 3
    assert (await run(store, send)).delivered == 0
    assert len(send.got) == 3


async def test_the_article_told_is_the_one_stored_now(store: Store) -> None:
    fill(store, 1)
    with store.write() as tx:
        articles.update(tx, article(1, title="고친 제목", revision=2), revised=True)
    send = Receiver(OK)
    await run(store, send)
    assert "고친 제목" in send.text


async def test_a_failure_is_tried_again_under_the_same_key(store: Store) -> None:
    (owed,) = fill(store, 1, channel("webhook"))
    send, at = Receiver(unreachable(URL), answer(500), answer(204)), Hand()
    first = await run(store, send, at, channel("webhook"))
    assert (first.retried, first.error) == (1, "UpstreamError")
    assert first.next_due == NOW + timedelta(seconds=2.5)
    at.advance(seconds=3)
    second = await run(store, send, at, channel("webhook"))
    assert (second.retried, second.error, second.next_due) == (1, "HTTP 500", at() + timedelta(seconds=150))
    at.advance(minutes=5)
    assert (await run(store, send, at, channel("webhook"))).delivered == 1
    assert {dict(one.headers)["webhook-id"] for one in send.got} == {owed.key}
    assert [one.error for one in listing(store)] == [""]


async def test_a_first_failure_holds_the_line_so_that_order_is_kept(store: Store) -> None:
    owed = fill(store, 2)
    send, at = Receiver(DOWN, OK), Hand()
    assert (await run(store, send, at)).retried == 1
    assert len(send.got) == 1
    at.advance(seconds=3)
    assert (await run(store, send, at)).delivered == 2
    assert send.text.rindex(owed[0].key) < send.text.rindex(owed[1].key)


async def test_a_message_that_keeps_failing_does_not_stop_the_others(store: Store) -> None:
    owed = fill(store, 4)

    class Picky(Receiver):
        async def __call__(self, request: Request) -> Document:
            self.got.append(request)
            return DOWN if owed[0].key.encode() in request.body else OK

    send, at = Picky(OK), Hand()
    await run(store, send, at)
    at.advance(seconds=3)
    assert (await run(store, send, at)).delivered == 3
    for _ in SCHEDULE:
        at.advance(hours=25)
        await run(store, send, at)
    dead = [one for one in listing(store) if one.state is DeliveryState.DEAD]
    assert [(one.key, one.attempts) for one in dead] == [(owed[0].key, len(SCHEDULE) + 1)]
    assert dead[0].error == "HTTP 503; given up after 10 attempts"


async def test_the_servers_wish_holds_the_whole_channel(store: Store) -> None:
    fill(store, 2)
    send, at = Receiver(answer(429, "rate_limited", retry_after="90"), OK), Hand()
    report = await run(store, send, at, luck=0.0)
    assert report.next_due == NOW + timedelta(seconds=90)
    at.advance(seconds=89)
    assert (await run(store, send, at)).delivered == 0
    at.advance(seconds=1)
    assert (await run(store, send, at)).delivered == 2


async def test_messages_arrive_at_their_distance_though_the_first_waited_for_a_connection(store: Store) -> None:
    fill(store, 3)
    receiver, now, arrived = Receiver(OK), [0.0], list[float]()

    async def pass_by(seconds: float) -> None:
        now[0] += seconds

    async def send(request: Request) -> Document:
        await pass_by(0.1 if arrived else 0.9)
        arrived.append(now[0])
        return await receiver(request)

    pace = Pacer(lambda: now[0], pass_by)
    await deliver(channel(per_second=1.0), store=store, db=directly, send=send, pace=pace, clock=Hand(), lease=LEASE)
    assert [round(one, 1) for one in arrived] == [0.9, 2.0, 3.1]


async def test_no_server_holds_a_channel_for_longer_than_a_day(store: Store) -> None:
    fill(store, 1)
    report = await run(store, Receiver(answer(503, retry_after="31536000")), luck=0.0)
    assert report.next_due == NOW + timedelta(days=1)


async def test_an_invalid_message_is_sent_plainly_at_once(store: Store) -> None:
    fill(store, 1)
    send, pace = Receiver(answer(400, "invalid_blocks"), OK), Paces()
    assert (await run(store, send, pace=pace)).delivered == 1
    assert [b'"blocks"' in one.body for one in send.got] == [True, False]
    assert len(pace.waited) == 2


async def test_what_is_invalid_even_plainly_is_dead_at_once_with_its_reason(store: Store) -> None:
    fill(store, 2)
    send = Receiver(answer(400, "invalid_blocks"), answer(400, "no_text"), OK)
    report = await run(store, send)
    assert (report.dead, report.delivered) == (1, 1)
    assert [one.error for one in listing(store)] == ["HTTP 400 no_text", ""]


async def test_a_closed_channel_pauses_alone_and_loses_nothing(store: Store) -> None:
    gone, well = channel(), channel(name="well")
    fill(store, 3, gone, well)
    send = Receiver(answer(404, "no_service"), OK)
    report = await run(store, send, to=gone)
    why = "HTTP 404 no_service"
    assert report == DeliveryReport(channel=gone.name, error=why, closed=why, owed=True)
    assert (await run(store, send, to=well)).delivered == 3
    at = Hand(NOW + timedelta(days=30))
    assert await run(store, send, at, gone) == DeliveryReport(channel=gone.name, closed=why, owed=True)
    assert len(send.got) == 4
    assert outbox_counts(store) == {("slack-team", "pending"): 3, ("well", "delivered"): 3}


async def test_a_closed_channel_has_failed_while_it_is_owed_something(store: Store) -> None:
    fill(store, 1)
    assert (await run(store, Receiver(answer(404, "no_service")))).failed
    assert (await run(store, Receiver(OK))).failed
    with store.write() as tx:
        outbox.drop(tx, "nobody wants it", channel=channel().name)
    report = await run(store, Receiver(OK))
    assert (report.closed, report.failed) == ("HTTP 404 no_service", False)


async def test_a_new_address_opens_a_closed_channel(store: Store) -> None:
    fill(store, 2)
    await run(store, Receiver(answer(410, "channel_is_archived")))
    moved = channel(url=Secret(f"{URL}/moved"))
    send = Receiver(replace(OK, url=f"{URL}/moved"))
    report = await run(store, send, to=moved)
    assert (report.delivered, report.closed) == (2, "")


async def test_a_successful_test_opens_a_closed_channel_and_a_failed_one_tells_why(store: Store) -> None:
    fill(store, 1)
    gone = answer(404, "no_service")
    await run(store, Receiver(gone))
    (sample,) = stored(store, judged(99))
    failed = await try_out(channel(), sample, store=store, db=directly, send=Receiver(gone), clock=Hand())
    assert (failed.result, failed.detail) == (Result.REJECTED, "HTTP 404 no_service")
    assert state(store).closed
    taken = await try_out(channel(), sample, store=store, db=directly, send=Receiver(OK), clock=Hand())
    assert taken.result is Result.DELIVERED
    assert (await run(store, Receiver(OK))).delivered == 1


async def test_many_failures_in_a_row_pause_the_channel_for_longer_and_longer(store: Store) -> None:
    fill(store, 30)
    send, at = Receiver(DOWN), Hand()
    while state(store).failures < BREAKS_AFTER:
        at.advance(seconds=5)
        await run(store, send, at)
    pauses = []
    for _ in range(8):
        tried = len(send.got)
        paused = state(store).paused_until
        assert paused is not None
        pauses.append((paused - at()).total_seconds())
        at.moment = paused
        await run(store, send, at)
        assert len(send.got) == tried + 1, "a half-open channel is probed with one message"
    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600]


@pytest.mark.parametrize("ahead", [timedelta(hours=9), timedelta(days=400)])
async def test_what_is_owed_since_a_clock_was_ahead_is_told_when_it_is_right(store: Store, ahead: timedelta) -> None:
    at = Hand(NOW + ahead)
    (one,) = stored(store, judged(1))
    owe(store, *route.owed(one, (channel(),), at(), quiet=False))
    assert (await run(store, Receiver(OK), Hand())).delivered == 1


async def test_a_wait_that_no_delivery_has_is_that_of_a_wrong_clock(store: Store) -> None:
    fill(store, 1)
    send, at = Receiver(DOWN, OK), Hand(NOW + timedelta(days=400))
    assert (await run(store, send, at)).retried == 1
    assert state(store).paused_until is not None
    assert (await run(store, send, Hand())).delivered == 1


async def test_when_a_probe_succeeds_everything_that_waited_goes_out(store: Store) -> None:
    fill(store, 8)
    send, at = Receiver(*[DOWN] * 7, OK), Hand()
    while not (report := await run(store, send, at)).delivered:
        at.advance(minutes=3)
    assert report == DeliveryReport(channel="slack-team", delivered=8)
    assert state(store).failures == 0


async def test_a_cap_is_of_the_korean_day(store: Store) -> None:
    capped, at, send = channel(daily_cap=1), Hand(datetime(2026, 5, 20, 14, 55, tzinfo=UTC)), Receiver(OK)
    delivered = []
    for one, minutes in zip(stored(store, *map(judged, (1, 2, 3))), (10, 30, 0), strict=True):
        owe(store, delivery(one.article.number, due=at()))
        delivered.append((await run(store, send, at, capped)).delivered)
        at.advance(minutes=minutes)
    assert delivered == [1, 1, 0], "at 23:55, at 00:05 and at 00:35"


async def test_a_redirect_is_a_failure_whatever_its_page_says(store: Store) -> None:
    fill(store, 1)
    report = await run(store, Receiver(replace(OK, status=307)))
    assert (report.delivered, report.retried) == (0, 1)
    assert report.error == "the address redirects: give the channel the one it leads to"


async def test_a_withdrawn_article_is_not_told_and_says_so(store: Store) -> None:
    fill(store, 2)
    with store.write() as tx:
        articles.update(tx, article(1, withdrawn=NOW), revised=False)
    send = Receiver(OK)
    report = await run(store, send)
    assert (report.dead, report.delivered, len(send.got)) == (1, 1, 1)
    assert [one.error for one in listing(store)] == ["the article was withdrawn upstream", ""]


async def test_an_article_without_its_record_is_dead_with_a_reason(store: Store) -> None:
    with store.write() as tx:
        number = articles.insert(tx, article(1)).number
    owe(store, delivery(number))
    assert (await run(store, Receiver(OK))).dead == 1
    assert [one.error for one in listing(store)] == [f"article {number} is not stored"]


async def test_a_channel_that_left_the_configuration_keeps_its_rows(store: Store) -> None:
    left, stays = channel(name="left"), channel(name="stays")
    fill(store, 2, left, stays)
    await run(store, Receiver(OK), to=stays)
    assert outbox_counts(store) == {("left", "pending"): 2, ("stays", "delivered"): 2}


async def test_a_mistake_in_an_adapter_is_retried_and_ends(store: Store) -> None:
    fill(store, 1, channel("webhook"))
    no_secret, at, send = channel("webhook", secrets={}), Hand(), Receiver(OK)
    with capture_logs() as logged:
        report = await run(store, send, at, no_secret)
    assert "policyfeed.channels.webhook:" in logged[0]["where"], "where to look for the mistake"
    assert (report.retried, report.error) == (1, "KeyError in policyfeed.channels.webhook")
    for _ in SCHEDULE:
        at.advance(hours=25)
        report = await run(store, send, at, no_secret)
    assert report.dead == 1
    assert send.got == []


@pytest.mark.parametrize(
    "trouble",
    [
        Unreachable("{url} did not answer within {seconds} s.", url=URL, seconds=30),
        Refused("{url} said {status}.", url=URL, status=502),
        RuntimeError(f"POST {URL} with {KEY}"),
    ],
)
async def test_no_secret_reaches_the_outbox_or_the_report(store: Store, trouble: Exception) -> None:
    fill(store, 1, channel("webhook"))
    with capture_logs() as logged:
        report = await run(store, Receiver(trouble), to=channel("webhook"))
    said = f"{logged} {report!r} {listing(store)!r} {channel('webhook')!r} {state(store, 'webhook-team')!r}"
    assert report.retried == 1
    for secret in ("moonlit-otter", "hooks.example.org", KEY):
        assert secret not in said


async def test_a_stop_ends_after_the_message_in_flight(store: Store) -> None:
    fill(store, 3)
    send = Receiver(OK)
    report = await deliver(
        channel(),
        store=store,
        db=directly,
        send=send,
        pace=Paces(),
        clock=Hand(),
        stopping=lambda: len(send.got) == 2,
    )
    assert report.delivered == 2
    assert outbox_counts(store)["slack-team", "pending"] == 1


async def test_a_death_in_mid_flight_repeats_that_one_message_under_the_same_key(store: Store) -> None:
    owed = fill(store, 3, channel("webhook"))
    hook, at = channel("webhook"), Hand()

    class Dies(Receiver):
        async def __call__(self, request: Request) -> Document:
            said = await super().__call__(request)
            if len(self.got) == 2:
                raise asyncio.CancelledError
            return said

    first, second = Dies(OK), Receiver(OK)
    with pytest.raises(asyncio.CancelledError):
        await run(store, first, at, hook)
    with store.write() as tx:
        outbox.release(tx)
    await run(store, second, at, hook)
    ids = [[dict(one.headers)["webhook-id"] for one in send.got] for send in (first, second)]
    assert ids == [[owed[0].key, owed[1].key], [owed[1].key, owed[2].key]]
    assert names(listing(store)) == [(one.key, "delivered") for one in owed]


# Deciding -------------------------------------------------------------------------------------------


def test_the_waits_are_those_that_the_documentation_promises() -> None:
    told = [f"{s} s" if s < 60 else f"{s // 60} min" if s < 3600 else f"{s / 3600:g} h" for s in SCHEDULE]
    page = (Path(__file__).parents[2] / "docs" / "channels.md").read_text(encoding="utf-8")
    assert f"between nothing and {', '.join(told[:-1])} and {told[-1]}" in " ".join(page.split())


@pytest.mark.parametrize("luck", [0.0, 0.3, 0.999])
@pytest.mark.parametrize("attempts", range(len(SCHEDULE)))
@pytest.mark.parametrize("wish", [None, 0.0, 60.0])
def test_jitter_is_full_and_the_servers_wish_is_its_floor(luck: float, attempts: int, wish: float | None) -> None:
    outcome = Outcome(result=Result.RETRY, after=wish)
    tried = after_attempt(delivery(attempts=attempts), outcome, NOW, luck)
    wait = (tried.due - NOW).total_seconds()
    assert wait == pytest.approx(max(wish or 0, luck * SCHEDULE[attempts]))
    assert (tried.state, tried.attempts) == (DeliveryState.PENDING, attempts + 1)
