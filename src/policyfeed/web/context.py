"""What the web is given: where to read, what is published, whether all is well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from policyfeed.clock import Clock, now
from policyfeed.config.models import Service
from policyfeed.formats import Feed, Publication
from policyfeed.health import Condition, Waits
from policyfeed.store import Store
from policyfeed.web.published import Published

Check = Callable[[], str]
"""Says what is wrong, in English for operators and machines; "" = all is well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """The feedback buttons: the origin whose pages may press them, and the topics that may be named."""

    origin: str
    topics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Handed over by the one who starts the web. What a reload may change is asked for at every request."""

    store: Store
    published: Published
    feeds: Callable[[], Sequence[Feed]]
    address: Callable[[], str] = str
    """The configured public address, without a final /; empty = none is configured."""
    checks: Mapping[str, Check] = field(default_factory=dict)
    """Name → check, all of which must be well for ``/readyz`` (see ``web.health`` for ready-made ones)."""
    topic_names: Callable[[str], Mapping[str, str]] = lambda _language: {}
    """Language → topic or pillar id → name."""
    sources: Callable[[], Mapping[str, Publication]] = dict
    conditions: Callable[[], Sequence[Condition]] = tuple
    """How each source is."""
    buttons: Callable[[], Buttons | None] = lambda: None
    """None: nothing can be changed over the web."""
    clock: Clock = now
    waits: Callable[[], Mapping[str, Waits]] = dict
    """Source id → how long its releases waited to be seen."""
    title: Callable[[], str] = lambda: Service().title
    """What the board is called."""
    page_size: int = 50
