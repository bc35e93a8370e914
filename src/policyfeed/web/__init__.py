"""The web: board, articles, feeds from memory, health and metrics. ``app.create_app`` takes a ``Context``."""

from policyfeed.web.app import create_app
from policyfeed.web.connections import Connection, answering
from policyfeed.web.context import Buttons, Check, Context
from policyfeed.web.published import Published
from policyfeed.web.site import Site, board_pages
from policyfeed.web.static_board import pages

__all__ = [
    "Buttons",
    "Check",
    "Connection",
    "Context",
    "Published",
    "Site",
    "answering",
    "board_pages",
    "create_app",
    "pages",
]
