"""Grids made by a small MusicGen of random weights: prompts, candidates, and systems that cannot be made."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.clip_grid import ClipGrid, Part, Role
from generation.engine import AffectJudge, Placement
from generation.grid.make import make_grid
from generation.grid.request import GridRequest, Seeds
from generation.grid.systems import standard_systems
from study.errors import IsopathError, StorageError
from tests.generation.grid.requests import CALM, TENSE, hashes, no_judge

pytestmark = pytest.mark.torch


class LoudnessJudge:
    """Hears arousal as level: enough to prefer one clip to another."""

    name = "loudness"

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        return 0.0, float(np.tanh(samples.std() * 10) * 2 - 1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model with 2 layers of width 64."""
    if find_spec("torch") is None:
        pytest.skip("needs the extra musicgen")
    import torch

    from generation.musicgen.writing.random_model import write_random_model

    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    return folder


@pytest.fixture(scope="module")
def request_(tiny: Path) -> GridRequest:
    words, numbers, _ = standard_systems(str(tiny), [], None)
    best = replace(
        words, name="best", role=Role.SYSTEM, options={**words.options, "candidates": 3, "judge": "loudness"}
    )
    lost = replace(
        words, name="lost", role=Role.SYSTEM, options={**words.options, "adapters": [str(tiny / "nothing")]}
    )
    return GridRequest("tiny", (words, numbers, best, lost), (TENSE, CALM), Seeds(1), 1.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("grids") / "grid"


@pytest.fixture(scope="module")
def grid(request_: GridRequest, folder: Path) -> ClipGrid:
    return make_grid(request_, folder, judge_named, Placement(), lambda _: None)


def judge_named(name: str) -> AffectJudge:
    assert name == "loudness"
    return LoudnessJudge()


def test_each_clip_says_the_words_it_was_made_from(grid: ClipGrid) -> None:
    # Of the table default, at the anchors (-0.6, 0.6) and (0.6, -0.6).
    words = [clip.prompt or "" for clip in grid.of("base-words")]

    assert [told.split(" ")[:3] for told in words] == [["tense", "and", "uneasy"], ["calm", "and", "relaxed"]]
    assert [clip.prompt for clip in grid.of("base-numeric")] == [
        "valence -0.60, arousal 0.60 instrumental music",
        "valence 0.60, arousal -0.60 instrumental music",
    ]


def test_systems_share_their_seeds_and_words_make_the_difference(grid: ClipGrid) -> None:
    words, numbers = grid.of("base-words"), grid.of("base-numeric")

    assert [clip.seed for clip in words] == [clip.seed for clip in numbers]
    assert all(one.sha256 != other.sha256 for one, other in zip(words, numbers, strict=True))


def test_best_of_n_marks_the_judge_and_only_there(grid: ClipGrid) -> None:
    took_part = {system.name: dict(system.took_part) for system in grid.systems}

    assert took_part == {"base-words": {}, "base-numeric": {}, "best": {"loudness": (Part.CHOICE,)}}


def test_a_system_without_its_adapter_is_a_fault_and_the_others_are_made(
    grid: ClipGrid, request_: GridRequest, tmp_path: Path
) -> None:
    assert [system.name for system in grid.systems] == ["base-words", "base-numeric", "best"]
    assert len(grid.faults) == 1
    assert grid.faults[0].startswith("system lost: ")
    assert "nothing" in grid.faults[0]
    with pytest.raises(IsopathError, match="system lost: "):
        make_grid(
            replace(request_, systems=request_.systems[3:]), tmp_path / "x", no_judge, Placement(), print
        )


def test_models_licences_and_libraries_are_in_the_manifest(grid: ClipGrid) -> None:
    system = grid.systems[0]

    assert any(len(digest) == 64 for digest in system.models.values())
    assert "prompts default" in system.models
    assert system.licences["prompts default"] == "Apache-2.0"
    assert {"isopath", "device", "torch", "transformers"} <= grid.made_with.keys()
    assert any("one gain of" in note for note in system.notes)


def test_smaller_batches_make_the_same_clips(grid: ClipGrid, request_: GridRequest, tmp_path: Path) -> None:
    alone = make_grid(
        replace(request_, systems=request_.systems[:1]),
        tmp_path / "grid",
        no_judge,
        Placement(batch_clips=1),
        lambda _: None,
    )

    assert hashes(alone).items() <= hashes(grid).items()


def test_a_folder_begun_with_other_weights_is_not_mixed_with_these(
    tiny: Path, grid: ClipGrid, request_: GridRequest, folder: Path
) -> None:
    weights = tiny / "model.safetensors"
    whole = weights.read_bytes()
    try:
        weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        with pytest.raises(StorageError, match=r"trained_files\..*model\.safetensors was "):
            make_grid(request_, folder, judge_named, Placement(), lambda _: None)
    finally:
        weights.write_bytes(whole)
