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

from generation.musicgen.decoding.sampling import (
    ROUNDING,
    Draw,
    Drawn,
    choose,
    guided,
    gumbel_noise,
    noise_keys,
    splitmix64,
)
from study.errors import OutOfRange

pytestmark = pytest.mark.torch

EVERYTHING = Draw(top_k=10_000)
GREEDY = Draw(greedy=True)
FINE = 1e-6


def draw_from(logits: list[float], seed: int = 1, draw: Draw = EVERYTHING, rounding: float = FINE) -> Drawn:
    """One draw from one row of logits."""
    return choose(torch.tensor([[logits]]), torch.from_numpy(noise_keys(seed, 1, 1)), draw, rounding)


def random_logits(*sizes: int) -> Tensor:
    return torch.randn(sizes, generator=torch.Generator().manual_seed(0)) * 2


def test_noise_depends_on_seed_position_and_codebook_only() -> None:
    few, many = noise_keys(7, 10, 4), noise_keys(7, 1504, 4)

    assert np.array_equal(many[:10], few)
    assert len(np.unique(np.concatenate([noise_keys(seed, 100, 4).ravel() for seed in range(20)]))) == 8000


def test_keys_are_philox_words() -> None:
    # Philox-4x64 with key 12345, its first words as numpy gives them.
    words = np.random.Philox(key=12345).random_raw(4)

    assert noise_keys(12345, 1, 4).view(np.uint64).tolist() == [words.tolist()]


def test_splitmix64_gives_its_published_numbers() -> None:
    # The first five from the seed 1234567: Vigna's splitmix64.c, as Rosetta Code lists them.
    expected = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]

    given = splitmix64(torch.tensor(1234567), torch.arange(5))

    assert [number % 2**64 for number in given.tolist()] == expected


def test_noise_is_gumbels_over_tokens_over_positions_and_over_seeds() -> None:
    keys = torch.from_numpy(noise_keys(2**62, 50, 4))
    over_tokens = gumbel_noise(keys, torch.arange(2048).expand(50, 4, 2048)).view(200, 2048)
    over_positions = gumbel_noise(torch.from_numpy(noise_keys(1, 1504, 4)), torch.full((1504, 4, 1), 17))
    seeds = torch.from_numpy(np.stack([noise_keys(seed, 1, 1)[0] for seed in range(4000)]))
    over_seeds = gumbel_noise(seeds, torch.zeros((4000, 1, 1), dtype=torch.int64))

    p_values = [kstest(noise.numpy(), "gumbel_r").pvalue for noise in over_tokens]
    assert kstest(p_values, "uniform").pvalue > 0.01
    for noise in (over_positions, over_seeds):
        assert kstest(noise.ravel().numpy(), "gumbel_r").pvalue > 0.01


def test_the_noise_of_neighbouring_tokens_positions_and_codebooks_is_unrelated() -> None:
    keys = torch.from_numpy(noise_keys(5, 1504, 4))
    noise = gumbel_noise(keys, torch.arange(64).expand(1504, 4, 64)).numpy()

    for one, other in (
        (noise[:, :, 1:], noise[:, :, :-1]),
        (noise[1:], noise[:-1]),
        (noise[:, 1:], noise[:, :-1]),
    ):
        # Some 400,000 pairs: the standard error of a correlation of none is .0016.
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.006


@pytest.mark.parametrize("draw", [EVERYTHING, Draw(top_k=12), Draw(top_k=12, temperature=1.7)])
def test_draws_follow_the_softmax_of_the_admitted_logits(draw: Draw) -> None:
    n_draws, size = 40_000, 32
    logits = random_logits(size)
    keys = torch.from_numpy(noise_keys(1, n_draws, 1))

    tokens = choose(logits.expand(n_draws, 1, size), keys, draw, FINE).tokens

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


def test_logits_that_rounding_moves_hardly_ever_change_the_draw() -> None:
    logits = random_logits(2000, 4, 2048)
    moved = logits + torch.randn(logits.shape, generator=torch.Generator().manual_seed(1)) * 1e-6
    keys = torch.from_numpy(noise_keys(3, 2000, 4))

    first, second = (choose(values, keys, Draw(), ROUNDING[torch.float32]) for values in (logits, moved))

    changed = first.tokens != second.tokens
    assert changed.sum() <= 1
    assert first.is_near_tie[changed].all()
    assert first.is_near_tie.float().mean() < 0.001


def test_top_k_of_one_is_greedy() -> None:
    logits = random_logits(50, 4, 64)
    keys = torch.from_numpy(noise_keys(1, 50, 4))

    assert torch.equal(choose(logits, keys, Draw(top_k=1), FINE).tokens, logits.argmax(-1))
    assert torch.equal(choose(logits, keys, GREEDY, FINE).tokens, logits.argmax(-1))


def test_a_draw_whose_two_largest_sums_are_almost_equal_is_a_near_tie() -> None:
    noise = gumbel_noise(torch.from_numpy(noise_keys(1, 1, 1)), torch.arange(2)[None, None])[0, 0]
    even = [0.0, float(noise[0] - noise[1])]

    for by, is_near in ((5e-4, True), (-5e-4, True), (2e-3, False), (-2e-3, False)):
        drawn = draw_from([even[0], even[1] + by], rounding=1e-3)
        assert drawn.tokens.item() == int(by > 0)
        assert drawn.is_near_tie.item() is is_near


def test_a_doubtful_last_token_of_the_top_k_is_a_near_tie_where_it_wins_or_would() -> None:
    # Tokens 0 and 3 are almost equal, and only one of them is among the top three.
    doubtful, clear = [1.0 + 1e-5, 1.2, 1.2, 1.0], [1.1, 1.2, 1.2, 1.0]
    draw = Draw(top_k=3)
    seen: set[bool] = set()

    for seed in range(60):
        noise = gumbel_noise(torch.from_numpy(noise_keys(seed, 1, 1)), torch.arange(4)[None, None])[0, 0]
        wins = int((torch.tensor(doubtful) + noise).argmax()) in (0, 3)
        assert draw_from(doubtful, seed, draw, 1e-4).is_near_tie.item() is wins
        assert not draw_from(clear, seed, draw, 1e-4).is_near_tie
        seen.add(wins)
    assert seen == {True, False}


def test_a_greedy_choice_between_almost_equal_logits_is_a_near_tie() -> None:
    assert draw_from([0.0, 1.0, 1.0 + 1e-5], 1, GREEDY, 1e-3).is_near_tie
    assert not draw_from([0.0, 1.0, 1.0 + 1e-2], 1, GREEDY, 1e-3).is_near_tie


@pytest.mark.parametrize("draw", [GREEDY, EVERYTHING, Draw(top_k=2)])
@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_logits_that_are_not_numbers_are_seen(draw: Draw, broken: float) -> None:
    assert draw_from([0.0, 1.0, 2.0], draw=draw).is_finite
    assert not draw_from([0.0, 1.0, broken], draw=draw).is_finite


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
    assert ROUNDING[torch.float32] < ROUNDING[torch.float16] < ROUNDING[torch.bfloat16]


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
