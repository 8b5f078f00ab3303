"""The Python of the manual on exports runs on what is exported."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from analysis.export.formats import WRITERS
from tests.analysis.export.made_content import made_content, no_progress

MANUAL = Path(__file__).parents[3] / "docs" / "record" / "exports.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", MANUAL.read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_every_line_of_python_runs_and_finds_the_sessions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = made_content()
    for form, write in WRITERS.items():
        (tmp_path / f"calm-{form}").mkdir()
        write(content, tmp_path / f"calm-{form}", no_progress)
    monkeypatch.chdir(tmp_path)
    found: dict[str, object] = {}

    exec("".join(BLOCKS), found)

    assert "target_only" in capsys.readouterr().out
    questions = found["questions"]
    assert isinstance(questions, pd.DataFrame)
    assert len(questions) == 40
