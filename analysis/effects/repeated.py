"""Repeated sessions of a parallel design: mixed models of all of them.

Each session has its own mean of each arm and its own slopes of the baseline covariates; the
protocol's model says what the covariance of a person's sessions is. Everybody with the outcome
of at least one session is in the model. The last session is the endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.diagnostics import residual_points
from analysis.effects.endpoint import Outcome
from analysis.effects.endpoint_rows import arm_row, contrast_row, estimand_of, label_of, method_of
from analysis.effects.estimate import Effects, complete_cases, covariates_of
from analysis.effects.linear_model import Estimate
from analysis.effects.mixed.mmrm import fit_mmrm
from analysis.effects.mixed.random_effects import RandomTerm, fit_random_effects
from analysis.effects.mixed.restricted_fit import RestrictedFit
from analysis.effects.mixed.satterthwaite import estimate_combination
from analysis.result_row import NotEstimable, ResultRow
from study.analysis_plan import Model
from study.protocol import StudyProtocol
from study.session import session_id_of

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SessionModel:
    """A fitted model of all sessions.

    Args:
        fit: its coefficients.
        cells: arm and session number to the column of their mean.
        left_out: covariates without variation among those analysed.
        note: what a reader must know of the fit, or None.
        diagnostics: as JSON values.
    """

    fit: RestrictedFit
    cells: Mapping[tuple[str, int], int]
    left_out: tuple[str, ...]
    note: str | None
    diagnostics: Mapping[str, Any]


@dataclass(frozen=True)
class SessionMeans:
    """The model's arms at one session."""

    model: SessionModel
    period: int

    def mean_of(self, arm: str) -> Estimate:
        """The arm's adjusted mean at the covariates' means of all who were analysed.

        Raises:
            NotEstimable: nobody in the arm has the outcome of this session.
        """
        return self._combination({arm: 1.0})

    def difference(self, arm: str, comparator: str) -> Estimate:
        """Adjusted mean of `arm` minus that of `comparator`.

        Raises:
            NotEstimable: nobody in one of the arms has the outcome of this session.
        """
        return self._combination({arm: 1.0, comparator: -1.0})

    def _combination(self, weights: Mapping[str, float]) -> Estimate:
        row = np.zeros(len(self.model.fit.coefficients))
        for arm, weight in weights.items():
            cell = self.model.cells.get((arm, self.period))
            if cell is None:
                raise NotEstimable(f"nobody in arm {arm} has the outcome of session {self.period}")
            row[cell] = weight
        return estimate_combination(self.model.fit, row)


def estimate_repeated(protocol: StudyProtocol, visits: Sequence[Outcome], endpoint: str) -> Effects:
    """Adjusted means and differences at the last session, from all sessions.

    Args:
        visits: as `visits_of` and `apply_strategies` made them: of each person and session.
        endpoint: a key of `ENDPOINTS`.

    Returns:
        `contrasts` and `arms` of the last session, `by_session` of each. `n` of a difference counts the
        people of its arms in the model, `n_by_arm` those with the outcome of that session; `missing` counts
        people without the outcome of any session. A model that cannot be fitted gives rows with the reason.

    Raises:
        UnknownName: the protocol lists a covariate there is no column for.
    """
    complete, _ = complete_cases(protocol, visits, endpoint)
    values = np.array([visit.values[endpoint] for visit in complete], dtype=float)
    model: SessionModel | NotEstimable
    try:
        model = _fit(protocol, complete, values)
    except NotEstimable as problem:
        model = problem
    rows = [
        row
        for period in range(1, protocol.session_count + 1)
        for row in _session_rows(protocol, endpoint, model, complete, values, period)
    ]
    last = [row for row in rows if row.extra["period"] == protocol.session_count]
    return Effects(
        endpoint,
        tuple(_of_the_endpoint(row) for row in last if row.extra["kind"] == "contrast"),
        tuple(_of_the_endpoint(row) for row in last if row.extra["kind"] == "arm"),
        _left_out(protocol, visits, complete, endpoint),
        model.left_out if isinstance(model, SessionModel) else (),
        tuple(rows),
        model.diagnostics if isinstance(model, SessionModel) else {},
        frozenset(visit.participant_id for visit in complete),
    )


