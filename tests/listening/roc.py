"""Area under the ROC curve: how often a track of the one label is placed above one of the other.

The area is the share of pairs in the right order, a tie counting half (Bamber 1975, Journal of
Mathematical Psychology 12, 387-415). Its standard error: DeLong, DeLong & Clarke-Pearson (1988,
Biometrics 44, 837-845) where every track counts as drawn alone; Obuchowski (1997, Biometrics 53, 567-578)
where tracks of one package may resemble each other. Intervals are the normal approximation, cut off at
0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Area:
    """An area and two intervals.

    Args:
        estimate: 0 to 1; .5 is chance.
        n_high, n_low: tracks of each label.
        se: DeLong's standard error.
        ci_low, ci_high: 95 %, DeLong.
        clustered_low, clustered_high: 95 %, Obuchowski, by package; None where a label has fewer
            than two packages.
        n_clusters: packages.
    """

    estimate: float
    n_high: int
    n_low: int
    se: float
    ci_low: float
    ci_high: float
    clustered_low: float | None
    clustered_high: float | None
    n_clusters: int


def area_under(
    high: ArrayLike, low: ArrayLike, high_clusters: Sequence[str], low_clusters: Sequence[str]
) -> Area:
    """The area with both intervals.

    Args:
        high, low: predictions of the tracks that should be high, and of those that should be low;
            two at least of each.
        high_clusters, low_clusters: the package of each.
    """
    order = right_order(high, low)
    n_high, n_low = order.shape
    estimate = float(order.mean())
    of_high, of_low = order.mean(axis=1) - estimate, order.mean(axis=0) - estimate
    se = sqrt(of_high.var(ddof=1) / n_high + of_low.var(ddof=1) / n_low)
    clustered = _clustered_se(of_high, of_low, high_clusters, low_clusters)
    return Area(
        estimate=estimate,
        n_high=n_high,
        n_low=n_low,
        se=se,
        ci_low=max(0.0, estimate - Z_95 * se),
        ci_high=min(1.0, estimate + Z_95 * se),
        clustered_low=None if clustered is None else max(0.0, estimate - Z_95 * clustered),
        clustered_high=None if clustered is None else min(1.0, estimate + Z_95 * clustered),
        n_clusters=len({*high_clusters, *low_clusters}),
    )


def difference_of_areas(
    first: tuple[ArrayLike, ArrayLike], second: tuple[ArrayLike, ArrayLike]
) -> tuple[float, float, float]:
    """First area less second, of two predictors on the same tracks, and its 95 % interval.

    Source: DeLong, DeLong & Clarke-Pearson (1988), the variance of a contrast of correlated areas.

    Args:
        first, second: a predictor's values of the high tracks and of the low ones, in one order for both.
    """
    one, two = (right_order(*values) for values in (first, second))
    estimate = float(one.mean() - two.mean())
    of_high, of_low = (one.mean(axis=axis) - two.mean(axis=axis) for axis in (1, 0))
    se = sqrt(of_high.var(ddof=1) / len(of_high) + of_low.var(ddof=1) / len(of_low))
    return estimate, estimate - Z_95 * se, estimate + Z_95 * se


def right_order(high: ArrayLike, low: ArrayLike) -> Floats:
    """1 where the high one is above the low one, ½ where they tie, shape [n_high, n_low]."""
    first, second = np.asarray(high, dtype=np.float64)[:, None], np.asarray(low, dtype=np.float64)
    return np.where(first > second, 1.0, np.where(first == second, 0.5, 0.0))


def within_clusters(
    high: ArrayLike, low: ArrayLike, high_clusters: Sequence[str], low_clusters: Sequence[str]
) -> tuple[float | None, int]:
    """The same share over pairs from one package only, and how many pairs those are.

    What tells packages apart (a composer, a synthesiser, a loudness) cannot order these pairs.
    """
    same = np.asarray(high_clusters)[:, None] == np.asarray(low_clusters)
    order = right_order(high, low)
    return (float(order[same].mean()) if same.any() else None), int(same.sum())


def without_each_cluster(
    high: ArrayLike, low: ArrayLike, high_clusters: Sequence[str], low_clusters: Sequence[str]
) -> dict[str, float]:
    """The area with one package left out, for each package; one that would leave no pair is passed over."""
    order = right_order(high, low)
    firsts, seconds = np.asarray(high_clusters), np.asarray(low_clusters)
    return {
        cluster: float(kept.mean())
        for cluster in sorted({*high_clusters, *low_clusters})
        if (kept := order[np.ix_(firsts != cluster, seconds != cluster)]).size
    }


def curve(high: ArrayLike, low: ArrayLike) -> tuple[list[float], list[float]]:
    """Corners of the ROC curve: share of the low, then of the high, at or above each value, descending."""
    highs, lows = np.asarray(high, dtype=np.float64), np.asarray(low, dtype=np.float64)
    thresholds = np.unique(np.concatenate([highs, lows]))[::-1]
    false = [0.0, *((lows[None] >= thresholds[:, None]).mean(axis=1)).tolist()]
    true = [0.0, *((highs[None] >= thresholds[:, None]).mean(axis=1)).tolist()]
    return false, true


def _clustered_se(
    of_high: Floats, of_low: Floats, high_clusters: Sequence[str], low_clusters: Sequence[str]
) -> float | None:
    """Obuchowski's standard error of the area; None where a label comes from one package only.

    Args:
        of_high, of_low: each track's own share of right pairs, less the area.
    """
    names = sorted({*high_clusters, *low_clusters})
    n_high_clusters, n_low_clusters = len(set(high_clusters)), len(set(low_clusters))
    if min(n_high_clusters, n_low_clusters) < 2:
        return None
    n_high, n_low = len(of_high), len(of_low)
    x = np.array([of_high[np.asarray(high_clusters) == name].sum() for name in names])
    y = np.array([of_low[np.asarray(low_clusters) == name].sum() for name in names])
    s10 = n_high_clusters / ((n_high_clusters - 1) * n_high) * float(x @ x)
    s01 = n_low_clusters / ((n_low_clusters - 1) * n_low) * float(y @ y)
    s11 = len(names) / (len(names) - 1) * float(x @ y)
    return sqrt(max(0.0, s10 / n_high + s01 / n_low + 2 * s11 / (n_high * n_low)))
