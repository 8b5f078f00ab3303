"""The analysis of completed data sets, pooled into the rows of one analysis."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.endpoint import ENDPOINTS, Outcome
from analysis.effects.endpoint_rows import DISTANCE_NOTE, covariate_words, estimand_of, label_of
from analysis.effects.estimate import Effects, estimate_effects
from analysis.missing.completed_fits import CompletedFits
from analysis.missing.imputation import Imputed, impute
from analysis.missing.rubin import Pooled, pool
from analysis.result_row import NotEstimable, ResultRow, not_estimated
from study.analysis_plan import Contrast
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]


def estimate_imputed(protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str) -> Effects:
    """Adjusted means and differences over imputed data sets, pooled by Rubin's rules.

    Args:
        outcomes: of all allocated persons of a parallel design.
        endpoint: a key of `ENDPOINTS`.

    Returns:
        `missing` counts who is neither known nor drawn; `diagnostics` who was drawn, by reason,
        beside those of the model of known outcomes.
        Where no outcome is missing, what `estimate_effects` gives.

    Raises:
        UnknownName: the protocol lists a covariate there is no column for.
    """
    imputed = impute(protocol, outcomes, endpoint)
    if not imputed.is_drawn.any() and not imputed.refused:
        # Nothing to pool: every completed data set is the data.
        return estimate_effects(protocol, outcomes, endpoint)
    fits = fits_of(protocol, imputed)
    method = imputed_method(protocol)
    drawn = Counter(
        person.reason_without(endpoint)
        for person, is_drawn in zip(imputed.people, imputed.is_drawn, strict=True)
        if is_drawn
    )
    return Effects(
        endpoint,
        tuple(
            contrast_row(protocol, endpoint, contrast, imputed, fits, method)
            for contrast in protocol.analysis.contrasts
        ),
        tuple(_arm_row(arm.arm_id, imputed, fits, method) for arm in protocol.arms),
        imputed.left_out,
        fits.left_out if isinstance(fits, CompletedFits) else (),
        diagnostics={
            **estimate_effects(protocol, outcomes, endpoint).diagnostics,
            "imputed": dict(drawn),
            "imputations": len(imputed.values),
        },
        analysed=frozenset(person.participant_id for person in imputed.people),
    )


def fits_of(protocol: StudyProtocol, imputed: Imputed) -> CompletedFits | NotEstimable:
    """The protocol's model in every completed data set, or why it cannot be fitted."""
    try:
        return imputed.design(protocol).fit(imputed.values)
    except NotEstimable as problem:
        return problem


def imputed_method(protocol: StudyProtocol) -> str:
    """The model and how missing outcomes were drawn, in one sentence."""
    last = " of the last session" if protocol.session_count > 1 else ""
    return (
        f"ANCOVA{last} adjusted for {covariate_words(protocol)}; HC3 errors; "
        f"{protocol.analysis.missing.imputations} imputed data sets, missing at random given arm, report "
        "before listening and strata; pooled by Rubin's rules, t reference (Barnard & Rubin 1999)"
    )


def contrast_row(
    protocol: StudyProtocol,
    endpoint: str,
    contrast: Contrast,
    imputed: Imputed,
    fits: CompletedFits | NotEstimable,
    method: str,
) -> ResultRow:
    """A contrast of an endpoint, as `estimate_effects` gives it of complete cases."""
    first, second = (_in_arm(imputed, arm) for arm in contrast.arm_ids)
    extra: dict[str, Any] = {
        "endpoint": endpoint,
        "endpoint_label": ENDPOINTS[endpoint],
        "contrast_id": contrast.contrast_id,
        "arms": list(contrast.arm_ids),
        "is_primary": contrast.is_primary,
        "n_by_arm": [first.shape[1], second.shape[1]],
        "note": DISTANCE_NOTE if endpoint == "distance" else None,
        **_standardised(first, second),
    }
    return pooled_row(
        f"{endpoint}:{contrast.contrast_id}",
        contrast,
        imputed,
        fits,
        method,
        extra,
        estimand_of(protocol, endpoint),
    )


