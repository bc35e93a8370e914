"""What is wrong with a value of a configuration file, in words of ours, and the path by which a person finds it."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from policyfeed.errors import ConfigError
from policyfeed.i18n import marked

M = TypeVar("M", bound=BaseModel)
Place = tuple[str | int, ...]
STRANGER = "stranger"
"""The type of the mistake of naming what does not exist."""

_TEXT, _NUMBER = marked("it must be a text in quotes"), marked("it must be a number without quotes")
_LIST, _TABLE = marked("it must be a list in [ ]"), marked("it must be a table")
_SAID = {
    "less_than_equal": marked("it must be at most {le:g}"),
    "less_than": marked("it must be less than {lt:g}"),
    "greater_than_equal": marked("it must be at least {ge:g}"),
    "greater_than": marked("it must be more than {gt:g}"),
    "string_pattern_mismatch": marked("it must match the pattern {pattern}"),
    **dict.fromkeys(("string_too_short", "too_short"), marked("it must not be empty")),
    **dict.fromkeys(("literal_error", "enum"), marked("it must be one of {expected}")),
    "string_type": _TEXT,
    **dict.fromkeys(("int_type", "int_parsing", "float_type", "float_parsing"), _NUMBER),
    "finite_number": marked("it must not be infinite, and not nan"),
    "int_from_float": marked("it must be a whole number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), marked("it must be true or false, without quotes")),
    **dict.fromkeys(("list_type", "tuple_type"), _LIST),
    **dict.fromkeys(("dict_type", "mapping_type", "model_type"), _TABLE),
}
"""What is wrong with a value, by pydantic's type of the error. Lists and texts of a least length want one part."""


def said(mistake: Any) -> ConfigError | str:
    """What pydantic says, in words of ours."""
    if template := _SAID.get(mistake["type"]):
        facts = dict(mistake.get("ctx", {}))
        if "expected" in facts:
            facts["expected"] = facts["expected"].replace(" or ", ", ")
        return ConfigError(template, **facts)
    return str(mistake["msg"]).removeprefix("Value error, ").rstrip(".")


def one_of(value: str, known: Collection[str]) -> str:
    """The value, for pydantic. Raises a mistake of the type STRANGER for one that is not known."""
    if value not in known:
        raise PydanticCustomError(STRANGER, "is not known", {"known": sorted(known)})
    return value


def meant(value: str, known: Collection[str]) -> tuple[str, dict[str, Any]]:
    """The remedy for a name that does not exist, with its facts: what was probably meant, or what there is."""
    near = get_close_matches(value, sorted(known), n=1)
    listed = ", ".join(sorted(known)[:40]) + (" …" if len(known) > 40 else "")
    remedy = marked("Did you mean {near!r}?") if near else marked("Known: {known}.")
    return remedy, {"value": value, "near": "".join(near), "known": listed}


def salvaged(model: type[M], data: Any, places: Collection[Place]) -> M:
    """The model of what is right: without what stands at the places, and without tables that lack something then."""
    while True:
        gone = {_standing(data, place) for place in places}
        if () in gone:
            return model()
        data = _without(data, gone)
        try:
            return model.model_validate(data)
        except ValidationError as problem:
            places = [mistake["loc"] for mistake in problem.errors(include_url=False)]


def _standing(data: Any, place: Place) -> Place:
    """The place, or the last before it where something stands."""
    for depth, step in enumerate(place):
        there = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if not there:
            return place[:depth]
        data = data[step]
    return place


def _without(data: Any, gone: Collection[Place], at: Place = ()) -> Any:
    if isinstance(data, dict):
        return {name: _without(one, gone, (*at, name)) for name, one in data.items() if (*at, name) not in gone}
    if isinstance(data, list):
        return [_without(one, gone, (*at, index)) for index, one in enumerate(data) if (*at, index) not in gone]
    return data


def key(data: Any, where: Place) -> str:
    """A path that a person finds: the id or name of a table instead of its position."""
    parts: list[str] = []
    for step in where:
        try:
            data = data[step]
        except (LookupError, TypeError):
            data = None
        named = data.get("id") or data.get("name") if isinstance(step, int) and isinstance(data, dict) else None
        parts.append(named if named and isinstance(named, str) else str(step))
    return ".".join(parts)
