"""A training's folder belongs to one recipe and one process, and is begun only where there is room."""

from __future__ import annotations

import csv
import subprocess
import sys
from collections import namedtuple
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest

from generation.training.recipe import DataRecipe, LabelRecipe, Recipe
from generation.training.run_folder import RunFolder, fault_counts, write_faults
from generation.training.tracks import Fault, FaultKind
from study.errors import StorageError

HOLDING = """
import sys
from pathlib import Path
from generation.training.run_folder import RunFolder
with RunFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def recipe(tmp_path: Path) -> Recipe:
    (tmp_path / "music.csv").write_text("path\n")
    data = DataRecipe("table", str(tmp_path / "music.csv"))
    return Recipe("calm", "facebook/musicgen-small", data, LabelRecipe("table"))


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder(tmp_path / "run")
    made.data.mkdir(parents=True)
    return made


def test_looked_at_data_binds_to_no_recipe_and_a_frozen_recipe_does(
    folder: RunFolder, recipe: Recipe
) -> None:
    folder.check(recipe)
    folder.check(replace(recipe, seed=1))

    folder.freeze(recipe)
    folder.freeze(recipe)

    with pytest.raises(StorageError, match=r"another recipe \(\$\.seed: 0, now 1\)"):
        folder.freeze(replace(recipe, seed=1))


def test_data_and_tokens_of_another_run_may_be_there_before_it_begins(
    folder: RunFolder, recipe: Recipe
) -> None:
    folder.tokens.mkdir()
    folder.check(recipe)

    (folder.root / "holiday.jpg").touch()

    with pytest.raises(StorageError, match=r"holds no training \(holiday.jpg\)"):
        folder.check(recipe)


def test_two_processes_cannot_train_in_one_folder(folder: RunFolder) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(folder.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StorageError, match=f"process {holder.pid} trains in it"), folder.held():
            pass
        holder.kill()

    with folder.held():
        pass


def test_what_the_disk_cannot_hold_is_refused_before_it_is_begun(folder: RunFolder) -> None:
    usage = namedtuple("usage", "total used free")

    with patch("shutil.disk_usage", return_value=usage(10**12, 10**12 - 10**9, 10**9)):
        folder.check_room(10**9, "the codec's tokens")
        with pytest.raises(StorageError, match=r"tokens will take about 2\.5 GB, and 1\.0 GB are free"):
            folder.check_room(2_500_000_000, "the codec's tokens")


def test_every_fault_is_a_line_and_is_counted_by_kind(tmp_path: Path) -> None:
    faults = (
        Fault("a", "a.mp3", FaultKind.UNREADABLE, 'cut off, "after" 3 s'),
        Fault("b", "b.mp3", FaultKind.TAG_WITHOUT_AFFECT, "zzyzx", is_kept=True),
        Fault("c", "c.mp3", FaultKind.UNREADABLE, "empty"),
    )

    write_faults(tmp_path / "faults.csv", faults)

    with (tmp_path / "faults.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["track_id", "path", "kind", "problem", "is_kept"]
    assert rows[1] == ["a", "a.mp3", "unreadable", 'cut off, "after" 3 s', "no"]
    assert rows[2][4] == "yes"
    assert fault_counts(faults) == {"unreadable": 2, "tag without affect": 1}
