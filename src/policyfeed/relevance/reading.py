"""The topics' folder → ``Rules``. Files whose names begin with ``_`` hold what belongs to no single topic.

``E1.toml`` … one topic a file; ``_rules.toml`` settings, pillars, masks, genres and ministries; ``_model.toml`` what
training learned (optional). Every mistake of all files is reported at once.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from policyfeed import invalid
from policyfeed.errors import ConfigError, ConfigErrors
from policyfeed.relevance.rules import (
    Example,
    Genre,
    Mask,
    Model,
    Pillar,
    Place,
    Rules,
    Settings,
    Strength,
    Term,
    Topic,
)
from policyfeed.relevance.terms import needles
from policyfeed.relevance.topic_file import TopicFile
from policyfeed.types import Kind

ENGINE = "3"
"""Raised whenever the engine's code changes verdicts under the same files."""

RULES_FILE = "_rules.toml"
MODEL_FILE = "_model.toml"

_Text = Annotated[str, Field(min_length=1)]
_Kind = Annotated[str, AfterValidator(lambda kind: invalid.one_of(kind, tuple(Kind)))]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class _Name(_Shape):
    ko: _Text
    en: _Text


class _Pillar(_Name):
    topic_share: float | None = Field(default=None, gt=0, le=1)


class _Terms(_Shape):
    strong: list[_Text] = []
    normal: list[_Text] = []
    weak: list[_Text] = []


class _Example(_Shape):
    title: _Text
    ministry: str = ""
    lead: str = ""

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: object) -> object:
        return {"title": given} if isinstance(given, str) else given


class _Topic(_Shape):
    id: _Text
    pillar: _Text
    name: _Name
    description: str = ""
    alert: float = 0.0
    weight: float = Field(default=1.0, gt=0)
    terms: _Terms
    masks: list[_Text] = []
    background: list[_Text] = []
    ministries: dict[str, float] = {}
    frameworks: dict[str, list[str]] = {}
    shared: dict[str, _Text] = {}
    keep: list[_Example] = []
    drop: list[_Example] = []


class _Genre(_Shape):
    id: _Text
    name: _Name
    points: float = 0.0
    alert: float = 0.0
    lead: bool = False
    terms: list[_Text] = []
    patterns: list[_Text] = []
    kinds: list[_Kind] = []


class _Settings(_Shape):
    keep: float = Field(default=45.0, ge=0, le=100)
    alert: float = Field(default=75.0, ge=0, le=100)
    alert_points: float = 2.0
    base: float = -1.5
    strong: float = Field(default=3.0, ge=0)
    normal: float = Field(default=1.6, ge=0)
    weak: float = Field(default=0.5, ge=0)
    lead: float = Field(default=0.4, ge=0, le=1)
    body: float = Field(default=0.05, ge=0, le=1)
    decay: float = Field(default=0.6, gt=0, le=1)
    lead_chars: int = Field(default=400, ge=50)
    topic_share: float = Field(default=0.35, gt=0, le=1)
    background: float = Field(default=0.1, ge=0, le=1)


class _Rules(_Shape):
    settings: _Settings = _Settings()
    pillars: dict[str, _Pillar]
    masks: list[_Text] = []
    genres: list[_Genre] = []
    ministries: dict[str, float] = {}


class _Calibration(_Shape):
    slope: float = Field(default=1.0, gt=0)
    intercept: float = 0.0


class _Model(_Shape):
    calibration: _Calibration = _Calibration()
    corrections: dict[str, float] = {}


def load_topics(folder: Path) -> Rules:
    """The rules of a folder. Raises ConfigErrors with every mistake (facts: file, line, key)."""
    mistakes: list[ConfigError] = []
    files = {path.name: TopicFile(path, mistakes) for path in sorted(folder.glob("*.toml"))}
    if RULES_FILE not in files:
        missing = ConfigError(
            "{folder} holds no {file}.",
            remedy="Name a folder with topics, or copy the one shipped.",
            folder=str(folder),
            file=RULES_FILE,
            key="",
        )
        raise ConfigErrors((missing, *mistakes))
    rules = files[RULES_FILE].shape(_Rules)
    topics = [topic for name, file in files.items() if not name.startswith("_") and (topic := _topic(file)) is not None]
    model = files[MODEL_FILE].shape(_Model) if MODEL_FILE in files else _Model()
    if rules is not None:
        _check_together(rules, topics, files, mistakes)
    if mistakes or rules is None or model is None:
        raise ConfigErrors(tuple(mistakes))
    return _rules(rules, topics, model, files)


def _rules(rules: _Rules, topics: list[Topic], model: _Model, files: Mapping[str, TopicFile]) -> Rules:
    file = files[RULES_FILE]
    return Rules(
        version=_version(files),
        settings=Settings(**rules.settings.model_dump()),
        pillars=tuple(_pillar(key, shape) for key, shape in rules.pillars.items()),
        topics=tuple(sorted(topics, key=lambda topic: _natural(topic.id))),
        masks=tuple(Mask(text=text, place=file.place(text)) for text in rules.masks),
        genres=tuple(_genre(genre, file) for genre in rules.genres),
        ministries=rules.ministries,
        model=Model(
            corrections=model.corrections,
            slope=model.calibration.slope,
            intercept=model.calibration.intercept,
        ),
    )


