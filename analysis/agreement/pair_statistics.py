"""Agreement statistics of paired measurements, for a sample and its bootstrap draws at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.agreement.concordance import LIMITS_MULTIPLIER, total_sd
from analysis.agreement.resampling import Resampling, draw_weights
from analysis.result_row import CI_LEVEL

Floats = NDArray[np.float64]

STATISTICS: Mapping[str, str] = {
    "ccc": "Concordance (CCC)",
    "bias": "Bias",
    "limit_low": "Lower limit of agreement",
    "limit_high": "Upper limit of agreement",
    "mae": "Mean absolute error",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
}


@dataclass(frozen=True)
class Bootstrapped:
    """A statistic with its percentile interval; limits are None where none can be given."""

    estimate: float
    ci_low: float | None
    ci_high: float | None


def pair_statistics(
    x: Floats, y: Floats, design: Resampling, people: Floats, clips: Floats
) -> dict[str, Floats]:
    """Every statistic of `STATISTICS`, x against y.

    Bias is x − y; the calibration line predicts x from y (slope 1 and
    intercept 0 are perfect calibration).

    Args:
        x, y: shape [n].
        people: shape [n_samples, n_people], how often each participant counts.
        clips: shape [n_samples, n], how often each pair's clip counts.

    Returns:
        Statistic to shape [n_samples]; NaN where it is not defined.
    """
    weights = people[:, design.person] * clips
    difference = x - y
    with np.errstate(divide="ignore", invalid="ignore"):
        total = weights.sum(axis=1)
        mean_x, mean_y = weights @ x / total, weights @ y / total
        sxx = weights @ x**2 / total - mean_x**2
        syy = weights @ y**2 / total - mean_y**2
        sxy = weights @ (x * y) / total - mean_x * mean_y
        bias = mean_x - mean_y
        slope = np.where(syy > 1e-15, sxy / syy, np.nan)
        sd = _sd(difference, design, people, clips)
        return {
            "ccc": np.where(np.minimum(sxx, syy) > 1e-15, 2 * sxy / (sxx + syy + bias**2), np.nan),
            "bias": bias,
            "limit_low": bias - LIMITS_MULTIPLIER * sd,
            "limit_high": bias + LIMITS_MULTIPLIER * sd,
            "mae": weights @ np.abs(difference) / total,
            "slope": slope,
            "intercept": mean_x - slope * mean_y,
        }


def bootstrap_pairs(x: Floats, y: Floats, design: Resampling, seed_text: str) -> dict[str, Bootstrapped]:
    """Every statistic with its 95 % percentile interval over the design's unit.

    Args:
        x, y: shape [n].
        seed_text: fixes the draws.
    """
    once = pair_statistics(x, y, design, np.ones((1, design.n_people)), np.ones((1, len(x))))
    if design.too_few is not None:
        return {name: Bootstrapped(float(value[0]), None, None) for name, value in once.items()}
    chunks = [
        pair_statistics(x, y, design, people, clips) for people, clips in draw_weights(design, seed_text)
    ]
    return {
        name: Bootstrapped(float(value[0]), *percentile_interval(np.concatenate([c[name] for c in chunks])))
        for name, value in once.items()
    }


def percentile_interval(draws: Floats) -> tuple[float | None, float | None]:
    """95 % percentile limits; None where more than one draw in twenty is not defined."""
    defined = draws[np.isfinite(draws)]
    if len(defined) < 0.95 * len(draws):
        return None, None
    low, high = np.quantile(defined, [0.5 - CI_LEVEL / 2, 0.5 + CI_LEVEL / 2])
    return float(low), float(high)


def within_person_r(
    x: Floats, y: Floats, time_s: Floats, design: Resampling, detrend: bool, seed_text: str
) -> Bootstrapped | None:
    """Pooled within-person correlation over participants drawn as units.

    Args:
        x, y, time_s: shape [n].
        detrend: remove each person's straight line in time from both first.
            Two series that merely drift along the same path correlate without
            it (100 % false positives at r = .29 where nothing was shared).

    Returns:
        None where nobody has enough reports (3, or 4 to detrend).
    """
    sums = []
    for person in range(design.n_people):
        mine = design.person == person
        if mine.sum() < (4 if detrend else 3):
            continue
        trend = np.column_stack([np.ones(mine.sum()), time_s[mine]] if detrend else [np.ones(mine.sum())])
        rest = [v[mine] - trend @ np.linalg.lstsq(trend, v[mine], rcond=None)[0] for v in (x, y)]
        sums.append((rest[0] @ rest[1], rest[0] @ rest[0], rest[1] @ rest[1]))
    if not sums:
        return None
    table = np.array(sums)
    estimate = float(_pooled_r(np.ones((1, len(table))), table)[0])
    few = Resampling(design.unit, np.arange(len(table)), None)
    if few.too_few is not None:
        return Bootstrapped(estimate, None, None)
    draws = np.concatenate([_pooled_r(people, table) for people, _ in draw_weights(few, seed_text)])
    return Bootstrapped(estimate, *percentile_interval(draws))


def _pooled_r(weights: Floats, table: Floats) -> Floats:
    sxy, sxx, syy = (weights @ table).T
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            np.where(np.minimum(sxx, syy) > 1e-15, sxy / np.sqrt(sxx * syy), np.nan), dtype=float
        )


def _sd(difference: Floats, design: Resampling, people: Floats, clips: Floats) -> Floats:
    membership = np.zeros((len(difference), design.n_people))
    membership[np.arange(len(difference)), design.person] = 1.0
    counts = clips @ membership
    sums, squares = (clips * difference) @ membership, (clips * difference**2) @ membership
    return total_sd(counts, sums, squares, people)
