"""A crossover's parts: treatment, period and sequence.

Treatment and period are estimated within persons, by one linear model with a coefficient for
each person, period and arm (Jones & Kenward, 2014, Design and Analysis of Cross-Over Trials,
ch. 2 and 5; Senn, 2002, Cross-over Trials in Clinical Research, ch. 3); with two arms and two
periods that is the two-sample comparison of period differences (Hills & Armitage, 1979, Br. J.
Clin. Pharmacol. 8, 7-20). Sequence is compared between persons, on the mean of each person's
periods. Carry-over shows there, mixed with treatment-by-period interaction and with chance
differences between the groups, so it is described and never decides how treatments are
compared (Freeman, 1989, Stat. Med. 8, 1421-1432).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.endpoint import Outcome
from analysis.effects.endpoint_rows import covariate_words, difference_row, estimand_of, label_of
from analysis.effects.estimate import complete_cases, covariates_of
from analysis.effects.linear_model import ArmModel, fit_arm_model
from analysis.result_row import CI_LEVEL, NotEstimable, ResultRow, not_estimated
from study.analysis_plan import Contrast
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

SEQUENCE_NOTE = (
    "carry-over, treatment-by-period interaction and chance differences between the groups cannot be told "
    "apart; described, and never used to choose an analysis"
)


def crossover_rows(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> tuple[ResultRow, ...]:
    """Treatment, period and sequence effects of the endpoint; nothing in a parallel design."""
    if protocol.design is not Design.CROSSOVER:
        return ()
    endpoint = protocol.analysis.endpoint
    complete, _ = complete_cases(protocol, outcomes, endpoint)
    values = np.array([outcome.values[endpoint] for outcome in complete], dtype=float)
    fit: ArmModel | NotEstimable
    try:
        fit = fit_arm_model(
            values, [outcome.arm for outcome in complete], covariates_of(protocol, complete), "classical"
        )
    except NotEstimable as problem:
        fit = problem
    n = len({outcome.participant_id for outcome in complete})
    return (
        *(_treatment(protocol, contrast, fit, complete, values) for contrast in protocol.analysis.contrasts),
        _period(protocol, fit, complete, values, n),
        _sequence(protocol, complete, values),
    )


def _treatment(
    protocol: StudyProtocol,
    contrast: Contrast,
    fit: ArmModel | NotEstimable,
    complete: Sequence[Outcome],
    values: Floats,
) -> ResultRow:
    method = (
        "Within-person linear model: arm, participant and period effects, adjusted for "
        f"{covariate_words(protocol)}; classical errors, t reference"
    )
    differences = _within_person(contrast, complete, values)
    n = len({o.participant_id for o in complete if o.arm in contrast.arm_ids})
    extra: dict[str, Any] = {
        "contrast_id": contrast.contrast_id,
        "arms": list(contrast.arm_ids),
        "within_person_n": len(differences),
        "within_person_mean": float(differences.mean()) if len(differences) else None,
        "within_person_sd": float(differences.std(ddof=1)) if len(differences) > 1 else None,
    }
    row_id, label = f"crossover:treatment:{contrast.contrast_id}", label_of(contrast)
    estimand = estimand_of(protocol, protocol.analysis.endpoint)
    return difference_row(row_id, label, contrast, fit, n, method, extra, estimand)


def _within_person(contrast: Contrast, complete: Sequence[Outcome], values: Floats) -> Floats:
    """Each person's raw mean under the first arm minus that under the second, shape [n persons with both]."""
    first, second = (
        _means_by(
            {
                index: outcome.participant_id
                for index, outcome in enumerate(complete)
                if outcome.arm == contrast.arm_ids[side]
            },
            values,
        )
        for side in (0, 1)
    )
    return np.array([first[who] - second[who] for who in first if who in second], dtype=float)


def _means_by(names: Mapping[int, str], values: Floats) -> dict[str, float]:
    found: defaultdict[str, list[float]] = defaultdict(list)
    for index, name in names.items():
        found[name].append(float(values[index]))
    return {name: float(np.mean(listed)) for name, listed in found.items()}


