"""Both axes at once: Hotelling's T² for a contrast of two arms, adjusted for covariates.

Source: Johnson & Wichern (2007), Applied Multivariate Statistical Analysis, § 7.7;
Hotelling (1931), Ann. Math. Stat. 2, 360-378.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.endpoint import Outcome
from analysis.effects.estimate import complete_cases, covariate_words, covariates_of, label_of
from analysis.result_row import NotEstimable, ResultRow, not_estimated
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BivariateTest:
    """T² and its exact F reference."""

    t_squared: float
    f_value: float
    df_numerator: int
    df_denominator: int
    p_value: float


def hotelling_contrast(
    outcomes: Floats, arm: Sequence[str], covariates: Mapping[str, Floats], contrast: tuple[str, str]
) -> BivariateTest:
    """Test that two arms have the same adjusted mean on every axis.

    Args:
        outcomes: shape [n, 2], valence and arousal, without missing values.
        arm: arm of each row.
        covariates: name to shape [n].
        contrast: the two arms.

    Raises:
        NotEstimable: nobody in one of the arms, too few rows, or a singular design.
    """
    arms = list(dict.fromkeys(arm))
    absent = [name for name in contrast if name not in arms]
    if absent:
        raise NotEstimable(f"nobody in arm {absent[0]} has the outcome")
    centred = [values - values.mean() for values in covariates.values()]
    kept = [values for values in centred if np.abs(values).max(initial=0.0) > 1e-10]
    design = np.column_stack([*(np.array([a == one for a in arm], dtype=float) for one in arms), *kept])
    n, p = design.shape
    axes = outcomes.shape[1]
    df = n - p
    if df < axes:
        raise NotEstimable(f"{n} outcomes for {p} coefficients: too few to test both axes")
    if int(np.linalg.matrix_rank(design)) < p:
        raise NotEstimable("covariates repeat each other or the arms in this sample (singular design)")
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ outcomes
    residuals = outcomes - design @ coefficients
    covariance = residuals.T @ residuals / df
    if int(np.linalg.matrix_rank(covariance)) < axes:
        raise NotEstimable("valence and arousal do not vary apart from each other")
    row = np.zeros(p)
    row[arms.index(contrast[0])], row[arms.index(contrast[1])] = 1.0, -1.0
    difference = row @ coefficients
    t_squared = float(difference @ np.linalg.solve(covariance, difference) / (row @ inverse @ row))
    df_denominator = df - axes + 1
    f_value = t_squared * df_denominator / (df * axes)
    return BivariateTest(
        t_squared, f_value, axes, df_denominator, float(stats.f.sf(f_value, axes, df_denominator))
    )


def estimate_both_axes(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> tuple[ResultRow, ...]:
    """Hotelling's T² on post valence and arousal, one row per contrast; parallel designs only."""
    method = "Hotelling's T² on post valence and arousal, adjusted for " + covariate_words(protocol)
    complete, _ = complete_cases(protocol, outcomes, "valence")
    points = np.array([(o.values["valence"], o.values["arousal"]) for o in complete], dtype=float)
    rows = []
    for contrast in protocol.analysis.contrasts:
        row_id, label = f"both_axes:{contrast.contrast_id}", label_of(contrast)
        try:
            if protocol.design is Design.CROSSOVER:
                raise NotEstimable("given for parallel designs only")
            if not complete:
                raise NotEstimable("nobody has the outcome yet")
            test = hotelling_contrast(
                points, [o.arm for o in complete], covariates_of(protocol, complete), contrast.arm_ids
            )
        except NotEstimable as problem:
            rows.append(not_estimated(row_id, label, len(complete), method, str(problem)))
        else:
            extra = {
                "contrast_id": contrast.contrast_id,
                "t_squared": test.t_squared,
                "f_value": test.f_value,
                "df": [test.df_numerator, test.df_denominator],
            }
            rows.append(
                ResultRow(row_id, label, None, None, None, test.p_value, len(complete), method, None, extra)
            )
    return tuple(rows)
