"""The engine's clock: what becomes due is run, whatever else becomes due in that moment."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from apscheduler.events import EVENT_JOB_MAX_INSTANCES, JobEvent
from sqlalchemy import event
from structlog.testing import capture_logs

from policyfeed.app import App, opened
from policyfeed.channels import Channel
from policyfeed.cli.work import poll_due
from policyfeed.config import Config, Settings, load, shipped
from policyfeed.config.models import Network, Parsing
from policyfeed.engine import local
from policyfeed.engine.local import REST, SETTLE, LocalEngine
from policyfeed.errors import Forbidden, OutputError, StoreError, Unreachable
from policyfeed.poll import PollReport, fingerprint
from policyfeed.store import SourceState, Store, Transaction, outbox, sources
from policyfeed.transport.http import Manner
from policyfeed.types import DeliveryState, Document, Request, Secret
from policyfeed.web import Site
from tests.alerts import Hand, channel, delivery, judged, listing, owe, stored
from tests.fakes import Item, rss, source
from tests.loopback import Asked, Reply, client, reply, serving, streams


@cache
def bare() -> Config:
    """The shipped configuration without its sources."""
    return replace(load(shipped(), {}), sources=())


async def test_no_job_is_dropped_because_it_becomes_due_again_at_once(tmp_path: Path) -> None:
    dropped: list[JobEvent] = []
    config = bare()
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine = LocalEngine(app)
        engine._scheduler.add_listener(dropped.append, EVENT_JOB_MAX_INSTANCES)
        await engine.start()
        try:
            for _ in range(50):
                engine.schedule()
                await asyncio.sleep(0)
        finally:
            await engine.stop(5)
    assert dropped == []


async def test_what_was_begun_when_all_was_stopped_is_not_run(tmp_path: Path) -> None:
    """Its thread and its database are gone by then."""
    async with client() as http, opened(bare(), tmp_path, client=http, environ={}) as app:
        engine = LocalEngine(app)
        await engine.start()
        await engine.stop(5)
        await engine._start("publish", engine._publish)
        assert engine._running == {}


async def test_workers_are_there_before_the_first_document(tmp_path: Path) -> None:
    config = bare()
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine, before = LocalEngine(app), multiprocessing.active_children()
        await engine.start()
        assert len(multiprocessing.active_children()) == len(before) + config.settings.parsing.workers
        await engine.stop(5)


@pytest.mark.parametrize(("workers", "places"), [(1, 12), (2, 12), (8, 48)])
async def test_documents_have_places_by_the_number_of_workers(tmp_path: Path, workers: int, places: int) -> None:
    """Slow ones, three for each worker but one, would hold all of a fixed number."""
    settings = bare().settings
    config = replace(bare(), settings=settings.model_copy(update={"parsing": Parsing(workers=workers)}))
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        assert app.poller.room.free == places


async def test_publishing_rests_longer_than_it_took(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = bare()
    async with client() as http, opened(config, tmp_path, client=http, environ={}) as app:
        engine = LocalEngine(app)
        began = app.clock()
        monkeypatch.setattr(local, "time", SimpleNamespace(monotonic=iter((100.0, 110.0)).__next__))
        engine._scheduler.start(paused=True)
        await engine._publish()
        engine._publish_within(SETTLE)
        assert engine._scheduler.get_job("publish").next_run_time >= began + REST * timedelta(seconds=10)


async def test_a_file_that_cannot_be_written_holds_no_other_feed_back(tmp_path: Path) -> None:
    async with client() as http, opened(bare(), tmp_path, client=http, environ={}) as app:
        site = Site(app)
        (app.feeds_folder / "feeds" / "esg.rss").mkdir(parents=True)
        with pytest.raises(OutputError, match=r"esg\.rss"):
            await LocalEngine(app, published=site.refresh)._publish()
    assert {"esg.atom", "esg.json", "all.rss"} <= set(site.published.names())


async def test_the_database_is_free_while_files_are_made(tmp_path: Path) -> None:
    rendering, stored = threading.Event(), threading.Event()

    def page(_tx: Transaction) -> bytes:
        rendering.set()
        return b"free" if stored.wait(10) else b"taken"

    def store_something(store: Store) -> None:
        with store.write() as tx:
            sources.save(tx, SourceState(id="mcee-press"))
        stored.set()

    config = bare()
    pages = {"page.html": page}
    async with client() as http, opened(config, tmp_path, client=http, environ={}, pages=lambda _: pages) as app:
        publishing = asyncio.create_task(app.publish(tmp_path / "out"))
        await asyncio.to_thread(rendering.wait, 10)
        await app.db(store_something, app.store)
        await publishing
    assert (tmp_path / "out" / "page.html").read_bytes() == b"free"


async def test_a_poll_under_way_outlives_a_change_of_the_configuration(tmp_path: Path) -> None:
    asked, answer = asyncio.Event(), asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answer.wait()
        writer.write(reply(200, rss(Item(number=7)).encode()))

    config = bare()
    async with serving(streams(slowly)) as server, client() as http:
        config = replace(config, sources=(source(url=server.url("/rss.xml"), allow_private=True),))
        async with opened(config, tmp_path, client=http, environ={}) as app:
            polling = asyncio.create_task(app.poll(config.sources[0]))
            await asked.wait()
            await app.configure(replace(config, feeds=()))
            answer.set()
            report = await polling
    assert (report.error, report.new) == (None, 1)


class Messenger:
    """A messenger that holds its first answer back until it may be given."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.asked, self.answer, self.told = asyncio.Event(), asyncio.Event(), asyncio.Event()

    def __call__(self, request: Asked) -> Reply:
        self.got.append(request.target)
        return self._held if len(self.got) == 1 else self._taken

    async def _held(self, writer: asyncio.StreamWriter) -> None:
        self.asked.set()
        await self.answer.wait()
        writer.write(reply(200, b"ok"))

    async def _taken(self, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(200, b"ok"))
        self.told.set()


