"""What may be meant and is probably a mistake: ``policyfeed check`` warns of it."""

from __future__ import annotations

import ssl
import unicodedata
from collections.abc import Iterator
from difflib import get_close_matches

from policyfeed.config import Config
from policyfeed.errors import ConfigError
from policyfeed.relevance.reading import RULES_FILE
from policyfeed.sources import plain
from policyfeed.types import Source

LIKENESS = 0.8
"""From which likeness on, letter by letter, a name is another one mistyped: names of two ministries reach 0.72."""


def doubts(config: Config) -> Iterator[ConfigError]:
    """All of them, each an error that ends nothing."""
    yield from _mistyped(config)
    for source in config.sources:
        yield from (_in_plain_sight(source, name) for name in plain(source))
        if source.ca_bundle and not _holds_certificates(source.ca_bundle):
            yield ConfigError(
                "The certificates of source {source} cannot be read: {file}.",
                remedy="Give a file of PEM certificates as its ca_bundle; until then every poll of it fails.",
                source=source.id,
                file=source.ca_bundle,
            )


def _in_plain_sight(source: Source, name: str) -> ConfigError:
    return ConfigError(
        "The address of source {source} holds what seems to be a secret in plain sight ({name}).",
        remedy="Write {place} in its place, and env:NAME or file:PATH as the source's options.key.",
        source=source.id,
        name=name,
        place="{key}",
    )


def _holds_certificates(file: str) -> bool:
    try:
        ssl.create_default_context(cafile=file)
    except OSError:
        return False
    return True


def _mistyped(config: Config) -> Iterator[ConfigError]:
    """Biases of ministries that no listed one is called, where one is called nearly so.

    Other names may be those of ministries that nobody listed: their releases are judged by the name that is printed.
    """
    labels = {
        _letters(label): label
        for one in config.ministries
        for label in (one.id, *one.aliases, *(text for name in one.names for text in (name.ko, name.en)))
    }
    biases = [(topic.place.file, topic.ministries) for topic in config.rules.topics]
    for file, named in ((RULES_FILE, config.rules.ministries), *biases):
        for name in named:
            known = config.ministries.get(config.ministries.named(name).id) is not None
            if not known and (near := get_close_matches(_letters(name), labels, n=1, cutoff=LIKENESS)):
                yield ConfigError(
                    "{file}: {key} {value!r} is not known.",
                    remedy="Did you mean {near!r}?",
                    file=file,
                    key="ministries",
                    value=name,
                    near=labels[near[0]],
                )


def _letters(name: str) -> str:
    """Korean syllables taken apart: 부 and 뷰 are nearly the same."""
    return unicodedata.normalize("NFD", name)
