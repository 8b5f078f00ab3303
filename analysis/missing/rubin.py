"""Estimates of several imputed data sets as one: Rubin's rules.

Sources: Rubin (1987), Multiple Imputation for Nonresponse in Surveys, section
3.1 (the variances, their relative increase and the fraction of information
that is missing); Barnard & Rubin (1999), Biometrika 86, 948-955 (degrees of
freedom, which with few people are never more than those of complete data).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]

_NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class Pooled:
    """One estimate of all imputed data sets.

    Args:
        value, se: in the outcome's unit; se is the root of the total variance.
        ci_low, ci_high: 95 %, t reference.
        p_value: two-sided, against 0.
        df: Barnard & Rubin's degrees of freedom.
        complete_df: degrees of freedom there would be without missing outcomes.
        within, between: mean of the squared standard errors, and variance of the estimates.
        relative_increase: in variance, because outcomes are missing; from 0.
        fraction_missing: of the information about the estimate, 0 to 1.
        imputations: how many data sets.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    df: float
    complete_df: float
    within: float
    between: float
    relative_increase: float
    fraction_missing: float
    imputations: int

    def interval(self, level: float) -> tuple[float, float]:
        """Limits of another level than 95 %, 0 to 1."""
        half = float(stats.t.ppf(0.5 + level / 2, self.df)) * self.se
        return self.value - half, self.value + half


def pool(estimates: Floats, standard_errors: Floats, complete_df: float) -> Pooled:
    """Pool one estimate over imputed data sets.

    Args:
        estimates, standard_errors: of each data set, shape [imputations].
        complete_df: residual degrees of freedom of one completed data set; infinity for a large sample.

    Raises:
        NotEstimable: fewer than two data sets, or estimates without error.
    """
    m = len(estimates)
    if m < 2:
        raise NotEstimable(f"{m} imputed data set(s): Rubin's rules need 2 or more")
    within = float(np.mean(np.square(standard_errors)))
    if not math.sqrt(within) > _NEGLIGIBLE:
        raise NotEstimable("the outcome does not vary within arms, so no interval can be given")
    value, between = float(np.mean(estimates)), float(np.var(estimates, ddof=1))
    added = (1 + 1 / m) * between
    total = within + added
    se, increase = math.sqrt(total), added / within
    df = small_sample_df(m, added / total, complete_df)
    half = float(stats.t.ppf(0.5 + CI_LEVEL / 2, df)) * se
    return Pooled(
        value,
        se,
        value - half,
        value + half,
        2 * float(stats.t.sf(abs(value / se), df)),
        df,
        complete_df,
        within,
        between,
        increase,
        (increase + 2 / (df + 3)) / (1 + increase),
        m,
    )


def small_sample_df(imputations: int, share_between: float, complete_df: float) -> float:
    """Degrees of freedom of a pooled estimate (Barnard & Rubin 1999, equations 1 to 3).

    Args:
        share_between: of the total variance, (1 + 1/m) B / T; 0 to below 1.
        complete_df: of complete data, above 0; may be infinite.
    """
    large = math.inf if share_between == 0 else (imputations - 1) / share_between**2
    if math.isinf(complete_df):
        return large
    observed = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share_between)
    return observed if math.isinf(large) else large * observed / (large + observed)
