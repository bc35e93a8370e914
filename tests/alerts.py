"""What the tests of alerts share: invented releases, and a receiver that answers as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from policyfeed.channels import Channel
from policyfeed.errors import UpstreamError
from policyfeed.store import Store, articles, outbox
from policyfeed.types import (
    Article,
    Attachment,
    Delivery,
    Document,
    Judged,
    Kind,
    MinistryName,
    Origin,
    Reason,
    Request,
    Secret,
    Verdict,
)

NOW = datetime(2026, 5, 20, 0, 30, tzinfo=UTC)
"""09:30 in Korea."""
KEY = "whsec_" + "cG9saWN5ZmVlZC1leGFtcGxlLXNlY3JldC1rZXk="
URL = "https://hooks.example.org/services/T0/B0/moonlit-otter"

_P = ParamSpec("_P")
_T = TypeVar("_T")


def article(number: int = 7, **changes: Any) -> Article:
    """A release of the climate ministry, with the given changes."""
    ministry = MinistryName(id="mcee", name="기후에너지환경부")
    url = f"https://www.example.go.kr/press/view.do?id={number}"
    made = Article(
        id=UUID(int=0x5F00_0000_0000_4000_8000_0000_0000_0000 + number).urn,
        number=number,
        title="하천 유역 탄소중립 시범사업 3곳 선정",
        ministry=ministry,
        ministries=(ministry,),
        department="물순환정책과",
        published=NOW - timedelta(minutes=30),
        first_seen=NOW,
        changed=NOW,
        summary="올해 안에 세 유역에서 온실가스 감축과 홍수 대비를 함께 꾀하는 사업이 시작된다.",
        url=url,
        origins=(Origin(source="mcee", key=f"x/{number}", url=url, title="t", digest="d", first_seen=NOW),),
        attachments=(Attachment(name="보도자료.hwpx", url=f"{url}&file=1", type="application/hwp+zip"),),
        licence="공공누리 제1유형",
        attribution="기후에너지환경부",
    )
    return replace(made, **changes)


def judged(number: int = 7, verdict: Mapping[str, Any] | None = None, **changes: Any) -> Judged:
    reasons = (
        Reason(rule="term", points=3.0, topic="E1", term="탄소중립", field="title", offset=6),
        Reason(rule="term", points=1.2, topic="E1", term="온실가스", field="summary", offset=12),
        Reason(rule="genre", points=-0.5, term="선정"),
    )
    told = Verdict(kept=True, alert=True, score=82.4, topics=("E1", "E4"), pillars=("E",), reasons=reasons)
    return Judged(article=article(number, **changes), verdict=replace(told, **(verdict or {})))


def explanation(**changes: Any) -> Judged:
    """A joint release without a date, as odd as they come."""
    ministries = tuple(
        MinistryName(id=f"m{i}", name=name) for i, name in enumerate(("교육부", "외교부", "국방부", "조달청"))
    )
    odd = {"ministry": ministries[0], "ministries": ministries, "kind": Kind.EXPLANATION, "published": None}
    return judged(**{**odd, **changes})


def channel(kind: str = "slack", **changes: Any) -> Channel:
    made = Channel(name=f"{kind}-team", kind=kind, url=Secret(URL, "env:HOOK"), secrets={"secret": Secret(KEY)})
    return replace(made, **changes)


def delivery(number: int = 7, channel: str = "slack-team", **changes: Any) -> Delivery:
    made = Delivery(key=f"{number}_1_{channel}", channel=channel, number=number, revision=1, created=NOW, due=NOW)
    return replace(made, **changes)


def answer(status: int, body: str = "", **headers: str) -> Document:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Document(url=URL, status=status, headers=named, body=body.encode(), fetched=NOW)


def stored(store: Store, *several: Judged) -> list[Judged]:
    """The same articles as the store has them, with their numbers."""
    with store.write() as tx:
        saved = [Judged(article=articles.insert(tx, one.article), verdict=one.verdict) for one in several]
        for one in saved:
            articles.save_verdict(tx, one.article.number, one.verdict, NOW)
    return saved


def owe(store: Store, *owed: Delivery) -> None:
    with store.write() as tx:
        outbox.owe(tx, owed)


def listing(store: Store) -> list[Delivery]:
    with store.read() as tx:
        return outbox.listing(tx)


async def directly(work: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """The database's thread is this one."""
    return work(*args, **kwargs)


class Hand:
    """A clock that is set by hand."""

    def __init__(self, moment: datetime = NOW) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def advance(self, **span: float) -> None:
        self.moment += timedelta(**span)


class Receiver:
    """Answers requests in turn, the last answer for ever; keeps what came. An error in the list is raised."""

    def __init__(self, *answers: Document | Exception) -> None:
        self._answers = list(answers)
        self.got: list[Request] = []

    async def __call__(self, request: Request) -> Document:
        self.got.append(request)
        said = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(said, Exception):
            raise said
        return said

    @property
    def text(self) -> str:
        return "\n".join(request.body.decode() for request in self.got)


class Paces:
    """Counts how often a message waited for its turn."""

    def __init__(self) -> None:
        self.waited: list[str] = []

    @asynccontextmanager
    async def __call__(self, channel: Channel) -> AsyncIterator[None]:
        self.waited.append(channel.name)
        yield


def unreachable(url: str) -> UpstreamError:
    return UpstreamError("{url} did not answer.", url=url)


def names(deliveries: Iterable[Delivery]) -> list[tuple[str, str]]:
    return [(one.key, one.state.value) for one in deliveries]
