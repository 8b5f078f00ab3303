"""The BIDS dataset, as the standard's own validator sees it and as the tables say."""

from __future__ import annotations

import csv
import gzip
import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.export.bids.dataset import BIDS_VERSION, write_bids
from analysis.export.bids.files import cell, label, labels
from analysis.export.content import ExportContent
from study.errors import OutOfRange, RecordMismatch
from study.protocol import Design
from tests.analysis.export.made_content import NASTY, content_of, made_sounds, made_study, no_progress
from tests.analysis.made_study import MadeStudy

VALIDATOR = Path(sys.executable).with_name("bids-validator-deno")

#: What an exporter cannot know: who wrote the study, where, and which ontologies name its task.
UNKNOWN = {
    "Authors", "CogAtlasID", "CogPOID", "HEDVersion", "InstitutionAddress", "InstitutionName",
    "InstitutionalDepartmentName", "Instructions", "SourceDatasets",
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> MadeStudy:
    return made_study(design=Design.CROSSOVER)


@pytest.fixture(scope="module")
def made(study: MadeStudy, tmp_path_factory: pytest.TempPathFactory) -> tuple[ExportContent, Path]:
    sounds = made_sounds(study, tmp_path_factory.mktemp("sounds"))
    content, folder = content_of(study, sounds=sounds), tmp_path_factory.mktemp("bids")
    write_bids(content, folder, no_progress)
    return content, folder


def validated(folder: Path) -> list[dict[str, Any]]:
    """Every issue that bids-validator finds, errors and warnings."""
    ran = subprocess.run(
        [VALIDATOR, str(folder), "--format", "json", "--max-rows", "-1"],
        capture_output=True,
        check=False,
        text=True,
    )
    found = json.loads(ran.stdout)
    # The schema that is checked against comes with the validator; nothing is fetched.
    assert found["summary"]["schemaVersion"] == "1.2.7", "another validator: see whether BIDS_VERSION is its"
    return list(found["issues"]["issues"])


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text()), delimiter="\t", quoting=csv.QUOTE_NONE))


def test_the_validator_finds_no_error_and_warns_only_of_what_nobody_told_us(
    made: tuple[ExportContent, Path],
) -> None:
    _, folder = made

    issues = validated(folder)

    assert [issue for issue in issues if issue["severity"] == "error"] == []
    told = Counter(issue["code"] for issue in issues if issue.get("subCode") not in UNKNOWN)
    assert told == {"TOO_FEW_AUTHORS": 1}
    assert json.loads((folder / "dataset_description.json").read_text())["BIDSVersion"] == BIDS_VERSION


def test_the_validator_finds_no_error_in_a_blinded_dataset_and_one_where_a_sound_is_gone(
    study: MadeStudy, made: tuple[ExportContent, Path], tmp_path: Path
) -> None:
    write_bids(content_of(study, is_blinded=True), tmp_path, no_progress)
    _, folder = made
    gone = next((folder / "stimuli").iterdir())
    kept = gone.read_bytes()

    blinded = validated(tmp_path)
    gone.unlink()
    broken = validated(folder)
    gone.write_bytes(kept)

    assert [issue for issue in blinded if issue["severity"] == "error"] == []
    assert {issue["code"] for issue in broken if issue["severity"] == "error"} == {"STIMULUS_FILE_MISSING"}


def test_each_sound_is_there_once_and_the_events_name_it(made: tuple[ExportContent, Path]) -> None:
    content, folder = made

    events = rows_of(folder / "sub-001/ses-02/beh/sub-001_ses-02_task-listening_events.tsv")

    (sound,) = [row for row in events if row["trial_type"] == "sound"]
    assert (folder / "stimuli" / sound["stim_file"]).read_bytes() == b"sub-001/ses-02"
    assert {path.stem for path in (folder / "stimuli").iterdir()} == set(content.sounds)
    assert [float(row["onset"]) for row in events] == sorted(float(row["onset"]) for row in events)


