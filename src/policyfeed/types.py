"""The vocabulary: frozen values in the order in which data flows.

``Source → Request → Document → Entry → Article → Verdict → Delivery → Outcome``

Every datetime is aware and in UTC. Nothing here does I/O and nothing here imports another module of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple


class Secret:
    """A text that must not be shown: webhook URLs, tokens, passwords.

    ``repr`` and ``str`` show only where it came from (``env:NAME``); ``reveal`` is the one way to read it.
    """

    __slots__ = ("_text", "origin")

    def __init__(self, text: str, origin: str = "configuration") -> None:
        self._text = text
        self.origin = origin

    def reveal(self) -> str:
        return self._text

    def __repr__(self) -> str:
        return f"<secret from {self.origin}>"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


class Kind(StrEnum):
    """What sort of publication an article is (Korean names in DESIGN's words)."""

    PRESS_RELEASE = "press_release"  # 보도자료
    REFERENCE = "reference"  # 보도참고자료
    EXPLANATION = "explanation"  # 설명·해명자료
    ACTIVITY = "activity"  # 동정
    BRIEFING = "briefing"  # 브리핑
    POLICY_NEWS = "policy_news"  # 정책뉴스
    NOTICE = "notice"  # 공고


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name of a ministry and the days (KST, ISO dates) on which it was valid; None = open end."""

    ko: str
    en: str = ""
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ministry:
    """A publishing body (부처). ``names`` are in order of time, the last one is the present one."""

    id: str
    names: tuple[Name, ...]
    aliases: tuple[str, ...] = ()
    rep_codes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.names[-1].ko

    @property
    def name_en(self) -> str:
        return self.names[-1].en


@dataclass(frozen=True, slots=True, kw_only=True)
class MinistryName:
    """A ministry as an article credits it: the stable id and the name of that time."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A configured place to look. ``kind`` names the adapter in ``policyfeed.sources``."""

    id: str
    kind: str
    url: str
    page: str = ""
    """What readers may look at in place of ``url``, where that is no page."""
    name: str = ""
    ministry: str | None = None
    timezone: str = "Asia/Seoul"
    language: str = "ko"
    article_kind: Kind = Kind.PRESS_RELEASE
    enabled: bool = True
    interval_minutes: int | None = None
    """A fixed interval between polls; None = planned from the source's own rhythm."""
    least_minutes: float | None = None
    """Never two polls within this time; None = the general one (``policyfeed.toml``)."""
    most_minutes: float | None = None
    """Never longer without a poll; None = a day."""
    polls_per_day: int | None = None
    """The budget of requests; None = the general one (``policyfeed.toml``)."""
    licence: str = ""
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    encoding: str | None = None
    cookies: bool = False
    """Whether cookies are kept, for this source alone."""
    warm_up: str | None = None
    """A page that hands out the cookie without which the source redirects in a circle."""
    proxy: str | None = None
    ca_bundle: str | None = None
    allow_private: bool = False
    """Whether the source's host may be an inner address (an intranet)."""
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be asked of a server. ``url`` may be secret (webhooks): never log a Request of a channel."""

    url: str
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The bytes that came back for a request. ``headers`` has lower-case names, and values in latin-1
    (each character a byte); ``body`` is decompressed."""

    url: str
    """The final URL, after redirects."""
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    fetched: datetime
    took: float = 0.0
    """Seconds from the request to the last byte, those of redirects included."""
    hops: int = 0
    """How many requests led here before the last one: redirects, and the page that hands out a cookie."""
    moved_to: str | None = None
    """The new address, when every redirect on the way was permanent (301, 308) and the whole request went along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Validators:
    """ETag and Last-Modified exactly as they were received (RFC 9110 §8.8); None = the server gave none."""

    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    url: str
    type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a source published, as strings, untouched: an Atom entry, an RSS item, a row of a list page."""

    title: str
    url: str = ""
    guid: str = ""
    published: str = ""
    updated: str = ""
    summary: str = ""
    content: str = ""
    base: str = ""
    """What addresses in the content are relative to, where the source says so (xml:base); else the entry's own."""
    ministry: str = ""
    """The ministry's label as printed; empty = the source's own ministry."""
    department: str = ""
    kind: Kind | None = None
    """What the source itself says that it is; a tag in the title says it better."""
    licence: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a feed asks of those who poll it: leave ``seconds`` between polls, come not in these hours or on these days.

    Hours (0–23) and days (0 = Monday) are in GMT, as RSS has them. Its server called it ``fresh`` for so many seconds.
    """

    seconds: float = 0.0
    fresh: float = 0.0
    hours: tuple[int, ...] = ()
    days: tuple[int, ...] = ()


NO_WISHES = Wishes()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What an adapter read in one document.

    ``next`` is a further request of the same poll (paging), ``cursor`` is the adapter's own memory (JSON values),
    saved in the transaction that saves the entries and handed to the adapter at the next poll.
    """

    entries: tuple[Entry, ...]
    next: Request | None = None
    cursor: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()
    vanished: tuple[str, ...] = ()
    """Canonical keys that the source listed, should list still, and does not: perhaps they were withdrawn."""
    newest_first: bool = False
    """Of a list with a cursor: when its first document is unchanged, so are the others (its validators may be kept)."""
    wishes: Wishes = NO_WISHES
    total: int | None = None
    """How many entries the source itself says that the list has, all its pages together; None = it does not say."""
    rightly_empty: bool = False
    """There are no entries, and the document shows that this is right, even where there were some before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """What an article's own pages and files say, as strings, gathered document by document.

    ``content`` is HTML, ``subtitles`` plain text. ``ways`` are the requests that may still bring text, the next one
    first; each answer leaves the ways that are left. ``warnings`` say what could not be read.
    """

    content: str = ""
    subtitles: tuple[str, ...] = ()
    published: str = ""
    updated: str = ""
    department: str = ""
    licence: str = ""
    attachments: tuple[Attachment, ...] = ()
    ways: tuple[Request, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One place where an article was seen. ``key`` is canonical (``korea.kr/156738805``), see ``identity``.

    ``title`` is the title as printed there, its tags included; ``digest`` is the hash of what was published there.
    """

    source: str
    key: str
    url: str
    title: str
    digest: str
    first_seen: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """An article that another one names: enough to link to it."""

    number: int
    id: str
    title: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """The common shape, ONE class from normalize to output.

    ``number`` is the board's running number (0 = not stored yet), ``id`` the permanent Atom id. ``published`` is None
    when upstream gave no readable date; ``dated`` tells that upstream gave only a day (then it is midnight, KST).
    ``changed`` is when we last stored a change in anything that is shown. ``content`` is sanitized HTML,
    ``summary`` and ``title`` are plain text.
    """

    id: str = ""
    number: int = 0
    title: str
    ministry: MinistryName
    ministries: tuple[MinistryName, ...] = ()
    """All bodies credited, the first one included (joint releases have several)."""
    department: str = ""
    kind: Kind = Kind.PRESS_RELEASE
    tags: tuple[str, ...] = ()
    published: datetime | None = None
    dated: bool = False
    updated: datetime | None = None
    first_seen: datetime
    changed: datetime
    summary: str = ""
    content: str = ""
    url: str
    language: str = "ko"
    origins: tuple[Origin, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    licence: str = ""
    attribution: str = ""
    revision: int = 1
    withdrawn: datetime | None = None
    answers: tuple[Named, ...] = ()
    """The earlier articles that an explanation (설명·해명) names; the store knows them."""

    @property
    def sort_time(self) -> datetime:
        """When it was published, or first seen where upstream gave no readable date."""
        return self.published or self.first_seen


class Reason(NamedTuple):
    """One piece of evidence of a verdict. The points of all reasons add up to the verdict's score.

    ``rule`` is the sort of evidence: term, phrase, genre, ministry, kind, base …; ``field`` is title, summary or
    content ("" where it does not apply); ``offset`` counts characters in that field as stored. (Every verdict has some
    eight, which workers send: as dataclasses they took half of what sending does.)
    """

    rule: str
    points: float
    topic: str = ""
    term: str = ""
    field: str = ""
    offset: int = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Kept or dropped, and why. ``score`` is 0–100; ``rule_version`` names the topics and engine that judged."""

    kept: bool
    alert: bool = False
    score: float = 0.0
    topics: tuple[str, ...] = ()
    pillars: tuple[str, ...] = ()
    reasons: tuple[Reason, ...] = ()
    rule_version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """An article with its verdict: what feeds, alerts, pages and commands show."""

    article: Article
    verdict: Verdict


class ConditionName(StrEnum):
    """How a source is. All but new, ok and unchanged are trouble."""

    NEW = "new"
    OK = "ok"
    UNCHANGED = "unchanged"
    STALE = "stale"
    LAYOUT_CHANGED = "layout_changed"
    BLOCKED = "blocked"
    INCOMPLETE = "incomplete"
    UNREACHABLE = "unreachable"
    GONE = "gone"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """News of a source for the operator: its condition changed and stayed so, or it recovered from ``condition``."""

    id: str
    source: str
    name: str
    """The source's name as configured."""
    condition: ConditionName
    recovered: bool
    since: datetime
    detail: str = ""
    """The failure's message as it is stored (``errors.told``)."""
    created: datetime


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """An outbox row: what is owed to a channel. ``key`` is permanent: it is the webhook-id of every attempt."""

    key: str
    channel: str
    number: int = 0
    """The article's number; 0 = it is a notice that is owed."""
    revision: int = 1
    notice: str = ""
    """The notice's id."""
    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    created: datetime
    due: datetime
    delivered: datetime | None = None
    error: str = ""
    leased_until: datetime | None = None
    """Set on a claimed delivery: the claim's own mark, by which the store knows whether it still holds."""


class Result(StrEnum):
    DELIVERED = "delivered"
    RETRY = "retry"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one attempt ended.

    ``after`` is the server's own wish in seconds (Retry-After), a floor under our back-off. A rejection with
    ``closes_channel`` means that nothing else will be taken there either (deleted hook, archived channel).
    ``detail`` holds no secret.
    """

    result: Result
    detail: str = ""
    after: float | None = None
    closes_channel: bool = False
