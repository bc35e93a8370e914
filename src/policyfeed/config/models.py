"""The shapes of the configuration's files. Unknown keys are mistakes; everything has a default that works."""

from __future__ import annotations

import re
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Literal, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, create_model, field_validator
from pydantic_core import PydanticCustomError

from policyfeed import registry
from policyfeed.errors import ConfigError, Forbidden
from policyfeed.i18n import marked
from policyfeed.invalid import one_of
from policyfeed.normalize.text import is_charset
from policyfeed.normalize.xml import ILLEGAL
from policyfeed.retired import retired
from policyfeed.selection import Selection
from policyfeed.transport.proxies import proxy as read_proxy
from policyfeed.transport.urls import take_apart
from policyfeed.types import Kind, Ministry, Name, Source

_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_HEADER_VALUE = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""RFC 9110 §5.5"""
_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
TOLD = "told"
"""The type of a mistake that an error of ours tells (``notice``)."""


def http(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError(marked("must begin with http:// or https://"))
    if not urlsplit(url).hostname:
        raise ValueError(marked("names no host"))
    return url


def askable(url: str) -> str:
    """An address that the transport takes."""
    try:
        take_apart(http(url))
    except Forbidden as notice:
        raise PydanticCustomError(TOLD, "cannot be asked", {"notice": notice}) from None
    return url


def host(entry: str) -> str:
    """An entry of the list of hosts that may be asked all the same."""
    from policyfeed.transport.guard import allowed  # with asyncio: not for commands without such a list

    try:
        allowed([entry])
    except ConfigError as notice:
        raise PydanticCustomError(TOLD, "is no host", {"notice": notice}) from None
    return entry


def proxy(url: str) -> str:
    """The address of a proxy, or "" for none at all."""
    try:
        read_proxy(http(url)) if url else None
    except ConfigError as notice:
        raise PydanticCustomError(TOLD, "is no proxy", {"notice": notice}) from None
    return url


def sendable(headers: dict[str, str]) -> dict[str, str]:
    """Headers that go out as they are given; spaces around a value are no part of it (RFC 9110 §5.5)."""
    from policyfeed.transport.http import OURS  # with httpx: not for configurations without headers

    for name, value in headers.items():
        if name.lower() in OURS:
            notice = ConfigError(
                "policyfeed sets {name} itself.", remedy="Cookies are kept with `cookies` and `warm_up`.", name=name
            )
        elif not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
            notice = ConfigError(
                "HTTP takes no header {name!r} of that form.",
                remedy="Names hold no spaces; values are one line.",
                name=name,
            )
        else:
            continue
        raise PydanticCustomError(TOLD, "cannot be sent", {"notice": notice})
    return {name: value.strip(" \t") for name, value in headers.items()}


def charset(label: str) -> str:
    if not is_charset(label):
        raise ValueError(marked("no encoding has that name; Korean sites want euc-kr, others utf-8"))
    return label


def published(text: str) -> str:
    """What stands in a feed as it is written."""
    if ILLEGAL.search(text):
        raise ValueError(marked("it holds a control character, which no feed can show"))
    return text


def titled(text: str) -> str:
    if not text.strip():
        raise ValueError(marked("it must not be empty"))
    return published(text)


def iri(text: str) -> str:
    """An id as Atom wants it (RFC 4287 §4.2.6), or "" for the one that is made."""
    if text and not _IRI.fullmatch(text):
        raise ValueError(marked("it must begin with a scheme and hold no spaces, like urn:uuid:… or https://…"))
    return published(text)


Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,59}$")]
Url = Annotated[str, AfterValidator(askable)]
Proxy = Annotated[str, AfterValidator(proxy)]
"""An address that may hold user name and password; "" = none, whatever the environment says."""
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Service(Strict):
    """``[service]``: how this installation presents itself."""

    base_url: Url | None = None
    contact: Url = "https://pypi.org/project/policyfeed/"
    language: Literal["ko", "en"] = "ko"
    title: Annotated[str, Field(max_length=100), AfterValidator(titled)] = "ESG 정책뉴스"


class Polling(Strict):
    """``[polling]``: limits that no plan breaks."""

    polls_per_day: Annotated[int, Field(ge=1, le=1440)] = 48
    least_minutes: Annotated[float, Field(ge=1, le=1440)] = 5
    per_host: Annotated[int, Field(ge=1, le=10)] = 2
    at_once: Annotated[int, Field(ge=1, le=500)] = 64


class Network(Strict):
    """``[network]``: limits of one request; inner hosts and networks that may be asked all the same."""

    seconds: Annotated[float, Field(gt=0, le=300)] = 30
    wire_megabytes: Annotated[float, Field(gt=0, le=100)] = 5
    decoded_megabytes: Annotated[float, Field(gt=0, le=200)] = 10
    allow: tuple[Annotated[str, AfterValidator(host)], ...] = ()


class Parsing(Strict):
    """``[parsing]``: what reading one document may cost in its worker process."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2
    seconds: Annotated[float, Field(gt=0, le=120)] = 10
    megabytes: Annotated[int, Field(ge=64, le=8192)] = 160


