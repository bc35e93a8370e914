"""One file of the topics' folder: its text, its shape, and the mistakes found in it with their lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from policyfeed import invalid
from policyfeed.errors import ConfigError
from policyfeed.relevance.rules import Place

_QUOTED = re.compile(r'"([^"]*)"|\'([^\']*)\'')
S = TypeVar("S", bound=BaseModel)


class TopicFile:
    """One file: its text for line numbers, and the mistakes found in it."""

    def __init__(self, path: Path, mistakes: list[ConfigError]) -> None:
        self.name = path.name
        self.mistakes = mistakes
        read = _read(path, mistakes)
        self.readable, self.text = read is not None, read or ""
        self._lines = self.text.splitlines()
        self._quoted: dict[str, int] = {}
        for number, line in enumerate(self._lines, 1):
            for double, single in _QUOTED.findall(line):
                self._quoted.setdefault(double or single, number)

    def shape(self, kind: type[S]) -> S | None:
        """The file's content in the given shape; None when it had mistakes, which are noted."""
        if not self.readable:
            return None
        data: dict[str, Any] = {}
        try:
            data = tomllib.loads(self.text)
            return kind.model_validate(data)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            self._note("{file} is not valid TOML: {detail}.", "Correct the place named.", detail=str(error))
        except ValidationError as error:
            for found in error.errors(include_url=False):
                self._note_invalid(data, found)
        return None

    def _note_invalid(self, data: dict[str, Any], found: Any) -> None:
        where: dict[str, Any] = {"key": invalid.key(data, found["loc"]), "line": self._line_of(found["loc"])}
        if found["type"] == "extra_forbidden":
            remedy = "Check its spelling against docs/topics.md."
            self._note("{file}, line {line}: unknown key {key}.", remedy, **where)
        elif found["type"] == "missing":
            self._note("{file}: the key {key} is missing.", "Add it; docs/topics.md shows every key.", **where)
        elif found["type"] == invalid.STRANGER:
            remedy, facts = invalid.meant(found["input"], found["ctx"]["known"])
            self._note("{file}, line {line}: {key} {value!r} is not known.", remedy, **where, **facts)
        else:
            said = invalid.said(found)
            self._note("{file}, line {line}: {key}: {said}.", "Correct the value.", **where, said=said)

    def _note(self, template: str, remedy: str, key: str = "", line: int = 0, **facts: object) -> None:
        self.mistakes.append(ConfigError(template, remedy=remedy, file=self.name, key=key, line=line, **facts))

    def _line_of(self, where: Iterable[str | int]) -> int:
        """The line of a key: each step is sought behind the one before it. In a list in [ ], where that begins."""
        at, table = 0, ""
        for step in where:
            sought = table if isinstance(step, int) else rf"(?<!\w){re.escape(step)}[\"']?\s*[=.\]]"
            found = [number for number in range(at, len(self._lines)) if re.search(sought, self._lines[number])]
            if len(found) <= (number := step if isinstance(step, int) else 0):
                break
            at, table = found[number], rf"^\s*\[\[\s*{re.escape(str(step))}\s*\]\]"
        return at + 1

    def line(self, needle: str) -> int:
        """The first line (from 1) that holds the text, best in quotes; 0 = none."""
        if needle in self._quoted:
            return self._quoted[needle]
        return next((number for number, line in enumerate(self._lines, 1) if needle in line), 0)

    def place(self, text: str) -> Place:
        return Place(file=self.name, line=self.line(text))

    def mistake(self, template: str, remedy: str, key: str, text: str = "", **facts: object) -> None:
        self._note(template, remedy, key, self.line(text or key), **facts)


def _read(path: Path, mistakes: list[ConfigError]) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")  # some editors begin a file with a BOM
    except (OSError, UnicodeDecodeError) as error:
        mistakes.append(
            ConfigError(
                "{file} could not be read: {detail}.",
                remedy="Save it as UTF-8 and make it readable.",
                file=path.name,
                key="",
                detail=error,
            )
        )
        return None
