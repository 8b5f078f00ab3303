"""An engine's options are checked with the protocol, not when the first participant waits for music."""

from __future__ import annotations

import json
from pathlib import Path

from tests.dashboards.command_line import isopath, refusal
from tests.study.conftest import EXAMPLES


def with_options(path: Path, options: dict[str, object]) -> Path:
    protocol = json.loads((EXAMPLES / "three_arm_silence.json").read_text())
    protocol["arms"][0]["engine"] = {"name": "composer", "options": options}
    path.write_text(json.dumps(protocol))
    return path


def test_check_names_the_option_and_the_ones_there_are(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"palete": "chamber"})

    assert refusal(isopath("check", protocol)) == (
        f"{protocol}::$.arms[0].engine.options: 'palete' is not an option; write palette or cue_weights"
    )


def test_a_study_with_an_impossible_option_is_not_begun(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"cue_weights": {"tempo": 2}})

    said = refusal(isopath("init", tmp_path / "study", "--protocol", protocol))

    assert "$.arms[0].engine.options.cue_weights.tempo: 2 is not in [0, 1]" in said
    assert not (tmp_path / "study").exists()


def test_options_that_the_engine_takes_are_valid(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"palette": "ambient", "cue_weights": {"tempo": 0}})

    assert isopath("check", protocol).code == 0
