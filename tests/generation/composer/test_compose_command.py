"""`isopath compose`: a file anyone can hear, or one clear refusal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyloudnorm
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from dashboards.cli import compose_command
from study.errors import IsopathError, OutOfRange, StorageError, UnknownName


def make_app() -> typer.Typer:
    app = typer.Typer()
    compose_command.register(app)

    @app.callback()
    def isopath() -> None:
        """The application the command joins."""

    return app


RUNNER = CliRunner()
APP = make_app()


def refusal(*arguments: str) -> IsopathError:
    result = RUNNER.invoke(APP, ["compose", *arguments])
    assert isinstance(result.exception, IsopathError), result.output
    return result.exception


def test_a_minus_sign_after_from_is_a_number_and_the_file_is_as_asked(tmp_path: Path) -> None:
    out = tmp_path / "out.flac"

    result = RUNNER.invoke(
        APP,
        ["compose", "--from", "-0.6,0.5", "--to", "0.6,-0.4", "--minutes", "0.2", "-o", str(out), "--json"],
    )

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    samples, rate = soundfile.read(out, dtype="float32")
    assert told["start"] == [-0.6, 0.5]
    assert rate == 32_000
    assert samples.shape == (384_000, 2)
    assert told["duration_s"] == 12.0
    assert pyloudnorm.Meter(rate).integrated_loudness(samples.astype(np.float64)) == pytest.approx(
        -23.0, abs=0.2
    )
    assert np.abs(samples).max() < 10 ** (-1 / 20)


def test_named_states_are_points_and_the_same_seed_is_the_same_file(tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{name}.flac" for name in "abc")

    for out, seed in ((first, 4), (second, 4), (third, 5)):
        arguments = ["--from", "anxious", "--to", "Calm", "--minutes", "0.05", "--seed", str(seed)]
        result = RUNNER.invoke(APP, ["compose", *arguments, "-o", str(out)])
        assert result.exit_code == 0, result.output
        assert "(-0.6, 0.6) to (0.6, -0.6)" in result.stdout

    assert first.read_bytes() == second.read_bytes() != third.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("--from", "-1.6,0.5"), OutOfRange, "--from valence: -1.6 is outside"),
        (("--to", "0.6,nan"), OutOfRange, "--to arousal: nan"),
        (("--from", "0.1"), UnknownName, "neither a point nor a named state"),
        (("--from", "0.1,0.2,0.3"), OutOfRange, "is not a point"),
        (("--from", "0.1;0.2"), UnknownName, "valence,arousal"),
        (("--to", "blissful"), UnknownName, "calm, relaxed"),
        (("--minutes", "0"), OutOfRange, "between 1 second and 180 minutes"),
        (("--minutes", "-3"), OutOfRange, "between 1 second and 180 minutes"),
        (("--minutes", "nan"), OutOfRange, "between 1 second and 180 minutes"),
        (("--minutes", "181"), OutOfRange, "between 1 second and 180 minutes"),
        (("--steps", "1"), OutOfRange, "2 to 10000"),
        (("--seed", "-1"), OutOfRange, "whole number"),
        (("--palette", "metal"), UnknownName, "chamber, acoustic, ambient"),
    ],
)
def test_what_cannot_be_composed_is_refused_before_any_file(
    tmp_path: Path, arguments: tuple[str, ...], error: type[IsopathError], message: str
) -> None:
    problem = refusal(*arguments, "-o", str(tmp_path / "out.flac"))

    assert isinstance(problem, error)
    assert message in str(problem)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_kept_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "out.flac"
    out.write_bytes(b"mine")

    problem = refusal("--minutes", "0.05", "-o", str(out))

    assert "--force" in str(problem)
    assert out.read_bytes() == b"mine"
    assert RUNNER.invoke(APP, ["compose", "--minutes", "0.05", "-o", str(out), "--force"]).exit_code == 0
    assert out.read_bytes()[:4] == b"fLaC"


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.flac").mkdir()

    for name, message in (
        ("gone/out.flac", "no such folder"),
        ("out.mp3", ".flac nor .wav"),
        ("folder.flac", "this is a folder"),
    ):
        problem = refusal("--minutes", "0.05", "-o", str(tmp_path / name))
        assert isinstance(problem, StorageError)
        assert message in str(problem)


def test_the_help_shows_an_example() -> None:
    result = RUNNER.invoke(APP, ["compose", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"})

    assert "isopath compose --from -0.6,0.5 --to 0.6,-0.4 --minutes 15 -o out.flac" in result.stdout


def test_asking_for_help_does_not_load_the_synthesiser() -> None:
    program = (
        "import sys\nimport dashboards.cli.compose_command\n"
        "print([name for name in ('soundfile', 'scipy') if name in sys.modules])\n"
    )

    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
