"""How reports move during a session: a mixed model with time.

All reports of one instrument within a session enter with the second of listening they were
given at: before it (0), the probes, after it (its end, or where the person stopped). Each arm
has its mean at the start and its slope; each person deviates from both, and so does each session
of a person where there are several. A slope is a description of its arm and never tested; the
differences of slopes are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.endpoint_rows import label_of
from analysis.effects.linear_model import Estimate
from analysis.effects.mixed.random_effects import RandomEffectsFit, RandomTerm, fit_random_effects
from analysis.effects.mixed.satterthwaite import estimate_combination
from analysis.result_row import NotEstimable, ResultRow, not_estimated
from analysis.tables.build import StudyTables
from study.instruments import KINDS, Perspective
from study.protocol import Phase, StudyProtocol

Floats = NDArray[np.float64]

UNIT = "circumplex unit per 10 min"
TEN_MINUTES_S = 600.0
AXES = ("valence", "arousal")


@dataclass(frozen=True)
class Trajectories:
    """A fitted model of one axis.

    Args:
        fit: with the random effects.
        slopes: arm to the column of its slope.
        reports: number of reports.
    """

    fit: RandomEffectsFit
    slopes: Mapping[str, int]
    reports: int

    def slope_of(self, arm: str) -> Estimate:
        """Change in an arm in ten minutes; raises NotEstimable."""
        return self._combination({arm: 1.0})

    def difference(self, arm: str, comparator: str) -> Estimate:
        """Slope of `arm` minus that of `comparator`; raises NotEstimable."""
        return self._combination({arm: 1.0, comparator: -1.0})

    def _combination(self, weights: Mapping[str, float]) -> Estimate:
        row = np.zeros(len(self.fit.fit.coefficients))
        for arm, weight in weights.items():
            if arm not in self.slopes:
                raise NotEstimable(f"nobody in arm {arm} reported at two times of a session")
            row[self.slopes[arm]] = weight
        return estimate_combination(self.fit.fit, row)


def trajectory_rows(protocol: StudyProtocol, tables: StudyTables) -> tuple[ResultRow, ...]:
    """Slopes by arm and their differences, per axis.

    Returns:
        For each axis a row of each arm's slope and one of each contrast's difference; none where the
        protocol asks for no felt affect during a session.
    """
    instrument_id = probed_instrument(protocol)
    if instrument_id is None:
        return ()
    reports = _reports(protocol, tables, instrument_id)
    rows: list[ResultRow] = []
    for axis in AXES:
        model: Trajectories | NotEstimable
        try:
            model = _fit(protocol, reports, axis)
        except NotEstimable as problem:
            model = problem
        rows += _rows(protocol, instrument_id, reports, axis, model)
    return tuple(rows)


def probed_instrument(protocol: StudyProtocol) -> str | None:
    """The instrument whose reports make a trajectory; None where no felt affect is asked during a session.

    It is the endpoint's where that is probed, else the first of felt affect that is: reports of two
    instruments are never one line.
    """
    probed = [
        instrument_id
        for given in protocol.assessments_at(Phase.PROBE)
        for instrument_id in given.instrument_ids
    ]
    if protocol.analysis.instrument_id in probed:
        return protocol.analysis.instrument_id
    for instrument in protocol.instruments:
        is_felt_affect = (
            instrument.perspective is Perspective.FELT and KINDS[instrument.kind].affect_items is not None
        )
        if instrument.instrument_id in probed and is_felt_affect:
            return instrument.instrument_id
    return None


def _reports(protocol: StudyProtocol, tables: StudyTables, instrument_id: str) -> pd.DataFrame:
    """Reports with `time`, in tens of minutes since the session's sound began."""
    given = tables.self_reports
    mine = given[
        (given["instrument_id"] == instrument_id)
        & given["phase"].isin([Phase.PRE, Phase.PROBE, Phase.POST])
        & given["session_id"].notna()
        & given["arm"].notna()
        & given["valence"].notna()
        & given["arousal"].notna()
    ]
    ends = tables.sessions[["participant_id", "session_id", "period", "heard_s", "stop_reason"]]
    joined = mine.merge(ends, on=["participant_id", "session_id"], how="inner")
    end_s = joined["heard_s"].where(joined["stop_reason"].notna(), protocol.duration_s).fillna(0.0)
    at_s = joined["probe_at_s"].where(joined["phase"] == Phase.PROBE, 0.0)
    at_s = end_s.where(joined["phase"] == Phase.POST, at_s)
    # A time-lapse runs the planned minutes in less: its seconds are told as the planned ones.
    lapse = (protocol.time_lapse_of_s or protocol.duration_s) / protocol.duration_s
    return joined.assign(time=at_s.astype(float) * lapse / TEN_MINUTES_S)


