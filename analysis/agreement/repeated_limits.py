"""Bias and limits of agreement where people give several pairs whose true value varies.

Sources: Bland & Altman (2007), J. Biopharm. Stat. 17, 571-582, § 3 (the SD of one new difference of a
new person, by one-way analysis of variance); Zou (2013), Stat. Methods Med. Res. 22, 630-642 (limits of
those limits, by recovering variances from the limits of each part: MOVER).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.agreement.concordance import LIMITS_MULTIPLIER, LimitsOfAgreement
from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]


def recovered_limits_of_agreement(
    differences: Floats, person: Indices, multiplier: float = LIMITS_MULTIPLIER
) -> LimitsOfAgreement:
    """Limits of agreement with their limits by MOVER (Zou, 2013); no resampling.

    People count alike however many pairs they gave: the bias is the mean of their means, the variance
    of a new difference is that of the means plus (1 − 1/m) times that within people, m being the
    harmonic mean of pairs per person.

    Args:
        differences: shape [n], one measurement minus the other.
        person: shape [n], whose each difference is, 0 to n_people − 1.
        multiplier: 1.96.

    Raises:
        NotEstimable: fewer than 3 people, or nobody gave two pairs.
    """
    counts = np.bincount(person)
    people, n = len(counts), len(differences)
    if people < 3 or n == people:
        raise NotEstimable("repeated limits of agreement need 3 or more people, and 2 pairs of somebody")
    means = np.bincount(person, differences) / counts
    within = float(((differences - means[person]) ** 2).sum()) / (n - people)
    between = float(means.var(ddof=1))
    share = 1 - float((1 / counts).mean())
    total = between + share * within
    parts = ((between, people - 1), (share * within, n - people))
    low_tail, high_tail = 0.5 - CI_LEVEL / 2, 0.5 + CI_LEVEL / 2
    total_low = total - math.sqrt(sum((part * (1 - df / _chi2(high_tail, df))) ** 2 for part, df in parts))
    total_high = total + math.sqrt(sum((part * (df / _chi2(low_tail, df) - 1)) ** 2 for part, df in parts))
    bias, sd = float(means.mean()), math.sqrt(total)
    bias_reach = float(stats.norm.ppf(high_tail)) * math.sqrt(between / people)
    inward = math.hypot(bias_reach, multiplier * (sd - math.sqrt(max(total_low, 0.0))))
    outward = math.hypot(bias_reach, multiplier * (math.sqrt(total_high) - sd))
    low, high = bias - multiplier * sd, bias + multiplier * sd
    return LimitsOfAgreement(
        bias,
        sd,
        low,
        high,
        (bias - bias_reach, bias + bias_reach),
        (low - outward, low + inward),
        (high - inward, high + outward),
    )


def _chi2(share: float, df: int) -> float:
    return float(stats.chi2.ppf(share, df))


def total_sd(counts: Floats, sums: Floats, squares: Floats, weights: Floats) -> Floats:
    """SD of one new difference of a new person, by one-way analysis of variance.

    The between-person component is (MSB − MSW) / m₀, m₀ = (N² − Σm²) / ((k − 1)N),
    and 0 where that is negative.

    Args:
        counts, sums, squares: shape [n_people, n_draws]: number, sum and sum
            of squares of each person's differences (weighted ones in a bootstrap).
        weights: the same shape: how often each person was drawn.

    Returns:
        Shape [n_draws]; NaN where one person alone was drawn.
    """
    present = counts > 0
    safe = np.where(present, counts, 1.0)
    means = sums / safe
    drawn = np.where(present, weights, 0.0)
    people = drawn.sum(axis=0)
    total = (drawn * counts).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = (drawn * sums).sum(axis=0) / total
        within = (drawn * np.where(present, squares - sums * means, 0.0)).sum(axis=0)
        between = (drawn * counts * (means - grand) ** 2).sum(axis=0)
        df_within = total - people
        repeated = df_within > 0
        msw = np.where(repeated, within / np.where(repeated, df_within, 1.0), 0.0)
        msb = between / (people - 1)
        m0 = (total**2 - (drawn * counts**2).sum(axis=0)) / ((people - 1) * total)
        component = np.maximum((msb - msw) / m0, 0.0)
        return np.asarray(np.sqrt(component + np.maximum(msw, 0.0)), dtype=float)
