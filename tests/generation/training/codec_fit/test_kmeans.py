"""Centres lie where the points are, and none of them is wasted."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

import torch
from scipy.cluster.vq import kmeans2

from generation.training.codec_fit.kmeans import k_means, nearest_entries

pytestmark = pytest.mark.torch


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def spread(points: torch.Tensor, centres: torch.Tensor) -> float:
    return float(nearest_entries(points, centres)[1].mean())


def test_separate_heaps_get_a_centre_each() -> None:
    heaps = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    points = heaps.repeat(50, 1) + 0.1 * torch.randn(200, 2, generator=generator(1))

    # Eight draws may miss a heap; an entry that lost its points goes where the error is largest.
    found = k_means(points, 8, 10, generator())

    assert all(float((found - heap).norm(dim=1).min()) < 0.2 for heap in heaps)


def test_the_nearest_entry_is_found_by_its_distance() -> None:
    points = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    centres = torch.tensor([[0.0, 1.0], [3.0, 3.0], [9.0, 9.0]])

    nearest, distances = nearest_entries(points, centres)

    assert nearest.tolist() == [0, 1]
    assert distances.tolist() == pytest.approx([1.0, 1.0])


def test_the_error_is_that_of_scipy() -> None:
    points = torch.randn(2000, 6, generator=generator(3))

    ours = k_means(points, 32, 20, generator())
    theirs, _ = kmeans2(points.numpy(), 32, iter=20, minit="points", seed=np.random.default_rng(0))

    # Both end in a local minimum; measured: 1.4 % apart.
    assert spread(points, ours) == pytest.approx(spread(points, torch.from_numpy(theirs)), rel=0.04)


def test_no_entry_stands_for_nothing() -> None:
    # Half of the points are one and the same: entries drawn there take each other's points away.
    points = torch.cat([torch.zeros(500, 3), torch.randn(500, 3, generator=generator(2))])

    found = k_means(points, 64, 10, generator())

    # The entries at zero are one; the last step may empty a few more. Measured: 63 of 64.
    assert len(nearest_entries(points, found)[0].unique()) >= 60