@asynccontextmanager
async def telling(folder: Path, messenger: Messenger) -> AsyncIterator[tuple[LocalEngine, Callable[[str], Channel]]]:
    """An engine whose one channel ("/old") is owed two messages, the first of them on its way; channels by address."""
    async with serving(messenger) as server, client() as http:

        def team(path: str) -> Channel:
            return channel(name="team", url=Secret(server.url(path)), per_second=1e6)

        async with opened(replace(bare(), channels=(team("/old"),)), folder, client=http, environ={}) as app:
            numbers = [one.article.number for one in stored(app.store, judged(1), judged(2))]
            owe(app.store, *(delivery(number, "team") for number in numbers))
            engine = LocalEngine(app)
            await engine.start()
            await messenger.asked.wait()
            yield engine, team
            await engine.stop(5)


async def reload(engine: LocalEngine, *channels: Channel) -> None:
    """As at SIGHUP; the new jobs are begun, as far as nothing is in their way."""
    await engine.app.configure(replace(engine.app.config, channels=channels))
    engine.schedule()
    for _ in range(50):
        await asyncio.sleep(0)


async def test_a_busy_channel_goes_on_at_its_new_address(tmp_path: Path) -> None:
    messenger = Messenger()
    async with telling(tmp_path, messenger) as (engine, team):
        await reload(engine, team("/new"))
        messenger.answer.set()
        await messenger.told.wait()
        await asyncio.gather(*engine._running.values())
        assert messenger.got == ["/old", "/new"]
        assert [one.state for one in listing(engine.app.store)] == [DeliveryState.DELIVERED] * 2


