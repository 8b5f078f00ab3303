"""What `isopath compose` leaves behind: the files asked for, all of them or none."""

from __future__ import annotations

import csv
import io
import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest
import soundfile
import typer
from matplotlib.image import imread
from typer.testing import CliRunner

from dashboards.cli import compose_command
from dashboards.cli.main import app
from generation.composer.palettes import PALETTES
from study.errors import DeviceError, IsopathError, OutOfRange, Refusals, UnknownName
from tests.dashboards.command_line import ISOPATH
from tests.generation.composer.test_compose_command import APP, RUNNER, refusal

SHORT = ("compose", "--from", "-0.6,0.5", "--to", "0.6,-0.4", "--minutes", "0.1", "--json")


def composed(*arguments: str) -> dict[str, Any]:
    result = RUNNER.invoke(APP, [*SHORT, *arguments])
    assert result.exit_code == 0, result.output + str(result.exception)
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("out")
    wanted = ["--stems", "--midi", "--cue-sheet", "--piano-roll", "--form", "--rate", "44100"]
    return folder, composed(*wanted, "--cue-weights", "tempo=0,mode=1", "-o", str(folder / "a.wav"))


def test_every_file_that_is_told_is_there_and_no_other(everything: tuple[Path, dict[str, Any]]) -> None:
    folder, told = everything

    assert names(folder) == sorted(Path(name).name for name in (told["file"], *told["beside"].values()))
    assert {"MIDI file", "cue sheet", "piano roll", "picture of the form", "stem of the melody"} <= set(
        told["beside"]
    )


def test_stems_sum_to_the_whole(everything: tuple[Path, dict[str, Any]]) -> None:
    folder, told = everything

    whole, rate = soundfile.read(folder / "a.wav")
    stems = [soundfile.read(file)[0] for file in folder.glob("a-*.wav")]

    assert rate == told["sample_rate_hz"] == 44_100
    assert len(whole) == 6 * 44_100
    assert told["limited_db"] == 0
    assert len(stems) >= 3
    # Each file is rounded to 16 bits.
    assert np.abs(sum(stems) - whole).max() <= (len(stems) + 1) / 2 / 32_768 + 1e-5


def test_the_midi_file_and_the_picture_are_of_the_same_session(
    everything: tuple[Path, dict[str, Any]],
) -> None:
    folder, _ = everything

    midi = mido.MidiFile(folder / "a.mid", charset="utf-8")
    texts = [message.text for message in midi.tracks[0] if message.type == "text"]

    assert midi.length == pytest.approx(6.0, abs=0.002)
    assert "seed: 1" in texts
    assert imread(folder / "a.png").shape[1] == 1650
    assert imread(folder / "a-form.png").shape[:2] == (1056, 880)


def test_a_cue_of_weight_0_stands_still_in_the_cue_sheet_while_the_others_move(
    everything: tuple[Path, dict[str, Any]],
) -> None:
    folder, told = everything

    rows = list(csv.DictReader(io.StringIO((folder / "a-cues.csv").read_text())))
    whole = json.loads((folder / "a-cues.json").read_text())

    assert told["engine"]["cue_weights"] == {"tempo": 0.0, "mode": 1.0}
    assert whole["about"]["options"]["cue_weights"] == {"mode": 1.0, "tempo": 0.0}
    assert len({row["cue_tempo_bpm"] for row in rows}) == 1
    assert (
        len({row["cue_density"] for row in rows}) == len({row["cue_mode"] for row in rows}) == len(rows) > 1
    )


@pytest.mark.parametrize("palette", PALETTES)
def test_every_palette_composes_a_session_of_one_second(tmp_path: Path, palette: str) -> None:
    out = tmp_path / "a.flac"

    told = composed("--minutes", str(1 / 60), "--palette", palette, "-o", str(out), "--midi")

    assert told["duration_s"] == 1.0
    assert soundfile.info(out).frames == 32_000
    assert names(tmp_path) == ["a.flac", "a.mid"]


def test_recordings_may_be_left_out(tmp_path: Path) -> None:
    told = composed("--bank", "synthetic", "-o", str(tmp_path / "a.flac"))

    assert "synthesis" in told["licences"]
    assert "bank" not in told["licences"]


def test_any_file_that_is_there_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "a.mid").write_bytes(b"mine")
    (tmp_path / "a-bass.flac").write_bytes(b"mine")

    problem = refusal("--midi", "--stems", "-o", str(tmp_path / "a.flac"))

    assert isinstance(problem, Refusals)
    assert [Path(one.where).name for one in problem.refusals] == ["a-bass.flac", "a.mid"]
    assert (tmp_path / "a.mid").read_bytes() == b"mine"


