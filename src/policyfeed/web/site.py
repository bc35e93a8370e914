"""The web of one running App: what the pages are given, and the board as files."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlsplit

from starlette.types import ASGIApp

from policyfeed.app import App
from policyfeed.config import Config, publication
from policyfeed.health import conditions, waits
from policyfeed.publish import Page
from policyfeed.web import health
from policyfeed.web.app import create_app
from policyfeed.web.context import Buttons, Context
from policyfeed.web.published import Published
from policyfeed.web.static_board import pages

LONGEST_SILENCE = timedelta(hours=3)
"""Not ready when no source at all could be read for so long."""


class Site:
    """The application, and its feeds in memory, which ``refresh`` loads again after they were published."""

    def __init__(self, app: App) -> None:
        self.published = Published(app.feeds_folder)
        checks = {
            "database": health.database_readable(app.store),
            "sources": health.polled_within(app.store, app.clock, LONGEST_SILENCE),
            "folder": health.folder_writable(app.feeds_folder),
            "feeds": health.feeds_published(self.published, lambda: app.config.feeds),
        }
        self.application: ASGIApp = create_app(
            Context(
                store=app.store,
                published=self.published,
                feeds=lambda: app.config.feeds,
                address=lambda: app.config.public_address,
                checks=checks,
                topic_names=lambda language: app.config.rules.names(language),  # noqa: PLW0108 - it is exchanged meanwhile
                sources=lambda: {source.id: publication(source) for source in app.config.sources},
                conditions=lambda: conditions(app.store, app.config.sources, app.clock()),
                buttons=lambda: _buttons(app.config),
                clock=app.clock,
                waits=lambda: waits(app.store, app.clock()),
                title=lambda: app.config.settings.service.title,
            )
        )
        self.published.load()

    async def refresh(self) -> None:
        """Load what was published; reading and compressing take their time in a thread."""
        await asyncio.to_thread(self.published.load)


def board_pages(config: Config) -> Mapping[str, Page]:
    """The static board of a configuration, in the service's language."""
    service = config.settings.service
    names = config.rules.names(service.language)
    return pages(config.feeds, title=service.title, language=service.language, topic_names=names)


def _buttons(config: Config) -> Buttons | None:
    if not config.settings.web.feedback:
        return None
    address = urlsplit(config.address)
    origin = f"{address.scheme}://{address.netloc}".lower()
    return Buttons(origin=origin, topics=tuple(topic.id for topic in config.rules.topics))
