"""Means and correlations with their 95 % intervals, as JSON values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats


def mean_effect(differences: ArrayLike) -> dict[str, Any]:
    """Mean with Student's t interval.

    Args:
        differences: one a unit that counts as drawn alone, two at least.
    """
    values = np.asarray(differences, dtype=np.float64)
    interval = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    return {
        "estimate": float(values.mean()),
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": len(values),
    }


def difference_of_means(first: ArrayLike, second: ArrayLike) -> dict[str, Any]:
    """Mean of the first less mean of the second, with Welch's interval."""
    one, two = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    interval = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.95)
    return {
        "estimate": float(one.mean() - two.mean()),
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": len(one),
        "first_mean": float(one.mean()),
        "second_mean": float(two.mean()),
        "n_second": len(two),
    }


def correlation(x: ArrayLike, y: ArrayLike) -> dict[str, Any]:
    """Pearson's r with Fisher's interval (Fisher 1921, Metron 1, 3-32)."""
    found = stats.pearsonr(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64))
    interval = found.confidence_interval(0.95)
    return {
        "estimate": float(found.statistic),
        "ci_low": float(interval.low),
        "ci_high": float(interval.high),
        "n": len(np.asarray(x)),
    }


def spearman(x: Sequence[float], y: Sequence[float]) -> dict[str, Any]:
    """Spearman's rank correlation, without an interval: the points are a grid, not a sample."""
    return {"estimate": float(stats.spearmanr(x, y).statistic), "n": len(x)}


def spread_of(values: Sequence[float]) -> dict[str, float]:
    """Mean, standard deviation and five quantiles."""
    array = np.asarray(values, dtype=np.float64)
    quantiles = np.quantile(array, [0.0, 0.05, 0.5, 0.95, 1.0])
    names = ("least", "p05", "median", "p95", "largest")
    return {
        "mean": float(array.mean()),
        "sd": float(array.std(ddof=1)),
        **dict(zip(names, map(float, quantiles), strict=True)),
    }
