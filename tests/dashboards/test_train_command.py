"""`isopath train`: from seconds of music to an adapter that plays; what is wrong is named and counted."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import soundfile

from dashboards.cli import main as command
from dashboards.cli import train_command
from generation.musicgen.trained.part_taken import PartTaken, write_marks
from generation.training import run as training
from generation.training.tokens.cache import write_card
from study.protocol import EngineSpec
from tests.dashboards.short_music import tones, write_music, write_recipe, write_table
from tests.dashboards.test_without_torch import without_torch
from tests.generation.clips.plans import plan_of, quiet

pytestmark = pytest.mark.torch


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found


def isopath(*arguments: str | Path) -> Said:
    """The command in this process, where torch is loaded already."""
    code, out, err = 0, io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", ["isopath", *map(str, arguments)]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            command.main()
        except SystemExit as leaving:
            code = int(leaving.code or 0)
    return Said(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny MusicGen of random weights."""
    import torch

    from generation.musicgen.writing.random_model import write_random_model

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    return folder


@dataclass(frozen=True)
class Trained:
    """A training that ended, and what its command said."""

    recipe: Path
    run: Path
    said: Said


@pytest.fixture(scope="module")
def trained(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    folder = tmp_path_factory.mktemp("trained")
    write_table(folder, write_music(folder))
    recipe, run = write_recipe(folder, model, labels={"intended_by": "composer"}), folder / "run"
    return Trained(recipe, run, isopath("train", "--recipe", recipe, "--out", run, "--json"))


@pytest.fixture
def music(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    write_table(folder, write_music(folder))
    return folder


def last_line(said: Said) -> str:
    return said.err.strip().splitlines()[-1]


def faults(run: Path) -> dict[str, tuple[str, str]]:
    """Track to kind of fault and whether it is kept."""
    with (run / "faults.csv").open(encoding="utf-8") as file:
        return {row["track_id"]: (row["kind"], row["is_kept"]) for row in csv.DictReader(file)}


def test_a_recipe_becomes_an_adapter_that_the_engine_plays(trained: Trained) -> None:
    from generation.registry import load_engine

    said = trained.said
    assert said.code == 0, said.err

    spec = EngineSpec(said.facts["engine"]["name"], said.facts["engine"]["options"])
    (audio,) = load_engine(spec).generate([plan_of(1.0)], quiet)

    assert len(audio.samples) == 32_000
    assert audio.models["adapter"]
    tokens = said.facts["files_sha256"]["affect_tokens.safetensors"]
    assert audio.models["affect tokens affect_tokens.safetensors"] == tokens
    # The recipe says that the composer made the music for its places.
    assert audio.rendering["predictors_in_training"] == {"cues": ["shared cues"]}


def test_a_training_says_what_it_did_and_leaves_a_card(trained: Trained) -> None:
    facts, card = trained.said.facts, (trained.run / "adapter" / "README.md").read_text()

    assert "learning" in trained.said.err
    assert (facts["faults"], facts["learned"]["steps"], facts["seed"]) == ({}, 4, 0)
    assert json.loads((trained.run / "training.json").read_text()).items() <= facts.items()
    assert 'base_model: "isopath/random-tiny"' in card
    assert "what the music was composed to express" in card
    assert (trained.run / "adapter" / "losses.png").stat().st_size > 0


def test_a_training_that_ended_is_told_again_and_not_made_again(trained: Trained) -> None:
    before = (trained.run / "training.json").stat().st_mtime_ns

    again = isopath("train", "--recipe", trained.recipe, "--out", trained.run, "--json")

    assert (again.code, again.facts) == (0, trained.said.facts)
    assert (trained.run / "training.json").stat().st_mtime_ns == before


def test_a_stopped_training_goes_on_to_the_same_adapter(trained: Trained, tmp_path: Path) -> None:
    run = tmp_path / "stopped"

    def stopping(stage: str) -> Callable[[float], None]:
        def progress(share: float) -> None:
            if stage == "learning" and share >= 0.75:
                raise KeyboardInterrupt

        return progress

    with patch.object(train_command, "_progress_of", return_value=stopping):
        said = isopath("train", "--recipe", trained.recipe, "--out", run)
    assert said.code == 130
    assert "what was finished is kept, run the command again to go on" in said.err
    assert not (run / "adapter").exists()
    assert (run / "checkpoints" / "step-00000002").is_dir()

    gone_on = isopath("train", "--recipe", trained.recipe, "--out", run, "--json")

    for name in ("adapter_model.safetensors", "affect_tokens.safetensors"):
        assert gone_on.facts["files_sha256"][name] == trained.said.facts["files_sha256"][name]


def test_what_cannot_be_used_is_named_and_counted_and_the_rest_goes_on(music: Path, tmp_path: Path) -> None:
    rows = write_music(music)
    (music / "corrupt.mp3").write_bytes(b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\x00\x13\x37" * 500)
    soundfile.write(music / "slow.wav", tones(220.0, 0.0, 32_000), 1_000)
    soundfile.write(music / "cd.flac", tones(220.0, 0.0, 44_100), 44_100)
    rows += [
        {"path": "corrupt.mp3", "valence": 0.1, "arousal": 0.1, "split": "train"},
        {"path": "slow.wav", "valence": 0.1, "arousal": 0.1, "split": "train"},
        {"path": "cd.flac", "valence": 0.1, "arousal": 0.1, "split": "train"},
        {"path": "gone.flac", "valence": 0.1, "arousal": 0.1, "split": "train"},
    ]
    soundfile.write(music / "unlabelled.flac", tones(330.0, 0.0), 32_000)
    rows.append({"path": "unlabelled.flac", "split": "train"})
    write_table(music, rows)
    run = tmp_path / "run"

    said = isopath("train", "--recipe", write_recipe(music), "--out", run, "--data-only")

    assert said.code == 0, said.err
    assert faults(run) == {
        "corrupt.mp3": ("unreadable", "no"),
        "slow.wav": ("unreadable", "no"),
        "gone.flac": ("missing", "no"),
        "unlabelled.flac": ("no label", "no"),
    }
    assert "2 unreadable, 1 missing, 1 no label" in said.out
    card = json.loads((run / "data" / "card.json").read_text())
    assert card["sample_rates"] == {"32000": 7, "44100": 1}


def test_a_tag_without_a_place_is_named_and_its_track_is_kept_where_others_have_one(
    music: Path, tmp_path: Path
) -> None:
    rows = write_music(music)
    rows[0]["tags"] = "calm,zzyzx"
    rows[1]["tags"] = "zzyzx"
    write_table(music, rows)
    run = tmp_path / "run"
    recipe = write_recipe(music, labels={"source": "tags", "perspective": "perceived"})

    said = isopath("train", "--recipe", recipe, "--out", run, "--data-only")

    assert said.code == 0, said.err
    assert faults(run)["00.flac"] == ("tag without affect", "yes")
    assert faults(run)["01.flac"] == ("no label", "no")


def test_an_empty_split_is_refused_and_says_what_was_lost(music: Path, tmp_path: Path) -> None:
    rows = write_music(music)
    for row in rows:
        if row["split"] == "validation":
            del row["valence"], row["arousal"]
    write_table(music, rows)

    said = isopath(
        "train",
        "--recipe",
        write_recipe(music),
        "--out",
        tmp_path / "run",
        "--data-only",
    )

    assert said.code == 2
    assert "split validation: no window of it can be learned from; lost: 2 no label" in last_line(said)
    assert "Traceback" not in said.err


def test_tokens_of_another_codec_are_refused_by_the_names_of_both(
    model: Path, music: Path, tmp_path: Path
) -> None:
    from generation.musicgen.sound_encoder import CodecCard

    run = tmp_path / "run"
    (run / "tokens").mkdir(parents=True)
    write_card(run / "tokens", CodecCard("other/codec", "0" * 64, 4, 2048, 50, 32_000), 4)

    said = isopath("train", "--recipe", write_recipe(music, model), "--out", run)

    assert said.code == 2
    assert "holds tokens of the codec other/codec, not of isopath/random-tiny (sha256" in last_line(said)


def test_another_recipe_in_the_same_folder_is_refused_by_the_fields_that_differ(
    trained: Trained, model: Path, music: Path
) -> None:
    other = write_recipe(music, model, seed=7)

    said = isopath("train", "--recipe", other, "--out", trained.run)

    assert said.code == 2
    assert "holds a training of another recipe ($.seed: 0, now 7, $.data.path: " in last_line(said)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        (
            {"labels": {"source": "predictor", "predictor": "musicnn-cues", "perspective": "perceived"}},
            "labels.predictor: ",
        ),
        ({"selection": {"predictor": "musicnn"}}, "selection.predictor: "),
        ({"licence": "apache-2.0"}, "$.licence: "),
        ({"optimiser": {"dtype": "float16"}}, "$.optimiser.dtype: "),
    ],
)
def test_a_recipe_that_will_not_do_is_refused_before_anything_is_written(
    parts: dict[str, Any], told: str, music: Path, tmp_path: Path
) -> None:
    said = isopath("train", "--recipe", write_recipe(music, **parts), "--out", tmp_path / "run")

    assert said.code == 2
    assert told in last_line(said)
    assert not (tmp_path / "run").exists()


def test_a_base_that_the_reporting_predictor_helped_to_train_is_refused(music: Path, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    write_marks(base, PartTaken({"essentia": ("labels",)}), {})

    said = isopath("train", "--recipe", write_recipe(music, base), "--out", tmp_path / "run")

    assert said.code == 2
    assert '"musicnn" shares msd-musicnn with "essentia", which had a part in the base\'s own' in last_line(
        said
    )


def test_a_folder_of_something_else_is_left_alone(model: Path, music: Path) -> None:
    before = sorted(music.iterdir())

    said = isopath("train", "--recipe", write_recipe(music, model), "--out", music)

    assert said.code == 2
    assert "is not empty and holds no training" in last_line(said)
    assert sorted(music.iterdir()) == sorted({*before, music / "recipe.json"})


def test_the_defaults_can_be_written_to_edit(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"

    said = isopath("train", "--write-recipe", file, "--kind", "jamendo")
    again = isopath("train", "--write-recipe", file)

    assert said.code == 0
    assert json.loads(file.read_text())["optimiser"]["learning_rate"] == 2e-4
    assert (again.code, "is there already" in last_line(again)) == (2, True)


def test_without_its_extra_the_data_card_is_still_made(music: Path, tmp_path: Path) -> None:
    looked = without_torch("train", "--recipe", write_recipe(music), "--out", tmp_path / "run", "--data-only")

    assert looked.returncode == 0, looked.stderr
    assert (tmp_path / "run" / "data" / "card.md").is_file()


def test_without_its_extra_training_names_it(music: Path, tmp_path: Path) -> None:
    with patch.object(training, "find_spec", lambda name: None if name == "tensorboard" else object()):
        said = isopath("train", "--recipe", write_recipe(music), "--out", tmp_path / "run")

    assert said.code == 2
    assert "tensorboard is not installed; pip install 'isopath[training]'" in last_line(said)
