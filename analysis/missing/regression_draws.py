"""Draws from the posterior of a multivariate normal regression, many at once.

The covariance given the data is inverse Wishart, and the coefficients given it
are normal about least squares (Schafer 1997, Analysis of Incomplete Multivariate
Data, section 5.2.2). Under the prior p(B, Σ) ∝ |Σ|^−d it has n − q + d − 1 degrees
of freedom, so that each column alone is drawn as in the regression of one
variable: its residual sum of squares over a χ² of n − q (Rubin 1987, p. 167).
Drawing both is what makes an imputation proper: people whose outcome is missing
are no better known than the regression is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]

SPARE = 4
"""Fewest outcomes beyond the number of coefficients: below, a draw has no finite variance."""


@dataclass(frozen=True)
class RegressionDraws:
    """Drawn coefficients and covariances.

    Args:
        coefficients: shape [draws, q, d].
        root: shape [draws, d, d]; root @ root.T is the drawn covariance of the residuals.
    """

    coefficients: Floats
    root: Floats

    def predict(self, design: Floats) -> Floats:
        """Means of rows, shape [draws, n, d].

        Args:
            design: shape [n, q] or [draws, n, q].
        """
        return np.asarray(design @ self.coefficients)

    def simulate(self, design: Floats, rng: np.random.Generator) -> Floats:
        """Values of rows with residuals, shape [draws, n, d]."""
        means = self.predict(design)
        noise = rng.standard_normal(means.shape)
        return np.asarray(means + noise @ np.swapaxes(self.root, -1, -2))


def draw_regressions(
    rng: np.random.Generator, design: Floats, values: Floats, draws: int, refusal: str
) -> RegressionDraws:
    """Draw regressions of `values` on `design` from their posterior.

    Args:
        design: shape [n, q], or [draws, n, q] where a part of it was itself drawn.
        values: shape [n, d].
        draws: how many.
        refusal: whose regression it is, as a refusal begins.

    Raises:
        NotEstimable: fewer than `SPARE` rows more than columns, or columns that repeat each other.
    """
    n, q = design.shape[-2:]
    if n - q < SPARE:
        raise NotEstimable(f"{refusal}: {n} outcome(s) for {q} coefficients are too few to impute from")
    # A design with a drawn part was checked before it was drawn: draws do not make columns equal.
    if design.ndim == 2 and int(np.linalg.matrix_rank(design)) < q:
        raise NotEstimable(f"{refusal}: covariates repeat each other there (singular design)")
    basis, triangle = np.linalg.qr(design)
    projected = np.swapaxes(basis, -1, -2) @ values
    fitted = np.linalg.solve(triangle, projected)
    residuals = values - basis @ projected
    df = n - q + values.shape[-1] - 1
    root = _draw_root(rng, np.swapaxes(residuals, -1, -2) @ residuals, df, draws)
    noise = rng.standard_normal((draws, q, values.shape[-1])) @ np.swapaxes(root, -1, -2)
    return RegressionDraws(fitted + np.linalg.solve(np.broadcast_to(triangle, (draws, q, q)), noise), root)


def _draw_root(rng: np.random.Generator, scatter: Floats, df: int, draws: int) -> Floats:
    """Roots of inverse-Wishart draws, by Bartlett's decomposition; of zeros where nothing varies."""
    d = scatter.shape[-1]
    sizes, directions = np.linalg.eigh(scatter)
    half = directions * np.sqrt(np.maximum(sizes, 0.0))[..., None, :]
    bartlett = np.tril(rng.standard_normal((draws, d, d)), -1)
    index = np.arange(d)
    bartlett[:, index, index] = np.sqrt(rng.chisquare(df - index, size=(draws, d)))
    return np.asarray(half @ np.swapaxes(np.linalg.inv(bartlett), -1, -2))