async def test_a_busy_channel_that_was_removed_is_told_no_more(tmp_path: Path) -> None:
    messenger = Messenger()
    async with telling(tmp_path, messenger) as (engine, _):
        await reload(engine)
        messenger.answer.set()
        await engine._running["deliver team"]
        await reload(engine)
        assert messenger.got == ["/old"]
        assert engine._scheduler.get_job("deliver team") is None
        assert sorted(one.state for one in listing(engine.app.store)) == [
            DeliveryState.DELIVERED,
            DeliveryState.PENDING,
        ]


async def test_a_source_that_fails_is_not_a_daemon_that_hangs(tmp_path: Path) -> None:
    """Neither for its stored due time, which is old, nor for its failure is the daemon to be restarted."""
    failing, at = source(), Hand()
    config = replace(bare(), sources=(failing,), channels=())

    async def fails() -> None:
        raise KeyError(failing.id)

    async with client() as http, opened(config, tmp_path, client=http, environ={}, clock=at) as app:
        long_ago = SourceState(id=failing.id, fingerprint=fingerprint(failing), due=at() - timedelta(hours=1))
        with app.store.write() as tx:
            sources.save(tx, long_ago)
        engine = LocalEngine(app)
        engine._scheduler.start(paused=True)
        assert not engine.alive(), "nobody is going to poll it"
        engine.schedule()
        assert engine.alive()
        at.advance(minutes=20)
        assert not engine.alive(), "the time has passed and it was not polled"
        await engine._guard(f"poll {failing.id}", fails)
        assert engine.alive()


async def test_what_cannot_be_stored_is_asked_for_less_and_less(tmp_path: Path) -> None:
    """A full disk, over a weekend: whoever is asked did nothing wrong. What asks nobody is tried every minute."""
    at = Hand()
    config = replace(bare(), sources=(source("a"), source("b", least_minutes=60)), channels=())

    async def full() -> None:
        raise StoreError("The database is full.")

    async def stored() -> None:
        pass

    async with client() as http, opened(config, tmp_path, client=http, environ={}, clock=at) as app:
        engine = LocalEngine(app)
        engine._scheduler.start(paused=True)
        waits: dict[str, list[float]] = {"poll a": [], "poll b": [], "bodies www.example.go.kr": [], "publish": []}
        for job in (full, full, full, full, stored, full):
            for name, found in waits.items():
                await engine._guard(name, job)
                found += [wait / timedelta(minutes=1) for wait in _waits(engine, at, name)]
    assert waits == {
        "poll a": [5, 10, 20, 30, 30, 5],
        "poll b": [60] * 6,
        "bodies www.example.go.kr": [5, 10, 20, 30, 30, 5],
        "publish": [1] * 6,
    }


class Sites:
    """A client whose sites can be reached, or not."""

    def __init__(self, *down: str) -> None:
        self.down = set(down)

    async def fetch(self, request: Request, manner: Manner) -> Document:  # noqa: ARG002
        if request.url in self.down:
            raise Unreachable("{url} did not answer.", url=request.url)
        body = rss(Item(number=7)).encode()
        return Document(url=request.url, status=200, headers={}, body=body, fetched=Hand()())


def _night(app: App, at: Hand) -> LocalEngine:
    """Each of the sources failed time and again for a night, and will be asked again in half a day."""
    failing = SourceState(
        id="",
        state="Unreachable",
        failures=6,
        first_contact=at() - timedelta(days=9),
        last_success=at() - timedelta(hours=12),
        since=at() - timedelta(hours=11),
        last_poll=at() - timedelta(hours=1),
        due=at() + timedelta(hours=12),
    )
    with app.store.write() as tx:
        for one in app.enabled():
            sources.save(tx, replace(failing, id=one.id, fingerprint=fingerprint(one)))
    engine = LocalEngine(app)
    engine._scheduler.start(paused=True)
    engine.schedule()
    return engine


def _waits(engine: LocalEngine, at: Hand, *names: str) -> list[timedelta]:
    return [engine._scheduler.get_job(name).next_run_time - at() for name in names]


