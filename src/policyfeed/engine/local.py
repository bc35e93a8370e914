"""One process: APScheduler as a clock over due times that live in the database.

The scheduler keeps nothing (memory store) and decides nothing: each job starts one verb as a task that is tracked
here, because the scheduler's own shutdown would cancel it. After a poll the source's next job is set to the due time
that the poll stored.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from policyfeed import garbage, metrics
from policyfeed.app import App
from policyfeed.engine.silence import Silence, sooner
from policyfeed.errors import PolicyfeedError, told
from policyfeed.fill import FillReport
from policyfeed.poll import HELD, PollReport
from policyfeed.store import outbox
from policyfeed.types import Source

log = structlog.get_logger(__name__)

SETTLE = timedelta(seconds=2)
"""Publishing waits so long for other polls that end together: one rendering for all."""
REST = 4
"""Publishing rests so many times as long as it took: rendering takes the processor from polls meanwhile."""
AFTER_TROUBLE = timedelta(minutes=1)
"""When a verb is tried again that what it needs has failed: a full disk, a busy database."""
ASKED, AT_MOST = timedelta(minutes=5), timedelta(minutes=30)
"""The same for what asked others, whose answer is lost: twice as long each time, at least and at most."""
AFTER_A_BUG = timedelta(minutes=15)
"""When a verb is tried again that failed by an error of our own."""
BODIES = "bodies"
"""What the jobs that fill bodies are called, before their host."""
BODIES_AT_A_TIME = 10
"""Bodies of one host that are filled in one job."""
TEXTS = timedelta(minutes=5)
"""Publishing waits so long for further texts of known articles: each rendering is another download for every reader."""
LOOK_AGAIN = timedelta(minutes=1)
"""How soon a delivery is noticed that another process made due (``policyfeed outbox retry``)."""
LOOK = timedelta(minutes=5)
"""How often the sources' health is looked at, and garbage for."""
OVERDUE = timedelta(minutes=15)
"""A source that is due for longer, and neither being polled nor about to be, means that nothing is getting on."""
BACK = timedelta(minutes=5)
"""Within that time all sources are asked again when the network is back."""
GLANCE = 30.0
"""Seconds between two looks at the clock."""
A_STEP = 60.0
"""When the clock parts by so many seconds from the time that passed, somebody set it (or the machine slept)."""


