"""A curve through simulated powers: probit(power) = a + b √n.

For a test of a mean it is straight but for the t distribution's tails, so that a
handful of numbers of people tell where a wanted power is reached.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from analysis.planning.power import PowerPoint

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """probit(power) = intercept + slope √people, fitted.

    Args:
        covariance: of the two, shape [2, 2].
    """

    intercept: float
    slope: float
    covariance: Floats

    def power(self, people: float) -> float:
        """The fitted power."""
        return float(stats.norm.cdf(self.intercept + self.slope * math.sqrt(people)))

    def people(self, power: float) -> float | None:
        """Where the curve has this power; None where it never rises to it."""
        root = (float(stats.norm.ppf(power)) - self.intercept) / self.slope if self.slope > 0 else math.inf
        return root**2 if 0 < root < math.inf else None

    def people_error(self, power: float) -> float | None:
        """Standard error of `people` by Monte Carlo (delta method)."""
        people = self.people(power)
        if people is None:
            return None
        root = math.sqrt(people)
        gradient = np.array([-2 * root / self.slope, -2 * people / self.slope])
        return float(math.sqrt(gradient @ self.covariance @ gradient))


def fit_curve(points: Sequence[PowerPoint]) -> Curve | None:
    """The probit curve of power on √people by maximum likelihood; None where power does not rise."""
    roots = np.sqrt([point.people for point in points])
    counts = np.array([point.replicates for point in points], dtype=float)
    shown = np.array([point.power for point in points]) * counts
    if len(points) < 2 or np.ptp(shown / counts) <= 0:
        return None
    design = np.column_stack([np.ones_like(roots), roots])

    def deviance(beta: Floats) -> float:
        eta = design @ beta
        return -float(shown @ stats.norm.logcdf(eta) + (counts - shown) @ stats.norm.logsf(eta))

    # Half a study more on each side keeps the start finite where all or none showed it.
    begin = np.linalg.lstsq(design, stats.norm.ppf((shown + 0.5) / (counts + 1)), rcond=None)[0]
    found = optimize.minimize(
        deviance,
        np.asarray(begin, dtype=float),
        method="Nelder-Mead",
        options={"xatol": 1e-8, "fatol": 1e-8, "maxiter": 4000},
    )
    beta = np.asarray(found.x, dtype=float)
    if beta[1] <= 0:
        return None
    eta = design @ beta
    chance = np.clip(stats.norm.cdf(eta), 1e-9, 1 - 1e-9)
    weight = counts * stats.norm.pdf(eta) ** 2 / (chance * (1 - chance))
    return Curve(float(beta[0]), float(beta[1]), np.linalg.inv(design.T @ (weight[:, None] * design)))