def _fit(protocol: StudyProtocol, reports: pd.DataFrame, axis: str) -> Trajectories:
    if reports.empty:
        raise NotEstimable("nobody has reported within a session yet")
    time = reports["time"].to_numpy(dtype=float)
    arm = reports["arm"].to_numpy(dtype=object)
    columns: list[Floats] = []
    slopes: dict[str, int] = {}
    for name in dict.fromkeys(arm):
        own = (arm == name).astype(float)
        columns.append(own)
        if len(np.unique(time[arm == name])) > 1:
            slopes[name] = len(columns)
            columns.append(own * time)
    columns += [
        (reports["period"] == period).to_numpy(dtype=float) for period in sorted(set(reports["period"]))[1:]
    ]
    person = pd.factorize(reports["participant_id"])[0]
    terms = [RandomTerm("people", person, _line(time))]
    if protocol.session_count > 1:
        session = pd.factorize(reports["participant_id"] + "/" + reports["session_id"])[0]
        terms.append(RandomTerm("sessions", session, _line(time)))
    fit = fit_random_effects(reports[axis].to_numpy(dtype=float), person, np.column_stack(columns), terms)
    return Trajectories(fit, slopes, len(reports))


def _line(time: Floats) -> Floats:
    return np.column_stack([np.ones(len(time)), time])


def _rows(
    protocol: StudyProtocol,
    instrument_id: str,
    reports: pd.DataFrame,
    axis: str,
    model: Trajectories | NotEstimable,
) -> list[ResultRow]:
    method = _method(protocol, instrument_id)
    common = {"axis": axis, "instrument_id": instrument_id}

    def people(arms: Sequence[str]) -> int:
        return int(reports.loc[reports["arm"].isin(arms), "participant_id"].nunique())

    rows = []
    for arm in protocol.arms:
        extra: dict[str, Any] = {**common, "kind": "slope", "arm": arm.arm_id}
        row_id, label = f"trajectory:{axis}:slope:{arm.arm_id}", f"{axis}, {arm_name(arm.arm_id)}"
        rows.append(_row(row_id, label, people([arm.arm_id]), method, extra, model, (arm.arm_id,)))
    for contrast in protocol.analysis.contrasts:
        extra = {
            **common,
            "kind": "difference",
            "contrast_id": contrast.contrast_id,
            "arms": list(contrast.arm_ids),
        }
        row_id, label = (
            f"trajectory:{axis}:difference:{contrast.contrast_id}",
            f"{axis}, {label_of(contrast)}",
        )
        rows.append(_row(row_id, label, people(contrast.arm_ids), method, extra, model, contrast.arm_ids))
    return rows


def _row(
    row_id: str,
    label: str,
    n: int,
    method: str,
    extra: dict[str, Any],
    model: Trajectories | NotEstimable,
    arms: Sequence[str],
) -> ResultRow:
    try:
        if isinstance(model, NotEstimable):
            raise model
        found = model.slope_of(arms[0]) if len(arms) == 1 else model.difference(arms[0], arms[1])
    except NotEstimable as problem:
        return not_estimated(row_id, label, n, method, str(problem), extra, UNIT)
    extra |= {
        "se": found.se,
        "df": found.df,
        "n_reports": model.reports,
        "singular": bool(model.fit.singular),
        "note": model.fit.singular_note,
    }
    # A slope is not tested against zero: that would be a test of change within one arm.
    p_value = found.p_value if len(arms) == 2 else None
    return ResultRow(
        row_id, label, found.value, found.ci_low, found.ci_high, p_value, n, method, None, extra, UNIT
    )


def _method(protocol: StudyProtocol, instrument_id: str) -> str:
    units = "person and of each session" if protocol.session_count > 1 else "person"
    session = ", session" if protocol.session_count > 1 else ""
    return (
        f"Linear mixed model by REML of every report on {instrument_id} within a session: arm × time of "
        f"listening{session}; random intercept and slope of each {units}; Satterthwaite degrees of freedom; "
        "as allocated"
    )
