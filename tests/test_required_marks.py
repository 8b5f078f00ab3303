"""Where everything must be there (ISOPATH_REQUIRE_ALL), a required test that is skipped has failed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REQUIRED_IN_CI

ROOT = Path(__file__).parents[1]
SKIPPED = """
import pytest

@pytest.mark.{mark}
def test_something():
    pytest.skip("not here")

@pytest.mark.{mark}
@pytest.mark.skipif(True, reason="not here either")
def test_something_else():
    pass
"""


def run(path: Path, require_all: bool) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if key != "ISOPATH_REQUIRE_ALL"}
    if require_all:
        environment["ISOPATH_REQUIRE_ALL"] = "1"
    options = ["-n", "0", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), "-rA"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(path)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("mark", REQUIRED_IN_CI)
def test_a_skipped_test_of_a_required_mark_fails_where_everything_is_required(
    tmp_path: Path, mark: str
) -> None:
    path = tmp_path / "test_skipped.py"
    path.write_text(SKIPPED.format(mark=mark))

    there, here = run(path, require_all=True), run(path, require_all=False)

    assert there.returncode == 1
    # Skipped in its own setup, a test ends as an error.
    assert "1 failed, 1 error" in there.stdout
    assert here.returncode == 0
    assert "2 skipped" in here.stdout