def _period(
    protocol: StudyProtocol,
    fit: ArmModel | NotEstimable,
    complete: Sequence[Outcome],
    values: Floats,
    n: int,
) -> ResultRow:
    periods = sorted({outcome.period for outcome in complete})
    means = _means_by({index: str(outcome.period) for index, outcome in enumerate(complete)}, values)
    extra: dict[str, Any] = {"means": [{"period": period, "mean": means[str(period)]} for period in periods]}
    is_pair = protocol.session_count == 2
    label = "Period 2 − period 1" if is_pair else "Periods"
    method = "Within-person linear model: period beside arm and participant effects; " + (
        "classical errors, t reference" if is_pair else "F test of all periods"
    )
    try:
        if isinstance(fit, NotEstimable):
            raise fit
        if len(periods) < 2:
            raise NotEstimable("only one period has outcomes")
        if is_pair:
            found = fit.slope_of(f"period={periods[1]}")
            extra |= {"se": found.se, "df": found.df}
            return ResultRow(
                "crossover:period",
                label,
                found.value,
                found.ci_low,
                found.ci_high,
                found.p_value,
                n,
                method,
                None,
                extra,
            )
        f_value, df = _joint_f(fit, [f"period={period}" for period in periods[1:]])
    except NotEstimable as problem:
        return not_estimated("crossover:period", label, n, method, str(problem), extra)
    extra |= {"f_value": f_value, "df": [df, fit.df]}
    p_value = float(stats.f.sf(f_value, df, fit.df))
    return ResultRow("crossover:period", label, None, None, None, p_value, n, method, None, extra)


def _joint_f(fit: ArmModel, names: Sequence[str]) -> tuple[float, int]:
    """F of several covariate columns together, and its numerator's degrees of freedom."""
    kept = [len(fit.arms) + fit.covariates.index(name) for name in names if name in fit.covariates]
    if not kept:
        raise NotEstimable("periods do not vary in this sample")
    effects, spread = fit.coefficients[kept], fit.covariance[np.ix_(kept, kept)]
    if not float(np.diag(spread).min()) > 1e-20:
        raise NotEstimable("the outcome does not vary within persons")
    return float(effects @ np.linalg.solve(spread, effects)) / len(kept), len(kept)


def _sequence(protocol: StudyProtocol, complete: Sequence[Outcome], values: Floats) -> ResultRow:
    """Person means compared between sequences, of those with an outcome in every period."""
    by_person = _means_by({index: o.participant_id for index, o in enumerate(complete)}, values)
    seen: defaultdict[str, set[int]] = defaultdict(set)
    sequence_of = {}
    for outcome in complete:
        seen[outcome.participant_id].add(outcome.period)
        sequence_of[outcome.participant_id] = outcome.group
    whole = [who for who, periods in seen.items() if len(periods) == protocol.session_count]
    order = [group.group_id for group in protocol.allocation.groups]
    groups = {name: [by_person[who] for who in whole if sequence_of[who] == name] for name in order}
    extra: dict[str, Any] = {
        "means": [
            {"sequence": name, "n": len(listed), "mean": float(np.mean(listed)) if listed else None}
            for name, listed in groups.items()
        ],
        "note": SEQUENCE_NOTE,
    }
    label = f"Sequence {order[0]} − {order[1]}" if len(order) == 2 else "Sequences"
    method = "Means of each person's periods compared between sequences; " + (
        "two-sample t, pooled variance" if len(order) == 2 else "one-way F test"
    )
    try:
        return _between_groups(groups, label, len(whole), method, extra)
    except NotEstimable as problem:
        return not_estimated("crossover:sequence", label, len(whole), method, str(problem), extra)


def _between_groups(
    groups: Mapping[str, Sequence[float]], label: str, n: int, method: str, extra: dict[str, Any]
) -> ResultRow:
    empty = [name for name, listed in groups.items() if not listed]
    if empty:
        raise NotEstimable(f"nobody of sequence {empty[0]} has an outcome in every period")
    df = n - len(groups)
    if df < 1:
        raise NotEstimable(f"{n} persons in {len(groups)} sequences: too few to compare them")
    listed = [np.array(group, dtype=float) for group in groups.values()]
    within = sum(float(((group - group.mean()) ** 2).sum()) for group in listed) / df
    if not within > 1e-20:
        raise NotEstimable("person means do not vary within sequences")
    if len(listed) > 2:
        grand = np.concatenate(listed).mean()
        between = sum(len(group) * float(group.mean() - grand) ** 2 for group in listed) / (len(listed) - 1)
        extra |= {"f_value": between / within, "df": [len(listed) - 1, df]}
        p_value = float(stats.f.sf(between / within, len(listed) - 1, df))
        return ResultRow("crossover:sequence", label, None, None, None, p_value, n, method, None, extra)
    difference = float(listed[0].mean() - listed[1].mean())
    se = float(np.sqrt(within * sum(1 / len(group) for group in listed)))
    half = float(stats.t.ppf(0.5 + CI_LEVEL / 2, df)) * se
    p_value = 2 * float(stats.t.sf(abs(difference / se), df))
    extra |= {"se": se, "df": df}
    return ResultRow(
        "crossover:sequence",
        label,
        difference,
        difference - half,
        difference + half,
        p_value,
        n,
        method,
        None,
        extra,
    )
