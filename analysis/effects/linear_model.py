"""A linear model of an outcome on arm and covariates, and what is read from it.

Each arm has its own coefficient and every covariate is centred, so an arm's
coefficient is its estimated marginal mean: the mean the arm would have at the
analysed sample's mean of every covariate, stratification factors in their
observed proportions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.result_row import CI_LEVEL, NotEstimable

Floats = NDArray[np.float64]
Errors = Literal["HC3", "classical"]

_NEGLIGIBLE = 1e-10


@dataclass(frozen=True)
class Estimate:
    """A linear combination of coefficients.

    Args:
        value, se: in the outcome's unit.
        ci_low, ci_high: 95 %, t reference.
        p_value: two-sided, against 0.
        df: residual degrees of freedom.
    """

    value: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    df: float


@dataclass(frozen=True)
class ArmModel:
    """A fitted model; see `fit_arm_model`.

    Args:
        arms: in coefficient order.
        covariates: names of the covariate columns in the model.
        left_out: covariates without variation in this sample, which were left out.
        n, df: observations and residual degrees of freedom.
        r_squared: about the mean.
        f_value: of the whole model against the mean, classical.
        coefficients, covariance: arms first, then covariates.
        fitted, residuals, leverage: of each observation, shape [n]; leverage from 0 to 1.
    """

    arms: tuple[str, ...]
    covariates: tuple[str, ...]
    left_out: tuple[str, ...]
    n: int
    df: int
    r_squared: float
    f_value: float
    coefficients: Floats
    covariance: Floats
    fitted: Floats
    residuals: Floats
    leverage: Floats

    def mean_of(self, arm: str) -> Estimate:
        """The arm's estimated marginal mean.

        Raises:
            NotEstimable: nobody in the arm was analysed.
        """
        return self._combination({arm: 1.0})

    def difference(self, arm: str, comparator: str) -> Estimate:
        """Adjusted mean of `arm` minus that of `comparator`.

        Raises:
            NotEstimable: nobody in one of the arms was analysed.
        """
        return self._combination({arm: 1.0, comparator: -1.0})

    def slope_of(self, covariate: str) -> Estimate:
        """The coefficient of a covariate column.

        Raises:
            NotEstimable: it is not in the model.
        """
        if covariate not in self.covariates:
            raise NotEstimable(f"{covariate} does not vary in this sample")
        row = np.zeros(len(self.coefficients))
        row[len(self.arms) + self.covariates.index(covariate)] = 1.0
        return self._estimate(row)

    def _combination(self, weights: Mapping[str, float]) -> Estimate:
        row = np.zeros(len(self.coefficients))
        for arm, weight in weights.items():
            if arm not in self.arms:
                raise NotEstimable(f"nobody in arm {arm} has the outcome")
            row[self.arms.index(arm)] = weight
        return self._estimate(row)

    def _estimate(self, row: Floats) -> Estimate:
        value = float(row @ self.coefficients)
        se = float(np.sqrt(row @ self.covariance @ row))
        if not se > _NEGLIGIBLE:
            raise NotEstimable("the outcome does not vary within arms, so no interval can be given")
        half = float(stats.t.ppf(0.5 + CI_LEVEL / 2, self.df)) * se
        p_value = 2 * float(stats.t.sf(abs(value / se), self.df))
        return Estimate(value, se, value - half, value + half, p_value, self.df)


def fit_arm_model(
    outcome: Floats,
    arm: Sequence[str],
    covariates: Mapping[str, Floats],
    errors: Errors = "HC3",
) -> ArmModel:
    """Least squares of outcome on arm and covariates.

    Args:
        outcome: shape [n], without missing values.
        arm: arm of each observation.
        covariates: name to shape [n]; a factor comes as its indicator columns.
        errors: HC3 (MacKinnon & White 1985, J. Econometrics 29, 305-325) or
            classical; both with the t distribution on n − p degrees of freedom.

    Raises:
        NotEstimable: too few observations, a covariate that repeats others,
            or an observation that alone decides a coefficient.
    """
    if not len(outcome):
        raise NotEstimable("nobody has the outcome yet")
    arms = tuple(dict.fromkeys(arm))
    columns = [np.array([name == one for name in arm], dtype=float) for one in arms]
    kept, left_out = [], []
    for name, values in covariates.items():
        centred = values - values.mean()
        if np.abs(centred).max(initial=0.0) <= _NEGLIGIBLE:
            left_out.append(name)
        else:
            kept.append(name)
            columns.append(centred)
    n, p = len(outcome), len(columns)
    if n - p < 1:
        raise NotEstimable(f"{n} outcome(s) for {p} coefficients: too few to estimate")
    design = np.column_stack(columns)
    if int(np.linalg.matrix_rank(design)) < p:
        raise NotEstimable("covariates repeat each other or the arms in this sample (singular design)")
    basis, triangle = np.linalg.qr(design)
    leverage = np.asarray((basis**2).sum(axis=1), dtype=float)
    if errors == "HC3" and float(leverage.max()) > 1 - 1e-8:
        raise NotEstimable(
            "one participant alone decides a coefficient (an arm or stratum of one), "
            "so robust errors cannot be given"
        )
    coefficients = np.linalg.solve(triangle, basis.T @ outcome)
    fitted = design @ coefficients
    residuals = outcome - fitted
    unexplained = float(residuals @ residuals)
    explained = float(((outcome - outcome.mean()) ** 2).sum()) - unexplained
    # (X'X)⁻¹X' = R⁻¹Q': an observation's residual times its column moves the coefficients.
    moves = np.linalg.solve(triangle, basis.T)
    spread = residuals / (1 - leverage) if errors == "HC3" else np.sqrt(unexplained / (n - p))
    covariance = (moves * spread) @ (moves * spread).T
    return ArmModel(
        arms,
        tuple(kept),
        tuple(left_out),
        n,
        n - p,
        explained / (explained + unexplained) if explained + unexplained > 0 else float("nan"),
        (explained / (p - 1)) / (unexplained / (n - p)) if p > 1 and unexplained > 0 else float("nan"),
        coefficients,
        covariance,
        fitted,
        residuals,
        leverage,
    )


def indicator_columns(name: str, levels: Sequence[str | None]) -> dict[str, Floats]:
    """A factor's indicator columns, without that of its first level in sorted order."""
    seen = sorted({level or "" for level in levels})
    return {
        f"{name}={level}": np.array([(value or "") == level for value in levels], dtype=float)
        for level in seen[1:]
    }
