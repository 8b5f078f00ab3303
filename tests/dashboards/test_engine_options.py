"""An engine's options are checked with the protocol, not when the first participant waits for music."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dashboards.checked_protocol import load_checked_protocol
from generation.composer.cues import CUE_NAMES
from generation.musicgen.trained.part_taken import MARKS, PartTaken, write_marks
from study.errors import ProtocolErrors
from tests.dashboards.command_line import isopath, refusal
from tests.study.conftest import EXAMPLES

VALID = Path(__file__).parents[1] / "protocols" / "valid"


def with_options(path: Path, options: dict[str, object], engine: str = "composer") -> Path:
    protocol = json.loads((EXAMPLES / "three_arm_silence.json").read_text())
    protocol["arms"][0]["engine"] = {"name": engine, "options": options}
    path.write_text(json.dumps(protocol))
    return path


def test_check_names_the_option_and_the_ones_there_are(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"palete": "chamber"})

    assert refusal(isopath("check", protocol)) == (
        f"{protocol}::$.arms[0].engine.options: 'palete' is not an option;"
        " write palette, cue_weights, bank or compression"
    )


def test_a_study_with_an_impossible_option_is_not_begun(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"cue_weights": {"tempo": 2}})

    said = refusal(isopath("init", tmp_path / "study", "--protocol", protocol))

    assert "$.arms[0].engine.options.cue_weights.tempo: 2 is not in [0, 1]" in said
    assert not (tmp_path / "study").exists()


def test_options_that_the_engine_takes_are_valid(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"palette": "ambient", "cue_weights": {"tempo": 0}})
    others = with_options(tmp_path / "q.json", {"bank": "synthetic", "compression": 0.5})

    assert isopath("check", protocol).code == 0
    assert isopath("check", others).code == 0


def test_all_that_is_wrong_with_the_composers_options_is_told_at_once(tmp_path: Path) -> None:
    options: dict[str, object] = {
        "palette": "baroque",
        "cue_weights": {"mood": 1},
        "bank": "gm",
        "compression": True,
    }
    protocol = with_options(tmp_path / "p.json", options)

    said = refusal(isopath("check", protocol)).splitlines()

    assert [line.removeprefix(f"{protocol}::$.arms[0].engine.options.") for line in said] == [
        "palette: 'baroque' is not a palette; write chamber, acoustic, ambient, electronic",
        "cue_weights.mood: 'mood' is not a cue; write one of " + ", ".join(CUE_NAMES),
        "bank: 'gm' is not a bank; write auto, sampled, synthetic",
        "compression: True is not in [0, 1]; write a number from 0 (none) to 1",
    ]


def test_recordings_only_are_refused_for_instruments_that_have_none(tmp_path: Path) -> None:
    protocol = with_options(tmp_path / "p.json", {"palette": "electronic", "bank": "sampled"})

    assert "engine.options.bank: 'sampled' leaves out what this palette has no recording of: glass keys" in (
        refusal(isopath("check", protocol))
    )


def with_preferred_palette(path: Path, *choices: str) -> Path:
    protocol = json.loads((VALID / "preferred_palette.json").read_text())
    (item,) = protocol["questionnaires"][0]["items"]
    item["options"] = [{"id": choice, "text": {"en": choice}} for choice in choices]
    path.write_text(json.dumps(protocol))
    return path


def test_each_palette_that_people_may_choose_must_be_one_of_the_engines(tmp_path: Path) -> None:
    right = with_preferred_palette(tmp_path / "p.json", "ambient", "acoustic")
    wrong = with_preferred_palette(tmp_path / "q.json", "ambient", "jazz")

    assert isopath("check", right).code == 0
    assert refusal(isopath("check", wrong)) == (
        f"{wrong}::$.arms[0].engine.options.palette: 'jazz' is not a palette, and taste.sound lets people"
        " choose it; write chamber, acoustic, ambient, electronic"
    )


@pytest.fixture
def another_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An engine of clips that another package plugs in, with a predictor beside ours."""
    metadata = tmp_path / "site" / "clip_tones-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: clip-tones\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(
        "[isopath.engines]\ntones = tests.generation.clips.tone_model:engine_from_options\n"
        "[isopath.predictors]\nlevel = tests.generation.clips.tone_model:LevelJudge\n"
    )
    monkeypatch.syspath_prepend(tmp_path / "site")
    return "tones"


def with_judge(path: Path, engine: str, judge: str) -> Path:
    options = {"model": "tones", "candidates": 4, "judge": judge}
    protocol = json.loads((EXAMPLES / "three_arm_silence.json").read_text())
    protocol["arms"][0]["engine"] = {"name": engine, "options": options}
    path.write_text(json.dumps(protocol))
    return path


