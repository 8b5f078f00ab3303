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

# A file goes to one worker whole. These take longest and begin: otherwise those of few and long tests come
# last, and one worker waits for the other's.
LONGEST_FIRST = (
    "dashboards/app/test_browser_walks.py",
    "dashboards/app/test_participant_pages.py",
    "dashboards/app/test_player.py",
    "dashboards/test_render_command.py",
    "dashboards/test_whole_study.py",
    "dashboards/test_refusals.py",
    "generation/test_cluster.py",
    "dashboards/app/test_arm_leaks.py",
    "dashboards/test_report_command.py",
    "generation/composer/sound/test_balance.py",
    "analysis/test_report.py",
    "dashboards/app/test_live_rendering.py",
    "dashboards/test_musicgen_commands.py",
    "dashboards/app/test_nothing_is_lost.py",
    "study/test_record.py",
    "dashboards/test_analysis_command.py",
    "dashboards/test_models_command.py",
    "dashboards/test_bank_command.py",
    "analysis/test_rehearsal_recovery.py",
)

REQUIRED_IN_CI = ("browser", "postgres", "torch", "essentia", "audiocraft", "dataset_json")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of data that may not be committed; skips where there is none."""
    folder = os.environ.get("ISOPATH_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set ISOPATH_TEST_DATA to the folder of test data")
    return Path(folder)


def pytest_configure(config: pytest.Config) -> None:
    """The order below is kept by the workers; by itself xdist begins with the files of most tests."""
    config.option.loadscopereorder = False


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files begin; within a file nothing changes places."""
    tests = Path(__file__).parent
    place = {tests / name: number for number, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


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