def _pillar(key: str, shape: _Pillar) -> Pillar:
    return Pillar(id=key, name_ko=shape.ko, name_en=shape.en, topic_share=shape.topic_share)


def _version(files: Mapping[str, TopicFile]) -> str:
    digest = hashlib.sha256(ENGINE.encode())
    for name, file in sorted(files.items()):
        digest.update(f"\0{name}\0{file.text}".encode())
    return f"{ENGINE}-{digest.hexdigest()[:12]}"


def _natural(text: str) -> tuple[str, int]:
    parts = re.match(r"(\D*)(\d*)", text)
    return (parts[1], int(parts[2] or 0)) if parts else (text, 0)


def _topic(file: TopicFile) -> Topic | None:
    shape = file.shape(_Topic)
    if shape is None:
        return None
    terms = _terms(shape, file)
    _check_words((*(term.text for term in terms), *shape.masks), file)
    return Topic(
        id=shape.id,
        pillar=shape.pillar,
        name_ko=shape.name.ko,
        name_en=shape.name.en,
        description=shape.description,
        alert=shape.alert,
        weight=shape.weight,
        terms=tuple(terms),
        masks=tuple(Mask(text=text, topic=shape.id, place=file.place(text)) for text in shape.masks),
        ministries=shape.ministries,
        frameworks={name: tuple(areas) for name, areas in shape.frameworks.items()},
        shared=shape.shared,
        examples=(
            *(_example(one, True, shape.id, file) for one in shape.keep),
            *(_example(one, False, shape.id, file) for one in shape.drop),
        ),
        place=Place(file=file.name, line=file.line("id")),
    )


def _terms(shape: _Topic, file: TopicFile) -> list[Term]:
    background = set(shape.background)
    terms = [
        Term(text=text, topic=shape.id, strength=strength, background=text in background, place=file.place(text))
        for strength in Strength
        for text in getattr(shape.terms, strength.value)
    ]
    for text in sorted(background - {term.text for term in terms}):
        file.mistake(
            "{file}, line {line}: the background term {term} is not among the topic's terms.",
            "Correct its spelling, or add it under [terms].",
            "background",
            text,
            term=text,
        )
    return terms


def _example(shape: _Example, keep: bool, topic: str, file: TopicFile) -> Example:
    return Example(
        title=shape.title,
        ministry=shape.ministry,
        lead=shape.lead,
        keep=keep,
        topic=topic,
        place=file.place(shape.title),
    )


def _genre(shape: _Genre, file: TopicFile) -> Genre:
    facts: dict[str, Any] = shape.model_dump(exclude={"name", "terms", "patterns", "kinds"})
    return Genre(
        name_ko=shape.name.ko,
        name_en=shape.name.en,
        terms=tuple(shape.terms),
        patterns=tuple(shape.patterns),
        kinds=tuple(shape.kinds),
        place=file.place(shape.id),
        **facts,
    )


def _check_together(
    rules: _Rules, topics: list[Topic], files: Mapping[str, TopicFile], mistakes: list[ConfigError]
) -> None:
    """Mistakes that no single key shows: unknown pillars, ids used twice, patterns that are no regular expressions."""
    file = files[RULES_FILE]
    if not topics and not mistakes:
        file.mistake("There is no topic beside {file}.", "Add at least one topic file.", "")
    by_id: dict[str, str] = {}
    for topic in topics:
        own = files[topic.place.file]
        if topic.pillar not in rules.pillars:
            own.mistake(
                "{file}, line {line}: the pillar {pillar} is not among those of _rules.toml.",
                "Use one of them, or add it there.",
                "pillar",
                pillar=topic.pillar,
            )
        if topic.id in by_id:
            own.mistake(
                "{file}, line {line}: the id {id} is used by {other} too.",
                "Give each topic its own id.",
                "id",
                id=topic.id,
                other=by_id[topic.id],
            )
        by_id[topic.id] = topic.place.file
    _check_words((*rules.masks, *(term for genre in rules.genres for term in genre.terms)), file)
    for number, genre in enumerate(rules.genres):
        if genre.id in (one.id for one in rules.genres[:number]):
            file.mistake("{file}: two genres have the id {id}.", "Give each genre its own id.", "id", id=genre.id)
        for pattern in genre.patterns:
            _check_pattern(pattern, genre.id, file)


def _check_words(texts: Iterable[str], file: TopicFile) -> None:
    for text in texts:
        if not needles(text):
            file.mistake(
                "{file}, line {line}: {term} leaves nothing to search.", "Write a word.", "terms", text, term=text
            )


def _check_pattern(pattern: str, genre: str, file: TopicFile) -> None:
    try:
        re.compile(pattern)
    except re.error as error:
        file.mistake(
            "{file}, line {line}: the pattern {pattern} of {genre} is not valid: {detail}.",
            "Correct the regular expression.",
            "patterns",
            genre,
            pattern=pattern,
            genre=genre,
            detail=str(error),
        )
