"""What was felt by how much was heard: a description, never a test.

How much someone hears is chosen by them, after they were allocated: who goes on listening may be who was
doing well already. So no comparison of bands is an effect of listening time, and none has an interval
or a p-value here; the randomised comparison is that of the arms, whatever was heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.arm_names import arm_name
from analysis.effects.endpoint import Outcome
from analysis.result_row import ResultRow, not_estimated
from analysis.tables.build import StudyTables
from study.protocol import Design, StudyProtocol

Floats = NDArray[np.float64]

BANDS: Mapping[str, tuple[float, float]] = {
    "0 %": (0.0, 0.0),
    "> 0 to < 50 %": (0.0, 0.5),
    "50 to < 90 %": (0.5, 0.9),
    "90 to 100 %": (0.9, 1.0),
}
"""Label to lower and upper limit of the share heard; 0 is a band of its own."""

NOTE = (
    "Share of the planned sound heard at least once. People choose how much they hear, after allocation, "
    "so differences between bands are no effect of listening time; hence no intervals and no p-values."
)
FEWEST = 3


def dose_of(protocol: StudyProtocol, tables: StudyTables, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """The endpoint by arm and share of the session heard.

    In a crossover each period's outcome stands beside what was heard in that period; with several sessions
    in parallel arms, beside what was heard in all of them.

    Returns:
        bands: labels; arms: {arm, label, bands: [{band, n, mean, sd}], heard_s_median, heard_share_mean},
        n counting outcomes; slope_rows: the straight line of the endpoint on the share heard; note.
        `arms` is empty where no playback is on record.
    """
    found: dict[str, Any] = {"bands": list(BANDS), "arms": [], "slope_rows": [], "note": NOTE}
    if not tables.sessions["started"].fillna(False).astype(bool).any():
        return found | {"note": "No playback is on record, so nothing can be said of what was heard."}
    heard = _heard(protocol, tables)
    endpoint = protocol.analysis.endpoint
    for arm in protocol.arms:
        mine = [outcome for outcome in outcomes if outcome.arm == arm.arm_id]
        doses = [heard[outcome.participant_id, _period(protocol, outcome)] for outcome in mine]
        shares = np.array([min(heard_s / planned_s, 1.0) for heard_s, planned_s in doses], dtype=float)
        values = np.array([_value(outcome, endpoint) for outcome in mine], dtype=float)
        found["arms"].append(
            {
                "arm": arm.arm_id,
                "label": arm_name(arm.arm_id),
                "bands": [_band(name, shares, values) for name in BANDS],
                "heard_s_median": float(np.median([heard_s for heard_s, _ in doses])) if doses else None,
                "heard_share_mean": float(shares.mean()) if doses else None,
            }
        )
        found["slope_rows"].append(_slope(arm.arm_id, shares, values).to_plain())
    return found


def _heard(protocol: StudyProtocol, tables: StudyTables) -> dict[tuple[str, int | None], tuple[float, float]]:
    """Participant and period (None: all of them) to seconds heard and seconds planned."""
    planned = {arm.arm_id: arm.path.duration_s for arm in protocol.arms}
    found: dict[tuple[str, int | None], tuple[float, float]] = {}
    sessions = tables.sessions
    for who, period, arm, heard_s, duration_s in zip(
        sessions["participant_id"].astype(str),
        sessions["period"].astype(int),
        sessions["arm"].astype(str),
        sessions["heard_s"].astype(float),
        sessions["duration_s"].astype(float),
        strict=True,
    ):
        length_s = planned[arm] if np.isnan(duration_s) else duration_s
        for key in ((who, period), (who, None)):
            before = found.get(key, (0.0, 0.0))
            found[key] = before[0] + (0.0 if np.isnan(heard_s) else heard_s), before[1] + length_s
    return found


def _period(protocol: StudyProtocol, outcome: Outcome) -> int | None:
    return outcome.period if protocol.design is Design.CROSSOVER else None


def _value(outcome: Outcome, endpoint: str) -> float:
    value = outcome.values[endpoint]
    return np.nan if value is None else value


def _band(name: str, shares: Floats, values: Floats) -> dict[str, Any]:
    low, high = BANDS[name]
    if high == 0.0:
        inside = shares <= 1e-9
    else:
        inside = (shares >= low - 1e-9) & (shares > 1e-9) & (shares < (high if high < 1.0 else np.inf) - 1e-9)
    mine = values[inside & np.isfinite(values)]
    return {
        "band": name,
        "n": len(mine),
        "mean": float(mine.mean()) if len(mine) else None,
        "sd": float(mine.std(ddof=1)) if len(mine) > 1 else None,
    }


def _slope(arm: str, shares: Floats, values: Floats) -> ResultRow:
    row_id, label = f"dose:{arm}:slope", f"{arm_name(arm)}: endpoint on share heard"
    method = "least squares, none of the sound heard to all of it; a description, without interval or test"
    unit, extra = "circumplex unit per whole sound", {"arm": arm}
    known = np.isfinite(values)
    x, y = shares[known], values[known]
    if len(x) < FEWEST:
        reason = f"{len(x)} outcome(s): a line needs {FEWEST} or more"
        return not_estimated(row_id, label, len(x), method, reason, extra, unit)
    if float(x.std()) < 1e-6:
        return not_estimated(row_id, label, len(x), method, "everyone heard the same share", extra, unit)
    slope = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    why = "a description: how much is heard is chosen after allocation"
    return ResultRow(row_id, label, slope, None, None, None, len(x), method, why, extra, unit)