def test_a_full_disk_is_one_refusal_and_leaves_nothing(tmp_path: Path) -> None:
    def small_disk() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [ISOPATH, "compose", "--minutes", "0.1", "--midi", "-o", "a.wav"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        preexec_fn=small_disk,
        check=False,
    )

    assert done.returncode == 2, done.stderr
    assert "room" in done.stderr
    assert "Traceback" not in done.stderr
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--cue-weights", "tempo"), OutOfRange, "'tempo' is no weight of a cue"),
        (("--cue-weights", ""), OutOfRange, "is no weight of a cue"),
        (("--cue-weights", "tempo=fast"), OutOfRange, "'tempo=fast' is no weight"),
        (("--cue-weights", "tempo=0,tempo=1"), OutOfRange, "--cue-weights tempo: has two weights, 0 and 1"),
        (("--cue-weights", "tempo=1.5"), OutOfRange, "--cue-weights tempo: 1.5"),
        (("--cue-weights", "tempo=nan"), OutOfRange, "--cue-weights tempo: nan"),
        (("--cue-weights", "pace=1"), UnknownName, "--cue-weights pace: 'pace' is not a cue"),
        (("--rate", "22050"), OutOfRange, "32000, 44100, 48000"),
        (("--bank", "stolen"), UnknownName, "--bank: 'stolen' is not a bank"),
        (("--palette", "electronic", "--bank", "sampled"), OutOfRange, "--bank: 'sampled' leaves out"),
        (("--engine", "musicgen", "--midi"), UnknownName, "--midi: the engine musicgen writes no notes"),
        (
            ("--engine", "musicgen", "--play"),
            UnknownName,
            "--play: the engine musicgen cannot be heard while",
        ),
        (("--engine", "musicgen", "--palette", "ambient"), UnknownName, "has no palettes"),
        (("--engine", "musicgen", "--rate", "48000"), OutOfRange, "plays at 32000 Hz only"),
        (("--engine", "musicgen", "--cue-weights", "tempo=0"), UnknownName, "has no cues"),
    ],
)
def test_options_that_cannot_be_met_are_refused_by_their_own_names(
    tmp_path: Path, arguments: tuple[str, ...], error: type[IsopathError], message: str
) -> None:
    problem = refusal(*arguments, "-o", str(tmp_path / "a.flac"))

    assert isinstance(problem, error)
    assert message in str(problem)
    assert names(tmp_path) == []


def test_everything_that_is_wrong_with_the_weights_is_told_at_once(tmp_path: Path) -> None:
    problem = refusal(
        *("--cue-weights", "tempo=2,foo=1,mode,groove=nan", "--rate", "22050", "--bank", "stolen"),
        *("-o", str(tmp_path / "a.flac")),
    )

    assert isinstance(problem, Refusals)
    assert [(type(one), one.where) for one in problem.refusals] == [
        (OutOfRange, "--rate"),
        (OutOfRange, "--cue-weights"),
        (OutOfRange, "--cue-weights tempo"),
        (UnknownName, "--cue-weights foo"),
        (OutOfRange, "--cue-weights groove"),
        (UnknownName, "--bank"),
    ]
    assert "2.0 is not in [0, 1]" in str(problem)
    assert names(tmp_path) == []


def test_all_cues_held_is_a_session_that_follows_nothing_and_refused(tmp_path: Path) -> None:
    from generation.composer.cues import CUE_NAMES

    problem = refusal(
        "--cue-weights", ",".join(f"{cue}=0" for cue in CUE_NAMES), "-o", str(tmp_path / "a.flac")
    )

    assert problem.where == "--cue-weights"
    assert names(tmp_path) == []


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What this machine's only player was given."""
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / "aplay"
    program.write_text(f"#!/bin/sh\nexec /bin/cat > {tmp_path}/heard.raw\n")
    program.chmod(0o755)
    return tmp_path / "heard.raw"


def test_playing_writes_no_file_unless_one_is_named(speaker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(speaker.parent)

    told = composed("--play")

    assert told["file"] is None
    assert len(speaker.read_bytes()) == 6 * 32_000 * 4
    assert names(speaker.parent) == ["aplay", "heard.raw"]


def test_what_is_played_is_what_is_written_but_for_its_gain(speaker: Path) -> None:
    told = composed("--play", "-o", str(speaker.parent / "a.wav"))

    heard = np.frombuffer(speaker.read_bytes(), dtype="<i2").reshape(-1, 2) / 32_767
    written, _ = soundfile.read(speaker.parent / "a.wav")
    assert written == pytest.approx(heard * 10 ** (told["gain_db"] / 20), abs=2e-4)


def test_a_machine_that_cannot_play_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    problem = refusal("--play", "-o", str(tmp_path / "a.flac"))

    assert isinstance(problem, DeviceError)
    assert names(tmp_path) == []


def test_the_help_names_every_option() -> None:
    result = CliRunner().invoke(app, ["compose", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})

    group = typer.main.get_group(app)
    options = [
        name for option in group.commands["compose"].params for name in option.opts if name[:2] == "--"
    ]
    assert {"--via", "--path", "--cue-weights", "--stems", "--play"} <= set(options)
    for name in options:
        assert name in result.stdout
    assert all(palette in result.stdout for palette in PALETTES)
    assert compose_command.DEFAULT_OUT.name in result.stdout
