"""Fixtures every test may use, and the rule about skipped tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.postgres import postgres_server, postgres_url

__all__ = ["REQUIRED_IN_CI", "postgres_server", "postgres_url", "test_data"]

# The same examples at every run that decides whether a change lands; new ones everywhere else.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")

REQUIRED_IN_CI = ("browser", "postgres", "torch", "essentia", "audiocraft", "dataset_json")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of data that may not be committed; skips where there is none."""
    folder = os.environ.get("ISOPATH_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set ISOPATH_TEST_DATA to the folder of test data")
    return Path(folder)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where ISOPATH_REQUIRE_ALL is set, a skipped test of a required mark has failed."""
    report = yield
    marks = [mark for mark in REQUIRED_IN_CI if item.get_closest_marker(mark)]
    if report.skipped and marks and os.environ.get("ISOPATH_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} is marked {', '.join(marks)} and was skipped: {report.longrepr}"
    return report
