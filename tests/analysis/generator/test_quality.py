"""Distances between collections, against closed forms, scipy and hand calculations."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import linalg

from analysis.generator.heard import HeardClip
from analysis.generator.quality import KERNEL_SCALE, Windows, frechet_distance, kernel_distance, quality
from generation.clip_grid import GridClip
from study.affect import Affect

Floats = NDArray[np.float64]


def exactly(mean: Floats, covariance: Floats, n: int, seed: int = 0) -> Floats:
    """A sample that has exactly that mean and covariance (divisor n − 1)."""
    x = np.random.default_rng(seed).standard_normal((n, len(mean)))
    x -= x.mean(axis=0)
    whitened = x @ np.linalg.inv(np.linalg.cholesky(np.atleast_2d(np.cov(x, rowvar=False)))).T
    return np.asarray(whitened @ np.linalg.cholesky(covariance).T + mean)


def alone(vectors: Floats) -> Windows:
    """Every window a clip of its own."""
    return Windows(vectors, np.arange(len(vectors)))


def heard(embeddings: list[Floats]) -> list[HeardClip]:
    clip = GridClip("s", "t", Affect(0, 0), 0, "a.wav", "0" * 64, 9.0, -20.0)
    return [HeardClip(clip, {}, one.astype(np.float32)) for one in embeddings]


def test_equal_collections_are_at_distance_zero() -> None:
    x = np.random.default_rng(1).standard_normal((40, 5))

    assert frechet_distance(x, x) == pytest.approx(0.0, abs=1e-9)


def test_frechet_is_the_closed_form_of_two_gaussians_on_a_line() -> None:
    """Dowson & Landau (1982): (μ₁ − μ₂)² + (σ₁ − σ₂)² = 3² + (2 − 0.5)² = 11.25."""
    x = exactly(np.array([1.0]), np.array([[4.0]]), 30)
    y = exactly(np.array([-2.0]), np.array([[0.25]]), 50, seed=1)

    assert frechet_distance(x, y) == pytest.approx(11.25)


def test_frechet_equals_the_formula_with_scipys_matrix_root() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((60, 6)) @ rng.standard_normal((6, 6)), rng.standard_normal((50, 6)) + 0.3

    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = linalg.sqrtm(first @ second)
    shift = x.mean(axis=0) - y.mean(axis=0)
    assert frechet_distance(x, y) == pytest.approx(
        float(shift @ shift + np.trace(first + second - 2 * np.real(root))), rel=1e-9
    )


def test_kernel_distance_by_hand() -> None:
    """Real 0, 1, 3: distances 1, 2, 3, median 2 = bandwidth, k(d) = exp(−d² / 8). Generated 0, 2."""

    def k(d: float) -> float:
        return float(np.exp(-(d**2) / 8))

    within_real = (k(1) + k(2) + k(3)) / 3
    between = (k(0) + k(1) + k(3) + k(2) + k(1) + k(1)) / 6
    expected = 100 * (k(2) + within_real - 2 * between)

    found = kernel_distance(alone(np.array([[0.0], [2.0]])), alone(np.array([[0.0], [1.0], [3.0]])))

    assert KERNEL_SCALE == 100
    assert found == pytest.approx(expected)


def test_kernel_distance_is_the_closed_form_of_two_gaussians() -> None:
    """E k of N(m, s²I), d = 2, is (h² / (h² + 2s²)) exp(−|m|² / (2(h² + 2s²))), h the bandwidth.

    The difference of two draws is N(m, 2s²I): a Gaussian integral. MMD² = 2 (E k at 0 − E k at m).
    """
    rng = np.random.default_rng(3)
    y = rng.standard_normal((1500, 2))
    # The median distance in N(0, I): |x − y|² / 2 is chi-square with 2 df, whose median is 2 ln 2.
    h2 = 2 * 2 * np.log(2)
    factor = h2 / (h2 + 2)
    expected = 100 * 2 * factor * (1 - np.exp(-1.0 / (2 * (h2 + 2))))

    found = kernel_distance(alone(rng.standard_normal((1500, 2)) + np.array([1.0, 0.0])), alone(y))

    # Measured over 20 seeds: mean 11.9 of 11.6, standard deviation 1.0.
    assert found == pytest.approx(expected, abs=2.5)


def test_windows_of_one_clip_do_not_bias_the_kernel_distance() -> None:
    """Collections that are alike, clips unlike each other: around 0. Were windows taken as clips, not."""
    rng = np.random.default_rng(4)
    found, naive = [], []
    for _ in range(40):
        pair = []
        for _ in range(2):
            centres = np.repeat(rng.standard_normal((15, 3)), 5, axis=0)
            vectors = centres + 0.1 * rng.standard_normal((75, 3))
            pair.append(Windows(vectors, np.repeat(np.arange(15), 5)))
        found.append(kernel_distance(*pair))
        naive.append(kernel_distance(alone(pair[0].vectors), alone(pair[1].vectors)))

    error = np.std(found) / np.sqrt(40)
    assert abs(np.mean(found)) < 3 * error
    # Measured: −0.7 and 3.8 with a standard error of 0.4.
    assert np.mean(naive) > 5 * error


def test_frechet_is_refused_where_windows_do_not_exceed_dimensions() -> None:
    rng = np.random.default_rng(5)
    few = heard([rng.standard_normal((2, 4)) for _ in range(2)])
    many = heard([rng.standard_normal((2, 4)) for _ in range(9)])

    refused, given = quality("s", "c", few, many), quality("s", "c", many, many)

    assert refused is not None
    assert refused.frechet is None
    assert refused.kernel is not None
    assert refused.reason == "Fréchet: 4 and 18 windows; more than 4 of each are needed"
    assert given is not None
    assert given.frechet == pytest.approx(0.0, abs=1e-6)
    assert (given.n_clips, given.n_windows) == (9, 18)


def test_one_clip_has_no_kernel_distance_and_no_embedding_none_at_all() -> None:
    rng = np.random.default_rng(6)
    one, many = heard([rng.standard_normal((8, 4))]), heard([rng.standard_normal((8, 4))] * 3)

    found = quality("s", "c", one, many)

    assert found is not None
    assert (found.kernel, found.reason) == (None, "kernel: two or more clips of each are needed")
    assert quality("s", "c", [], many) is None
