"""Sources as TOML: tables ready to be put into ``sources/*.toml``. What has its default is left out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from policyfeed.types import Source

_KEYS = ("id", "kind", "ministry", "name", "url", "timezone", "language", "enabled")
_DEFAULTS = {"ministry": None, "name": "", "timezone": "Asia/Seoul", "language": "ko", "enabled": True}


def source_table(source: Source) -> str:
    """One ``[[source]]`` table."""
    values = {key: getattr(source, key) for key in _KEYS}
    lines = [
        "[[source]]",
        *_lines({key: value for key, value in values.items() if value != _DEFAULTS.get(key, object)}),
    ]
    if source.options:
        lines += ["[source.options]", *_lines(source.options)]
    return "\n".join(lines) + "\n"


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key} = {_value(value)}" for key, value in values.items()]


def _value(value: object) -> str:
    """A string without quotes and line breaks of its own as TOML's literal string where that spares escapes."""
    if isinstance(value, str) and ("\\" in value or '"' in value):
        if value.isprintable() and "'" not in value:
            return f"'{value}'"
        if value.isprintable() and "'''" not in value and not value.startswith("'") and not value.endswith("'"):
            return f"'''{value}'''"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