def test_probes_and_the_player_stand_in_the_events_and_other_reports_in_phenotype(
    made: tuple[ExportContent, Path],
) -> None:
    content, folder = made
    reports = content.tables["self_reports"]

    events = rows_of(folder / "sub-002/ses-01/beh/sub-002_ses-01_task-listening_events.tsv")
    posts = [rows_of(folder / f"phenotype/slider_post_ses-0{number}.tsv") for number in (1, 2)]

    assert [row["onset"] for row in events if row["trial_type"] == "probe"] == ["60", "120", "180"]
    assert [row["action"] for row in events if row["trial_type"] == "player"] == ["started", "ended"]
    assert [len(post) for post in posts] == [4, 4]
    felt = reports[(reports["phase"] == "post") & (reports["participant_id"] == "sub-002")]
    mine = [float(row["valence"]) for post in posts for row in post if row["participant_id"] == "sub-002"]
    assert mine == felt["valence"].tolist()


def test_sessions_tell_the_realised_order_the_arm_and_the_seconds_heard(
    made: tuple[ExportContent, Path],
) -> None:
    _, folder = made

    first = rows_of(folder / "sub-001/sub-001_sessions.tsv")
    second = rows_of(folder / "sub-002/sub-002_sessions.tsv")

    order = [(row["session_id"], row["period"], row["arm"], row["heard_s"]) for row in first]
    assert order == [("ses-01", "1", "iso", "240"), ("ses-02", "2", "target_only", "240")]
    assert [row["arm"] for row in second] == ["target_only", "iso"]


def test_what_the_music_expresses_is_a_continuous_recording(
    study: MadeStudy, made: tuple[ExportContent, Path]
) -> None:
    _, folder = made
    stem = folder / "sub-001/ses-01/beh/sub-001_ses-01_task-listening_recording-musicnn_stim"
    series = study.predictions["sub-001", "ses-01"]["musicnn"]

    about = json.loads(stem.with_suffix(".json").read_text())
    values = np.loadtxt(io.BytesIO(gzip.decompress(Path(f"{stem}.tsv.gz").read_bytes())))

    assert (about["StartTime"], about["SamplingFrequency"], about["ResampledToGrid"]) == (1.5, 1 / 1.5, False)
    assert about["Columns"] == ["valence_pred", "arousal_pred"]
    np.testing.assert_array_equal(values[:, 0], series.valence_pred)
    np.testing.assert_array_equal(values[:, 1], series.arousal_pred)


def test_a_blinded_dataset_has_no_arm_no_stimulus_and_no_prediction(study: MadeStudy, tmp_path: Path) -> None:
    write_bids(content_of(study, is_blinded=True), tmp_path, no_progress)

    text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "target_only" not in text
    assert list(tmp_path.rglob("*_stim*")) == []
    assert not (tmp_path / "stimuli").exists()
    sessions = rows_of(tmp_path / "sub-001/sub-001_sessions.tsv")
    assert [row["heard_planned_s"] for row in sessions] == ["240", "240"]
    assert "not frozen and unblinded yet" in (tmp_path / "README").read_text()


def test_the_same_record_gives_the_same_bytes(
    study: MadeStudy, made: tuple[ExportContent, Path], tmp_path: Path
) -> None:
    content, folder = made
    write_bids(content, tmp_path, no_progress)

    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert all((folder / file).read_bytes() == (tmp_path / file).read_bytes() for file in files)
    assert len(files) > 40


def test_a_sound_that_is_not_the_rendered_one_is_refused(
    study: MadeStudy, made: tuple[ExportContent, Path], tmp_path: Path
) -> None:
    content, _ = made
    changed = tmp_path / "changed.flac"
    changed.write_bytes(b"other music")
    sounds = dict.fromkeys(content.sounds, changed)
    (tmp_path / "made").mkdir()

    with pytest.raises(RecordMismatch, match="not the sound the record names"):
        write_bids(content_of(study, sounds=sounds), tmp_path / "made", no_progress)


def test_labels_are_letters_and_digits_and_no_two_alike() -> None:
    assert label("musicnn-cues") == "musicnnCues"
    assert labels("sub", ["sub-1a2b", "sub-x_y"]) == {"sub-1a2b": "sub-1a2b", "sub-x_y": "sub-xY"}
    with pytest.raises(OutOfRange, match="same BIDS label"):
        labels("sub", ["sub-x_y", "sub-xY"])


def test_a_cell_never_breaks_its_row() -> None:
    assert cell(NASTY) == r'=cmd("calc")\n@SUM(1,2)\t"quoted", naïve, n/a'
    assert (cell(None), cell(""), cell(float("nan")), cell(True), cell(240.0), cell(0.1)) == (
        "n/a", "n/a", "n/a", "true", "240", "0.1",
    )  # fmt: skip