def _fit(protocol: StudyProtocol, complete: Sequence[Outcome], values: Floats) -> SessionModel:
    if not complete:
        raise NotEstimable("nobody has the outcome yet")
    people = {visit.participant_id: visit for visit in complete}
    numbers = {who: number for number, who in enumerate(people)}
    person = np.array([numbers[visit.participant_id] for visit in complete], dtype=np.intp)
    periods = sorted({visit.period for visit in complete})
    visit = np.searchsorted(periods, [visit.period for visit in complete])
    cells = {
        cell: column
        for column, cell in enumerate(
            sorted({(visit.arm, visit.period) for visit in complete}, key=_by_period)
        )
    }
    columns = [
        np.array([(visit.arm, visit.period) == cell for visit in complete], dtype=float) for cell in cells
    ]
    left_out = []
    for name, of_people in covariates_of(protocol, list(people.values())).items():
        centred = of_people - of_people.mean()
        if np.abs(centred).max(initial=0.0) <= 1e-10:
            left_out.append(name)
            continue
        columns += [centred[person] * (visit == number) for number in range(len(periods))]
    design = np.column_stack(columns)
    if protocol.analysis.model is Model.MMRM:
        repeated = fit_mmrm(values, person, visit, design)
        fit, covariance, note, further = repeated.fit, repeated.visit_covariance, None, {}
    else:
        session = np.array([visit.period for visit in complete], dtype=float)
        all_sessions = _random_design(protocol, np.array(periods, dtype=float))
        mixed = fit_random_effects(
            values, person, design, [RandomTerm("person", person, _random_design(protocol, session))]
        )
        between = mixed.random_covariances[0]
        fit, note = mixed.fit, mixed.singular_note
        covariance = all_sessions @ between @ all_sessions.T + mixed.residual_variance * np.eye(len(periods))
        further = {"random_covariance": between.tolist(), "residual_variance": mixed.residual_variance}
    diagnostics = {
        "residuals": residual_points(fit.fitted, values - fit.fitted),
        "covariance": covariance.tolist(),
        "covariance_sessions": [session_id_of(period) for period in periods],
        "deviance": fit.deviance,
        "steps": fit.steps,
        "note": note,
        **further,
    }
    return SessionModel(fit, cells, tuple(left_out), note, diagnostics)


def _by_period(cell: tuple[str, int]) -> tuple[int, str]:
    return cell[1], cell[0]


def _random_design(protocol: StudyProtocol, session: Floats) -> Floats:
    """An intercept; from three planned sessions on, also a slope: of two it could not be told from noise."""
    one = np.ones(len(session))
    if protocol.session_count < 3:
        return one[:, None]
    return np.column_stack([one, session - (protocol.session_count + 1) / 2])


def _session_rows(
    protocol: StudyProtocol,
    endpoint: str,
    model: SessionModel | NotEstimable,
    complete: Sequence[Outcome],
    values: Floats,
    period: int,
) -> list[ResultRow]:
    fit = SessionMeans(model, period) if isinstance(model, SessionModel) else model
    here = np.array([visit.period == period for visit in complete], dtype=bool)
    arms = np.array([visit.arm for visit in complete], dtype=object)
    by_arm = {arm.arm_id: values[here & (arms == arm.arm_id)] for arm in protocol.arms}
    is_last = period == protocol.session_count
    method = method_of(protocol)
    rows = []
    for contrast in protocol.analysis.contrasts:
        row = contrast_row(
            endpoint,
            contrast,
            label_of(contrast),
            fit,
            by_arm,
            len({visit.participant_id for visit in complete if visit.arm in contrast.arm_ids}),
            method,
            False,
            estimand_of(protocol, endpoint) if is_last else None,
        )
        notes = [row.extra["note"], model.note if isinstance(model, SessionModel) else None]
        told = {"note": "; ".join(note for note in notes if note) or None}
        rows.append(_at_session(row, period, "contrast", told))
    for arm in protocol.arms:
        row = arm_row(arm.arm_id, arm_name(arm.arm_id), fit, by_arm[arm.arm_id], method)
        rows.append(_at_session(row, period, "arm", {}))
    return rows


def _at_session(row: ResultRow, period: int, kind: str, further: Mapping[str, Any]) -> ResultRow:
    where = {"session_id": session_id_of(period), "period": period, "kind": kind}
    return replace(
        row,
        row_id=f"{row.row_id}:{session_id_of(period)}",
        label=f"{row.label}, session {period}",
        extra={**row.extra, **further, **where},
    )


def _of_the_endpoint(row: ResultRow) -> ResultRow:
    """A row of the last session as the endpoint's own."""
    session = row.extra["session_id"]
    return replace(
        row,
        row_id=row.row_id.removesuffix(f":{session}"),
        label=row.label.removesuffix(f", session {row.extra['period']}"),
    )


def _left_out(
    protocol: StudyProtocol, visits: Sequence[Outcome], complete: Sequence[Outcome], endpoint: str
) -> dict[str, int]:
    """Why people without the outcome of any session have none, by the last of their sessions."""
    analysed = {visit.participant_id for visit in complete}
    last = {visit.participant_id: visit for visit in sorted(visits, key=lambda visit: visit.period)}
    without = [visit for who, visit in last.items() if who not in analysed]
    return complete_cases(protocol, without, endpoint)[1]
