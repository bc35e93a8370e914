"""The configuration: a folder of TOML files → one frozen ``Config``, or every mistake at once.

``policyfeed.toml`` (service), ``ministries.toml``, ``sources/*.toml``, ``topics/*.toml``, ``feeds.toml`` and
``channels.toml``. A file that the folder does not have is taken from the shipped configuration, so that a user's folder
may hold only what is different. Secrets are written as ``env:NAME`` or ``file:PATH``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from policyfeed import identity, registry
from policyfeed.channels import Channel
from policyfeed.config.models import FeedsFile, Settings
from policyfeed.config.reading import Known, Reader, path_of, shipped
from policyfeed.errors import ConfigError, ConfigErrors, UsageError
from policyfeed.formats import Feed, Publication
from policyfeed.normalize.ministry import Ministries
from policyfeed.relevance import Rules, load_topics
from policyfeed.sources import private
from policyfeed.types import Source

__all__ = ["Config", "Settings", "data_folder", "find_folder", "listening_address", "load", "load_rules", "shipped"]

MAIN = "policyfeed.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole, right configuration. ``silent`` names channels that are off because their variables are not set."""

    folder: Path
    address: str
    """Where readers reach this service, without a final /."""
    settings: Settings
    sources: tuple[Source, ...]
    ministries: Ministries
    rules: Rules
    feeds: tuple[Feed, ...]
    channels: tuple[Channel, ...]
    silent: tuple[str, ...] = ()

    @property
    def public_address(self) -> str:
        """The address, where one is configured; else empty."""
        return self.address if self.settings.service.base_url else ""

    def feeds_as_files(self) -> tuple[Feed, ...]:
        """The feeds as a folder for another web server holds them: without pages of ours about articles, and under the
        configured address alone, as the one where we serve leads nowhere there.
        """
        return tuple(replace(feed, base_url=self.public_address, pages=False) for feed in self.feeds)


def publication(source: Source) -> Publication:
    """What readers may be sent to: no address that takes only POST, needs a key, or is made for programs."""
    asked = source.url if source.method == "GET" and not private(source) else ""
    there = registry.load("sources", source.kind).ADDRESS
    page = source.page or (asked if there == "page" else "")
    return Publication(name=source.name or source.id, url=page, feed=asked if there == "feed" else "")


def data_folder() -> Path:
    """POLICYFEED_DATA, default ./var: database, rendered feeds, lock."""
    return Path(os.environ.get("POLICYFEED_DATA") or "var")


def find_folder(given: Path | None, cwd: Path | None = None) -> Path:
    """The folder to read: the one given (or of the policyfeed.toml given), else ./config, else the shipped one."""
    if given is None:
        local = (cwd or Path.cwd()) / "config"
        return local if os.path.lexists(local / MAIN) else shipped()
    if given.is_dir():
        return given
    if given.exists() and given.name == MAIN:
        return given.parent
    template = "{file} is neither a folder nor a policyfeed.toml." if given.exists() else "{file} does not exist."
    remedy = "Name a folder with policyfeed.toml, or leave --config out for the shipped one."
    raise ConfigErrors((ConfigError(template, remedy=remedy, file=given, key=""),))


def load(folder: Path, environ: Mapping[str, str] | None = None) -> Config:
    """The configuration of a folder. Raises ConfigErrors with every mistake: file, key, what is wrong, what to do."""
    reader = Reader(folder, os.environ if environ is None else environ)
    reader.strangers()
    settings = reader.read(MAIN, Settings) or Settings()
    ministries = reader.ministries()
    sources = reader.sources(ministries)
    rules = reader.rules()
    known = Known(ministries, rules)
    language = settings.service.language
    address = (settings.service.base_url or _own_address(reader.environ)).rstrip("/")
    publications = {source.id: publication(source) for source in sources}
    feeds = tuple(
        Feed(
            **one.model_dump(exclude={"select", "id"}),
            id=one.id or identity.mint(f"feed/{one.name}"),
            selection=one.select.selection(),
            base_url=address,
            topic_names=rules.names(one.language) if rules else {},
            sources=publications,
        )
        for one in reader.named("feeds.toml", FeedsFile, "feed", known, language)
    )
    channels, silent = reader.channels(known, address, language)
    if reader.mistakes or ministries is None or rules is None:
        raise ConfigErrors(tuple(reader.mistakes))
    return Config(
        folder=folder,
        address=address,
        settings=settings,
        sources=sources,
        ministries=ministries,
        rules=rules,
        feeds=feeds,
        channels=channels,
        silent=silent,
    )


def load_rules(folder: Path) -> Rules:
    """The topics alone of a folder's configuration. Raises ConfigErrors."""
    return load_topics(path_of(folder, "topics"))


def listening_address(environ: Mapping[str, str] = os.environ) -> tuple[str, int]:
    """POLICYFEED_HTTP as (host, port); default 127.0.0.1:8000. Raises UsageError."""
    text = _http(environ)
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) <= 65535:
        raise UsageError(
            "POLICYFEED_HTTP is {text!r}.", remedy="Write host:port, for example 127.0.0.1:8000.", text=text
        )
    return host.strip("[]"), int(port)


def _http(environ: Mapping[str, str]) -> str:
    return environ.get("POLICYFEED_HTTP") or "127.0.0.1:8000"


def _own_address(environ: Mapping[str, str]) -> str:
    """Where the daemon serves: what its pages are linked by as long as no public address is configured."""
    host, _, port = _http(environ).rpartition(":")
    named = host.strip("[]")
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(named, named)  # noqa: S104 - what listens everywhere is reached here
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"
