"""musicnn's weights, and what a layer does to them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EPSILON = 1e-3
BANDS = 96
PATCH_FRAMES = 187
PATCH_HOP_FRAMES = 93

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Weights = dict[str, Float32]


def batch_norm(weights: Weights, number: int) -> tuple[Float64, Float64]:
    """Scale and shift of a batch norm with fixed statistics."""
    prefix = "batch_normalization" + (f"_{number}" if number else "")
    part = {
        k: weights[f"{prefix}/{k}"].astype(np.float64)
        for k in ("gamma", "beta", "moving_mean", "moving_variance")
    }
    scale = part["gamma"] / np.sqrt(part["moving_variance"] + EPSILON)
    return scale, part["beta"] - scale * part["moving_mean"]


def rows(values: NDArray[np.generic]) -> Float32:
    """Per-filter values for [filters, frames]."""
    return values.astype(np.float32).reshape(-1, 1)
