"""The neural engine through the installed commands, with a small model of random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import soundfile

from study.events import DeviationRecorded
from study.manifest import RenderManifest
from tests.dashboards.command_line import isopath, refusal
from tests.dashboards.short_study import short_study, waiting

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from generation.musicgen.writing.random_model import write_random_model

    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    return folder


def test_a_path_is_heard_without_a_study(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.flac"

    done = isopath(
        "compose",
        "--engine",
        "musicgen",
        "--model",
        model,
        "--minutes",
        "0.1",
        "--steps",
        "2",
        "-o",
        out,
        "--json",
    )

    assert done.code == 0, done.err
    sound = soundfile.info(out)
    assert (sound.samplerate, sound.channels, sound.frames) == (32_000, 2, 6 * 32_000)
    assert done.facts["engine"] == {"name": "musicgen", "version": "1", "model": str(model)}
    assert done.facts["takes"] >= 1
    assert any(name.endswith("model.safetensors") for name in done.facts["models"])
    assert "cc0-1.0" in done.facts["licences"].values()


def test_a_cohort_fills_one_batch_across_its_participants(model: Path, tmp_path: Path) -> None:
    study = short_study(tmp_path / "study", other="target_only")
    people = [waiting(study) for _ in range(3)]

    done = isopath(
        "render", study.folder.root, "--all", "--engine", "musicgen", "--model", model, "--no-hear"
    )

    assert done.code == 0, done.err
    manifests = [
        RenderManifest.from_json((study.folder.sessions / pid / "ses-01" / "manifest.json").read_text())
        for pid in people
    ]
    n_clips = sum(len(manifest.takes) for manifest in manifests)
    assert n_clips >= 3
    assert {json.dumps(manifest.rendering["clips_per_batch"]) for manifest in manifests} == {f"[{n_clips}]"}
    recorded = study.record.events(kinds=[DeviationRecorded])
    assert [event.participant_id for event in recorded] == people
    study.record.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--model: the engine musicgen needs one; name a model (isopath models list) or its folder"),
        (
            ("--palette", "ambient", "--model", "x"),
            "--palette: the engine musicgen has no palettes; leave it out",
        ),
        (("--model", "/nowhere", "--device", "cuda:77"), "--device cuda:77: "),
    ],
)
def test_what_the_neural_engine_cannot_do_is_refused_before_any_file(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = isopath("compose", "--engine", "musicgen", *options, "-o", tmp_path / "out.flac")

    assert refusal(done).startswith(said)
    assert list(tmp_path.iterdir()) == []
