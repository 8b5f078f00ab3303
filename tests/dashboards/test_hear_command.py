"""`isopath hear` prints what it hears, draws it, and names what it cannot hear."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from analysis.mer.files import HeardFile, predict_file
from analysis.mer.musicnn.predictor import MusicnnPredictor
from analysis.mer.plot import draw
from analysis.mer.predictor import AffectSeries
from dashboards.cli.main import app
from generation.audio import SAMPLE_RATE_HZ, write_audio
from study.errors import AudioError, IsopathError, OutOfRange, UnknownName


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    rng = np.random.default_rng(8)
    samples = (rng.standard_normal((20 * SAMPLE_RATE_HZ, 2)) * 0.05).astype(np.float32)
    write_audio(tmp_path / "noise.flac", samples, SAMPLE_RATE_HZ)
    return tmp_path / "noise.flac"


def hear(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["hear", *map(str, arguments)])


def test_a_table_has_a_row_each_fifteen_seconds_the_mean_and_the_limits(sound: Path) -> None:
    result = hear(sound)

    assert result.exit_code == 0
    assert "0:00 – 0:15" in result.stdout
    assert "0:15 – 0:20" in result.stdout
    assert "whole, 0:20" in result.stdout
    assert "perceived" in result.stdout
    assert result.stderr.strip() == ""


def test_json_holds_the_same_numbers_for_scripts(sound: Path) -> None:
    result = hear(sound, "--json", "--row", "5")

    heard = json.loads(result.stdout)
    (file,) = heard["files"]
    assert heard["perspective"] == "perceived"
    assert heard["predictor"]["name"] == "musicnn"
    assert [row["onset_s"] for row in file["rows"]] == [0.0, 5.0, 10.0, 15.0]
    assert file["duration_s"] == 20.0
    assert np.mean(file["windows"]["valence_pred"]) == pytest.approx(file["valence_pred"])


def test_a_bad_file_is_named_and_the_others_are_still_heard(sound: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    short = tmp_path / "short.wav"
    soundfile.write(short, np.zeros(8000), 8000)

    result = hear(text, sound, short, tmp_path / "gone.mp3", "--json")

    heard = json.loads(result.stdout)
    assert result.exit_code == 2
    assert [file["file"] for file in heard["files"]] == [str(sound)]
    assert [refused["file"] for refused in heard["refused"]] == [
        str(text),
        str(short),
        str(tmp_path / "gone.mp3"),
    ]
    assert f"{short}: it is shorter than the 2.96 s" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_picture_is_written(sound: Path, tmp_path: Path, suffix: str) -> None:
    result = hear(sound, "--plot", tmp_path / f"path{suffix}")

    magic = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert result.exit_code == 0
    assert (tmp_path / f"path{suffix}").read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--predictor", "other"], UnknownName),
        (["--plot", "path.txt"], OutOfRange),
        (["--plot", "/no/such/folder/path.png"], OutOfRange),
        (["--row", "0"], OutOfRange),
        (["--row", "nan"], OutOfRange),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_heard(
    sound: Path, arguments: list[str], refusal: type[IsopathError]
) -> None:
    result = hear(sound, *arguments)

    assert isinstance(result.exception, refusal)
    assert result.stdout == ""


def test_help_shows_an_example() -> None:
    assert "isopath hear session.flac" in hear("--help").stdout


def test_a_predictor_that_cannot_stream_hears_the_whole_file(sound: Path) -> None:
    class Whole:
        card = MusicnnPredictor(threads=1).card

        def predict(
            self, samples: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rate: int
        ) -> AffectSeries:
            if len(samples) > 30 * rate:
                raise AudioError("sound", "too long", "cut it")
            return AffectSeries(
                np.zeros(1), len(samples) / rate, np.array([0.5]), np.array([-0.5]), self.card
            )

    heard = predict_file(Whole(), sound)

    assert heard.mean.valence_pred == 0.5
    assert heard.series.window_s == 20.0


def test_rows_leave_out_time_in_which_no_window_has_its_centre() -> None:
    series = AffectSeries(
        np.array([0.0, 2.0]), 2.0, np.array([0.1, 0.3]), np.array([0.0, 0.4]), MusicnnPredictor(1).card
    )
    heard = HeardFile(Path("a.wav"), 9.0, series)

    rows = heard.rows(4.0)

    assert [(row.onset_s, row.duration_s) for row in rows] == [(0.0, 4.0)]
    assert rows[0].valence_pred == pytest.approx(0.2)
    assert rows[0].arousal_pred == pytest.approx(0.2)


def test_the_picture_draws_each_file_once_with_its_name(sound: Path) -> None:
    heard = predict_file(MusicnnPredictor(threads=1), sound)

    plane, valence, arousal = draw([heard, heard], 5.0).axes

    assert [line.get_label() for line in plane.lines if not str(line.get_label()).startswith("_")] == [
        "noise.flac"
    ] * 2
    assert valence.get_ylim() == arousal.get_ylim() == plane.get_xlim() == (-1, 1)
