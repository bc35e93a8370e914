"""What every test may ask for: an empty store, a clock that is set by hand, a small world of ministries and topics."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from policyfeed.normalize.ministry import Ministries
from policyfeed.relevance import Rules, load_topics
from policyfeed.store import Store
from tests.alerts import Hand
from tests.fakes import BODIES

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
def ministries() -> Ministries:
    return Ministries(BODIES)


@pytest.fixture(scope="session")
def rules() -> Rules:
    """The topics of ``tests/cases/topics``: what is shipped may change, these do not."""
    return load_topics(TOPICS)
