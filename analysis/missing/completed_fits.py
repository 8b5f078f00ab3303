"""The model of `analysis.effects.linear_model`, fitted to every completed data set at once.

Completed data sets share arms and, as a rule, covariates, so that one
decomposition of the design serves them all. The numbers are those of
`fit_arm_model`, and so are the refusals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.effects.linear_model import ArmModel, fit_arm_model
from analysis.missing.rubin import Pooled, pool
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class CompletedDesign:
    """Arms and covariates of completed data sets.

    Args:
        arms: arm of each person, length n.
        covariates: name to shape [1, n], or [imputations, n] where missing ones were drawn.
    """

    arms: tuple[str, ...]
    covariates: Mapping[str, Floats]

    def fit(self, values: Floats) -> CompletedFits:
        """Fit every completed data set.

        Args:
            values: shape [imputations, n], without missing values.

        Raises:
            NotEstimable: as `fit_arm_model`.
        """
        if not values.shape[1]:
            raise NotEstimable("nobody has the outcome yet")
        first = self._fit_one(values, 0)
        if any(len(column) > 1 for column in self.covariates.values()):
            others = [self._fit_one(values, index) for index in range(1, len(values))]
            return _of_models([first, *others])
        return self._fit_together(values, first)

    def _fit_one(self, values: Floats, index: int) -> ArmModel:
        columns = {name: column[index % len(column)] for name, column in self.covariates.items()}
        return fit_arm_model(values[index], self.arms, columns)

    def _fit_together(self, values: Floats, first: ArmModel) -> CompletedFits:
        columns = [np.array([arm == one for arm in self.arms], dtype=float) for one in first.arms]
        columns += [self.covariates[name][0] - self.covariates[name][0].mean() for name in first.covariates]
        design = np.column_stack(columns)
        basis, triangle = np.linalg.qr(design)
        moves = np.linalg.solve(triangle, basis.T)
        coefficients = values @ moves.T
        spread = (values - coefficients @ design.T) / (1 - (basis**2).sum(axis=1))
        covariance = np.einsum("pn,mn,qn->mpq", moves, spread**2, moves, optimize=True)
        return CompletedFits(first.arms, first.left_out, first.df, coefficients, covariance)


@dataclass(frozen=True)
class CompletedFits:
    """A model fitted to each completed data set.

    Args:
        arms: in coefficient order.
        left_out: covariates without variation.
        df: residual degrees of freedom of one data set.
        coefficients: shape [imputations, p], arms first.
        covariance: shape [imputations, p, p].
    """

    arms: tuple[str, ...]
    left_out: tuple[str, ...]
    df: int
    coefficients: Floats
    covariance: Floats

    def mean_of(self, arm: str) -> Pooled:
        """The arm's estimated marginal mean, pooled.

        Raises:
            NotEstimable: nobody in the arm was analysed, or the outcome does not vary.
        """
        return self._pooled({arm: 1.0})

    def difference(self, arm: str, comparator: str) -> Pooled:
        """Adjusted mean of `arm` minus that of `comparator`, pooled.

        Raises:
            NotEstimable: nobody in one of the arms was analysed, or the outcome does not vary.
        """
        return self._pooled({arm: 1.0, comparator: -1.0})

    def _pooled(self, weights: Mapping[str, float]) -> Pooled:
        row = np.zeros(self.coefficients.shape[1])
        for arm, weight in weights.items():
            if arm not in self.arms:
                raise NotEstimable(f"nobody in arm {arm} has the outcome")
            row[self.arms.index(arm)] = weight
        errors = np.sqrt(np.einsum("p,mpq,q->m", row, self.covariance, row))
        return pool(self.coefficients @ row, errors, self.df)


def _of_models(models: Sequence[ArmModel]) -> CompletedFits:
    first = models[0]
    return CompletedFits(
        first.arms,
        first.left_out,
        first.df,
        np.array([model.coefficients for model in models]),
        np.array([model.covariance for model in models]),
    )
