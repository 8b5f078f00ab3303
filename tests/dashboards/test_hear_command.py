"""`isopath hear` prints what is heard side by side, draws it, and names what it cannot hear."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from matplotlib.figure import Figure
from typer.testing import CliRunner, Result

from analysis.mer.files import HeardFile, hear_file
from analysis.mer.plot import draw
from dashboards.cli.main import app
from generation.audio import SAMPLE_RATE_HZ, write_audio
from study.errors import IsopathError, OutOfRange, UnknownName
from tests.analysis.mer.plugged_predictors import Level, Whole, install

BESIDE = ("--predictor", "level", "--predictor", "whole")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Predictors of another package, quick and worked out by hand."""
    install(tmp_path / "installed")
    monkeypatch.syspath_prepend(tmp_path / "installed")


def written(path: Path, seconds: float = 20.0, level: float = 0.25) -> Path:
    time = np.arange(round(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    samples = (level * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    write_audio(path, np.stack([samples, samples], axis=1), SAMPLE_RATE_HZ)
    return path


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    return written(tmp_path / "tone.flac")


def hear(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["hear", *map(str, arguments)])


def test_both_embedded_predictors_hear_side_by_side_unless_others_are_named(sound: Path) -> None:
    result = hear(sound)

    assert result.exit_code == 0, result.stderr
    assert "0:00 – 0:15" in result.stdout
    assert "0:15 – 0:20" in result.stdout
    assert "whole, 0:20" in result.stdout
    for name in ("musicnn", "cues", "differ"):
        assert result.stdout.count(name) >= 2
    assert "It does not hear mode" in result.stdout
    assert "never averaged" in result.stdout
    assert "No bands: no rated audio was given" in result.stdout
    assert result.stderr.strip() == ""


def test_a_row_shows_each_predictor_and_how_far_they_are_apart(sound: Path) -> None:
    result = hear(sound, *BESIDE)

    (row,) = [line for line in result.stdout.splitlines() if line.lstrip().startswith("0:00 – 0:15")]
    # 8 of the 15 seconds are told by `level` to be outside its reference: more than half.
    assert row.split()[3:] == ["+0.00", "+0.25", "+0.50", "-0.50", "0.50", "0.75"]
    assert "level: 10 of 20 windows (50 %) sound unlike the music it was calibrated on" in result.stdout


def test_most_windows_outside_the_reference_music_mark_the_row(sound: Path) -> None:
    result = hear(written(sound.with_name("two.flac"), 4.0), "--predictor", "level", "--row", "3")

    # Of 0-3 s one window is foreign; of the last second the only one.
    rows = [line.split() for line in result.stdout.splitlines() if " – " in line]
    assert [row[3:] for row in rows] == [["+0.00", "+0.25"], ["+0.00*", "+0.25*"]]


def test_one_predictor_alone_has_nothing_to_differ_from(sound: Path) -> None:
    result = hear(sound, "--predictor", "level")

    assert "differ" not in result.stdout
    assert "never averaged" not in result.stdout


def test_several_files_have_a_row_each(sound: Path) -> None:
    other = written(sound.with_name("quiet [1].flac"), 5.0, 0.1)

    result = hear(sound, other, "--predictor", "level")

    assert f"in {sound.parent}:" in result.stdout
    rows = [line.split() for line in result.stdout.splitlines() if ".flac" in line]
    assert rows == [["tone.flac", "0:20", "+0.00", "+0.25"], ["quiet", "[1].flac", "0:05", "+0.00", "+0.10"]]
    assert " – " not in result.stdout


def test_json_holds_all_of_it_for_scripts(sound: Path) -> None:
    result = hear(sound, *BESIDE, "--json", "--row", "5")

    heard = json.loads(result.stdout)
    (file,) = heard["files"]
    assert heard["perspective"] == "perceived"
    assert heard["bands"] is None
    assert heard["predictors"]["level"]["weights_sha256"] == {"none": "0" * 64}
    assert [row["onset_s"] for row in file["rows"]] == [0.0, 5.0, 10.0, 15.0]
    assert file["rows"][0]["by"]["level"]["foreign_share"] == 0.4
    assert file["whole"]["arousal_disagreement"] == pytest.approx(0.75, abs=1e-3)
    windows = file["windows"]["level"]
    assert windows["domain_distance"][:2] == [0.5, 1.5]
    assert {len(values) for name, values in windows.items() if name != "window_s"} == {20}
    assert file["windows"]["whole"]["domain_distance"] is None


def test_csv_holds_a_line_for_each_window_of_each_predictor(sound: Path, tmp_path: Path) -> None:
    result = hear(sound, *BESIDE, "--csv", tmp_path / "windows.csv")

    assert result.exit_code == 0
    with (tmp_path / "windows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 21
    assert rows[1] == {
        "file": str(sound),
        "predictor": "level",
        "version": "1",
        "onset_s": "1",
        "duration_s": "1",
        "valence_pred": "0.000000",
        "arousal_pred": rows[0]["arousal_pred"],
        "valence_spread": "0.000000",
        "arousal_spread": "0.000000",
        "domain_distance": "1.5000",
        "is_foreign": "1",
    }
    assert float(rows[0]["arousal_pred"]) == pytest.approx(0.25, abs=1e-3)
    assert rows[-1]["predictor"] == "whole"
    assert rows[-1]["is_foreign"] == ""


def test_a_bad_file_is_named_and_the_others_are_still_heard(sound: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.wav"
    text.write_text("no sound")
    short = tmp_path / "short.wav"
    soundfile.write(short, np.sin(np.arange(8000)), 8000)

    result = hear(text, sound, short, tmp_path / "gone.mp3", "--json", "--predictor", "musicnn")

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


def test_a_predictor_that_fails_on_one_file_does_not_lose_the_others(sound: Path, tmp_path: Path) -> None:
    loud = tmp_path / "loud.wav"
    soundfile.write(loud, np.cos(np.arange(8000) / 50), 8000)

    result = hear(loud, sound, "--predictor", "faulty", "--json")

    assert result.exit_code == 2
    assert [file["file"] for file in json.loads(result.stdout)["files"]] == [str(sound)]
    assert f"{loud}: hearing it failed: ZeroDivisionError: loud" in result.stderr


def test_a_folder_stands_for_every_sound_in_it_and_below(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "music"
    for name in ("b.flac", "album/a.flac", ".hidden/x.flac", "album/.x.flac"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        written(folder / name, 2.0)
    (folder / "notes.txt").write_text("no sound")

    result = hear(folder, folder / "b.flac", "--predictor", "level", "--json")

    assert result.exit_code == 0
    files = [file["file"] for file in json.loads(result.stdout)["files"]]
    assert files == [str(folder / "album" / "a.flac"), str(folder / "b.flac")]


def test_a_folder_without_sound_is_refused_and_the_others_are_heard(sound: Path, tmp_path: Path) -> None:
    (tmp_path / "none").mkdir()

    result = hear(tmp_path / "none", sound, "--predictor", "level", "--json")

    assert result.exit_code == 2
    assert "no sound in this folder" in result.stderr
    assert len(json.loads(result.stdout)["files"]) == 1


def test_names_that_are_no_text_or_look_like_options_are_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    odd, dashed = Path(os.fsdecode(b"caf\xe9.flac")), Path("-dash.flac")
    written(tmp_path / "a.flac", 3.0).rename(odd)
    written(tmp_path / "a.flac", 3.0).rename(dashed)

    table = hear("--predictor", "level", "--", odd, dashed)
    found = hear("--predictor", "level", "--json", "--csv", "w.csv", "--plot", "p.png", odd, "./-dash.flac")

    assert table.exit_code == found.exit_code == 0
    assert r"caf\xe9.flac" in table.stdout
    assert [os.fsencode(file["file"]) for file in json.loads(found.stdout)["files"]] == [
        b"caf\xe9.flac",
        b"-dash.flac",
    ]
    assert b"caf\xe9.flac,level" in (tmp_path / "w.csv").read_bytes()


def test_what_was_done_to_a_sound_is_told(tmp_path: Path) -> None:
    samples = np.full(4 * 8000, 0.25)
    samples[:16_000] += 0.3 * np.sin(np.arange(16_000))
    soundfile.write(tmp_path / "old.wav", samples, 8000)

    result = hear(tmp_path / "old.wav", "--predictor", "level")

    assert "old.wav: a constant offset of +0.25" in result.stdout
    assert "old.wav: sampled at 8,000 Hz, so nothing above 4,000 Hz is in it" in result.stdout
    assert "level: 2 silent windows left out." in result.stdout


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_picture_is_written(sound: Path, tmp_path: Path, suffix: str) -> None:
    result = hear(sound, *BESIDE, "--plot", tmp_path / f"path{suffix}")

    magic = {".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix]
    assert result.exit_code == 0
    assert (tmp_path / f"path{suffix}").read_bytes().startswith(magic)


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--predictor", "other"], UnknownName),
        (["--plot", "path.txt"], OutOfRange),
        (["--plot", "/no/such/folder/path.png"], OutOfRange),
        (["--csv", "/no/such/folder/windows.csv"], OutOfRange),
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


def test_the_command_line_starts_without_networks_sound_or_pictures() -> None:
    heavy = "{'onnxruntime', 'soundfile', 'matplotlib', 'librosa', 'numba', 'scipy', 'statsmodels'}"

    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, dashboards.cli.hear_command as c, dashboards.cli.bands_command;"
         f"print(sorted({heavy} & set(sys.modules)))"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert loaded.strip() == "[]"


def words(figure: Figure) -> str:
    legends = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    return " ".join([*legends, figure.get_supxlabel()])


def test_the_picture_tells_predictors_apart_by_line_and_mark_and_says_there_are_no_bands(sound: Path) -> None:
    figure = draw([hear_file([Level(), Whole()], sound)], 5.0)

    plane, valence, arousal = figure.axes
    lines = [
        (line.get_linestyle(), line.get_marker()) for line in valence.lines if np.size(line.get_xdata()) > 2
    ]
    assert len(set(lines)) == 2
    assert "level whole" in words(figure)
    assert "No bands: no rated audio was given." in words(figure)
    assert "Crosses: windows unlike the reference music" in words(figure)
    assert valence.get_ylim() == arousal.get_ylim() == plane.get_xlim() == (-1, 1)


def test_of_many_files_the_picture_shows_the_wholes_a_circumplex_for_each_predictor(sound: Path) -> None:
    heard: list[HeardFile] = [hear_file([Level(), Whole()], sound)] * 5

    figure = draw(heard, 5.0)

    assert [axes.get_title() for axes in figure.axes] == ["level", "whole"]
    assert [len(axes.containers) for axes in figure.axes] == [5, 5]
    assert "one of 5 files" in words(figure)
