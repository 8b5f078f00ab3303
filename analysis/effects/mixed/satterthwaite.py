"""Degrees of freedom of a contrast in a mixed model, and its interval.

The variance of a contrast is itself estimated; Satterthwaite's degrees of freedom are those of
the χ² with the same mean and variance, 2 v² / var(v), with var(v) by the delta method from the
observed information of the covariance parameters.

Sources: Satterthwaite (1946), Biometrics Bull. 2, 110-114; Giesbrecht & Burns (1985),
Biometrics 41, 477-486; Fai & Cornelius (1996), J. Stat. Comput. Simul. 54, 363-378.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.linear_model import Estimate
from analysis.effects.mixed.restricted_fit import RestrictedFit
from analysis.result_row import CI_LEVEL, NotEstimable

FLAT = 1e-7
"""Share of the greatest curvature below which a direction of the covariance is not identified."""


def estimate_combination(fit: RestrictedFit, weights: NDArray[np.float64]) -> Estimate:
    """A linear combination of coefficients with t reference on Satterthwaite's degrees of freedom.

    Args:
        weights: shape [p].

    Raises:
        NotEstimable: no variance, or degrees of freedom the sample does not determine.
    """
    value = float(weights @ fit.coefficients)
    variance = float(weights @ fit.covariance @ weights)
    if not variance > 0:
        raise NotEstimable("the outcome does not vary within arms, so no interval can be given")
    df = degrees_of_freedom(fit, weights)
    se = math.sqrt(variance)
    half = float(stats.t.ppf(0.5 + CI_LEVEL / 2, df)) * se
    p_value = 2 * float(stats.t.sf(abs(value / se), df))
    return Estimate(value, se, value - half, value + half, p_value, df)


def degrees_of_freedom(fit: RestrictedFit, weights: NDArray[np.float64]) -> float:
    """Satterthwaite's degrees of freedom of one contrast.

    A variance component at zero is a factor at zero, where the contrast's variance does not
    change with it: it takes no part, as if it were known.

    Args:
        weights: shape [p].

    Raises:
        NotEstimable: the sample says nothing of a covariance parameter that the contrast rests on.
    """
    variance = float(weights @ fit.covariance @ weights)
    gradient = np.einsum("p,fpt,t->f", weights, fit.covariance_gradient, weights)
    curvature, directions = np.linalg.eigh(fit.hessian)
    along = directions.T @ gradient / variance
    known = curvature > FLAT * float(np.abs(curvature).max())
    # What no data tell apart must not matter: 1e-4 of the variance itself for one residual SD.
    if bool((np.abs(along[~known]) > 1e-4).any()):
        raise NotEstimable("the sample does not determine the covariance well enough for degrees of freedom")
    relative = 2 * float((along[known] ** 2 / curvature[known]).sum())
    if not relative > 0:
        raise NotEstimable("the degrees of freedom cannot be had: no covariance parameter was estimated")
    return 2 / relative
