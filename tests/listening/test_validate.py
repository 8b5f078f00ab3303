"""What the long run promises without hearing anything."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analysis.mer.registry import EMBEDDED
from tests.listening import validate
from tests.listening.packages import listed


def test_help_lists_every_package_with_its_size(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        validate.main(["--help"])

    said = capsys.readouterr().out
    for package in listed():
        (line,) = [line for line in said.splitlines() if line.split()[:1] == [package.name]]
        assert line.split()[1:] == [package.version, str(package.size_mb), "MB"]
    assert f"{sum(package.size_mb for package in listed())} MB" in said


def written(path: Path, version: str) -> dict[str, Any]:
    """A docs/mer.json of predictors of that version."""
    content = {
        "predictors": {name: {"version": version} for name in (*EMBEDDED, "essentia")},
        "halves": {"validate": {}},
        "one_knob": [],
    }
    path.write_text(json.dumps(content))
    return content


def test_without_packages_figures_of_the_same_predictors_stay(tmp_path: Path) -> None:
    before = written(tmp_path / "mer.json", "1")

    kept = validate._kept_figures(tmp_path / "mer.json", {"predictors": before["predictors"]})

    assert kept == {"predictors": before["predictors"], "halves": {"validate": {}}}


def test_figures_of_other_predictors_do_not(tmp_path: Path) -> None:
    written(tmp_path / "mer.json", "1")
    now = {"predictors": {name: {"version": "2"} for name in EMBEDDED}}

    assert validate._kept_figures(tmp_path / "mer.json", now) is None
    assert validate._kept_figures(tmp_path / "none.json", now) is None
