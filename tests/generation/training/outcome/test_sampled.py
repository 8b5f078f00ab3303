"""Sampled clips are decoded as the engine decodes them, and judged against the places they were made for."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.training.recipe import DataRecipe, LabelRecipe, LoraRecipe, Recipe, SelectionRecipe
from study.affect import Affect
from study.errors import AudioError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch


@dataclass
class Judge:
    """Hears every clip at one place, and remembers what it heard."""

    place: tuple[float, float] = (0.0, 0.0)
    name: str = "judge"
    heard: list[NDArray[np.float32]] = field(default_factory=list)

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        assert sample_rate_hz == 32_000
        self.heard.append(samples)
        return self.place


class Demanding(Judge):
    """Hears nothing shorter than three seconds."""

    def judge(self, samples: NDArray[np.float32], sample_rate_hz: int) -> tuple[float, float]:
        raise AudioError("sound", "0.4 s are too short", "give 3 s")


RECIPE = Recipe(
    "calm",
    "tiny",
    DataRecipe("table", "music.csv"),
    LabelRecipe("table"),
    lora=LoraRecipe(r=2, target_modules=("q_proj",)),
    selection=SelectionRecipe(predictor="judge", targets=2, clip_s=1.0),
)


@pytest.fixture(scope="module")
def sampled_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Recipe, Judge], float]:
    """The error of a model that has learned nothing yet."""
    from generation.musicgen.text import TextEncoder
    from generation.musicgen.weights.checkpoint import load_checkpoint
    from generation.musicgen.writing.random_model import write_random_model
    from generation.training.learning.conditioned import ConditionedDecoder
    from generation.training.outcome.sampled import SampledError

    torch.set_num_threads(1)
    folder: Path = tmp_path_factory.mktemp("models") / "tiny"
    write_random_model("tiny", folder)
    checkpoint = load_checkpoint(str(folder))
    device = torch.device("cpu")
    text = TextEncoder(checkpoint.text_encoder(), checkpoint.tokenizer(), device)

    def error(recipe: Recipe, judge: Judge) -> float:
        model = ConditionedDecoder.of_recipe(checkpoint, recipe)
        return SampledError(checkpoint, recipe, judge, text, device)(model)

    return error


def test_targets_are_the_centres_of_equal_squares() -> None:
    from generation.training.outcome.sampled import targets

    assert targets(2) == (Affect(-0.5, -0.5), Affect(-0.5, 0.5), Affect(0.5, -0.5), Affect(0.5, 0.5))
    assert [place.valence for place in targets(3)[::3]] == pytest.approx([-2 / 3, 0.0, 2 / 3])


def test_the_error_is_the_mean_distance_from_the_targets(
    sampled_with: Callable[[Recipe, Judge], float],
) -> None:
    centre, corner = Judge(), Judge((0.5, 0.5))

    found = [sampled_with(RECIPE, judge) for judge in (centre, corner)]

    # From the middle every target is √½ away; from one of them the others are 1, 1 and √2.
    assert found == pytest.approx([math.sqrt(0.5), (0.0 + 1.0 + 1.0 + math.sqrt(2.0)) / 4.0])
    first = centre.heard[1:]
    assert [clip.shape for clip in first] == [(32_000, 2)] * 4
    # The same chance at every checkpoint; another place, another clip.
    assert all(np.array_equal(a, b) for a, b in zip(first, corner.heard[1:], strict=True))
    assert not np.array_equal(first[0], first[1])


def test_another_seed_of_the_recipe_makes_other_clips(sampled_with: Callable[[Recipe, Judge], float]) -> None:
    one, other = Judge(), Judge()
    # Words alone, and an adapter that has learned nothing: nothing but the clips' own chance differs.
    single = replace(RECIPE, conditioning=replace(RECIPE.conditioning, words="table", affect=False))

    sampled_with(single, one)
    sampled_with(replace(single, seed=1), other)

    assert not np.array_equal(one.heard[1], other.heard[1])


def test_a_judge_that_cannot_hear_so_short_a_clip_says_so_before_learning(
    sampled_with: Callable[[Recipe, Judge], float],
) -> None:
    with pytest.raises(AudioError, match="too short"):
        sampled_with(RECIPE, Demanding())
