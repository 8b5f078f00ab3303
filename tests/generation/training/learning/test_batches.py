"""What a step sees is a function of seed, step and process; rare places are drawn more often."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from torch import nn
from torch.optim import SGD
from transformers import get_cosine_with_min_lr_schedule_with_warmup

from generation.training.learning.average import WeightAverage
from generation.training.learning.batches import Batches, Chance, round_of, stream, told_at
from generation.training.learning.conditioned import ConditionedDecoder
from generation.training.learning.density import density, drawing_weights
from generation.training.learning.examples import Told, batch_of
from generation.training.learning.schedule import new_optimiser, share_at
from generation.training.learning.validation import chosen_windows
from generation.training.recipe import ConditioningRecipe, OptimiserRecipe, SamplingRecipe
from study.errors import IsopathError, ModelError, OutOfRange
from tests.generation.training.learning.tiny_training import (
    checkpoint_of,
    optimiser,
    random_windows,
    text_of,
    tiny_recipe,
)

pytestmark = pytest.mark.torch

RECIPE = tiny_recipe(optimiser=optimiser(batch_clips=3, accumulation=2))


def numbers_of(batches: Batches, steps: range, process: int) -> list[int]:
    return [row.number for step in steps for part in range(2) for row in batches.batch(step, part, process)]


def test_a_step_sees_the_same_whatever_was_asked_before() -> None:
    weights = np.linspace(0.1, 1.9, 10)
    asked = Batches(weights, RECIPE, 1)
    for step in range(1, 9):
        asked.batch(step, 0, 0)

    for step in (9, 3, 17):
        assert asked.batch(step, 1, 0) == Batches(weights, RECIPE, 1).batch(step, 1, 0)
    assert asked.batch(3, 0, 0) != Batches(weights, replace(RECIPE, seed=1), 1).batch(3, 0, 0)


def test_with_equal_weights_two_processes_see_every_window_once_an_epoch() -> None:
    # 2 processes × 3 rows × 2 batches: 24 windows take two steps.
    batches = Batches(np.ones(24), RECIPE, 2)

    first = numbers_of(batches, range(1, 3), 0) + numbers_of(batches, range(1, 3), 1)
    second = numbers_of(batches, range(3, 5), 0) + numbers_of(batches, range(3, 5), 1)

    assert sorted(first) == sorted(second) == list(range(24))
    assert first != second
    assert batches.windows_a_step == 12


def test_a_round_draws_each_window_as_often_as_its_weight_says() -> None:
    weights = np.array([2.0, 0.25, 1.5, 0.25])

    rounds = [Counter(round_of(weights, 7, turn).tolist()) for turn in range(400)]

    assert all(drawn[0] == 2 for drawn in rounds)
    assert {drawn[2] for drawn in rounds} == {1, 2}
    assert {drawn[1] for drawn in rounds} == {0, 1}
    # Mean of 400 draws that are 0 or 1: a standard error of at most 0.025.
    assert np.mean([drawn[1] for drawn in rounds]) == pytest.approx(0.25, abs=0.1)
    assert np.mean([drawn[2] for drawn in rounds]) == pytest.approx(1.5, abs=0.1)


def test_conditions_are_dropped_as_often_as_the_recipe_says() -> None:
    conditioning = ConditioningRecipe(drop_both=0.1, drop_words=0.2, drop_affect=0.3)
    recipe = tiny_recipe(conditioning=conditioning, optimiser=optimiser(batch_clips=1000))

    told = Counter(row.told for row in Batches(np.ones(10), recipe, 1).batch(1, 0, 0))

    # 1000 draws: a standard error of at most 16.
    for telling, expected in [
        (Told(words=False, affect=False), 100),
        (Told(words=False), 200),
        (Told(affect=False), 300),
        (Told(), 400),
    ]:
        assert told[telling] == pytest.approx(expected, abs=60)
    assert told_at(0.0999, conditioning) == Told(words=False, affect=False)
    assert told_at(0.1001, conditioning) == Told(words=False)
    assert told_at(0.9999, conditioning) == Told()
    nothing_dropped = ConditioningRecipe(drop_both=0.0, drop_words=0.0, drop_affect=0.0)
    assert told_at(0.0, nothing_dropped) == Told()


def test_dropped_words_leave_the_empty_prompt_beside_affect_and_nothing_without_it(tiny_folder: Path) -> None:
    shape, text = checkpoint_of().shape, text_of(tiny_folder)
    windows = random_windows(2, shape, words=("calm piano",))
    rows = [*windows, replace(windows[0], affect=None), replace(windows[0], words="")]
    told = [Told(words=False), Told(affect=False), Told(words=False), Told()]

    batch = batch_of(rows, told, text, shape)
    untrained = batch_of(rows, told, text, shape, has_affect=False)

    empty, words = len(text.states("")), len(text.states("calm piano"))
    assert empty == 1
    assert batch.is_text.sum(1).tolist() == [1, words, 0, 1]
    assert batch.hears_affect.tolist() == [True, False, False, True]
    assert torch.equal(batch.text[0, 0], text.states("")[0])
    assert torch.equal(batch.text[1], text.states("calm piano"))
    # A model without affect tokens hears nothing where its words are dropped.
    assert untrained.is_text.sum(1).tolist() == [0, words, 0, 1]
    assert not untrained.hears_affect.any()


def test_shorter_windows_are_padded_at_their_end(tiny_folder: Path) -> None:
    shape = checkpoint_of().shape
    windows = random_windows(3, shape)

    batch = batch_of(windows, [Told()] * 3, text_of(tiny_folder), shape)

    assert batch.codes.shape == (3, 4, 14)
    for row, window in enumerate(windows):
        n_frames = window.codes.shape[1]
        assert batch.codes[row, :, :n_frames].tolist() == window.codes.tolist()
        assert (batch.codes[row, :, n_frames:] == 2048).all()


@pytest.mark.parametrize(
    ("codes", "kind", "told"),
    [
        (
            np.full((4, 5), 2048),
            ModelError,
            "4 codebooks with codes from 2048 to 2048; the decoder has 4 of 2048",
        ),
        (np.zeros((8, 5)), ModelError, "8 codebooks with codes from 0 to 0; the decoder has 4 of 2048"),
        (np.zeros((4, 2045)), OutOfRange, "a window of 2045 frames; the decoder reads 1 to 2044"),
        (np.zeros((4, 0)), OutOfRange, "a window of 0 frames; the decoder reads 1 to 2044"),
    ],
)
def test_codes_that_do_not_fit_the_decoder_are_refused(
    tiny_folder: Path,
    codes: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
    kind: type[IsopathError],
    told: str,
) -> None:
    shape = checkpoint_of().shape
    wrong = replace(random_windows(1, shape)[0], codes=codes.astype(np.int16))

    with pytest.raises(kind) as refusal:
        batch_of([wrong], [Told()], text_of(tiny_folder), shape)

    assert refusal.value.problem == told


def test_the_density_is_scipys_mean_of_gaussians() -> None:
    points = np.clip(np.random.default_rng(0).normal(0.2, 0.4, (300, 2)), -1.0, 1.0)

    found = density(points, 0.15)

    expected = np.mean([multivariate_normal(point, 0.15**2).pdf(points) for point in points], axis=0)
    # Points are rounded by up to 1/80 of the bandwidth on each axis.
    assert found == pytest.approx(expected, rel=0.02)


def test_rare_places_are_drawn_as_often_as_common_ones_where_the_density_is_wholly_inverted() -> None:
    # 97 windows at one place and 3 at another, five bandwidths away and more.
    affects = np.array([(0.6, 0.5)] * 97 + [(-0.6, 0.6)] * 3)
    wholly = SamplingRecipe(inverse_density=1.0, bandwidth=0.15, largest_weight=100.0)

    weights = drawing_weights(affects, 100, wholly)
    half = drawing_weights(affects, 100, replace(wholly, inverse_density=0.5))

    assert weights[97:].sum() == pytest.approx(weights[:97].sum(), rel=1e-6)
    assert weights.mean() == pytest.approx(1.0)
    # By hand: 1/√97 and 1/√3 to each other.
    assert half[-1] / half[0] == pytest.approx(np.sqrt(97 / 3), rel=1e-6)
    assert drawing_weights(affects, 100, replace(wholly, inverse_density=0.0)).tolist() == [1.0] * 100


def test_no_weight_is_above_the_largest_and_the_mean_stays_one() -> None:
    affects = np.array([(0.6, 0.5)] * 97 + [(-0.6, 0.6)] * 2 + [(0.0, -0.9)])

    weights = drawing_weights(affects, 100, SamplingRecipe(1.0, 0.15, largest_weight=5.0))

    assert weights.max() == pytest.approx(5.0)
    # By hand: three windows at 5 leave 85 for 97.
    assert weights[:97] == pytest.approx(np.full(97, 85 / 97))


def test_a_window_whose_affect_is_unknown_is_drawn_like_the_mean() -> None:
    affects = np.array([(0.6, 0.5)] * 9 + [(-0.6, 0.6)] + [(np.nan, np.nan)] * 2)

    weights = drawing_weights(affects, 12, SamplingRecipe(1.0, 0.15, 100.0))

    assert weights[10:].tolist() == pytest.approx([1.0, 1.0])
    assert weights[9] == pytest.approx(9 * weights[0], rel=1e-6)


@pytest.mark.parametrize(
    ("sampling", "where"),
    [
        (SamplingRecipe(inverse_density=-0.1), "sampling.inverse_density"),
        (SamplingRecipe(bandwidth=0.0), "sampling.bandwidth"),
        (SamplingRecipe(largest_weight=0.5), "sampling.largest_weight"),
    ],
)
def test_a_sampling_outside_its_range_is_refused(sampling: SamplingRecipe, where: str) -> None:
    with pytest.raises(OutOfRange) as refusal:
        drawing_weights(None, 3, sampling)

    assert refusal.value.where == where


def test_a_training_without_windows_or_with_impossible_shares_is_refused() -> None:
    shares = ConditioningRecipe(drop_both=0.5, drop_words=0.4, drop_affect=0.2)

    with pytest.raises(OutOfRange, match="train: it has no window"):
        Batches(np.ones(0), RECIPE, 1)
    with pytest.raises(OutOfRange, match=r"are \(0.5, 0.4, 0.2\)"):
        Batches(np.ones(3), tiny_recipe(conditioning=shares), 1)
    with pytest.raises(OutOfRange, match=r"optimiser.batch_clips: 0 is below 1"):
        Batches(np.ones(3), tiny_recipe(optimiser=optimiser(batch_clips=0)), 1)
    with pytest.raises(OutOfRange, match="validation: it has no window"):
        chosen_windows(0, 4, 0)


def test_validation_windows_are_chosen_once_and_from_everywhere() -> None:
    assert chosen_windows(5, 64, 0) == (0, 1, 2, 3, 4)
    chosen = chosen_windows(1000, 10, 3)
    assert chosen == chosen_windows(1000, 10, 3) != chosen_windows(1000, 10, 4)
    assert len(set(chosen)) == 10
    assert max(chosen) > 500


def test_streams_of_different_purposes_share_nothing() -> None:
    first = stream(3, Chance.DROPPING, 1, 2, 3).random(4).tolist()

    assert first == stream(3, Chance.DROPPING, 1, 2, 3).random(4).tolist()
    for other in (
        stream(3, Chance.MODEL, 1, 2, 3),
        stream(3, Chance.DROPPING, 2, 2, 3),
        stream(3, Chance.DROPPING, 1, 1, 3),
        stream(3, Chance.DROPPING, 1, 2, 0),
        stream(4, Chance.DROPPING, 1, 2, 3),
    ):
        assert not set(first) & set(other.random(4).tolist())


def test_the_learning_rate_is_transformers_cosine_with_warmup() -> None:
    recipe = OptimiserRecipe(warmup_steps=10, max_steps=50, final_share=0.1)
    sgd = SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_cosine_with_min_lr_schedule_with_warmup(sgd, 10, 50, min_lr_rate=0.1)
    expected = []
    for _ in range(50):
        sgd.step()
        theirs.step()
        expected.append(theirs.get_last_lr()[0])

    found = [share_at(step, recipe) for step in range(1, 51)]

    assert found == pytest.approx(expected, rel=1e-9)
    assert found[9] == 1.0
    assert found[49] == pytest.approx(0.1)


def test_the_affect_tokens_may_learn_at_a_rate_of_their_own_and_vectors_do_not_decay() -> None:
    model = ConditionedDecoder.of_recipe(checkpoint_of(), tiny_recipe(method="full"))

    groups = new_optimiser(model, optimiser(affect_learning_rate=0.5, weight_decay=0.2)).param_groups

    of = {id(weight): group for group in groups for weight in group["params"]}
    for name, weight in model.trained().items():
        group = of[id(weight)]
        assert group["lr"] == (0.5 if name.startswith("affect_tokens.") else 1e-2)
        assert group["weight_decay"] == (0.2 if weight.dim() > 1 else 0.0)


def test_the_average_is_the_published_recursion_and_steps_aside() -> None:
    weight = nn.Parameter(torch.tensor([0.0]))
    average = WeightAverage({"weight": weight}, 0.75)

    for step, value in enumerate((4.0, 8.0, 0.0), start=1):
        weight.data.fill_(value)
        average.update(step)

    # By hand: 4; 0.75·4 + 0.25·8 = 5; 0.75·5 + 0.25·0 = 3.75.
    assert average.tensors["weight"].item() == 3.75
    with average.in_use():
        assert weight.item() == 3.75
    assert weight.item() == 0.0
