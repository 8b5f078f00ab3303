"""The README runs: every command block, in order, in an empty folder (make check)."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import typer

from dashboards.cli.main import app
from tests.dashboards.command_line import ISOPATH

README = (Path(__file__).parents[1] / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_readme_begins_with_two_commands() -> None:
    assert BLOCKS[0] == "make demo\nmake test\n"


def test_the_tour_runs_as_it_is_written(tmp_path: Path) -> None:
    tour = "set -euo pipefail\n" + "".join(BLOCKS[1:])
    path = f"{ISOPATH.parent}:{os.environ['PATH']}"

    done = subprocess.run(
        ["bash", "-c", tour],
        cwd=tmp_path,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=560,
        check=False,
    )

    assert done.returncode == 0, done.stderr[-2000:]
    for made in (
        "arms.png",
        "taste.flac",
        "taste.png",
        "noise.flac",
        "rehearsal/report.html",
        "calm-study/record.sqlite",
    ):
        assert (tmp_path / made).stat().st_size > 0, made


def test_every_command_is_documented_and_every_documented_command_exists() -> None:
    commands = set(typer.main.get_group(app).commands)
    inline = re.findall(r"`isopath ([a-z-]+)", README)
    typed = re.findall(r"^(?:ID=\$\()?isopath ([a-z-]+)", "".join(BLOCKS), re.MULTILINE)

    assert {*inline, *typed} == commands
