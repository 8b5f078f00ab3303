"""How well two measurements of the same thing agree, for independent pairs.

Sources: Lin (1989), Biometrics 45, 255-268, with the corrected variance of
Lin (2000), Biometrics 56, 324-325; Bland & Altman (1986), Lancet 327, 307-310,
(1999), Stat. Methods Med. Res. 8, 135-160, and (2007), J. Biopharm. Stat. 17,
571-582, for several pairs per person.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]

LIMITS_MULTIPLIER = 1.96


@dataclass(frozen=True)
class Concordance:
    """Lin's concordance correlation coefficient.

    Args:
        estimate: -1 to 1.
        se: asymptotic standard error.
        ci_low, ci_high: 95 %, by Fisher's z.
        r: Pearson's correlation; bias_correction: estimate / r.
    """

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    r: float
    bias_correction: float


@dataclass(frozen=True)
class LimitsOfAgreement:
    """Bias and limits of agreement.

    Args:
        bias: mean difference.
        sd: of the differences (for several pairs per person: of one new pair
            of a new person).
        low, high: bias ∓ multiplier × sd.
        bias_ci: 95 % limits of the bias, or None for several pairs per person.
        low_ci, high_ci: 95 % limits of the limits, or None likewise.
    """

    bias: float
    sd: float
    low: float
    high: float
    bias_ci: tuple[float, float] | None
    low_ci: tuple[float, float] | None
    high_ci: tuple[float, float] | None


def concordance(x: Floats, y: Floats) -> Concordance:
    """Lin's CCC of independent pairs, moments with divisor n as published.

    Args:
        x, y: shape [n], in the same unit.

    Raises:
        NotEstimable: fewer than 3 pairs, or no variation.
    """
    n = len(x)
    if n < 3:
        raise NotEstimable("concordance needs 3 or more pairs")
    sxx, syy = float(x.var()), float(y.var())
    if min(sxx, syy) <= 0:
        raise NotEstimable("one of the two measurements does not vary")
    sxy = float(((x - x.mean()) * (y - y.mean())).mean())
    shift = float(x.mean() - y.mean())
    ccc = 2 * sxy / (sxx + syy + shift**2)
    r = sxy / math.sqrt(sxx * syy)
    if 1 - ccc**2 <= 1e-15:
        return Concordance(ccc, 0.0, ccc, ccc, r, 1.0)
    if abs(r) < 1e-12:
        raise NotEstimable("the correlation is 0, where the standard error is not defined")
    u = shift / (sxx * syy) ** 0.25
    variance_z = (
        (1 - r**2) * ccc**2 / ((1 - ccc**2) * r**2)
        + 2 * ccc**3 * (1 - ccc) * u**2 / (r * (1 - ccc**2) ** 2)
        - ccc**4 * u**4 / (2 * r**2 * (1 - ccc**2) ** 2)
    ) / (n - 2)
    se_z = math.sqrt(max(variance_z, 0.0))
    reach = float(stats.norm.ppf(0.5 + CI_LEVEL / 2)) * se_z
    z = math.atanh(ccc)
    return Concordance(ccc, se_z * (1 - ccc**2), math.tanh(z - reach), math.tanh(z + reach), r, ccc / r)


def limits_of_agreement(differences: Floats, multiplier: float = LIMITS_MULTIPLIER) -> LimitsOfAgreement:
    """Bland-Altman limits for one pair per person.

    Args:
        differences: shape [n], one measurement minus the other.
        multiplier: 1.96; Bland & Altman (1986) used 2.

    Raises:
        NotEstimable: fewer than 3 differences.
    """
    n = len(differences)
    if n < 3:
        raise NotEstimable("limits of agreement need 3 or more pairs")
    bias, sd = float(differences.mean()), float(differences.std(ddof=1))
    t_value = float(stats.t.ppf(0.5 + CI_LEVEL / 2, n - 1))
    bias_reach = t_value * sd / math.sqrt(n)
    limit_reach = t_value * sd * math.sqrt(1 / n + multiplier**2 / (2 * (n - 1)))
    low, high = bias - multiplier * sd, bias + multiplier * sd
    return LimitsOfAgreement(
        bias,
        sd,
        low,
        high,
        (bias - bias_reach, bias + bias_reach),
        (low - limit_reach, low + limit_reach),
        (high - limit_reach, high + limit_reach),
    )


def repeated_limits_of_agreement(
    differences: Floats, person: Sequence[str], multiplier: float = LIMITS_MULTIPLIER
) -> LimitsOfAgreement:
    """Limits for several pairs per person whose true value varies (Bland & Altman 2007, § 3).

    Args:
        differences: shape [n].
        person: whose each difference is.

    Raises:
        NotEstimable: fewer than 3 differences or 2 persons.
    """
    if len(differences) < 3 or len(set(person)) < 2:
        raise NotEstimable("limits of agreement need 3 or more pairs of 2 or more people")
    membership = np.array([[one == who for one in dict.fromkeys(person)] for who in person], dtype=float)
    counts = membership.sum(axis=0)
    sums, squares = differences @ membership, differences**2 @ membership
    ones = np.ones((1, len(counts)))
    sd = float(total_sd(counts[None], sums[None], squares[None], ones)[0])
    bias = float(differences.mean())
    return LimitsOfAgreement(bias, sd, bias - multiplier * sd, bias + multiplier * sd, None, None, None)


def total_sd(counts: Floats, sums: Floats, squares: Floats, weights: Floats) -> Floats:
    """SD of one new difference of a new person, by one-way analysis of variance.

    The between-person component is (MSB − MSW) / m₀, m₀ = (N² − Σm²) / ((k − 1)N),
    and 0 where that is negative.

    Args:
        counts, sums, squares: shape [n_samples, n_people]: number, sum and sum
            of squares of each person's differences (weighted ones in a bootstrap).
        weights: the same shape: how often each person was drawn.

    Returns:
        Shape [n_samples]; NaN where one person alone was drawn.
    """
    present = counts > 0
    safe = np.where(present, counts, 1.0)
    means = sums / safe
    drawn = np.where(present, weights, 0.0)
    people = drawn.sum(axis=1)
    total = (drawn * counts).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        grand = (drawn * sums).sum(axis=1) / total
        within = (drawn * np.where(present, squares - sums * means, 0.0)).sum(axis=1)
        between = (drawn * counts * (means - grand[:, None]) ** 2).sum(axis=1)
        df_within = total - people
        repeated = df_within > 0
        msw = np.where(repeated, within / np.where(repeated, df_within, 1.0), 0.0)
        msb = between / (people - 1)
        m0 = (total**2 - (drawn * counts**2).sum(axis=1)) / ((people - 1) * total)
        component = np.maximum((msb - msw) / m0, 0.0)
        return np.asarray(np.sqrt(component + np.maximum(msw, 0.0)), dtype=float)
