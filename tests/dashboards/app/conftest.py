"""Studies that take a moment to make: made once, and given to each test as a copy of its own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.server.serving import Served, begin_serving
from study.founding import Study, open_study
from tests.dashboards.app.busy_study import BusyStudy, busy_study
from tests.dashboards.app.two_arms import a_pair, two_arm_study


@pytest.fixture(autouse=True)
def main_stays_main() -> Iterator[None]:
    """Streamlit runs a page as `__main__`; processes spawned by later tests would run it again."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture(scope="session")
def busy_made(tmp_path_factory: pytest.TempPathFactory) -> BusyStudy:
    made = busy_study(tmp_path_factory.mktemp("busy") / "study")
    made.study.record.close()
    return made


@pytest.fixture
def busy(busy_made: BusyStudy, tmp_path: Path) -> Iterator[BusyStudy]:
    """A study in full swing, served to the pages of this process."""
    copied = _copied(busy_made.study, tmp_path / "busy")
    begin_serving(Served(copied, is_secure=False))
    yield replace(busy_made, study=copied)
    copied.record.close()


@pytest.fixture(scope="session")
def trial_made(tmp_path_factory: pytest.TempPathFactory) -> Study:
    study = two_arm_study(tmp_path_factory.mktemp("trial") / "study")
    for _ in range(3):
        a_pair(study)
    study.record.close()
    return study


@pytest.fixture
def trial(trial_made: Study, tmp_path: Path) -> Iterator[Study]:
    """Three people in each of two arms whose names stand nowhere else, through to the end; served."""
    copied = _copied(trial_made, tmp_path / "trial")
    begin_serving(Served(copied, is_secure=False))
    yield copied
    copied.record.close()


def _copied(study: Study, to: Path) -> Study:
    shutil.copytree(study.folder.root, to)
    return open_study(to)
