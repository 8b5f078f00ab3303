"""Rows of one endpoint: a contrast's difference and an arm's mean, whatever model they are from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.effect_size import hedges_g
from analysis.effects.endpoint import ENDPOINTS
from analysis.effects.linear_model import Estimate
from analysis.result_row import PRIMARY_ESTIMAND, NotEstimable, ResultRow, not_estimated
from study.analysis_plan import Contrast, Model
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

DISTANCE_NOTE = "also moved by spread"


class ArmEstimates(Protocol):
    """A fitted model that knows the adjusted means of arms."""

    def mean_of(self, arm: str) -> Estimate:
        """The arm's adjusted mean; raises NotEstimable."""

    def difference(self, arm: str, comparator: str) -> Estimate:
        """Adjusted mean of `arm` minus that of `comparator`; raises NotEstimable."""


def method_of(protocol: StudyProtocol) -> str:
    """The pre-specified model in one sentence."""
    match protocol.analysis.model:
        case Model.MMRM:
            return (
                "Mixed model of repeated measures by REML: arm at each session, adjusted at each session for "
                f"{covariate_words(protocol)}; unstructured covariance, Satterthwaite degrees of freedom; "
                "all sessions that were reported, analysed as allocated"
            )
        case Model.RANDOM_EFFECTS:
            slope = " and slope over sessions" if protocol.session_count > 2 else ""
            return (
                "Linear mixed model by REML: arm at each session, adjusted at each session for "
                f"{covariate_words(protocol)}; random intercept{slope} of each person, Satterthwaite degrees "
                "of freedom; all sessions that were reported, analysed as allocated"
            )
        case _:
            pass
    if protocol.design is Design.CROSSOVER:
        return (
            "Within-person linear model: arm, participant and period effects, adjusted for "
            f"{covariate_words(protocol)}; classical errors, t reference; complete cases"
        )
    return (
        f"ANCOVA adjusted for {covariate_words(protocol)}; HC3 errors, t reference; complete cases, "
        "analysed as allocated"
    )


def covariate_words(protocol: StudyProtocol) -> str:
    """What the model adjusts for, in words."""
    names = [n for n in protocol.analysis.covariates if n not in ("period", "sequence")]
    if protocol.design is Design.CROSSOVER:
        names = [n for n in names if n.startswith("pre_")]
    return ", ".join(name.replace("_", " ") for name in names) or "nothing else"


def label_of(contrast: Contrast) -> str:
    """A contrast in the arms' names, first minus second."""
    first, second = (arm_name(arm_id) for arm_id in contrast.arm_ids)
    return f"{first} − {second}"


def estimand_of(protocol: StudyProtocol, endpoint: str) -> str | None:
    """Which estimand this endpoint's contrasts speak of; None where the protocol defines none."""
    return PRIMARY_ESTIMAND if endpoint == protocol.analysis.endpoint else None


def contrast_row(
    endpoint: str,
    contrast: Contrast,
    label: str,
    fit: ArmEstimates | NotEstimable,
    by_arm: Mapping[str, Floats],
    n: int,
    method: str,
    crossover: bool,
    estimand: str | None,
) -> ResultRow:
    """The difference of two arms with its standardised form, or why there is none.

    Args:
        by_arm: raw outcomes of each arm, shape [n].
        n: people the estimate rests on.
    """
    first, second = (by_arm[arm] for arm in contrast.arm_ids)
    extra: dict[str, Any] = {
        "endpoint": endpoint,
        "endpoint_label": ENDPOINTS[endpoint],
        "contrast_id": contrast.contrast_id,
        "arms": list(contrast.arm_ids),
        "is_primary": contrast.is_primary,
        "n_by_arm": [len(first), len(second)],
        "note": DISTANCE_NOTE if endpoint == "distance" else None,
        **_standardised(first, second, crossover),
    }
    row_id = f"{endpoint}:{contrast.contrast_id}"
    return difference_row(row_id, label, contrast, fit, n, method, extra, estimand)


def difference_row(
    row_id: str,
    label: str,
    contrast: Contrast,
    fit: ArmEstimates | NotEstimable,
    n: int,
    method: str,
    extra: Mapping[str, Any],
    estimand: str | None,
) -> ResultRow:
    """A model's difference of a contrast's arms, or why there is none.

    Args:
        n: people the estimate rests on.
        extra: joined by the difference's `se` and `df` where there is one.
    """
    try:
        if isinstance(fit, NotEstimable):
            raise fit
        found = fit.difference(*contrast.arm_ids)
    except NotEstimable as problem:
        return not_estimated(row_id, label, n, method, str(problem), extra, estimand=estimand)
    return ResultRow(
        row_id,
        label,
        found.value,
        found.ci_low,
        found.ci_high,
        found.p_value,
        n,
        method,
        None,
        {**extra, "se": found.se, "df": found.df},
        estimand=estimand,
    )


def _standardised(first: Floats, second: Floats, crossover: bool) -> dict[str, Any]:
    names = ("hedges_g", "hedges_g_ci_low", "hedges_g_ci_high", "hedges_g_reason")
    try:
        if crossover:
            raise NotEstimable("arms are not independent groups in a crossover")
        found = hedges_g(first, second)
    except NotEstimable as problem:
        return dict(zip(names, (None, None, None, str(problem)), strict=True))
    return dict(zip(names, (found.g, found.ci_low, found.ci_high, None), strict=True))


def arm_row(
    arm_id: str, label: str, fit: ArmEstimates | NotEstimable, values: Floats, method: str
) -> ResultRow:
    """The adjusted mean of one arm with its raw mean and SD.

    Args:
        values: the arm's raw outcomes, shape [n].
    """
    extra = {
        "arm": arm_id,
        "raw_mean": float(values.mean()) if len(values) else None,
        "raw_sd": float(values.std(ddof=1)) if len(values) > 1 else None,
    }
    try:
        if isinstance(fit, NotEstimable):
            raise fit
        found = fit.mean_of(arm_id)
    except NotEstimable as problem:
        return not_estimated(arm_id, label, len(values), method, str(problem), extra)
    extra["se"] = found.se
    # A mean is not tested against zero: that would be a test within one arm.
    return ResultRow(
        arm_id, label, found.value, found.ci_low, found.ci_high, None, len(values), method, None, extra
    )
