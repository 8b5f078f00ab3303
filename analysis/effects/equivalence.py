"""Equivalence and non-inferiority: is a difference small enough not to matter?

Two one-sided tests (Schuirmann, 1987, J. Pharmacokinet. Biopharm. 15, 657-680; Lakens, 2017,
Soc. Psychol. Pers. Sci. 8, 355-362). Each at level alpha, which is the same as asking whether
the 1 − 2 alpha interval lies within the margins. Non-inferiority is one of the two, on the
side where the first arm would be worse, at alpha / 2 (ICH E9, 5.3; E10, 1.5.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.estimate import Effects
from analysis.result_row import NotEstimable, ResultRow, not_estimated
from study.analysis_plan import Aim, Contrast
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]
Variances = Literal["welch", "pooled"]


@dataclass(frozen=True)
class MarginTest:
    """A difference held against its margins.

    Args:
        difference, se: in the outcome's unit; df: of the t reference, infinite for the normal.
        ci_low, ci_high, ci_level: the interval that goes with the decision.
        t_lower, p_lower: against the hypothesis that the difference is at or below the lower margin;
            None where that side is not tested.
        t_upper, p_upper: against the hypothesis that it is at or above the upper margin.
        p_value: the larger of those tested.
        is_shown: whether `p_value` is at most its level.
    """

    difference: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    ci_level: float
    t_lower: float | None
    p_lower: float | None
    t_upper: float | None
    p_upper: float | None
    p_value: float
    is_shown: bool


@dataclass(frozen=True)
class Summary:
    """A group as publications give it: mean, standard deviation (n − 1) and size."""

    mean: float
    sd: float
    n: int


def equivalence_test(difference: float, se: float, df: float, margin: float, alpha: float) -> MarginTest:
    """Two one-sided tests of a difference against ±margin.

    Args:
        df: of the t reference; infinite for the normal.
        margin: above 0, in the outcome's unit.
        alpha: of each of the two; the interval's level is 1 − 2 alpha.

    Raises:
        NotEstimable: the standard error is not above 0.
    """
    return _against(difference, se, df, margin, margin, alpha)


def non_inferiority_test(
    difference: float, se: float, df: float, margin: float, higher_is_better: bool, alpha: float
) -> MarginTest:
    """One one-sided test: is the first arm worse by less than the margin?

    Args:
        alpha: two-sided; the test is at alpha / 2 and the interval's level 1 − alpha.

    Raises:
        NotEstimable: the standard error is not above 0.
    """
    below, above = (margin, None) if higher_is_better else (None, margin)
    return _against(difference, se, df, below, above, alpha / 2)


def equivalence_of_samples(
    first: Floats, second: Floats, margin: float, alpha: float, variances: Variances = "welch"
) -> MarginTest:
    """Two one-sided tests on the outcomes of two independent groups.

    Args:
        first, second: shape [n]; the difference is first minus second.

    Raises:
        NotEstimable: a group of fewer than 2, or no variation.
    """
    if min(len(first), len(second)) < 2:
        raise NotEstimable("equivalence needs 2 or more in each arm")
    one, other = (
        Summary(float(group.mean()), float(group.std(ddof=1)), len(group)) for group in (first, second)
    )
    return equivalence_of_summaries(one, other, margin, alpha, variances)


def equivalence_of_summaries(
    first: Summary, second: Summary, margin: float, alpha: float, variances: Variances = "welch"
) -> MarginTest:
    """Two one-sided tests on means, standard deviations and sizes of two independent groups.

    Raises:
        NotEstimable: a group of fewer than 2, or no variation.
    """
    if min(first.n, second.n) < 2:
        raise NotEstimable("equivalence needs 2 or more in each arm")
    if not max(first.sd, second.sd) > 0:
        raise NotEstimable("the outcome does not vary within arms")
    difference = first.mean - second.mean
    if variances == "pooled":
        df = float(first.n + second.n - 2)
        pooled = ((first.n - 1) * first.sd**2 + (second.n - 1) * second.sd**2) / df
        return equivalence_test(
            difference, math.sqrt(pooled * (1 / first.n + 1 / second.n)), df, margin, alpha
        )
    parts = [group.sd**2 / group.n for group in (first, second)]
    df = sum(parts) ** 2 / sum(
        part**2 / (group.n - 1) for part, group in zip(parts, (first, second), strict=True)
    )
    return equivalence_test(difference, math.sqrt(sum(parts)), df, margin, alpha)


def equivalence_rows(
    protocol: StudyProtocol, primary: Effects, nominal_alpha: float | None = None
) -> tuple[ResultRow, ...]:
    """One row for each contrast that aims at equivalence or non-inferiority.

    Args:
        primary: effects on the protocol's endpoint; its estimate, standard error and degrees of
            freedom are tested as the model gave them.
        nominal_alpha: two-sided level left for this analysis where there were earlier looks;
            None means all of the protocol's.
    """
    level = protocol.analysis.alpha if nominal_alpha is None else nominal_alpha
    found = {row.extra["contrast_id"]: row for row in primary.contrasts}
    return tuple(
        _row(protocol, contrast, found[contrast.contrast_id], level)
        for contrast in protocol.analysis.contrasts
        if contrast.aim is not Aim.SUPERIORITY and contrast.contrast_id in found
    )


def _row(protocol: StudyProtocol, contrast: Contrast, row: ResultRow, alpha: float) -> ResultRow:
    margin = contrast.margin or 0.0
    is_equivalence = contrast.aim is Aim.EQUIVALENCE
    test = "two one-sided tests" if is_equivalence else f"one one-sided test at {alpha / 2:.4g}"
    aim = contrast.aim.replace("_", "-").capitalize()
    method = f"{aim}, margin {margin:g}: {test} on the contrast of: {row.method}"
    row_id = f"equivalence:{contrast.contrast_id}"
    extra: dict[str, Any] = {
        "contrast_id": contrast.contrast_id,
        "arms": list(contrast.arm_ids),
        "is_primary": contrast.is_primary,
        "aim": str(contrast.aim),
        "margin": margin,
        "ci_level": 1 - 2 * alpha if is_equivalence else 1 - alpha,
        "p_lower": None,
        "p_upper": None,
        "concluded": None,
    }
    try:
        found = _test_of(protocol, contrast, row, margin, alpha)
    except NotEstimable as problem:
        return not_estimated(
            row_id, row.label, row.n, method, str(problem), extra, unit=row.unit, estimand=row.estimand
        )
    extra |= {"p_lower": found.p_lower, "p_upper": found.p_upper, "concluded": found.is_shown}
    return ResultRow(
        row_id,
        row.label,
        found.difference,
        found.ci_low,
        found.ci_high,
        found.p_value,
        row.n,
        method,
        None,
        extra,
        row.unit,
        row.estimand,
    )


def _test_of(
    protocol: StudyProtocol, contrast: Contrast, row: ResultRow, margin: float, alpha: float
) -> MarginTest:
    se, df = row.extra.get("se"), row.extra.get("df")
    if row.estimate is None:
        raise NotEstimable(row.reason or "the contrast could not be estimated")
    if se is None:
        raise NotEstimable("the model gives no standard error")
    if not margin > 0:
        raise NotEstimable("the protocol gives no margin")
    reference = math.inf if df is None else float(df)
    if contrast.aim is Aim.EQUIVALENCE:
        return equivalence_test(row.estimate, float(se), reference, margin, alpha)
    better = protocol.analysis.higher_is_better
    if better is None:
        raise NotEstimable("the protocol does not say which way is better")
    return non_inferiority_test(row.estimate, float(se), reference, margin, better, alpha)


def _against(
    difference: float, se: float, df: float, below: float | None, above: float | None, alpha: float
) -> MarginTest:
    if not se > 0:
        raise NotEstimable("the outcome does not vary within arms, so no interval can be given")
    reference = stats.norm() if math.isinf(df) else stats.t(df)
    t_lower = None if below is None else (difference + below) / se
    t_upper = None if above is None else (difference - above) / se
    p_lower = None if t_lower is None else float(reference.sf(t_lower))
    p_upper = None if t_upper is None else float(reference.cdf(t_upper))
    p_value = max(p for p in (p_lower, p_upper) if p is not None)
    half = float(reference.isf(alpha)) * se
    return MarginTest(
        difference,
        se,
        df,
        difference - half,
        difference + half,
        1 - 2 * alpha,
        t_lower,
        p_lower,
        t_upper,
        p_upper,
        p_value,
        p_value <= alpha,
    )
