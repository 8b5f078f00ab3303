"""Grids made by the composer: the same every time, resumed where they stopped, levelled as one."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from generation.audio import SAMPLE_RATE_HZ, integrated_loudness, read_audio
from generation.clip_grid import ClipGrid, Part
from generation.composer.cues import CueCurves
from generation.composer.engine import ComposerEngine
from generation.engine import Placement
from generation.grid.kept import JOURNAL_FILE, GridFolder
from generation.grid.level import SystemGain, system_gain
from generation.grid.make import make_grid
from study.canonical import plain
from study.errors import IsopathError, StorageError
from study.folder import file_sha256
from study.path import AffectPath
from tests.generation.grid.requests import (
    COMPOSER,
    PULSELESS,
    TENSE,
    hashes,
    made,
    no_judge,
    request_of,
)

ROOT = Path(__file__).parents[3]

KILLED = """
import os, signal, sys
from pathlib import Path
from generation.engine import Placement
from generation.grid.make import make_grid
from tests.generation.grid.requests import no_judge, request_of

root = Path(sys.argv[1])

def kill(share):
    if share > 0.5:
        os.kill(os.getpid(), signal.SIGKILL)

make_grid(request_of(), root, no_judge, Placement(), kill)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grids") / "grid"


@pytest.fixture(scope="module")
def grid(folder: Path) -> ClipGrid:
    return made(request_of(COMPOSER, PULSELESS), folder)


def test_each_system_makes_each_target_and_the_manifest_says_so(grid: ClipGrid, folder: Path) -> None:
    assert [(clip.system, clip.target_id) for clip in grid.clips] == [
        ("composer", "tense"),
        ("composer", "calm"),
        ("no-tempo", "tense"),
        ("no-tempo", "calm"),
    ]
    assert plain(ClipGrid.read(folder)) == plain(grid)
    for clip in grid.clips:
        samples, rate_hz = read_audio(folder / clip.stim_file)
        assert (rate_hz, samples.shape) == (32_000, (96_000, 2))
        assert clip.sha256 == file_sha256(folder / clip.stim_file)
        assert clip.loudness_lufs == pytest.approx(integrated_loudness(samples, rate_hz), abs=0.01)
    assert grid.systems[0].took_part == {"cues": (Part.SHARED_CUES,)}
    assert grid.systems[0].licences["composer"] == "Apache-2.0"


def test_one_gain_a_system_keeps_the_differences_between_its_clips(grid: ClipGrid) -> None:
    request = request_of()
    plans = [request.plan(COMPOSER, wanted) for wanted in request.wanted]
    engine = ComposerEngine().generate(plans, lambda _: None)
    raw = [integrated_loudness(sound.samples, SAMPLE_RATE_HZ) or 0.0 for sound in engine]

    written = [clip.loudness_lufs or 0.0 for clip in grid.of("composer")]

    assert written[0] - written[1] == pytest.approx(raw[0] - raw[1], abs=0.1)
    assert abs(raw[0] - raw[1]) > 0.5
    assert sum(written) / 2 == pytest.approx(-23.0, abs=0.05)