def pooled_row(
    row_id: str,
    contrast: Contrast,
    imputed: Imputed,
    fits: CompletedFits | NotEstimable,
    method: str,
    extra: Mapping[str, Any],
    estimand: str | None,
) -> ResultRow:
    """A contrast pooled over completed data sets, or why it is not estimated."""
    label = label_of(contrast)
    n = sum(person.arm in contrast.arm_ids for person in imputed.people)
    n_imputed = [
        sum(d for person, d in zip(imputed.people, imputed.is_drawn, strict=True) if person.arm == arm)
        for arm in contrast.arm_ids
    ]
    extra = {**extra, "n_imputed_by_arm": [int(count) for count in n_imputed]}
    try:
        found = difference_of(imputed, fits, contrast)
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
        {**extra, **_errors_of(found)},
        estimand=estimand,
    )


def difference_of(imputed: Imputed, fits: CompletedFits | NotEstimable, contrast: Contrast) -> Pooled:
    """The pooled difference of a contrast.

    Raises:
        NotEstimable: missing outcomes of one of the arms could not be drawn, or the model not be fitted.
    """
    imputed.check_arms(contrast.arm_ids)
    if isinstance(fits, NotEstimable):
        raise fits
    return fits.difference(*contrast.arm_ids)


def _errors_of(found: Pooled) -> dict[str, float | int]:
    return {
        "se": found.se,
        "df": found.df,
        "fraction_missing": found.fraction_missing,
        "relative_increase": found.relative_increase,
    }


def _in_arm(imputed: Imputed, arm: str) -> Floats:
    """Completed values of an arm, shape [imputations, n]."""
    return imputed.values[:, [person.arm == arm for person in imputed.people]]


def _standardised(first: Floats, second: Floats) -> dict[str, Any]:
    """Hedges' g of each completed data set, pooled with its large-sample variance.

    Source: Hedges & Olkin (1985), Statistical Methods for Meta-Analysis, chapter 5.
    """
    names = ("hedges_g", "hedges_g_ci_low", "hedges_g_ci_high", "hedges_g_reason")
    n_first, n_second = first.shape[1], second.shape[1]
    try:
        if min(n_first, n_second) < 2:
            raise NotEstimable("a standardised difference needs 2 or more in each arm")
        df = n_first + n_second - 2
        within = first.var(axis=1, ddof=1) * (n_first - 1) + second.var(axis=1, ddof=1) * (n_second - 1)
        if not float(within.min()) > 0:
            raise NotEstimable("the outcome does not vary within arms")
        g = (first.mean(axis=1) - second.mean(axis=1)) / np.sqrt(within / df) * (1 - 3 / (4 * df - 1))
        variance = (n_first + n_second) / (n_first * n_second) + g**2 / (2 * (n_first + n_second))
        found = pool(g, np.sqrt(variance), df)
    except NotEstimable as problem:
        return dict(zip(names, (None, None, None, str(problem)), strict=True))
    return dict(zip(names, (found.value, found.ci_low, found.ci_high, None), strict=True))


def _arm_row(arm_id: str, imputed: Imputed, fits: CompletedFits | NotEstimable, method: str) -> ResultRow:
    mine = np.array([person.arm == arm_id for person in imputed.people], dtype=bool)
    known = imputed.values[0, mine & ~imputed.is_drawn]
    extra: dict[str, Any] = {
        "arm": arm_id,
        "raw_mean": float(known.mean()) if len(known) else None,
        "raw_sd": float(known.std(ddof=1)) if len(known) > 1 else None,
        "n_imputed": int((mine & imputed.is_drawn).sum()),
    }
    label, n = arm_name(arm_id), int(mine.sum())
    try:
        imputed.check_arms([arm_id])
        if isinstance(fits, NotEstimable):
            raise fits
        found = fits.mean_of(arm_id)
    except NotEstimable as problem:
        return not_estimated(arm_id, label, n, method, str(problem), extra)
    # A mean is not tested against zero: that would be a test within one arm.
    return ResultRow(
        arm_id,
        label,
        found.value,
        found.ci_low,
        found.ci_high,
        None,
        n,
        method,
        None,
        {**extra, **_errors_of(found)},
    )
