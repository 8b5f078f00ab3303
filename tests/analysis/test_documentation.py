"""What the manuals show runs, and the reference is of the code as it is."""

from __future__ import annotations

import doctest
import importlib.util
from pathlib import Path

import pytest

from dashboards.study_analysis import analyse_study
from tests.dashboards.short_study import short_study, waiting

ROOT = Path(__file__).parents[2]


def test_the_examples_of_the_manual_give_what_they_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = short_study(tmp_path / "calm-study")
    for _ in range(12):
        waiting(study)
    analyse_study(study, lambda *_: None)
    study.record.close()
    monkeypatch.chdir(tmp_path)

    failed, tried = doctest.testfile(
        str(ROOT / "docs" / "python.md"), module_relative=False, optionflags=doctest.NORMALIZE_WHITESPACE
    )

    assert tried > 30
    assert failed == 0


def test_the_reference_is_of_the_code_as_it_is() -> None:
    spec = importlib.util.spec_from_file_location("api_reference", ROOT / "scripts" / "api_reference.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)

    assert (ROOT / "docs" / "api.md").read_text(encoding="utf-8") == script.reference(), (
        "docs/api.md is old: run scripts/api_reference.py"
    )
