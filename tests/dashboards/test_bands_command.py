"""`isopath bands` calibrates on a lab's own rated music; `isopath hear --bands` shows what came of it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from dashboards.cli.main import app
from study.errors import IsopathError, ModelError, OutOfRange, Refusals, StorageError
from study.folder import file_sha256
from tests.analysis.mer.plugged_predictors import install

RATE = 8000
N_TRACKS = 50


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")


@pytest.fixture
def rated(tmp_path: Path) -> Path:
    """Fifty tracks whose level is their arousal, rated with an error of .1 to .5; valence is said to be 0."""
    folder = tmp_path / "rated"
    (folder / "music").mkdir(parents=True)
    lines = ["path,valence,arousal"]
    for number in range(N_TRACKS):
        level = 0.2 + 0.005 * number
        samples = level * np.sin(2 * np.pi * 400 * np.arange(2 * RATE) / RATE)
        soundfile.write(folder / "music" / f"{number:02d}.wav", samples, RATE, subtype="FLOAT")
        lines.append(f"music/{number:02d}.wav,0.0,{level + 0.1 * (number % 5 + 1) - 0.05:.4f}")
    (folder / "rated.csv").write_text("\n".join(lines) + "\n")
    return folder / "rated.csv"


def run(command: str, *arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [command, *map(str, arguments)])


def made(rated: Path) -> Path:
    out = rated.with_name("bands.json")
    result = run("bands", rated, "--predictor", "level", "--level", "0.95", "--out", out)
    assert result.exit_code == 0, result.exception
    return out


def test_the_file_says_whose_bands_they_are_from_what_and_how_they_held(rated: Path) -> None:
    found = json.loads(made(rated).read_text())

    (bands,) = found["of"]
    assert found["level"] == 0.95
    assert found["ratings_sha256"] == file_sha256(rated)
    assert (found["shortest_s"], found["longest_s"]) == (2.0, 2.0)
    assert (bands["predictor"], bands["version"]) == ("level", "1")
    assert bands["weights_sha256"] == {"none": "0" * 64}
    assert (bands["n_calibrated"], bands["n_held_out"]) == (25, 25)
    # k = ⌈26 × .95⌉ = 25 of 25: the largest error of the half, .45 if a track of that error is in it.
    assert bands["arousal"]["half_width"] == pytest.approx(0.45, abs=1e-3)
    assert bands["arousal"]["coverage"] == 1.0
    assert bands["valence"]["half_width"] == 0.0


def test_bands_stand_beside_the_whole_and_never_beside_a_row(rated: Path) -> None:
    sound = rated.parent / "music" / "10.wav"

    result = run("hear", sound, *("--predictor", "level", "--predictor", "whole"), "--bands", made(rated))

    rows = [line for line in result.stdout.splitlines() if " – " in line]
    (whole,) = [line for line in result.stdout.splitlines() if "whole, " in line]
    assert "±" not in "".join(rows)
    assert whole.split()[2:] == ["+0.00", "±0.00", "+0.25", "±0.45", "+0.50", "-0.50", "0.50", "0.75"]
    assert "with a probability of 95 % or more" in result.stdout
    assert "level 1, calibrated on 25 rated tracks: valence ±0.00 held for 100 % [87, 100]" in result.stdout
    assert "No bands" not in result.stdout


def test_the_picture_has_bars_only_where_there_are_bands(rated: Path, tmp_path: Path) -> None:
    sound = rated.parent / "music" / "10.wav"

    result = run(
        "hear", sound, "--predictor", "level", "--bands", made(rated), "--plot", tmp_path / "path.svg"
    )

    assert result.exit_code == 0
    assert "95 % bands of whole files" in (tmp_path / "path.svg").read_text().replace("<!-- ", "")


def test_bands_of_others_or_of_another_version_are_refused(rated: Path) -> None:
    bands, sound = made(rated), rated.parent / "music" / "10.wav"

    others = run("hear", sound, "--predictor", "whole", "--bands", bands)
    bands.write_text(bands.read_text().replace('"version": "1"', '"version": "0"'))
    older = run("hear", sound, "--predictor", "level", "--bands", bands)

    assert isinstance(others.exception, OutOfRange)
    assert isinstance(older.exception, ModelError)
    assert "calibrate them anew" in str(older.exception)


def change(rated: Path, number: int, line: str) -> None:
    lines = rated.read_text().splitlines()
    lines[number] = line
    rated.write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("number", "line", "kind", "words"),
    [
        (0, "path,valence,arousal,title", OutOfRange, "its first line is not path,valence,arousal"),
        (3, "music/02.wav,1.5,0", OutOfRange, "line 4, column valence: '1.5'"),
        (3, "music/02.wav,0,nan", OutOfRange, "line 4, column arousal: 'nan'"),
        (3, "music/02.wav,0", OutOfRange, "line 4: 2 cells"),
        (3, "music/01.wav,0,0", OutOfRange, "music/01.wav stands there 2 times"),
        (3, "music/gone.wav,0,0", IsopathError, "there is no such file"),
    ],
)
def test_a_table_that_is_wrong_is_refused_and_nothing_written(
    rated: Path, number: int, line: str, kind: type[IsopathError], words: str
) -> None:
    change(rated, number, line)

    result = run(
        "bands", rated, "--predictor", "level", "--level", "0.95", "--out", rated.with_name("b.json")
    )

    assert isinstance(result.exception, kind)
    assert words in str(result.exception)
    assert not rated.with_name("b.json").exists()


def test_the_same_sound_under_two_names_is_refused(rated: Path) -> None:
    music = rated.parent / "music"
    (music / "01.wav").write_bytes((music / "00.wav").read_bytes())

    result = run(
        "bands", rated, "--predictor", "level", "--level", "0.95", "--out", rated.with_name("b.json")
    )

    assert "music/01.wav is the same sound as music/00.wav" in str(result.exception)


def test_every_track_that_cannot_be_heard_is_named(rated: Path) -> None:
    for name in ("07.wav", "09.wav"):
        (rated.parent / "music" / name).write_text(name)

    result = run(
        "bands", rated, "--predictor", "level", "--level", "0.95", "--out", rated.with_name("b.json")
    )

    assert isinstance(result.exception, Refusals)
    assert [Path(one.where).name for one in result.exception.refusals] == ["07.wav", "09.wav"]


@pytest.mark.parametrize(
    ("level", "words"), [("0.9", "bands of 0.9 need 74"), ("1", "write 0.5 to 0.99"), ("nan", "nan")]
)
def test_too_few_tracks_or_no_sensible_level_is_refused_before_anything_is_heard(
    rated: Path, level: str, words: str
) -> None:
    result = run("bands", rated, "--predictor", "level", "--level", level, "--out", rated.with_name("b.json"))

    assert isinstance(result.exception, OutOfRange)
    assert words in str(result.exception)


def test_a_table_that_is_not_there_is_refused(tmp_path: Path) -> None:
    result = run("bands", tmp_path / "no.csv", "--out", tmp_path / "b.json")

    assert isinstance(result.exception, StorageError)