class LocalEngine:
    """Polls, publishes and delivers when it is time. ``published`` is called after a round of publishing."""

    def __init__(
        self, app: App, published: Callable[[], Awaitable[None]] | None = None, texts: timedelta = TEXTS
    ) -> None:
        self.app = app
        self._texts = texts
        self._published = published
        self._rested = app.clock()  # when publishing may begin again
        self._offset = self._wall_ahead()
        self._silence = Silence(app.states().values(), app.enabled(), app.clock())
        self._glances: asyncio.Task[None] | None = None
        # One at a time is _start's affair: the scheduler counts a job as running for a tick after it has ended, and
        # would drop what becomes due in that tick.
        self._scheduler = AsyncIOScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1_000}
        )
        self._running: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._troubles: dict[str, int] = {}

    async def start(self) -> None:
        """Take back what a dead process held, then set every job."""
        self.app.workers.start()
        await self.app.take_back()
        self._scheduler.start()
        self.schedule()
        self._glances = asyncio.create_task(self._glance())

    def schedule(self) -> None:
        """Set the jobs of the present configuration; also called after it changed."""
        self._scheduler.remove_all_jobs()
        moment = self.app.clock()
        for id_, due in self.app.due_times(moment).items():
            self._at(f"poll {id_}", due, self._poll(id_))
        self._deliver_now()
        self._at("publish", moment, self._publish)
        self._at("health", moment + LOOK, self._health)
        self._at("probe", moment + self._silence.wait, self._probe)
        self._fill_later()

    async def stop(self, seconds: float) -> None:
        """No more jobs; what runs may end within ``seconds``, then it is cancelled: nothing half-done is stored.

        Bodies are cancelled at once: they take their time between requests, and are read again.
        """
        self.app.stopping = True
        if self._glances is not None:
            self._glances.cancel()
        self._scheduler.shutdown(wait=False)
        running = set(self._running.values())
        for name, task in self._running.items():
            if name.startswith(BODIES):
                task.cancel()
        if running:
            _, late = await asyncio.wait(running, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def alive(self) -> bool:
        """Whether jobs are started: every enabled source that is long overdue is being polled, or about to be.

        One that fails is tried again later: that is its own trouble, and another process would fare no better.
        """
        moment = self.app.clock()
        late, times = moment - OVERDUE, self.app.due_times(moment)
        return all(due >= late or self._attended(f"poll {id_}", late) for id_, due in times.items())

    def _attended(self, name: str, late: datetime) -> bool:
        job = self._scheduler.get_job(name)
        return name in self._running or (job is not None and job.next_run_time >= late)

    # The verbs as jobs ----------------------------------------------------------------------------------------

    def _poll(self, id_: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def job() -> None:
            source = self._source(id_)
            if source is None:
                return
            with metrics.POLL_SECONDS.labels(id_).time():
                report = await self.app.poll(source)
            _note(report)
            if report.due is not None and self._source(id_) is not None:
                self._at(f"poll {id_}", report.due, self._poll(id_))
            if report.changed:
                self._publish_within(SETTLE)
                self._fill_later()
            if report.owed:
                self._deliver_now()
            await self._heard(source, report)

        return job

    async def _heard(self, source: Source, report: PollReport) -> None:
        """While nobody can be reached, try one now and then; when one is read, ask all again."""
        if lost := self._silence.heard(source, report, self.app.clock()):
            log.info("the network is back", asked_again=len(lost))
            await self._ask_again(lost, BACK)

    async def _probe(self) -> None:
        if self._silence.cut_off(self.app.clock()):
            id_ = self._silence.turn()
            log.warning("nobody can be reached: is the network down?", tried=id_)
            await self._ask_again([id_], timedelta())
        self._at("probe", self.app.clock() + self._silence.wait, self._probe)

    async def _ask_again(self, ids: Sequence[str], within: timedelta) -> None:
        """Poll sources, one after the other, before their back-off is over."""
        idle = [id_ for id_ in ids if self._source(id_) and f"poll {id_}" not in self._running]
        for id_, due in (await self.app.db(sooner, self.app, idle, within)).items():
            self._at(f"poll {id_}", due, self._poll(id_))

    def _fill_later(self) -> None:
        """A job for each host that still has bodies to give, when the next one is due."""
        if self.app.config.settings.bodies.enabled:
            for host, due in self.app.next_bodies().items():
                self._at(f"{BODIES} {host}", due, self._fill(host))

    def _fill(self, host: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def job() -> None:
            for _ in range(BODIES_AT_A_TIME):
                report = None if self.app.stopping else await self.app.fill(host)
                if report is None:
                    break
                _note_body(report)
                if report.changed:
                    self._publish_within(SETTLE if report.owed else self._texts)
                if report.owed:
                    self._deliver_now()
            self._fill_later()

        return job

    def _publish_within(self, delay: timedelta) -> None:
        """Publish then, or earlier where that is intended already."""
        when, job = max(self.app.clock() + delay, self._rested), self._scheduler.get_job("publish")
        if job is None or job.next_run_time > when:
            self._at("publish", when, self._publish)

    async def _publish(self) -> None:
        """Write and show what changed. Raises OutputError when a file could not be written: the others were."""
        began = time.monotonic()
        try:
            report = await self.app.publish()
            if report.written:
                log.info("published", files=len(report.written))
        finally:
            self._rested = self.app.clock() + REST * timedelta(seconds=time.monotonic() - began)
            if self._published is not None:
                await self._published()

    async def _health(self) -> None:
        notices = await self.app.watch()
        for notice in notices:
            note = log.info if notice.recovered else log.warning
            note("source", source=notice.source, condition=notice.condition, recovered=notice.recovered)
        if notices:
            self._deliver_now()
        garbage.tidy()
        self._at("health", self.app.clock() + LOOK, self._health)

    def _deliver_now(self) -> None:
        for channel in self.app.config.channels:
            self._at(f"deliver {channel.name}", self.app.clock(), self._deliver(channel.name))

    def _deliver(self, name: str) -> Callable[[], Coroutine[Any, Any, None]]:
        async def job() -> None:
            channel = self.app.channel(name)
            if channel is None:
                return
            report = await self.app.deliver(channel)
            counted = {"delivered": report.delivered, "retry": report.retried, "rejected": report.dead}
            for outcome, number in counted.items():
                metrics.DELIVERIES.labels(name, outcome).inc(number)
            if any(counted.values()) or report.error:
                log.info("delivered", channel=name, **counted, error=report.error)
            later = self.app.clock() + LOOK_AGAIN
            due = min(report.next_due or later, later)
            self._at(f"deliver {name}", due, self._deliver(name))

        return job

    def _source(self, id_: str) -> Source | None:
        """The source as it is configured now; None when it is no more, or off."""
        source = self.app.sources.get(id_)
        return source if source is not None and source.enabled else None

    # The clock ------------------------------------------------------------------------------------------------

    async def _glance(self) -> None:
        while True:
            await asyncio.sleep(GLANCE)
            try:
                await self.look_at_clock()
            except Exception:  # the database is busy, the disk full: the next look finds the same
                log.exception("the jobs could not be set after the clock")

    async def look_at_clock(self) -> None:
        """Set every job anew when the clock was set: the scheduler waits for moments, which may now be hours away."""
        step = self._wall_ahead() - self._offset
        if abs(step) < A_STEP:
            return
        log.warning("the clock was set", seconds=round(step))
        if step < 0:
            await self.app.db(self._forget_waits)
        self._offset += step
        self.schedule()

    def _wall_ahead(self) -> float:
        return self.app.clock().timestamp() - time.monotonic()

    def _at(self, name: str, when: datetime, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if not self.app.stopping:
            soon = max(when, self.app.clock())
            self._scheduler.add_job(
                self._start, "date", run_date=soon, args=(name, job), id=name, replace_existing=True
            )

    async def _start(self, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a job as a task of ours, one at a time a name; one that comes while it runs is run once after it."""
        if self.app.stopping:  # the scheduler had begun it before
            return
        if name in self._running:
            self._again.add(name)
            return
        task = asyncio.create_task(self._guard(name, job), name=name)
        self._running[name] = task
        task.add_done_callback(lambda _: self._ended(name, job))

    def _ended(self, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        del self._running[name]
        if name in self._again:
            self._again.discard(name)
            self._at(name, self.app.clock(), job)

    async def _guard(self, name: str, job: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Whatever goes wrong is logged and tried again: no error ends a source, a feed or a channel."""
        try:
            await job()
            self._troubles.pop(name, None)
        except PolicyfeedError as error:
            log.error("failed", job=name, error=str(error), kind=error.name)
            self._at(name, self.app.clock() + self._after_trouble(name), job)
        except Exception:
            log.exception("failed by an error of policyfeed itself", job=name)
            self._at(name, self.app.clock() + AFTER_A_BUG, job)

    def _after_trouble(self, name: str) -> timedelta:
        if not name.startswith(("poll ", BODIES)):
            return AFTER_TROUBLE
        times = self._troubles[name] = self._troubles.get(name, 0) + 1
        source = self.app.sources.get(name.removeprefix("poll "))
        least = self.app.poller.bounds(source).least if source is not None else ASKED
        return max(least, min(ASKED * (1 << min(times - 1, 10)), AT_MOST))

    def _forget_waits(self) -> None:
        with self.app.store.write() as tx:
            outbox.forget_waits(tx, self.app.clock())


def _note_body(report: FillReport) -> None:
    metrics.BODIES.labels(report.source, report.state.value).inc()
    known = {"source": report.source, "article": report.number, "requests": report.requests}
    if report.error:
        log.warning("body", **known, state=report.state.value, error=told(report.error), due=str(report.due))
    else:
        log.debug("body", **known, characters=report.characters, owed=report.owed)


def _note(report: PollReport) -> None:
    outcome = "new" if report.new else "nothing" if report.state == "ok" else report.state
    metrics.POLLS.labels(report.source, outcome).inc()
    metrics.REQUESTS.labels(report.source).inc(report.requests)
    metrics.PARSED.labels(report.source).inc(report.parsed)
    metrics.SANITIZED.labels(report.source).inc(report.sanitized)
    metrics.MATCHED.labels(report.source).inc(report.matched)
    metrics.ROWS.labels(report.source).inc(report.rows)
    for warning in report.warnings[:20]:
        log.warning("odd entry", source=report.source, what=warning)
    if report.state == HELD:
        return
    if report.error is not None:
        log.warning(
            "poll failed", source=report.source, error=str(report.error), kind=report.state, due=str(report.due)
        )
        return
    counted = {name: getattr(report, name) for name in ("entries", "new", "joined", "revised", "kept", "owed")}
    (log.info if report.changed else log.debug)("polled", source=report.source, state=report.state, **counted)
