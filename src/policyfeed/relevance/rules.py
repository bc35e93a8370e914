"""What the topics' files say, as plain values. Nothing here is about one domain: pillars, topics and terms are data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Strength(StrEnum):
    """How much a term says by itself: strong decides, normal suggests, weak only adds to other evidence."""

    STRONG = "strong"
    NORMAL = "normal"
    WEAK = "weak"


class Zone(StrEnum):
    """The parts of an article, in the order of their weight."""

    TITLE = "title"
    LEAD = "lead"
    BODY = "body"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in the files something is written; line 0 = not known."""

    file: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A word or phrase as written in a file (see ``terms`` for its signs), with the topic that it speaks for."""

    text: str
    topic: str
    strength: Strength
    background: bool = False
    """Whether it tells how or by whom something is done, not what about: then it hardly names the topic."""
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """A longer expression in which terms mean something else; ``topic`` "" = for all topics."""

    text: str
    topic: str = ""
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A title with the verdict that its author expects. ``ministry`` may be empty."""

    title: str
    keep: bool
    topic: str
    ministry: str = ""
    lead: str = ""
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Genre:
    """A sort of release, known by its title or kind. ``points`` are log-odds; ``alert`` counts for the short list."""

    id: str
    name_ko: str
    name_en: str
    points: float = 0.0
    alert: float = 0.0
    terms: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    lead: bool = False
    """Whether the lead is searched too."""
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pillar:
    id: str
    name_ko: str
    name_en: str
    topic_share: float | None = None
    """None = that of the settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One subject. ``ministries`` maps a ministry's name or id to log-odds; ``frameworks`` names outside standards."""

    id: str
    pillar: str
    name_ko: str
    name_en: str
    description: str = ""
    alert: float = 0.0
    weight: float = 1.0
    """What a term of this topic counts beside one of another."""
    terms: tuple[Term, ...] = ()
    masks: tuple[Mask, ...] = ()
    ministries: Mapping[str, float] = field(default_factory=dict)
    frameworks: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    shared: Mapping[str, str] = field(default_factory=dict)
    """Terms that another topic has too, with the reason why."""
    examples: tuple[Example, ...] = ()
    place: Place = field(default=Place(), compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Thresholds and weights. Weights are log-odds by strength; ``lead`` and ``body`` are factors of evidence there."""

    keep: float = 45.0
    alert: float = 75.0
    alert_points: float = 2.0
    base: float = -1.5
    strong: float = 3.0
    normal: float = 1.6
    weak: float = 0.5
    lead: float = 0.4
    body: float = 0.05
    decay: float = 0.6
    lead_chars: int = 400
    topic_share: float = 0.35
    """A topic is named when its evidence reaches this share of the best topic's."""
    background: float = 0.1
    """What part of a background term's evidence counts for naming its topic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What labelled articles taught: corrections in log-odds, by name of the evidence, and the calibration."""

    corrections: Mapping[str, float] = field(default_factory=dict)
    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything a verdict depends on. ``version`` changes whenever a verdict may."""

    version: str
    settings: Settings
    pillars: tuple[Pillar, ...]
    topics: tuple[Topic, ...]
    masks: tuple[Mask, ...] = ()
    genres: tuple[Genre, ...] = ()
    ministries: Mapping[str, float] = field(default_factory=dict)
    model: Model = field(default_factory=Model)

    @property
    def sought(self) -> list[Term | Mask]:
        """Every term and mask: what is looked for in a text."""
        found: list[Term | Mask] = [*self.masks]
        for topic in self.topics:
            found += [*topic.terms, *topic.masks]
        return found

    def names(self, language: str) -> dict[str, str]:
        """Topic or pillar id → its name in a language."""
        named: tuple[Pillar | Topic, ...] = (*self.pillars, *self.topics)
        return {one.id: one.name_ko if language == "ko" else one.name_en for one in named}

    def topic(self, topic_id: str) -> Topic:
        """Raises KeyError for an unknown id."""
        for topic in self.topics:
            if topic.id == topic_id:
                return topic
        raise KeyError(topic_id)
