"""What every test may ask for: an empty store, a clock that is set by hand, a small world of ministries and topics."""

from __future__ import annotations

import logging
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from policyfeed.relevance import Rules, load_topics
from policyfeed.store import Store
from tests.alerts import Hand

TOPICS = Path(__file__).parent / "cases" / "topics"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty database in a folder of its own."""
    opened = Store(tmp_path / "data")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Hand:
    """Wednesday, 2026-05-20, 09:30 in Korea."""
    return Hand()


@pytest.fixture
def few_files() -> Iterator[None]:
    """The process may have 1,024 files open, as on most machines."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """A command sets the levels of the whole process, which other tests listen to."""
    root, web = logging.getLogger(), logging.getLogger("uvicorn.error")
    handlers, levels = root.handlers[:], (root.level, web.level)
    yield
    root.handlers[:] = handlers
    root.setLevel(levels[0])
    web.setLevel(levels[1])
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The topics of ``tests/cases/topics``: what is shipped may change, these do not."""
    return load_topics(TOPICS)
