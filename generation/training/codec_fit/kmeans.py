"""k-means for codebooks: Lloyd's steps from a fixed draw, and no entry that stands for nothing."""

from __future__ import annotations

import torch
from torch import Tensor

_AT_ONCE = 8192
"""Points whose distances are held in memory together."""


def k_means(points: Tensor, n_entries: int, n_steps: int, generator: torch.Generator) -> Tensor:
    """Centres that lie near the points.

    Begins with points drawn without return; an entry that is nearest to no point begins anew at one of
    the points that lie farthest from theirs.

    Source: Lloyd (1982), Least squares quantization in PCM, IEEE Trans. Inf. Theory 28, 129-137.

    Args:
        points: float32, shape [n_points, width], at least `n_entries` of them.
        n_steps: of Lloyd's.
        generator: the only source of chance.

    Returns:
        float32, shape [n_entries, width].
    """
    centres = points[torch.randperm(len(points), generator=generator)[:n_entries]].clone()
    for _ in range(n_steps):
        nearest, distances = nearest_entries(points, centres)
        counts = torch.bincount(nearest, minlength=n_entries)
        sums = torch.zeros_like(centres).index_add_(0, nearest, points)
        centres = sums / counts.clamp_min(1)[:, None]
        empty = (counts == 0).nonzero()[:, 0]
        farthest = distances.topk(len(empty)).indices
        centres[empty] = points[farthest]
    return centres


def nearest_entries(points: Tensor, centres: Tensor) -> tuple[Tensor, Tensor]:
    """The nearest centre of each point, int64, and its squared distance, float32; shape [n_points]."""
    lengths = (centres**2).sum(1)
    found = [(lengths - 2.0 * part @ centres.T).min(1) for part in points.split(_AT_ONCE)]
    nearest = torch.cat([part.indices for part in found])
    distances = torch.cat([part.values for part in found]) + (points**2).sum(1)
    return nearest, distances.clamp_min(0.0)
