"""What tells whether a linear model fits. A description: no decision rests on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.linear_model import ArmModel

Floats = NDArray[np.float64]

MOST_POINTS = 2000
"""Of a picture of residuals; where there are more, as many evenly spaced ones are kept."""


def diagnostics_of(fit: ArmModel) -> dict[str, Any]:
    """What tells whether the linear model fits; a description, on which no decision rests.

    Returns:
        residuals: fitted and residual values, at most `MOST_POINTS` of them; largest_leverage and
        mean_leverage, from 0 to 1; shapiro_p: of the residuals, by Shapiro & Wilk (1965, Biometrika
        52, 591-611), or None where there are too few, too many or no spread.
    """
    n = len(fit.residuals)
    is_testable = 3 <= n <= 5000 and float(np.ptp(fit.residuals)) > 1e-10
    return {
        "residuals": residual_points(fit.fitted, fit.residuals),
        "largest_leverage": float(fit.leverage.max()),
        "mean_leverage": float(fit.leverage.mean()),
        "shapiro_p": float(stats.shapiro(fit.residuals).pvalue) if is_testable else None,
    }


def residual_points(fitted: Floats, residuals: Floats) -> dict[str, list[float]]:
    """Fitted values and residuals of a picture, at most `MOST_POINTS` of them."""
    n = len(residuals)
    kept = np.arange(n) if n <= MOST_POINTS else np.linspace(0, n - 1, MOST_POINTS).round().astype(int)
    return {
        "fitted": [float(value) for value in fitted[kept]],
        "residual": [float(value) for value in residuals[kept]],
    }