class Bodies(Strict):
    """``[bodies]``: texts that stand on a page of their own."""

    enabled: bool = True
    seconds: Annotated[float, Field(ge=0, le=3600)] = 3
    look_again_hours: Annotated[tuple[Annotated[float, Field(gt=0, le=720)], ...], Field(max_length=10)] = (6, 36)


class Web(Strict):
    """``[web]``: what the pages offer."""

    feedback: bool = False


class Settings(Strict):
    service: Service = Service()
    web: Web = Web()
    polling: Polling = Polling()
    network: Network = Network()
    parsing: Parsing = Parsing()
    bodies: Bodies = Bodies()


class NameTable(Strict):
    ko: str
    en: str = ""
    since: Day | None = None
    until: Day | None = None


class MinistryTable(Strict):
    id: Slug
    names: Annotated[tuple[NameTable, ...], Field(min_length=1)]
    aliases: tuple[str, ...] = ()
    rep_codes: tuple[str, ...] = ()

    def ministry(self) -> Ministry:
        lists = self.model_dump(include={"aliases", "rep_codes"})
        return Ministry(id=self.id, names=tuple(Name(**name.model_dump()) for name in self.names), **lists)


class MinistriesFile(Strict):
    ministry: tuple[MinistryTable, ...] = ()


class SourceTable(Strict):
    id: Slug
    kind: str
    url: Url
    page: Url = ""
    name: str = ""
    ministry: str | None = None
    timezone: str = "Asia/Seoul"
    language: str = "ko"
    article_kind: Kind = Kind.PRESS_RELEASE
    enabled: bool = True
    interval_minutes: Annotated[int, Field(ge=1, le=1440)] | None = None
    least_minutes: Annotated[float, Field(ge=1, le=1440)] | None = None
    most_minutes: Annotated[float, Field(ge=1, le=1440)] | None = None
    polls_per_day: Annotated[int, Field(ge=1, le=1440)] | None = None
    licence: str = ""
    method: Literal["GET", "POST"] = "GET"
    headers: Annotated[dict[str, str], AfterValidator(sendable)] = {}
    body: str = ""
    encoding: Annotated[str, AfterValidator(charset)] | None = None
    cookies: bool = False
    warm_up: Url | None = None
    proxy: Proxy | None = None
    ca_bundle: str | None = None
    allow_private: bool = False
    options: dict[str, Any] = {}

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        return one_of(kind, registry.names("sources"))

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, zone: str) -> str:
        try:
            ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of zones, like Asia
            raise ValueError(marked("no time zone has that name; they are written like Asia/Seoul")) from None
        return zone

    @field_validator("most_minutes")
    @classmethod
    def _not_under_the_least(cls, most: float | None, others: ValidationInfo) -> float | None:
        if most is not None and most < (others.data.get("least_minutes") or 0):
            raise ValueError(marked("must not be less than least_minutes"))
        return most

    @field_validator("url")
    @classmethod
    def _living(cls, url: str) -> str:
        if notice := retired(url):
            raise PydanticCustomError(TOLD, "is dead", {"notice": notice})
        return url

    def source(self) -> Source:
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "headers"}
        return Source(**values, headers=tuple(self.headers.items()))


class SourcesFile(Strict):
    source: tuple[SourceTable, ...] = ()


class Exact(Strict):
    model_config = ConfigDict(strict=True)


@cache
def options_model(group: str, kind: str) -> type[Exact]:
    """The model of the options that an adapter declares (``registry.options``)."""
    declared = registry.options(group, kind)
    types = get_type_hints(declared)
    table: Any = {one.name: (types[one.name], Field(one.default, **one.metadata)) for one in fields(declared)}
    model: type[Exact] = create_model("Options", __base__=Exact, **table)
    return model


class SelectionTable(Strict):
    kept_only: bool = True
    alert_only: bool = False
    topics: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    ministries: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    words: tuple[str, ...] = ()
    min_score: Annotated[float, Field(ge=0, le=100)] = 0.0

    def selection(self) -> Selection:
        return Selection(**self.model_dump())


class FeedTable(Strict):
    name: Slug
    title: Annotated[str, AfterValidator(titled)]
    subtitle: Annotated[str, AfterValidator(published)] = ""
    language: Literal["ko", "en"] | None = None
    id: Annotated[str, AfterValidator(iri)] = ""
    limit: Annotated[int, Field(ge=1, le=2000)] = 200
    content: bool = True
    select: SelectionTable = SelectionTable()


class FeedsFile(Strict):
    feed: tuple[FeedTable, ...] = ()


class ChannelTable(Strict):
    name: Slug
    kind: str
    url: str
    secrets: dict[str, str] = {}
    enabled: bool = True
    operator: bool = False
    revisions: bool = False
    daily_cap: Annotated[int, Field(ge=1, le=10_000)] | None = None
    language: Literal["ko", "en"] | None = None
    per_second: Annotated[float, Field(gt=0, le=50)] = 1.0
    options: dict[str, Any] = {}
    select: SelectionTable = SelectionTable()

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, kind: str) -> str:
        return one_of(kind, registry.names("channels"))


class ChannelsFile(Strict):
    channel: tuple[ChannelTable, ...] = ()
