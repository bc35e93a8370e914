"""Conditions of sources: what each error means, silence in working days, and what the operator is told once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from policyfeed import health
from policyfeed.channels import Channel
from policyfeed.errors import Refused, Unreachable, Unreadable, told
from policyfeed.health import Condition, Waits, allowed_silence, condition, cut_off, working_days
from policyfeed.normalize.dates import Moment
from policyfeed.notices import as_judged
from policyfeed.store import SourceState, Store, outbox, sources
from policyfeed.store import health as stored
from policyfeed.types import ConditionName, Notice, Secret, Source

NOW = datetime(2026, 5, 20, 3, 0, tzinfo=UTC)  # Wednesday noon in Korea
SOURCE = Source(id="mcee-press", kind="feed", url="https://www.example.go.kr/rss", name="기후에너지환경부 보도자료")
OPERATOR = Channel(name="operator", kind="slack", url=Secret("https://hooks.example/x"), operator=True)
READERS = Channel(name="team", kind="slack", url=Secret("https://hooks.example/y"))
WELL = SourceState(id=SOURCE.id, state="ok", since=NOW, last_poll=NOW, last_success=NOW, last_new=NOW)


def failing(state: str, error: str = "told so", since: datetime = NOW) -> SourceState:
    return replace(WELL, state=state, error=error, since=since, failures=4)


@pytest.mark.parametrize(
    ("state", "error", "expected"),
    [
        ("Unreachable", "no answer", ConditionName.UNREACHABLE),
        ("Truncated", "cut", ConditionName.INCOMPLETE),
        ("Incomplete", "fewer than it says", ConditionName.INCOMPLETE),
        ("TooLarge", "more than the limit", ConditionName.MISCONFIGURED),
        ("LayoutChanged", "no total", ConditionName.LAYOUT_CHANGED),
        ("Emptied", "lists nothing", ConditionName.LAYOUT_CHANGED),
        ("Blocked", "block page", ConditionName.BLOCKED),
        ("Unreadable", "no feed", ConditionName.MISCONFIGURED),
        ("InternalError", "a fault of ours", ConditionName.MISCONFIGURED),
        ("Refused", Refused("gone astray", status=404).dumped(), ConditionName.MISCONFIGURED),
        ("Refused", Refused("kept out", status=403).dumped(), ConditionName.BLOCKED),
        ("Refused", Refused("busy", status=503).dumped(), ConditionName.UNREACHABLE),
        ("Refused", "what an earlier version stored", ConditionName.UNREACHABLE),
    ],
)
def test_every_error_is_a_condition_with_a_name(state: str, error: str, expected: ConditionName) -> None:
    assert condition(SOURCE, failing(state, error), [Moment(NOW)], NOW).name is expected


def test_a_source_that_was_never_polled_is_new_and_a_quiet_one_unchanged() -> None:
    assert condition(SOURCE, SourceState(id=SOURCE.id), [], NOW).name is ConditionName.NEW
    assert condition(SOURCE, WELL, [Moment(NOW)], NOW).name is ConditionName.OK
    later = replace(WELL, last_success=NOW + timedelta(hours=1))
    assert condition(SOURCE, later, [Moment(NOW)], NOW + timedelta(hours=1)).name is ConditionName.UNCHANGED


def test_working_days_leave_out_weekends_and_public_holidays() -> None:
    friday = datetime(2026, 5, 15, 1, 0, tzinfo=UTC)
    assert working_days(friday, datetime(2026, 5, 18, 1, 0, tzinfo=UTC)) == 0, "a weekend lies between"
    assert working_days(friday, datetime(2026, 5, 20, 1, 0, tzinfo=UTC)) == 2
    before_buddha = datetime(2026, 5, 22, 1, 0, tzinfo=UTC)
    assert working_days(before_buddha, datetime(2026, 5, 27, 1, 0, tzinfo=UTC)) == 1, "25 May 2026 is a substitute day"


def test_silence_is_measured_by_the_sources_own_rhythm() -> None:
    daily = [NOW - timedelta(days=n) for n in range(0, 20)]
    assert allowed_silence(daily) == 3
    monthly = [NOW - timedelta(days=30 * n) for n in range(6)]
    assert allowed_silence(monthly) > 25
    frozen = [Moment(at - timedelta(days=60)) for at in daily]
    assert condition(SOURCE, WELL, frozen, NOW).name is ConditionName.STALE
    assert condition(SOURCE, WELL, frozen, NOW).since == frozen[0].at
    rare = [Moment(at) for at in monthly]
    assert condition(SOURCE, WELL, rare, NOW + timedelta(days=20)).name is not ConditionName.STALE


def test_waits_are_told_by_percentiles_that_happened() -> None:
    assert Waits.of([7.0]) == Waits(releases=1, median=7.0, p90=7.0, p99=7.0)
    assert Waits.of(range(100, 0, -1)) == Waits(releases=100, median=50, p90=90, p99=99)


def watch(store: Store, state: SourceState, now: datetime) -> Sequence[Notice]:
    with store.write() as tx:
        sources.save(tx, state)
    return health.watch(store, [SOURCE], [OPERATOR, READERS], now)


def test_lasting_trouble_is_told_once_and_so_is_the_recovery(store: Store) -> None:
    trouble = failing("Unreachable")
    assert watch(store, WELL, NOW) == []
    assert watch(store, trouble, NOW) == [], "it may pass"
    assert watch(store, trouble, NOW + timedelta(hours=2)) == []
    first = watch(store, trouble, NOW + timedelta(hours=4))
    assert [(one.condition, one.recovered) for one in first] == [(ConditionName.UNREACHABLE, False)]
    for hours in (5, 30, 300):
        assert watch(store, trouble, NOW + timedelta(hours=hours)) == []
    again = watch(store, WELL, NOW + timedelta(hours=301))
    assert [(one.condition, one.recovered) for one in again] == [(ConditionName.UNREACHABLE, True)]
    assert watch(store, WELL, NOW + timedelta(hours=302)) == []
    with store.read() as tx:
        owed = outbox.listing(tx)
    assert [one.channel for one in owed] == ["operator", "operator"], "readers are not told of it"
    assert [one.number for one in owed] == [0, 0]


def test_trouble_that_passes_is_never_told(store: Store) -> None:
    for hours in range(0, 24, 2):
        state = failing("Unreachable") if hours % 4 == 0 else WELL
        assert watch(store, state, NOW + timedelta(hours=hours)) == []


def test_an_outage_of_our_own_network_is_told_once_and_not_of_each_source(store: Store) -> None:
    """What cannot be reached afterwards either is told when it was asked again."""
    many = [replace(SOURCE, id=f"s{n}", url=f"https://www{n}.example.go.kr/rss") for n in range(4)]
    said: list[tuple[float, str]] = []

    def look(hours: float, *failed: int, asked: Sequence[int] = range(4)) -> None:
        now = NOW + timedelta(hours=hours)
        with store.write() as tx:
            for n in asked:
                state = replace(WELL, id=f"s{n}", last_poll=now, last_success=now)
                if n in failed:
                    before = sources.get(tx, f"s{n}").last_success
                    state = replace(failing("Unreachable"), id=f"s{n}", last_poll=now, last_success=before)
                sources.save(tx, state)
        news = health.watch(store, many, [OPERATOR], now)
        said.extend((hours, as_judged(one, "ko", "").article.title) for one in news)

    look(0)
    for hours in (1, 3, 4.5, 8):
        look(hours, 0, 1, 2, 3)
    look(9, asked=[0])
    look(9.1, 3, asked=[1])
    look(9.2, 3, asked=[2, 3])
    look(12)
    assert said == [
        (4.5, "어느 출처에도 접속할 수 없습니다: 네트워크 문제로 보입니다"),
        (9, "출처에 다시 접속할 수 있습니다"),
        (9.2, "기후에너지환경부 보도자료: 접속할 수 없습니다"),
        (12, "기후에너지환경부 보도자료: 다시 정상입니다"),
    ]
    with store.read() as tx:
        assert len(outbox.listing(tx)) == len(said)


def test_few_sources_or_one_that_answers_are_no_outage_of_our_own() -> None:
    def found(n: int, name: ConditionName, asked: float, read: float) -> Condition:
        at, success = NOW + timedelta(hours=asked), NOW + timedelta(hours=read)
        state = replace(WELL, last_poll=at, last_success=success)
        of = replace(SOURCE, id=f"s{n}", url=f"https://www{n}.example.go.kr/rss")
        return Condition(source=of, name=name, since=at, detail="", state=state)

    lost = [found(n, ConditionName.UNREACHABLE, 1, 0) for n in range(3)]
    soon, later = NOW + timedelta(minutes=20), NOW + timedelta(hours=1)
    assert cut_off(lost, later)
    assert not cut_off(lost, soon), "it may be chance"
    assert not cut_off(lost[:2], later)
    assert not cut_off([*lost, found(4, ConditionName.OK, 1, 1)], later)
    assert not cut_off([*lost, found(4, ConditionName.BLOCKED, 1, 0)], later)


def test_a_notice_reads_like_an_article_in_both_languages(store: Store) -> None:
    watch(store, failing("Blocked", "www.example.go.kr answered with a block page."), NOW)
    (notice,) = watch(
        store, failing("Blocked", "www.example.go.kr answered with a block page."), NOW + timedelta(hours=2)
    )
    with store.read() as tx:
        assert stored.notice(tx, notice.id) == notice
    english = as_judged(notice, "en", "https://policy.example").article
    assert english.title == "기후에너지환경부 보도자료 refuses us"
    assert english.url == "https://policy.example/sources"
    assert "block page" in english.summary
    assert as_judged(notice, "ko", "").article.title != english.title


def test_what_failed_is_kept_so_that_it_can_be_told_in_any_language(store: Store) -> None:
    inner = Unreachable("The name {host} has no address.", host="mcee.example")
    trouble = failing("Unreachable", Unreachable("{url}: {said}", url="https://mcee.example/", said=inner).dumped())
    watch(store, trouble, NOW)
    (notice,) = watch(store, trouble, NOW + timedelta(hours=25))
    assert "https://mcee.example/: The name mcee.example has no address." in as_judged(notice, "en", "").article.summary
    assert "mcee.example" in (korean := as_judged(notice, "ko", "").article.summary)
    assert "has no address" not in korean
    refused = Refused("{source} answered {status}.", status=403, source="mcee-press")
    assert told(refused.dumped()) == "mcee-press answered 403."
    assert condition(SOURCE, failing("Refused", refused.dumped()), [], NOW).name is ConditionName.BLOCKED
    assert told("what an earlier version stored") == "what an earlier version stored"


def test_a_stored_message_is_told_whatever_line_breaks_it_quotes() -> None:
    """JSON leaves those beyond ASCII as they are."""
    two = [Unreadable("It is broken: {problem}.", problem=said) for said in ("a\u2028b", "c\x85")]
    assert told("\n".join(one.dumped() for one in two)) == "; ".join(map(str, two))
