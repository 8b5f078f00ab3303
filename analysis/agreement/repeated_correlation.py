"""Repeated-measures correlation with its degrees of freedom.

Bland & Altman (1995), BMJ 310, 446; Bakdash & Marusich (2017), Front. Psychol. 8, 456, with the interval
as corrected in 2019 (Front. Psychol. 10, 1201): the correlation of two measures within people, from an
analysis of covariance with one slope and an intercept for each person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class RepeatedCorrelation:
    """The common correlation within groups.

    Args:
        r: −1 to 1.
        df: pairs − groups − 1.
        p_value: two-sided, of r = 0.
        ci_low, ci_high: 95 %, by Fisher's z with standard error 1/√(df − 1).
    """

    r: float
    df: int
    p_value: float
    ci_low: float
    ci_high: float


def repeated_correlation(x: Floats, y: Floats, group: Indices) -> RepeatedCorrelation:
    """Correlation within people (or within each person's sessions), groups being independent.

    Args:
        x, y: shape [n].
        group: shape [n], whose each pair is; groups of one pair tell nothing and are left out.

    Raises:
        NotEstimable: too few pairs, or one of the two does not vary within any group.
    """
    counts = np.bincount(group)
    kept = counts[group] > 1
    x, y, group = x[kept], y[kept], np.unique(group[kept], return_inverse=True)[1]
    n_groups = int(group.max()) + 1 if len(group) else 0
    df = len(x) - n_groups - 1
    if df < 2:
        raise NotEstimable("a repeated-measures correlation needs 2 or more degrees of freedom")
    x, y = (v - (np.bincount(group, v) / np.bincount(group))[group] for v in (x, y))
    sxx, syy, sxy = float(x @ x), float(y @ y), float(x @ y)
    if min(sxx, syy) <= 1e-12:
        raise NotEstimable("one of the two measurements does not vary within people")
    r = max(-1.0, min(1.0, sxy / math.sqrt(sxx * syy)))
    if abs(r) > 1 - 1e-12:
        return RepeatedCorrelation(r, df, 0.0, r, r)
    t_value = r * math.sqrt(df / (1 - r**2))
    reach = float(stats.norm.ppf(0.5 + CI_LEVEL / 2)) / math.sqrt(df - 1)
    z = math.atanh(r)
    return RepeatedCorrelation(
        r, df, float(2 * stats.t.sf(abs(t_value), df)), math.tanh(z - reach), math.tanh(z + reach)
    )
