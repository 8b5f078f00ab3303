"""How often each window is drawn, so that the rare places of the plane are learnt too.

Most music that is labelled is pleasant; drawn as it comes, the distressed states where a path
starts would hardly be seen. After Steininger, Kobs, Davidson, Krause & Hotho (2021), Density-based weighting
for imbalanced regression, Machine Learning 110, 2187-2211: a weight falls with the kernel density at the
example's own label, by one exponent between not at all and wholly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generation.training.recipe import SamplingRecipe
from study.errors import OutOfRange

_CELLS_PER_BANDWIDTH = 40
_NARROWEST_CELL = 0.002


def density(affects: NDArray[np.float64], bandwidth: float) -> NDArray[np.float64]:
    """Gaussian kernel density of the points at each of them, per unit of area.

    Points are rounded to a fortieth of the bandwidth (or 0.002), so that a million of them take no longer.

    Args:
        affects: shape [n, 2], n from 1, each in [-1, 1].
        bandwidth: standard deviation of the kernel, in units of affect, above 0.

    Returns:
        Shape [n].
    """
    width = max(bandwidth / _CELLS_PER_BANDWIDTH, _NARROWEST_CELL)
    cells = np.rint((affects + 1.0) / width).astype(np.int64)
    n_cells = int(np.rint(2.0 / width)) + 1
    counts = np.zeros((n_cells, n_cells))
    np.add.at(counts, (cells[:, 0], cells[:, 1]), 1.0)
    distances = np.subtract.outer(np.arange(n_cells), np.arange(n_cells)) * width
    kernel = np.exp(-0.5 * (distances / bandwidth) ** 2) / (bandwidth * np.sqrt(2.0 * np.pi))
    over_plane = kernel @ counts @ kernel / len(affects)
    found: NDArray[np.float64] = over_plane[cells[:, 0], cells[:, 1]]
    return found


def drawing_weights(
    affects: NDArray[np.float64] | None, n: int, sampling: SamplingRecipe
) -> NDArray[np.float64]:
    """How often each window is drawn, as a multiple of the mean.

    The weight is density^-`inverse_density`, and none is above `largest_weight` times the mean of all. A
    window whose affect is unknown has the mean.

    Args:
        affects: shape [n, 2], NaN where unknown; None: all alike.
        n: how many windows.

    Returns:
        Shape [n], mean 1.

    Raises:
        OutOfRange: a setting outside its range.
    """
    _check(sampling)
    weights = np.ones(n)
    if affects is None or sampling.inverse_density == 0.0:
        return weights
    is_known = np.isfinite(affects).all(axis=1)
    if not is_known.any():
        return weights
    falling = density(affects[is_known], sampling.bandwidth) ** -sampling.inverse_density
    weights[is_known] = falling / falling.mean()
    return _capped(weights, sampling.largest_weight)


def _capped(weights: NDArray[np.float64], largest: float) -> NDArray[np.float64]:
    """Weights with mean 1 and none above `largest`: what is cut off the top is spread over the others."""
    order = np.argsort(-weights)
    below = np.cumsum(weights[order][::-1])[::-1]
    n = len(weights)
    for n_cut in range(n):
        # With the `n_cut` largest at the cap, the others share what is left, in their own proportion.
        scale = (n - n_cut * largest) / below[n_cut]
        if weights[order[n_cut]] * scale <= largest:
            capped: NDArray[np.float64] = np.minimum(weights * scale, largest)
            return capped
    return np.ones(n)


def _check(sampling: SamplingRecipe) -> None:
    if not 0.0 <= sampling.inverse_density <= 2.0:
        raise OutOfRange(
            "sampling.inverse_density",
            f"{sampling.inverse_density} is outside 0 to 2",
            "write 0 (as the data lie) to 1 (every place alike)",
        )
    if not 0.02 <= sampling.bandwidth <= 1.0:
        raise OutOfRange(
            "sampling.bandwidth",
            f"{sampling.bandwidth} is outside 0.02 to 1",
            "write a width in units of affect, e.g. 0.15",
        )
    if not sampling.largest_weight >= 1.0:
        raise OutOfRange(
            "sampling.largest_weight",
            f"{sampling.largest_weight} is below 1",
            "write how many times the mean a window may be drawn, e.g. 20",
        )
