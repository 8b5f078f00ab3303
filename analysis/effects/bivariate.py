"""Both axes at once: all arms by MANCOVA, each contrast by Hotelling's T², adjusted for covariates.

In a crossover the model has a coefficient for each person and period, so that it compares arms
within persons; with two periods that is Hotelling's T² on the period differences.

Sources: Johnson & Wichern (2007), Applied Multivariate Statistical Analysis, § 6.3, 6.4 and 7.7;
Hotelling (1931), Ann. Math. Stat. 2, 360-378; Wilks's lambda with its exact F for two axes: Rao
(1951), Bull. Int. Stat. Inst. 33, 177-180; Pillai (1955), Ann. Math. Stat. 26, 117-121.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.endpoint import Outcome
from analysis.effects.endpoint_rows import covariate_words, label_of
from analysis.effects.estimate import complete_cases, covariates_of
from analysis.result_row import PURE_NUMBER, NotEstimable, ResultRow, not_estimated
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

_ONE_LINE = 1e-12
"""Share of one axis's residual variation left unexplained by the other, below which they are one."""


@dataclass(frozen=True)
class BivariateTest:
    """T² and its exact F reference."""

    t_squared: float
    f_value: float
    df_numerator: int
    df_denominator: int
    p_value: float


@dataclass(frozen=True)
class ArmsTest:
    """All arms on both axes.

    Args:
        wilks: Wilks's lambda; `f_value`, its degrees of freedom and `p_value` are exact for two axes.
        pillai: Pillai's trace, with its F approximation (exact for two arms).
    """

    wilks: float
    f_value: float
    df_numerator: float
    df_denominator: float
    p_value: float
    pillai: float
    pillai_f: float
    pillai_df_numerator: float
    pillai_df_denominator: float
    pillai_p: float


@dataclass(frozen=True)
class _Fit:
    arms: list[str]
    inverse: Floats
    coefficients: Floats
    errors: Floats
    df: int
    nuisance: Floats


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
    _require_arms(arm, contrast)
    fit = _fitted(outcomes, arm, covariates)
    axes = outcomes.shape[1]
    row = np.zeros(len(fit.coefficients))
    row[fit.arms.index(contrast[0])], row[fit.arms.index(contrast[1])] = 1.0, -1.0
    difference = row @ fit.coefficients
    covariance = fit.errors / fit.df
    t_squared = float(difference @ np.linalg.solve(covariance, difference) / (row @ fit.inverse @ row))
    df_denominator = fit.df - axes + 1
    f_value = t_squared * df_denominator / (fit.df * axes)
    return BivariateTest(
        t_squared, f_value, axes, df_denominator, float(stats.f.sf(f_value, axes, df_denominator))
    )


def compare_all_arms(
    outcomes: Floats, arm: Sequence[str], covariates: Mapping[str, Floats], arms: Sequence[str]
) -> ArmsTest:
    """Test that all arms have the same adjusted mean on both axes.

    Args:
        outcomes: shape [n, 2], valence and arousal, without missing values.
        arm: arm of each row.
        covariates: name to shape [n].
        arms: those that are compared; two or more.

    Raises:
        NotEstimable: nobody in one of the arms, too few rows, or a singular design.
    """
    _require_arms(arm, arms)
    if len(arms) < 2:
        raise NotEstimable("the protocol has one arm alone: there is nothing to compare it with")
    fit = _fitted(outcomes, arm, covariates)
    kept, _, _, _ = np.linalg.lstsq(fit.nuisance, outcomes, rcond=None)
    left = outcomes - fit.nuisance @ kept
    total = left.T @ left
    hypothesis, q = len(fit.arms) - 1, outcomes.shape[1]
    wilks = float(np.linalg.det(fit.errors) / np.linalg.det(total))
    root = wilks if hypothesis == 1 else math.sqrt(wilks)
    times = 1 if hypothesis == 1 else 2
    df_numerator = q if hypothesis == 1 else times * hypothesis
    df_denominator = times * (fit.df - 1)
    f_value = (1 - root) / root * df_denominator / df_numerator
    pillai = float(np.trace(np.linalg.solve(total, total - fit.errors)))
    s = min(q, hypothesis)
    pillai_numerator = s * max(q, hypothesis)
    pillai_denominator = s * (fit.df - q + s)
    pillai_f = pillai / (s - pillai) * pillai_denominator / pillai_numerator
    return ArmsTest(
        wilks,
        f_value,
        df_numerator,
        df_denominator,
        float(stats.f.sf(f_value, df_numerator, df_denominator)),
        pillai,
        pillai_f,
        pillai_numerator,
        pillai_denominator,
        float(stats.f.sf(pillai_f, pillai_numerator, pillai_denominator)),
    )