async def test_after_an_outage_of_our_own_network_all_sources_are_asked_again_soon(tmp_path: Path) -> None:
    """Also when the daemon was started meanwhile; until then one source after the other is tried, and no more often."""
    ids = ("a", "b", "c", "d")
    asked = tuple(source(one, url=f"https://{one}.example.go.kr/rss.xml") for one in ids)
    network, at = Sites(*(one.url for one in asked)), Hand()
    config = replace(bare(), sources=asked, channels=())
    async with opened(config, tmp_path, client=network, environ={}, clock=at) as app:
        engine = _night(app, at)
        for tried in ids:
            assert _waits(engine, at, "probe") == [timedelta(minutes=15)]
            at.advance(minutes=15)
            await engine._probe()
            assert _waits(engine, at, f"poll {tried}") == [timedelta()]
            await engine._poll(tried)()
            assert _waits(engine, at, f"poll {tried}") > [timedelta(hours=5)]
        network.down.clear()
        with capture_logs() as logged:
            await engine._poll("b")()
        assert max(_waits(engine, at, "poll a", "poll c", "poll d")) <= local.BACK
        engine.schedule()
        assert max(_waits(engine, at, "poll a", "poll c", "poll d")) <= local.BACK, "also after a reload"
        assert [one["event"] for one in logged if "network" in one["event"]] == ["the network is back"]


async def test_once_asks_all_sources_again_after_an_outage_too(tmp_path: Path) -> None:
    """From cron each run forgets what the one before did: it goes by what is stored."""
    ids = ("a", "b", "c", "d")
    asked = tuple(source(one, url=f"https://{one}.example.go.kr/rss.xml") for one in ids)
    network, at = Sites(*(one.url for one in asked)), Hand()
    config = replace(bare(), sources=asked, channels=())
    tried = list[list[str]]()
    async with opened(config, tmp_path, client=network, environ={}, clock=at) as app:
        _night(app, at)
        for _ in range(6):
            at.advance(minutes=15)
            if len(tried) == 5:
                network.down.clear()
            tried.append([report.source for report in await poll_due(app, quiet=True)])
    assert tried == [["a"], ["b"], ["c"], ["d"], ["a"], ["b", "a", "c", "d"]]


async def test_a_line_that_breaks_down_again_as_soon_as_it_is_back_holds_up_nobody(tmp_path: Path) -> None:
    """Nobody was asked again in vain: it is another outage, after which all are asked again once more."""
    ids = ("a", "b", "c", "d")
    asked = tuple(source(one, url=f"https://{one}.example.go.kr/rss.xml") for one in ids)
    network, at = Sites(), Hand()
    config = replace(bare(), sources=asked, channels=())
    async with opened(config, tmp_path, client=network, environ={}, clock=at) as app:
        engine = _night(app, at)
        await engine._poll("a")()
        network.down.update(one.url for one in asked)
        for hours in (0.1, 6):
            at.advance(hours=hours)
            for one in ids:
                await engine._poll(one)()
        network.down.clear()
        at.advance(hours=1)
        await engine._poll("a")()
        assert max(_waits(engine, at, "poll b", "poll c", "poll d")) <= local.BACK


async def test_when_the_network_is_back_the_states_of_all_sources_are_read_once(tmp_path: Path) -> None:
    """For each of them that was a look at all others: a minute of silence at 2,000 sources."""
    asked = tuple(source(f"s{n}", url=f"https://s{n}.example.go.kr/rss.xml") for n in range(20))
    at, looks = Hand(), list[str]()

    def looked(_c: object, _cursor: object, statement: str, *_: object) -> None:
        looks.append(statement)

    config = replace(bare(), sources=asked, channels=())
    async with opened(config, tmp_path, client=Sites(), environ={}, clock=at) as app:
        engine = _night(app, at)
        event.listen(app.store._engine, "before_cursor_execute", looked)
        await engine._heard(asked[0], PollReport(source="s0", state="ok"))
    assert sum("FROM sources" in one for one in looks) == 1
    assert max(_waits(engine, at, *(f"poll {one.id}" for one in asked[1:]))) <= local.BACK


