"""Reads a folder's files and gathers every mistake: file, key, what is wrong, what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from policyfeed import invalid, registry
from policyfeed.channels import Channel
from policyfeed.config.models import (
    TOLD,
    ChannelsFile,
    MinistriesFile,
    SelectionTable,
    SourcesFile,
    options_model,
)
from policyfeed.errors import ConfigError, ConfigErrors, PolicyfeedError
from policyfeed.normalize.ministry import Ministries
from policyfeed.relevance import Rules, load_topics
from policyfeed.sources import keyed, keyless
from policyfeed.types import Secret, Source


def shipped() -> Path:
    """The folder of the configuration that comes with policyfeed: in the wheel, or in the checkout."""
    inside = Path(__file__).parents[1] / "_config"
    return inside if inside.is_dir() else Path(__file__).parents[3] / "config"


FILES = ("policyfeed.toml", "ministries.toml", "sources", "topics", "feeds.toml", "channels.toml")
"""What a configuration's folder may hold."""


def path_of(folder: Path, name: str) -> Path:
    """The folder's own file or sub-folder, else the shipped one. Raises ConfigErrors when the folder cannot be read."""
    own = folder / name
    return own if own in listed(folder) else shipped() / name  # a broken link is there: it is a mistake, not a wish


def listed(folder: Path) -> list[Path]:
    """What is in a folder, sorted. Raises ConfigErrors when that cannot be said: nothing stands in for what is lost."""
    try:
        return sorted(folder.iterdir())
    except OSError as problem:
        mistake = ConfigError(
            "{file} cannot be listed: {problem}.",
            remedy="It must be a folder that is there and may be listed.",
            file=folder,
            key="",
            problem=problem.strerror,
        )
        raise ConfigErrors((mistake,)) from problem


_TWICE = "{file}: {key} is there twice."
M = TypeVar("M", bound=BaseModel)
_MAY_BE_SECRET = {"channel", "secrets", "headers", "proxy", "body"}
"""Keys under which a mistake's value is not shown: an address of a channel is a secret wherever it was written."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a selection may name."""

    ministries: Ministries | None
    """None when their file could not be read: then it is not said of each use that it is unknown."""
    rules: Rules | None

    def strangers(self, select: SelectionTable) -> list[tuple[str, str, list[str]]]:
        """(key, unknown value, known values) of a selection."""
        known = {} if self.ministries is None else {"ministries": [one.id for one in self.ministries]}
        if self.rules is not None:
            known["topics"] = [topic.id for topic in self.rules.topics]
            known["pillars"] = [pillar.id for pillar in self.rules.pillars]
        return [
            (key, value, values)
            for key, values in known.items()
            for value in getattr(select, key)
            if value not in values
        ]


def _meant(ministries: Ministries | None, name: str) -> str:
    """The id of the ministry that is called so: files name ids, but people know names."""
    return ministries.named(name).id if ministries is not None else ""


