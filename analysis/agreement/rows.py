"""Agreement of one comparison as rows, each axis apart.

Correlation alone is not agreement, so concordance, bias, limits, error and calibration are given
together, with the unit that was resampled in every row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from analysis.agreement.clip_permutation import PERMUTATIONS, clip_permutation
from analysis.agreement.concordance import concordance, limits_of_agreement
from analysis.agreement.intraclass import intraclass
from analysis.agreement.pair_sets import AXES, GENERATED, PairSet
from analysis.agreement.pair_statistics import STATISTICS, Bootstrapped, Pairs, bootstrap_pairs
from analysis.agreement.repeated_correlation import repeated_correlation
from analysis.agreement.repeated_limits import recovered_limits_of_agreement
from analysis.agreement.resampling import PARTICIPANT, REPLICATES, Resampling
from analysis.agreement.trajectories import FEWEST_REPORTS, Trajectories
from analysis.result_row import CIRCUMPLEX_UNIT, PURE_NUMBER, NotEstimable, ResultRow, not_estimated
from study.protocol import StudyProtocol

FEWEST_PAIRS = 3
FEW_CLIPS = 20
"""Below this many shared clips the interval excludes a true value 8 to 10 times in a hundred."""

LABELS: Mapping[str, str] = {
    "ccc": "Concordance (CCC)",
    "ccc_repeated": "Concordance, repeated measures (people compared at each occasion)",
    "icc_a1": "Intraclass correlation ICC(A,1)",
    "icc_ak": "Intraclass correlation ICC(A,k), mean of both",
    "bias": "Bias",
    "limit_low": "Lower limit of agreement",
    "limit_high": "Upper limit of agreement",
    "mae": "Mean absolute error",
    "slope": "Calibration slope",
    "intercept": "Calibration intercept",
    "within_r": "Within-person correlation, raw (confounded by a shared trend)",
    "within_r_detrended": "Within-person correlation, detrended",
}
IN_CIRCUMPLEX_UNITS = frozenset({"bias", "limit_low", "limit_high", "mae", "intercept"})

_VARIES = "one of the two measurements does not vary"


Found = Mapping[str, Mapping[str, Bootstrapped]]
"""Axis to statistic to estimate; empty for a set of too few pairs."""


def estimate_set(protocol: StudyProtocol, pair_set: PairSet) -> Found:
    """Every bootstrapped statistic of a set, both axes."""
    if len(pair_set.frame) < FEWEST_PAIRS:
        return {}
    return {
        axis: bootstrap_pairs(pair_set.pairs(axis), f"{protocol.sha256}/{pair_set.set_id}:{axis}")
        for axis in AXES
    }


def agreement_rows(protocol: StudyProtocol, pair_set: PairSet, found: Found) -> Iterator[ResultRow]:
    """Every statistic of a set, per axis; both axes have the same statistics.

    Intervals are percentile bootstraps over the design's unit, except where `method` says
    otherwise. `analytic_ci` is the published interval beside it, where what it assumes holds: one pair
    per person with sound of their own (CCC, ICC, bias, limits), or several pairs per person with sound
    of their own (bias, limits: MOVER).

    Args:
        found: as `estimate_set` made it.
    """
    design, n = pair_set.design, len(pair_set.frame)
    for axis in AXES:
        extra = row_extra(pair_set, axis)
        row_id = f"{pair_set.set_id}:{axis}"
        method = method_of(design)
        if axis not in found:
            reason = f"{n} pair(s): agreement needs {FEWEST_PAIRS} or more"
            more = {**extra, "statistic": "ccc"}
            yield not_estimated(f"{row_id}:ccc", LABELS["ccc"], n, method, reason, more, PURE_NUMBER)
            continue
        pairs = pair_set.pairs(axis)
        analytic = _analytic(pairs)
        for statistic, label in LABELS.items():
            if statistic in found[axis]:
                more = {**extra, "statistic": statistic, "source": STATISTICS[statistic]}
                more["analytic_ci"] = analytic.get(statistic)
                count, why = _resting_on(statistic, pairs)
                yield estimated(
                    f"{row_id}:{statistic}", label, found[axis][statistic], count, method, design, more, why
                )
        if pairs.trajectories is not None:
            yield _repeated_correlation_row(pairs.trajectories, row_id, extra)
        if pair_set.phase is not None and pair_set.second == GENERATED and design.unit != PARTICIPANT:
            yield from _permutation_rows(pairs, f"{protocol.sha256}/{row_id}", row_id, extra)


def row_extra(pair_set: PairSet, axis: str) -> dict[str, Any]:
    """What every row of a set and axis says of itself."""
    design, heard_s = pair_set.design, pair_set.frame["heard_s"].astype(float)
    return {
        "set_id": pair_set.set_id,
        "axis": axis,
        "phase": pair_set.phase,
        "perspective": pair_set.perspective,
        "instrument_id": pair_set.instrument_id,
        "first": pair_set.first,
        "second": pair_set.second,
        "resampled_unit": design.unit,
        "n_participants": design.n_people,
        "n_clips": int(pair_set.frame["clip"].nunique()),
        "window_heard_s": float(heard_s.mean()) if len(heard_s) else None,
        "analytic_ci": None,
    }


def method_of(design: Resampling) -> str:
    """How the intervals of a set are made, and why with that unit."""
    why = "everyone heard sound of their own" if design.unit == PARTICIPANT else "clips were shared"
    if design.n_clips is not None and design.n_clips < FEW_CLIPS:
        why = f"clips were shared: of {design.n_clips}, intervals are somewhat too narrow"
    return f"percentile bootstrap, {REPLICATES} draws, unit {design.unit} ({why}); n counts pairs"


def estimated(
    row_id: str,
    label: str,
    found: Bootstrapped,
    n: int,
    method: str,
    design: Resampling,
    extra: Mapping[str, Any],
    undefined: str = _VARIES,
) -> ResultRow:
    """A bootstrapped statistic as a row.

    Args:
        undefined: why there is no estimate, if there is none.
    """
    unit = CIRCUMPLEX_UNIT if extra["statistic"] in IN_CIRCUMPLEX_UNITS else PURE_NUMBER
    if not np.isfinite(found.estimate):
        return not_estimated(row_id, label, n, method, undefined, extra, unit)
    reason = None
    if found.ci_low is None:
        reason = design.too_few or "the interval is not defined in too many resamples"
    return ResultRow(
        row_id, label, found.estimate, found.ci_low, found.ci_high, None, n, method, reason, extra, unit
    )


def _resting_on(statistic: str, pairs: Pairs) -> tuple[int, str]:
    """How many pairs a statistic rests on, and why it would be undefined."""
    if statistic == "ccc_repeated" and pairs.occasions is not None:
        if not pairs.occasions.members:
            return 0, "no two people were measured at the same occasion"
        return pairs.occasions.n_pairs, "at each occasion one of the two is the same for everyone"
    if pairs.trajectories is not None and statistic in ("within_r", "within_r_detrended"):
        detrend = statistic == "within_r_detrended"
        count = pairs.trajectories.n_pairs(detrend)
        few = f"no session has {FEWEST_REPORTS[detrend]} or more reports with a prediction"
        return count, _VARIES if count else few
    return len(pairs.x), _VARIES


def _analytic(pairs: Pairs) -> dict[str, tuple[float, float]]:
    if pairs.design.unit != PARTICIPANT:
        return {}
    difference = pairs.x - pairs.y
    found: dict[str, tuple[float, float]] = {}
    try:
        if pairs.design.n_people == len(pairs.x):
            ccc, icc = concordance(pairs.x, pairs.y), intraclass(np.column_stack([pairs.x, pairs.y]))
            limits = limits_of_agreement(difference)
            found = {"ccc": (ccc.ci_low, ccc.ci_high), "icc_a1": icc.single_ci, "icc_ak": icc.average_ci}
        else:
            limits = recovered_limits_of_agreement(difference, pairs.design.person)
    except NotEstimable:
        return {}
    return found | {"bias": limits.bias_ci, "limit_low": limits.low_ci, "limit_high": limits.high_ci}


def _repeated_correlation_row(found: Trajectories, row_id: str, extra: Mapping[str, Any]) -> ResultRow:
    label, method = (
        "Repeated-measures correlation",
        "Bakdash & Marusich (2017): one slope, an intercept for each session; t with the degrees of "
        "freedom of the pairs, Fisher's z for the interval; n counts pairs",
    )
    where, more = f"{row_id}:r_repeated", {**extra, "statistic": "r_repeated", "df": None}
    try:
        r = repeated_correlation(found.x, found.y, found.session)
    except NotEstimable as why:
        return not_estimated(where, label, len(found.x), method, str(why), more, PURE_NUMBER)
    if found.design.unit != PARTICIPANT:
        reason = "clips were shared, so pairs of different people are not independent: no interval and no p"
        return ResultRow(where, label, r.r, None, None, None, len(found.x), method, reason, more, PURE_NUMBER)
    more["df"] = r.df
    return ResultRow(
        where, label, r.r, r.ci_low, r.ci_high, r.p_value, len(found.x), method, None, more, PURE_NUMBER
    )


def _permutation_rows(
    pairs: Pairs, seed_text: str, row_id: str, extra: Mapping[str, Any]
) -> Iterator[ResultRow]:
    """The correlation with each clip's prediction, tested by dealing predictions anew among clips."""
    method = f"{PERMUTATIONS} permutations of clips; n counts pairs"
    versions = [("clip_permutation_r", "Correlation with the clip's prediction", pairs.x, pairs.y)]
    if pairs.trajectories is not None:
        x, y = pairs.trajectories.without_trend()
        label = "Correlation with the clip's prediction, detrended"
        versions.append(("clip_permutation_r_detrended", label, x, y))
    for statistic, label, x, y in versions:
        where, more = f"{row_id}:{statistic}", {**extra, "statistic": statistic}
        try:
            if pairs.design.clip is None:
                raise NotEstimable("clips were not shared")
            found = clip_permutation(x, y, pairs.design.clip, f"{seed_text}:{statistic}")
        except NotEstimable as reason:
            yield not_estimated(where, label, len(x), method, str(reason), more, PURE_NUMBER)
            continue
        yield ResultRow(
            where, label, found.r, None, None, found.p_value, len(x), method, None, more, PURE_NUMBER
        )