def estimate_both_axes(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> tuple[ResultRow, ...]:
    """Post valence and arousal together: one row per contrast, and one for all arms."""
    where = " within persons" if protocol.design is Design.CROSSOVER else ""
    adjusted = f"on post valence and arousal{where}, adjusted for {covariate_words(protocol)}"
    complete, _ = complete_cases(protocol, outcomes, "valence")
    points = np.array([(o.values["valence"], o.values["arousal"]) for o in complete], dtype=float)
    arms = [outcome.arm for outcome in complete]
    covariates = covariates_of(protocol, complete) if complete else {}
    n = len({outcome.participant_id for outcome in complete})
    rows = []
    for contrast in protocol.analysis.contrasts:
        row_id, label = f"both_axes:{contrast.contrast_id}", label_of(contrast)
        method = f"Hotelling's T² {adjusted}"
        named = {"contrast_id": contrast.contrast_id, "arms": list(contrast.arm_ids)}
        try:
            _require_people(points)
            test = hotelling_contrast(points, arms, covariates, contrast.arm_ids)
        except NotEstimable as problem:
            rows.append(not_estimated(row_id, label, n, method, str(problem), named, PURE_NUMBER))
            continue
        extra = named | {
            "t_squared": test.t_squared,
            "f_value": test.f_value,
            "df": [test.df_numerator, test.df_denominator],
        }
        rows.append(
            ResultRow(row_id, label, None, None, None, test.p_value, n, method, None, extra, PURE_NUMBER)
        )
    return (*rows, _all_arms_row(protocol, points, arms, covariates, n, adjusted))


def _all_arms_row(
    protocol: StudyProtocol,
    points: Floats,
    arms: Sequence[str],
    covariates: Mapping[str, Floats],
    n: int,
    adjusted: str,
) -> ResultRow:
    row_id, label = "both_axes:all_arms", "All arms"
    method = f"MANCOVA: Wilks's lambda with its exact F, and Pillai's trace, {adjusted}"
    ids = [arm.arm_id for arm in protocol.arms]
    try:
        _require_people(points)
        test = compare_all_arms(points, arms, covariates, ids)
    except NotEstimable as problem:
        return not_estimated(row_id, label, n, method, str(problem), {"arms": ids}, PURE_NUMBER)
    extra = {
        "arms": ids,
        "wilks": test.wilks,
        "f_value": test.f_value,
        "df": [test.df_numerator, test.df_denominator],
        "pillai": test.pillai,
        "pillai_f": test.pillai_f,
        "pillai_df": [test.pillai_df_numerator, test.pillai_df_denominator],
        "pillai_p": test.pillai_p,
    }
    return ResultRow(row_id, label, None, None, None, test.p_value, n, method, None, extra, PURE_NUMBER)


def _fitted(outcomes: Floats, arm: Sequence[str], covariates: Mapping[str, Floats]) -> _Fit:
    arms = list(dict.fromkeys(arm))
    centred = [values - values.mean() for values in covariates.values()]
    kept = [values for values in centred if np.abs(values).max(initial=0.0) > 1e-10]
    design = np.column_stack([*(np.array([a == one for a in arm], dtype=float) for one in arms), *kept])
    n, p = design.shape
    df = n - p
    if df < outcomes.shape[1]:
        raise NotEstimable(f"{n} outcomes for {p} coefficients: too few to test both axes")
    if int(np.linalg.matrix_rank(design)) < p:
        raise NotEstimable("covariates repeat each other or the arms in this sample (singular design)")
    inverse = np.linalg.inv(design.T @ design)
    coefficients = inverse @ design.T @ outcomes
    residuals = outcomes - design @ coefficients
    errors = residuals.T @ residuals
    if not _varies_on_both(errors, outcomes):
        raise NotEstimable("valence and arousal do not vary apart from each other")
    return _Fit(arms, inverse, coefficients, errors, df, np.column_stack([np.ones(n), *kept]))


def _varies_on_both(errors: Floats, outcomes: Floats) -> bool:
    scale = float((outcomes**2).sum()) or 1.0
    if float(np.diag(errors).min()) <= 1e-20 * scale:
        return False
    return float(np.linalg.det(errors)) > _ONE_LINE * float(np.prod(np.diag(errors)))


def _require_people(points: Floats) -> None:
    if not len(points):
        raise NotEstimable("nobody has the outcome yet")


def _require_arms(arm: Sequence[str], wanted: Sequence[str]) -> None:
    absent = [name for name in wanted if name not in arm]
    if absent:
        raise NotEstimable(f"nobody in arm {absent[0]} has the outcome")
