"""Differences between arms, as the protocol pre-specifies them.

Parallel designs: analysis of covariance on all who were allocated and gave the
outcome, whatever they heard. Crossovers: within persons, with participant and
period effects (Senn, 2002, Cross-over Trials in Clinical Research, ch. 3);
carry-over is not tested first. Change within an arm is never tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.diagnostics import diagnostics_of
from analysis.effects.endpoint import Outcome
from analysis.effects.endpoint_rows import arm_row, contrast_row, estimand_of, label_of, method_of
from analysis.effects.linear_model import ArmModel, Errors, fit_arm_model, indicator_columns
from analysis.result_row import NotEstimable, ResultRow
from study.errors import UnknownName
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Effects:
    """Everything estimated about one endpoint.

    Args:
        endpoint: a key of `ENDPOINTS`.
        contrasts: one row per contrast of the protocol, in its order.
        arms: one row per arm, in the protocol's order: adjusted mean with raw mean and SD.
        missing: reason to number of outcomes (persons; in a crossover, periods) left out.
        left_out: covariates without variation.
        by_session: differences and means at each session, from a model of several.
        diagnostics: what tells whether the model fits, as JSON values.
        analysed: participants whose outcomes the model rests on.
    """

    endpoint: str
    contrasts: tuple[ResultRow, ...]
    arms: tuple[ResultRow, ...]
    missing: Mapping[str, int]
    left_out: tuple[str, ...]
    by_session: tuple[ResultRow, ...] = ()
    diagnostics: Mapping[str, Any] = field(default_factory=dict)
    analysed: frozenset[str] = frozenset()


def estimate_effects(protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str) -> Effects:
    """Adjusted means and differences of one endpoint.

    Complete cases: an outcome that is missing is counted, never filled in.

    Args:
        outcomes: of all allocated persons.
        endpoint: a key of `ENDPOINTS`.

    Raises:
        UnknownName: the protocol lists a covariate there is no column for.
    """
    complete, missing = complete_cases(protocol, outcomes, endpoint)
    values = np.array([outcome.values[endpoint] for outcome in complete], dtype=float)
    arms = [outcome.arm for outcome in complete]
    fit: ArmModel | NotEstimable
    try:
        fit = fit_arm_model(values, arms, covariates_of(protocol, complete), _errors(protocol))
    except NotEstimable as problem:
        fit = problem
    return _effects(protocol, endpoint, complete, missing, fit)


def without_estimates(
    protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str, reason: str
) -> Effects:
    """Every row of an endpoint, each saying why there is no number; nobody is analysed."""
    complete, missing = complete_cases(protocol, outcomes, endpoint)
    return replace(
        _effects(protocol, endpoint, complete, missing, NotEstimable(reason)), analysed=frozenset()
    )


def _effects(
    protocol: StudyProtocol,
    endpoint: str,
    complete: Sequence[Outcome],
    missing: Mapping[str, int],
    fit: ArmModel | NotEstimable,
) -> Effects:
    """Rows of the outcomes that were analysed."""
    values = np.array([outcome.values[endpoint] for outcome in complete], dtype=float)
    arms = np.array([outcome.arm for outcome in complete], dtype=object)
    by_arm = {arm.arm_id: values[arms == arm.arm_id] for arm in protocol.arms}
    method = method_of(protocol)
    return Effects(
        endpoint,
        tuple(
            contrast_row(
                endpoint,
                contrast,
                label_of(contrast),
                fit,
                by_arm,
                len({o.participant_id for o in complete if o.arm in contrast.arm_ids}),
                method,
                protocol.design is Design.CROSSOVER,
                estimand_of(protocol, endpoint),
            )
            for contrast in protocol.analysis.contrasts
        ),
        tuple(
            arm_row(arm.arm_id, arm_name(arm.arm_id), fit, by_arm[arm.arm_id], method)
            for arm in protocol.arms
        ),
        missing,
        fit.left_out if isinstance(fit, ArmModel) else (),
        diagnostics=diagnostics_of(fit) if isinstance(fit, ArmModel) else {},
        analysed=frozenset(outcome.participant_id for outcome in complete),
    )


def complete_cases(
    protocol: StudyProtocol, outcomes: Sequence[Outcome], endpoint: str
) -> tuple[list[Outcome], dict[str, int]]:
    """Outcomes that can be analysed, and the reasons of those that cannot with their number."""
    complete: list[Outcome] = []
    reasons: Counter[str] = Counter()
    for outcome in outcomes:
        reason = outcome.reason_without(endpoint)
        if reason is None and None in outcome.stratum.values():
            reason = "stratification data erased"
        if reason is None:
            complete.append(outcome)
        else:
            reasons[reason] += 1
    if protocol.design is Design.CROSSOVER:
        periods = Counter(outcome.participant_id for outcome in complete)
        alone = [outcome for outcome in complete if periods[outcome.participant_id] < 2]
        if alone:
            reasons["only one period has an outcome"] += len(alone)
        complete = [outcome for outcome in complete if periods[outcome.participant_id] > 1]
    return complete, dict(reasons)


def covariates_of(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> dict[str, Floats]:
    """The model's covariate columns, in the protocol's order.

    Raises:
        UnknownName: a covariate that is none of pre_valence, pre_arousal,
            period, sequence or a stratification factor.
    """
    crossover = protocol.design is Design.CROSSOVER
    factors = {stratum.factor for stratum in protocol.allocation.strata}
    columns: dict[str, Floats] = {}
    for name in protocol.analysis.covariates:
        if name in ("pre_valence", "pre_arousal"):
            axis = name.removeprefix("pre_")
            columns[name] = np.array([getattr(o.pre, axis) for o in outcomes], dtype=float)
        elif name in factors:
            # Within persons a stratum is constant: the participant effect holds it.
            if not crossover:
                columns |= indicator_columns(name, [o.stratum[name] for o in outcomes])
        elif name not in ("period", "sequence"):
            raise UnknownName(
                "analysis.covariates",
                f"{name!r} is not a covariate",
                "write pre_valence, pre_arousal or a stratification factor",
            )
    if crossover:
        columns |= indicator_columns("participant", [o.participant_id for o in outcomes])
        columns |= indicator_columns("period", [str(o.period) for o in outcomes])
    return columns


def _errors(protocol: StudyProtocol) -> Errors:
    return "classical" if protocol.design is Design.CROSSOVER else "HC3"