class Reader:
    """Reads a folder's files and gathers the mistakes."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = environ
        self.mistakes: list[ConfigError] = []

    def path(self, name: str) -> Path:
        return path_of(self.folder, name)

    def read(self, name: str, model: type[M]) -> M | None:
        return self._parse(self.path(name), model)

    def _parse(self, file: Path, model: type[M]) -> M | None:
        """What is right of a file; None when it cannot be read at all."""
        data = self._toml(file)
        try:
            return None if data is None else model.model_validate(data)
        except ValidationError as problem:
            mistakes = problem.errors(include_url=False)
        places = [mistake["loc"] for mistake in mistakes]
        for mistake in mistakes:
            where = mistake["loc"]
            if not any(len(where) < len(place) and place[: len(where)] == where for place in places):
                # a list with a wrong part is not also too short
                known = _fields(model, where[:-1]) if where else []
                self._explain(file, invalid.key(data, where), mistake, known, hidden=bool(_MAY_BE_SECRET & set(where)))
        return invalid.salvaged(model, data, places)

    def _toml(self, file: Path) -> dict[str, Any] | None:
        try:
            return tomllib.loads(file.read_text(encoding="utf-8-sig"))  # some editors begin a file with a BOM
        except (OSError, UnicodeDecodeError) as problem:
            self._wrong(file, "", "{file} cannot be read: {problem}.", "Give it as a UTF-8 text file.", problem=problem)
        except tomllib.TOMLDecodeError as problem:
            self._wrong(
                file, "", "{file} is not TOML: {problem}.", "Mend the line; strings stand in quotes.", problem=problem
            )
        except RecursionError:
            self._wrong(file, "", "{file} is nested too deeply.", "No setting needs more than a few levels.")
        return None

    def _explain(self, file: Path, key: str, mistake: Any, known: Collection[str], *, hidden: bool) -> None:
        """``known``: the keys that there are beside the wrong one; ``hidden``: its value may be a secret."""
        where, kind = mistake["loc"], mistake["type"]
        if kind == "extra_forbidden":
            near = get_close_matches(str(where[-1]), known, n=1)
            remedy = "Did you mean `{near}`?" if near else "Remove it."
            self._wrong(file, key, "{file}: {key} is not a known key.", remedy, near="".join(near))
        elif kind == "missing":
            self._wrong(file, key, "{file}: {key} is missing.", "Add it.")
        elif kind == invalid.STRANGER:
            self._stranger(file, key, mistake["input"], mistake["ctx"]["known"])
        elif kind == TOLD:
            notice: PolicyfeedError = mistake["ctx"]["notice"]
            facts: dict[str, Any] = {name: keyless(str(fact)) for name, fact in notice.facts.items()}
            said = ConfigError(notice.template, **facts)
            self._wrong(file, key, "{file}: {key}: {said}", notice.remedy or "Correct it.", said=said, **facts)
        else:
            told = invalid.said(mistake)
            if hidden:
                self._wrong(file, key, "{file}: {key} has a wrong value: {said}.", "Correct it.", said=told)
            else:
                given = _shown(mistake["input"])
                self._wrong(file, key, "{file}: {key} is {given}: {said}.", "Correct it.", given=given, said=told)

    def _options(self, file: Path, place: str, group: str, kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """The options that are as the kind declares them; every other one is named."""
        model = options_model(group, kind)
        try:
            model.model_validate(given)
        except ValidationError as problem:
            for mistake in problem.errors(include_url=False):
                name = str(mistake["loc"][0])
                key = f"{place}.options.{name}"
                hidden = group == "channels" or name == "key"
                self._explain(file, key, mistake, list(model.model_fields), hidden=hidden)
        return {name: value for name, value in given.items() if not self._named(file, f"{place}.options.{name}")}

    def _stranger(self, file: Path, key: str, value: str, known: Collection[str], meant: str = "") -> None:
        """A name that does not exist, with the one that was probably meant, or those that there are."""
        remedy, facts = invalid.meant(meant if meant in known else value, known)
        facts["value"] = value
        self._wrong(file, key, "{file}: {key} {value!r} is not known.", remedy, **facts)

    def _wrong(self, file: Path, key: str, template: str, remedy: str, **facts: object) -> None:
        self.mistakes.append(ConfigError(template, remedy=remedy, file=file, key=key, **facts))

    def _named(self, file: Path, key: str) -> bool:
        """Whether a mistake at that place, or around it in its table, is named already: then no more is said of it."""
        places = (str(one.facts["key"]) for one in self.mistakes if one.facts.get("file") == file)
        return any(f"{key}.".startswith(f"{place}.") for place in places if place.count(".") > 1)

    def _checked(self, file: Path, place: str, adapter: ModuleType, value: Source | Channel) -> None:
        """Name what the adapter's own check finds, with file and key."""
        check: Callable[[Any], Iterable[ConfigError]] | None = getattr(adapter, "check", None)
        for mistake in check(value) if check else ():
            own = str(mistake.facts["key"])
            key = f"{place}.secrets.{own}" if own in getattr(adapter, "SECRETS", ()) else f"{place}.{own}"
            if not self._named(file, key):
                facts: dict[str, Any] = mistake.facts
                said = ConfigError(mistake.template, **facts)
                facts = {**facts, "file": file, "key": key, "said": said}
                self.mistakes.append(ConfigError("{file}: {said}", remedy=mistake.remedy, **facts))

    def strangers(self) -> None:
        """Files and folders of nearly the right name, which nobody would read. Others belong to somebody else."""
        names = {Path(name).stem: name for name in FILES}
        for path in listed(self.folder):
            if path.name in FILES or path.name.startswith("."):
                continue
            near = get_close_matches(path.stem, names, n=1, cutoff=0.75)
            if near and (path.suffix == ".toml" or path.is_dir()):
                template = "{file} is not read: no part of the configuration has that name."
                remedy = "Did you mean `{near}`? If not, move it elsewhere."
                self._wrong(path, "", template, remedy, near=names[near[0]])

    def ministries(self) -> Ministries | None:
        """The ministries, each id once; None when the file is wrong."""
        file, before = self.path("ministries.toml"), len(self.mistakes)
        parsed = self._parse(file, MinistriesFile)
        if parsed is None or len(self.mistakes) > before:
            return None
        ids = [table.id for table in parsed.ministry]
        for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1}):
            self._wrong(file, f"ministry.{id_}", _TWICE, "Give each ministry an id of its own.")
        return Ministries([table.ministry() for table in parsed.ministry])

    def sources(self, ministries: Ministries | None) -> tuple[Source, ...]:
        found: dict[str, Source] = {}
        ids = None if ministries is None else {one.id for one in ministries}
        for file in self._source_files():
            for one in (self._parse(file, SourcesFile) or SourcesFile()).source:
                place = f"source.{one.id}"
                if one.id in found:
                    self._wrong(file, place, _TWICE, "Give each source an id of its own.")
                options = self._options(file, place, "sources", one.kind, one.options)
                if ids is not None and one.ministry is not None and one.ministry not in ids:
                    self._stranger(file, f"{place}.ministry", one.ministry, ids, _meant(ministries, one.ministry))
                adapter = registry.load("sources", one.kind)
                found[one.id] = keyed(self._with_key(replace(one.source(), options=options), file))
                self._checked(file, place, adapter, found[one.id])
        return tuple(found.values())

    def _source_files(self) -> list[Path]:
        try:
            return [file for file in listed(self.path("sources")) if file.suffix == ".toml"]
        except ConfigErrors as problems:
            self.mistakes.extend(problems.mistakes)
            return []

    def _with_key(self, source: Source, file: Path) -> Source:
        """The source with its key read; off when the key's variable is not set."""
        written, place = str(source.options.get("key", "")), f"source.{source.id}.options.key"
        if not source.enabled:
            return source
        if not written:
            if any("{key}" in text for text in (source.url, *dict(source.headers).values())):
                self._wrong(file, place, "{file}: {key} is missing.", "Write env:NAME or file:PATH.")
            return source  # that a kind cannot do without one, its own check says
        if written.startswith("env:") and written != "env:" and not self._variable(written[4:]):
            return replace(source, enabled=False)
        return replace(source, options={**source.options, "key": self._read_secret(file, place, written)})

    def rules(self) -> Rules | None:
        try:
            return load_topics(self.path("topics"))
        except ConfigErrors as problems:
            self.mistakes.extend(problems.mistakes)
            return None

    def named(self, name: str, model: type[Any], list_: str, known: Known, language: str) -> tuple[Any, ...]:
        """The tables of feeds.toml or channels.toml, their names unique and their selections of known things; without
        a language of their own they have this one.
        """
        file = self.path(name)
        parsed = self._parse(file, model)
        tables = tuple(getattr(parsed, list_)) if parsed is not None else ()
        names = [table.name for table in tables]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self._wrong(file, f"{list_}.{name}", _TWICE, "Give each a name of its own.")
        for table in tables:
            if list_ == "feed" and any(table.id == other.id != "" for other in tables if other.name != table.name):
                self._wrong(file, f"feed.{table.name}.id", _TWICE, "Give each feed an id of its own.")
            for key, value, values in known.strangers(table.select):
                meant = _meant(known.ministries, value)
                self._stranger(file, f"{list_}.{table.name}.select.{key}", value, values, meant)
        return tuple(table.model_copy(update={"language": table.language or language}) for table in tables)

    def channels(self, known: Known, base_url: str, language: str) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
        on, silent, file = [], [], self.path("channels.toml")
        for table in self.named("channels.toml", ChannelsFile, "channel", known, language):
            place = f"channel.{table.name}"
            self._options(file, place, "channels", table.kind, table.options)
            if not table.enabled:
                continue
            if table.url.startswith("env:") and table.url != "env:" and not self._variable(table.url[4:]):
                silent.append(table.name)
                continue
            url = self._read_secret(file, f"{place}.url", table.url)
            secrets = {
                name: self._read_secret(file, f"{place}.secrets.{name}", written)
                for name, written in table.secrets.items()
            }
            adapter = registry.load("channels", table.kind)
            for name in sorted(set(adapter.SECRETS) - set(secrets)):
                if not self._named(file, f"{place}.secrets.{name}"):
                    self._wrong(file, f"{place}.secrets.{name}", "{file}: {key} is missing.", "Add it.")
            channel = Channel(
                **table.model_dump(exclude={"url", "secrets", "enabled", "select"}),
                url=url or Secret(""),
                secrets={name: secret for name, secret in secrets.items() if secret is not None},
                selection=table.select.selection(),
                base_url=base_url,
                topic_names=known.rules.names(table.language) if known.rules else {},
            )
            self._checked(file, place, adapter, channel)
            on.append(channel)
        return tuple(on), tuple(silent)

    def _variable(self, name: str) -> str:
        """A variable's value as a secret's file is read: whatever made it may have ended it with a line break."""
        return self.environ.get(name, "").strip()

    def _read_secret(self, file: Path, place: str, written: str) -> Secret | None:
        how, _, where = written.partition(":")
        if how in ("env", "file") and not where:
            self._wrong(
                file, place, "{file}: {key} names nothing after “{how}:”.", "Write env:NAME or file:PATH.", how=how
            )
        elif how == "env":
            if value := self._variable(where):
                return Secret(value, f"env:{where}")
            template = "{file}: {key} needs the environment variable {variable}."
            self._wrong(file, place, template, "Set {variable}, or turn it off.", variable=where)
        elif how == "file":
            try:
                if value := Path(where).read_text(encoding="utf-8-sig").strip():
                    return Secret(value, f"file:{where}")
                template = "{file}: {key} names an empty file ({path})."
                self._wrong(file, place, template, "Put the secret into it.", path=where)
            except (OSError, UnicodeDecodeError) as problem:
                template = "{file}: {key} cannot be read: {problem}."
                self._wrong(file, place, template, "Mend the path or the file's rights.", problem=problem)
        else:
            remedy = "Write env:NAME or file:PATH, and keep the secret itself out of the file."
            self._wrong(file, place, "{file}: {key} holds a secret in plain sight.", remedy)
        return None


def _fields(model: type[BaseModel], where: tuple[str | int, ...]) -> list[str]:
    """The keys that are known at a place of a model."""
    for step in where:
        if isinstance(step, int):
            continue
        annotation: Any = model.model_fields[step].annotation
        inner = getattr(annotation, "__args__", (annotation,))[0]
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return []
        model = inner
    return list(model.model_fields)


def _shown(value: Any) -> str:
    text = keyless(repr(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
