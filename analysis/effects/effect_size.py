"""Hedges' g of two independent groups, with its exact interval.

Sources: Hedges (1981), J. Educ. Stat. 6, 107-128 (exact correction); Steiger &
Fouladi (1997) (interval by the non-central t distribution).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from analysis.result_row import CI_LEVEL, NotEstimable


@dataclass(frozen=True)
class StandardisedDifference:
    """Hedges' g and its limits, in pooled within-group standard deviations."""

    g: float
    ci_low: float
    ci_high: float


def hedges_g(first: NDArray[np.float64], second: NDArray[np.float64]) -> StandardisedDifference:
    """Standardised mean difference, first minus second, corrected for small samples.

    Args:
        first, second: shape [n], the raw outcomes of two independent groups.

    Raises:
        NotEstimable: a group of fewer than 2, or no variation.
    """
    n_first, n_second = len(first), len(second)
    if min(n_first, n_second) < 2:
        raise NotEstimable("a standardised difference needs 2 or more in each arm")
    df = n_first + n_second - 2
    within = first.var(ddof=1) * (n_first - 1) + second.var(ddof=1) * (n_second - 1)
    pooled_sd = math.sqrt(within / df)
    if not pooled_sd > 0:
        raise NotEstimable("the outcome does not vary within arms")
    scale = math.sqrt(1 / n_first + 1 / n_second)
    t_value = float(first.mean() - second.mean()) / (pooled_sd * scale)
    correction = math.exp(math.lgamma(df / 2) - math.lgamma((df - 1) / 2)) * math.sqrt(2 / df)
    low = _noncentrality(t_value, df, 0.5 + CI_LEVEL / 2)
    high = _noncentrality(t_value, df, 0.5 - CI_LEVEL / 2)
    unit = scale * correction
    return StandardisedDifference(t_value * unit, low * unit, high * unit)


def _noncentrality(t_value: float, df: int, probability: float) -> float:
    """The non-centrality whose t distribution has `probability` below `t_value`."""

    def excess(noncentrality: float) -> float:
        return float(stats.nct.cdf(t_value, df, noncentrality)) - probability

    # The normal approximation of the spread of t brackets the root; doubled until it does.
    reach = 2 + 2 * math.sqrt(1 + t_value**2 / (2 * df))
    for _ in range(8):
        low, high = t_value - reach, t_value + reach
        if excess(low) > 0 > excess(high):
            return float(brentq(excess, low, high, xtol=1e-10))
        reach *= 2
    raise NotEstimable("the interval of g lies beyond what can be computed")