def test_the_judge_that_chooses_may_not_be_the_one_that_reports(tmp_path: Path, another_engine: str) -> None:
    protocol = with_judge(tmp_path / "p.json", another_engine, "musicnn")

    with pytest.raises(ProtocolErrors) as refused:
        load_checked_protocol(protocol)

    (problem,) = refused.value.problems
    assert str(problem) == (
        f'{protocol}::$.arms[0].engine.options.judge: "musicnn" is also analysis.agreement.predictor, and the'
        " judge that chooses may not be the one that reports: of several clips it takes the one it likes"
        " best, so its agreement with the plan would be too good; name another predictor in one of the two"
        " places"
    )


def test_a_judge_that_is_not_installed_is_refused(tmp_path: Path, another_engine: str) -> None:
    protocol = with_judge(tmp_path / "p.json", another_engine, "levell")

    with pytest.raises(ProtocolErrors, match=r'judge: "levell" is not a predictor .* did you mean "level"'):
        load_checked_protocol(protocol)


def test_another_judge_than_the_one_that_reports_is_valid(tmp_path: Path, another_engine: str) -> None:
    protocol = with_judge(tmp_path / "p.json", another_engine, "level")

    assert load_checked_protocol(protocol).arms[0].engine.options["judge"] == "level"


def test_all_options_of_an_engine_are_told_at_once(tmp_path: Path) -> None:
    options: dict[str, object] = {"modee": 1, "guidance_scale": -1, "candidates": 2.5}
    protocol = with_options(tmp_path / "p.json", options, "musicgen")

    said = refusal(isopath("check", protocol)).splitlines()

    assert [line.removeprefix(f"{protocol}::$.arms[0].engine.options").split(";")[0] for line in said] == [
        ': "modee" is not an option',
        ".model: is missing",
        ".guidance_scale: -1 is not a number in [1, 20]",
        ".candidates: 2.5 is not a whole number",
    ]


def test_a_model_that_nobody_knows_is_found_before_anyone_waits_for_it(tmp_path: Path) -> None:
    misspelt = with_options(tmp_path / "p.json", {"model": "facebook/musicgen-smal"}, "musicgen")
    elsewhere = with_options(tmp_path / "q.json", {"model": "/on/the/gpu/machine"}, "musicgen")
    unnamed = with_options(tmp_path / "r.json", {}, "musicgen-hf")

    assert 'did you mean "facebook/musicgen-small"?' in refusal(isopath("check", misspelt))
    assert isopath("check", elsewhere).code == 0
    assert "engine.options.model: is missing" in refusal(isopath("check", unnamed))


def with_adapter(path: Path, adapter: Path, predictor: str) -> Path:
    options = {"model": str(path.parent / "models" / "own"), "adapters": [str(adapter)]}
    protocol = json.loads((EXAMPLES / "three_arm_silence.json").read_text())
    protocol["arms"][0]["engine"] = {"name": "musicgen", "options": options}
    protocol["analysis"]["agreement"]["predictor"] = predictor
    path.write_text(json.dumps(protocol))
    return path


def test_a_predictor_does_not_report_on_what_it_helped_to_train(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    write_marks(adapter, PartTaken({"musicnn-cues": ("labels",)}), {})
    protocol = with_adapter(tmp_path / "p.json", adapter, "musicnn")

    with pytest.raises(ProtocolErrors) as refused:
        load_checked_protocol(protocol)

    (problem,) = refused.value.problems
    assert str(problem) == (
        f'{protocol}::$.arms[0].engine.options.adapters[0]: "musicnn-cues" took part in its training'
        ' (labels), and analysis.agreement.predictor "musicnn", which hears with what "musicnn-cues" does,'
        " would report on what it helped to make: its agreement with the plan would be too good; name another"
        " predictor to report, or use what was trained without this one"
    )


def test_a_predictor_reports_on_what_another_helped_to_train_and_on_what_is_not_here(tmp_path: Path) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    write_marks(adapter, PartTaken({"cues": ("labels", "selection")}), {})

    load_checked_protocol(with_adapter(tmp_path / "p.json", adapter, "musicnn"))
    load_checked_protocol(with_adapter(tmp_path / "q.json", tmp_path / "elsewhere", "cues"))


def test_a_mark_that_cannot_be_read_is_told_with_the_protocol(tmp_path: Path) -> None:
    (tmp_path / MARKS).write_text("{}")

    with pytest.raises(ProtocolErrors, match=r"adapters\[0\]: is no mark of a training"):
        load_checked_protocol(with_adapter(tmp_path / "p.json", tmp_path, "musicnn"))


def test_a_judge_that_hears_with_the_reporters_network_does_not_choose(
    tmp_path: Path, another_engine: str
) -> None:
    protocol = with_judge(tmp_path / "p.json", another_engine, "essentia")

    with pytest.raises(ProtocolErrors, match='"essentia" hears with msd-musicnn, and so does analysis'):
        load_checked_protocol(protocol)