async def test_sources_that_fail_while_others_are_read_are_left_to_themselves(tmp_path: Path) -> None:
    """They are asked again three times, when one is read after a long while, and not each time."""
    ids = ("a", "b", "c", "d")
    asked = tuple(source(one, url=f"https://{one}.example.go.kr/rss.xml") for one in ids)
    network, at = Sites(*(one.url for one in asked[:3])), Hand()
    config = replace(bare(), sources=asked, channels=())
    async with opened(config, tmp_path, client=network, environ={}, clock=at) as app:
        engine = LocalEngine(app)
        engine._scheduler.start(paused=True)
        with capture_logs() as logged:
            for _ in range(8):
                for one in ids:
                    at.advance(minutes=10)
                    await engine._poll(one)()
                    await engine._probe()
        events = [one["event"] for one in logged if "network" in one["event"]]
        assert events == ["nobody can be reached: is the network down?", "the network is back"] * 3
        assert min(_waits(engine, at, "poll a", "poll b", "poll c")) > timedelta(hours=5)


async def test_a_clock_that_is_set_back_silences_nothing(tmp_path: Path) -> None:
    """What was polled in the future is due, a pause and a retry set in the future are over; and it is said, once."""
    asked, at = source(), Hand()
    config = replace(bare(), sources=(asked,), channels=(channel(name="team"),))
    async with client() as http, opened(config, tmp_path, client=http, environ={}, clock=at) as app:
        engine = LocalEngine(app)
        polled = SourceState(id=asked.id, fingerprint=fingerprint(asked), due=at() + timedelta(hours=1), last_poll=at())
        (one,) = stored(app.store, judged(1))
        owe(app.store, delivery(one.article.number, "team", attempts=1, due=at() + timedelta(minutes=1)))
        with app.store.write() as tx:
            sources.save(tx, polled)
            outbox.save_channel_state(tx, outbox.ChannelState(name="team", paused_until=at() + timedelta(minutes=1)))
        engine._scheduler.start(paused=True)
        engine.schedule()
        at.advance(hours=-9)
        with capture_logs() as logged:
            await engine.look_at_clock()
            await engine.look_at_clock()
        names = [f"poll {asked.id}", "deliver team", "publish"]
        assert [engine._scheduler.get_job(name).next_run_time for name in names] == [at()] * 3
        assert engine._scheduler.get_job("health").next_run_time == at() + local.LOOK
        assert [one.due for one in listing(app.store)] == [at()]
        with app.store.read() as tx:
            assert outbox.channel_state(tx, "team").paused_until is None
        assert [(line["event"], line["seconds"]) for line in logged] == [("the clock was set", -9 * 3600)]


async def test_the_network_follows_the_configuration(tmp_path: Path) -> None:
    """An inner host that is allowed no more is not asked any more, not even over a connection that is open."""
    allowing = bare().settings.model_copy(update={"network": Network(allow=("127.0.0.1",))})
    contact = bare().settings.service.model_copy(update={"contact": "https://desk.example.kr"})
    async with serving(reply(200, b"ok")) as server, opened(with_settings(allowing), tmp_path, environ={}) as app:
        wanted = Request(url=server.url("/feed"))
        await app.client.fetch(wanted, Manner())
        await app.configure(with_settings(allowing.model_copy(update={"service": contact})))
        await app.client.fetch(wanted, Manner())
        assert [str(one.header("User-Agent")).partition("+")[2] for one in server.asked] == [
            f"{bare().settings.service.contact})",
            "https://desk.example.kr)",
        ]
        await app.configure(bare())
        with pytest.raises(Forbidden):
            await app.client.fetch(wanted, Manner())


def with_settings(settings: Settings) -> Config:
    return replace(bare(), settings=settings)