def test_a_killed_run_goes_on_and_ends_with_the_same_clips(grid: ClipGrid, tmp_path: Path) -> None:
    folder = tmp_path / "grid"
    killed = subprocess.run([sys.executable, "-c", KILLED, str(folder)], cwd=ROOT, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (folder / "grid.json").exists()
    with (folder / JOURNAL_FILE).open("a") as journal:
        journal.write('{"raw": "calm_0", "sys')  # the line that the kill tore

    again = made(request_of(), folder)

    assert hashes(again) == {file: sha for file, sha in hashes(grid).items() if file.startswith("composer/")}
    assert [line["raw"] for line in _journal(folder) if "raw" in line] == ["tense_0", "calm_0"]


def test_a_grid_that_is_there_is_not_made_again(grid: ClipGrid, folder: Path) -> None:
    before = (folder / JOURNAL_FILE).read_bytes()

    again = made(request_of(COMPOSER, PULSELESS), folder)

    assert plain(again) == plain(grid)
    assert (folder / JOURNAL_FILE).read_bytes() == before
    assert not (folder / "raw").exists()


def test_a_damaged_clip_is_made_again_under_the_same_gain(grid: ClipGrid, folder: Path) -> None:
    clip = grid.clips[0]
    whole = (folder / clip.stim_file).read_bytes()
    (folder / clip.stim_file).write_bytes(whole[:-100])

    again = made(request_of(COMPOSER, PULSELESS), folder)

    assert hashes(again) == hashes(grid)
    assert (folder / clip.stim_file).read_bytes() == whole


def test_another_request_in_the_same_folder_is_refused_with_the_difference(
    grid: ClipGrid, folder: Path
) -> None:
    with pytest.raises(StorageError, match=r"clip_s was 3\.0 and is 4\.0") as refused:
        made(request_of(COMPOSER, PULSELESS, clip_s=4.0), folder)
    with pytest.raises(StorageError, match=r"systems was a list of 2 and is a list of 1"):
        made(request_of(), folder)

    assert refused.value.where == str(folder)


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter 1")

    with pytest.raises(StorageError, match="holds something else"):
        made(request_of(), tmp_path)

    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_engine_that_fails_is_a_fault_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = CueCurves.__init__

    def broken(
        self: CueCurves, path: AffectPath, cue_weights: Mapping[str, float], bias: Mapping[str, float]
    ) -> None:
        if cue_weights:
            raise MemoryError("no room for the score")
        honest(self, path, cue_weights, bias)

    monkeypatch.setattr(CueCurves, "__init__", broken)

    grid = made(request_of(COMPOSER, PULSELESS, targets=(TENSE,)), tmp_path / "grid")

    assert [system.name for system in grid.systems] == ["composer"]
    assert grid.faults == (
        "system no-tempo: engine composer: failed: MemoryError: no room for the score;"
        " report this to the engine's makers",
    )
    with pytest.raises(IsopathError, match="system no-tempo: engine composer: failed"):
        made(request_of(PULSELESS, targets=(TENSE,)), tmp_path / "none")
    assert not (tmp_path / "none" / "grid.json").exists()


def test_unknown_engines_and_options_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    request = request_of(
        replace(COMPOSER, engine="composr"), replace(PULSELESS, options={"palette": "baroque"})
    )

    with pytest.raises(IsopathError) as refused:
        made(request, tmp_path / "grid")

    lines = str(refused.value).splitlines()
    assert lines[0].startswith("systems[0].engine: 'composr' is not installed here")
    assert lines[1].startswith("systems[1].options.palette: 'baroque' is not a palette")
    assert not (tmp_path / "grid").exists()


def test_two_processes_do_not_make_the_same_grid_at_once(folder: Path, grid: ClipGrid) -> None:
    with (folder / ".making.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        with pytest.raises(StorageError, match="another process makes clips in it"):
            made(request_of(COMPOSER, PULSELESS), folder)


def test_progress_never_falls_and_ends_at_one(tmp_path: Path) -> None:
    told: list[float] = []

    make_grid(request_of(targets=(TENSE,)), tmp_path / "grid", no_judge, Placement(), told.append)

    assert told == sorted(told)
    assert told[-1] == 1.0


@pytest.mark.parametrize(
    ("loudness", "peaks", "gain"),
    [
        # The mean of -30 and -20 is -25: 2 dB are missing, and the peaks have 5 dB to spare.
        ((-30.0, -20.0), (-12.0, -6.0), SystemGain(2.0, -23.0, is_held_back=False)),
        # The same with a peak at -2 dBTP: 1 dB is left below -1 dBTP.
        ((-30.0, -20.0), (-12.0, -2.0), SystemGain(1.0, -24.0, is_held_back=True)),
        # A silent clip has no part in the mean.
        ((-30.0, None), (-20.0, None), SystemGain(7.0, -23.0, is_held_back=False)),
        ((None,), (None,), SystemGain(0.0, None, is_held_back=False)),
    ],
)
def test_the_gain_brings_the_mean_to_minus_23_lufs_as_far_as_peaks_allow(
    loudness: tuple[float | None, ...], peaks: tuple[float | None, ...], gain: SystemGain
) -> None:
    assert system_gain(loudness, peaks) == gain


def test_a_damaged_journal_is_named_by_its_line(tmp_path: Path) -> None:
    GridFolder(tmp_path / "grid", {"name": "x"})
    (tmp_path / "grid" / JOURNAL_FILE).write_text('{"gain": "a", "gain_db": 1, "loud": 2}\n')

    with pytest.raises(StorageError, match=r"making\.jsonl, line 1: is no line of a journal"):
        GridFolder(tmp_path / "grid", {"name": "x"})


def _journal(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / JOURNAL_FILE).read_text().splitlines()]
