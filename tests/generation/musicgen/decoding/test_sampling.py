"""A draw follows the model's distribution, and depends on seed, position and codebook alone."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import chisquare, kstest
from torch import Tensor
from transformers.generation.logits_process import ClassifierFreeGuidanceLogitsProcessor, TopKLogitsWarper

from generation.musicgen.decoding.sampling import ROUNDING, Draw, Drawn, Rounding, choose, guided, uniforms
from study.errors import OutOfRange

pytestmark = pytest.mark.torch

EVERYTHING = Draw(top_k=10_000)
GREEDY = Draw(greedy=True)
FINE = Rounding(1e-6, 1e-6)


def draw_at(logits: list[float], number: float, draw: Draw = EVERYTHING, rounding: float = 1e-6) -> Drawn:
    """One draw from one row of logits."""
    return choose(torch.tensor([[logits]]), torch.tensor([[number]]), draw, Rounding(rounding, rounding))


def random_logits(*sizes: int) -> Tensor:
    return torch.randn(sizes, generator=torch.Generator().manual_seed(0)) * 2


def test_numbers_depend_on_seed_position_and_codebook_only() -> None:
    few, many = uniforms(7, 10, 4), uniforms(7, 1504, 4)

    assert np.array_equal(many[:10], few)
    assert len(np.unique(np.concatenate([uniforms(seed, 100, 4).ravel() for seed in range(20)]))) > 7990


def test_numbers_are_these() -> None:
    # Philox-4x64 with key 12345, its first words as numpy gives them.
    numbers = uniforms(12345, 1, 4)

    words = np.random.Philox(key=12345).random_raw(4)
    assert numbers.tolist() == [[int(word) // 2**40 / 2**24 for word in words]]
    assert numbers.dtype == np.float32


def test_numbers_are_uniform_over_positions_and_over_seeds() -> None:
    over_positions = uniforms(2**62, 1504, 4).ravel()
    over_seeds = np.array([uniforms(seed, 1, 1)[0, 0] for seed in range(4000)])

    assert kstest(over_positions, "uniform").pvalue > 0.01
    assert kstest(over_seeds, "uniform").pvalue > 0.01


@pytest.mark.parametrize("draw", [EVERYTHING, Draw(top_k=12), Draw(top_k=12, temperature=1.7)])
def test_draws_follow_the_softmax_of_the_admitted_logits(draw: Draw) -> None:
    n_draws, size = 40_000, 32
    logits = random_logits(size)
    numbers = torch.from_numpy(uniforms(1, n_draws, 1))

    tokens = choose(logits.expand(n_draws, 1, size), numbers, draw, FINE).tokens

    scores = logits[None] / draw.temperature
    if draw.top_k < size:
        scores = TopKLogitsWarper(draw.top_k)(torch.zeros((1, 1), dtype=torch.int64), scores)
    expected = scores.softmax(-1)[0].double().numpy()
    counts = np.bincount(tokens.ravel().numpy(), minlength=size)
    admitted = expected > 0
    assert np.count_nonzero(admitted) == min(draw.top_k, size)
    assert counts[~admitted].sum() == 0
    fractions = expected[admitted] / expected[admitted].sum()
    assert chisquare(counts[admitted], fractions * n_draws).pvalue > 0.01


def test_the_ends_of_the_interval_give_the_first_and_last_token_that_can_be_drawn() -> None:
    # Tokens 0 and 4 are outside the top three.
    logits = [-9.0, 1.0, 2.0, 1.5, -8.0]
    largest = 1 - 2.0**-24

    assert draw_at(logits, 0.0, Draw(top_k=3)).tokens.item() == 1
    assert draw_at(logits, largest, Draw(top_k=3)).tokens.item() == 3


def test_the_largest_number_draws_a_token_from_any_logits() -> None:
    logits = random_logits(500, 4, 2048)

    tokens = choose(logits, torch.full((500, 4), 1 - 2.0**-24), EVERYTHING, FINE).tokens

    assert tokens.max() <= 2047


def test_tokens_that_change_ranks_do_not_change_the_draw() -> None:
    first, second = [0.0, 1.0, 1.0 + 1e-7, 0.5], [0.0, 1.0 + 1e-7, 1.0, 0.5]

    for number in np.linspace(0.005, 0.995, 100):
        assert torch.equal(draw_at(first, number).tokens, draw_at(second, number).tokens)


def test_top_k_of_one_is_greedy() -> None:
    logits = random_logits(50, 4, 64)
    numbers = torch.from_numpy(uniforms(1, 50, 4))

    assert torch.equal(choose(logits, numbers, Draw(top_k=1), FINE).tokens, logits.argmax(-1))
    assert torch.equal(choose(logits, numbers, GREEDY, FINE).tokens, logits.argmax(-1))


@pytest.mark.parametrize(
    ("number", "is_near"), [(0.2, False), (0.2499, True), (0.2501, True), (0.26, False), (0.4999, True)]
)
def test_a_draw_beside_the_edge_of_its_token_is_a_near_tie(number: float, is_near: bool) -> None:
    # Four equal tokens: the edges are 0, 0.25, 0.5, 0.75 and 1.
    drawn = draw_at([1.0, 1.0, 1.0, 1.0], number, rounding=1e-3)

    assert drawn.tokens.item() == int(number * 4)
    assert drawn.is_near_tie.item() is is_near


def test_a_doubtful_last_token_of_the_top_k_makes_what_it_would_move_a_near_tie() -> None:
    # Tokens 0 and 3 are almost equal, and only one of them is among the top three.
    doubtful, clear = [1.0 + 1e-5, 3.0, 3.0, 1.0], [1.2, 3.0, 3.0, 1.0]
    share = math.exp(1) / (math.exp(1) + 2 * math.exp(3))
    draw = Draw(top_k=3)

    for number in (share * 0.5, share + (1 - share) / 2 - share * 0.5):
        assert draw_at(doubtful, number, draw, 1e-3).is_near_tie
        assert not draw_at(clear, number, draw, 1e-3).is_near_tie
    assert not draw_at(doubtful, 0.35, draw, 1e-3).is_near_tie


def test_a_greedy_choice_between_almost_equal_logits_is_a_near_tie() -> None:
    assert draw_at([0.0, 1.0, 1.0 + 1e-5], 0.0, GREEDY, 1e-3).is_near_tie
    assert not draw_at([0.0, 1.0, 1.0 + 1e-2], 0.0, GREEDY, 1e-3).is_near_tie


@pytest.mark.parametrize("draw", [GREEDY, EVERYTHING, Draw(top_k=2)])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_logits_that_are_not_numbers_are_seen(draw: Draw, broken: float) -> None:
    assert draw_at([0.0, 1.0, 2.0], 0.5, draw).is_finite
    assert not draw_at([0.0, 1.0, broken], 0.5, draw).is_finite


def test_guidance_is_that_of_transformers() -> None:
    rows = random_logits(2, 5, 4, 64)

    mixed = guided(rows, Draw(guidance_scale=3.0))

    new_process: Callable[[float], Callable[..., Tensor]] = ClassifierFreeGuidanceLogitsProcessor
    process = new_process(3.0)
    expected = process(torch.zeros((20, 1), dtype=torch.int64), rows.reshape(40, 64))
    assert torch.equal(mixed.reshape(20, 64), expected)


def test_affect_has_its_own_weight() -> None:
    full, words, null = rows = random_logits(3, 5, 4, 64)

    mixed = guided(rows, Draw(guidance_scale=3.0, affect_guidance_scale=2.0))

    assert torch.allclose(mixed, null + 3 * (words - null) + 2 * (full - words), atol=1e-6)


def test_a_clip_has_as_many_rows_as_its_scales_need() -> None:
    assert Draw(guidance_scale=1.0).rows_per_clip(True) == 1
    assert Draw().rows_per_clip(True) == 2
    assert Draw(affect_guidance_scale=2.0).rows_per_clip(False) == 2
    assert Draw(affect_guidance_scale=2.0).rows_per_clip(True) == 3


def test_coarser_numbers_are_less_sure() -> None:
    fine, half, coarse = (ROUNDING[dtype] for dtype in (torch.float32, torch.float16, torch.bfloat16))

    assert fine.logit < half.logit < coarse.logit
    assert fine.cumulative < half.cumulative < coarse.cumulative


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("guidance_scale", lambda: Draw(guidance_scale=math.nan)),
        ("guidance_scale", lambda: Draw(guidance_scale=-1.0)),
        ("affect_guidance_scale", lambda: Draw(affect_guidance_scale=math.inf)),
        ("top_k", lambda: Draw(top_k=0)),
        ("temperature", lambda: Draw(temperature=0.0)),
    ],
)
def test_a_draw_off_its_range_is_refused(name: str, change: Callable[[], Draw]) -> None:
    with pytest.raises(OutOfRange, match=name):
        change()
