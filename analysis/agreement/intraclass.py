"""Intraclass correlation for absolute agreement, ICC(A,1) and ICC(A,k).

Two-way model, targets and raters random, one rating a cell: McGraw & Wong (1996), Psychol. Methods 1,
30-46, case 2A, tables 4 and 7 (the same as ICC(2,1) and ICC(2,k) of Shrout & Fleiss, 1979, Psychol.
Bull. 86, 420-428). Consistency, ICC(C,·), is not offered: it forgives a constant shift.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AbsoluteAgreement:
    """ICC(A,1), of one rating, and ICC(A,k), of the mean of all raters' ratings.

    Args:
        single, average: at most 1.
        single_ci, average_ci: 95 % limits, from the F distribution.
        between, raters, error: mean squares of targets, of raters and of the rest.
    """

    single: float
    average: float
    single_ci: tuple[float, float]
    average_ci: tuple[float, float]
    between: float
    raters: float
    error: float


def intraclass(ratings: Floats) -> AbsoluteAgreement:
    """Agreement of raters who each rated every target once; targets must be independent.

    Args:
        ratings: shape [n_targets, n_raters].

    Raises:
        NotEstimable: fewer than 3 targets or 2 raters, or ratings that do not vary.
    """
    n, k = ratings.shape
    if n < 3 or k < 2:
        raise NotEstimable("an intraclass correlation needs 3 or more targets and 2 raters")
    grand = ratings.mean()
    of_targets, of_raters = ratings.mean(axis=1), ratings.mean(axis=0)
    between = k * float(((of_targets - grand) ** 2).sum()) / (n - 1)
    raters = n * float(((of_raters - grand) ** 2).sum()) / (k - 1)
    rest = ratings - of_targets[:, None] - of_raters + grand
    error = float((rest**2).sum()) / ((n - 1) * (k - 1))
    if between <= 1e-15 or error <= 1e-15:
        raise NotEstimable("the ratings do not vary, or differ by a constant only")
    single = (between - error) / (between + (k - 1) * error + k / n * (raters - error))
    average = (between - error) / (between + (raters - error) / n)
    low, high = _single_limits(n, k, between, raters, error, single)
    return AbsoluteAgreement(
        single, average, (low, high), (_of_mean(low, k), _of_mean(high, k)), between, raters, error
    )


def _single_limits(
    n: int, k: int, between: float, raters: float, error: float, single: float
) -> tuple[float, float]:
    """Limits of ICC(A,1), by Satterthwaite's degrees of freedom for raters and error together."""
    a = k * single / (n * (1 - single))
    b = 1 + k * single * (n - 1) / (n * (1 - single))
    df = (a * raters + b * error) ** 2 / (
        (a * raters) ** 2 / (k - 1) + (b * error) ** 2 / ((n - 1) * (k - 1))
    )
    share = 0.5 + CI_LEVEL / 2
    f_low, f_high = float(stats.f.ppf(share, n - 1, df)), float(stats.f.ppf(share, df, n - 1))
    both = k * raters + (k * n - k - n) * error
    low = n * (between - f_low * error) / (f_low * both + n * between)
    high = n * (f_high * between - error) / (both + n * f_high * between)
    return low, high


def _of_mean(single: float, k: int) -> float:
    """The reliability of a mean of k from that of one (Spearman-Brown)."""
    return k * single / (1 + (k - 1) * single)
