"""How well two measurements of the same thing agree, for independent pairs.

Sources: Lin (1989), Biometrics 45, 255-268, with the corrected variance of
Lin (2000), Biometrics 56, 324-325; Bland & Altman (1986), Lancet 327, 307-310,
and (1999), Stat. Methods Med. Res. 8, 135-160.
"""

from __future__ import annotations

import math
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
        bias_ci: 95 % limits of the bias.
        low_ci, high_ci: 95 % limits of the limits.
    """

    bias: float
    sd: float
    low: float
    high: float
    bias_ci: tuple[float, float]
    low_ci: tuple[float, float]
    high_ci: tuple[float, float]


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
