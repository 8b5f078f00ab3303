"""A study on disk, and the stores every record test runs on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from study.cohort import SimulatedClock
from study.founding import Study, initialise_study
from study.record import Record

EXAMPLES = Path(__file__).parents[2] / "protocols" / "examples"
#: Consent, questions, one session of music and what is felt around it: nothing else to walk through.
ONE_SESSION = Path(__file__).parents[1] / "protocols" / "valid" / "one_session.json"
PROTOCOL_SHA256 = "ab" * 32


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(datetime(2026, 3, 1, 9, 0, tzinfo=UTC))


@pytest.fixture
def study(tmp_path: Path, clock: SimulatedClock) -> Iterator[Study]:
    made = initialise_study(tmp_path / "study", ONE_SESSION, "test", "isopath test", clock)
    yield made
    made.record.close()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Where a record lives that is a file."""
    return f"sqlite:///{tmp_path / 'record.sqlite'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store_url(request: pytest.FixtureRequest) -> str:
    """Where a record lives; another database joins by adding its name here."""
    url: str = request.getfixturevalue({"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param])
    return url


@pytest.fixture
def record(store_url: str, clock: SimulatedClock) -> Iterator[Record]:
    made = Record.create(store_url, PROTOCOL_SHA256, clock)
    yield made
    made.close()


@pytest.fixture
def file_record(sqlite_url: str, clock: SimulatedClock) -> Iterator[Record]:
    """A record in a file that a test may damage."""
    made = Record.create(sqlite_url, PROTOCOL_SHA256, clock)
    yield made
    made.close()
