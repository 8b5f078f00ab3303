"""Planned, generated and felt on the circumplex, per arm: the data of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from analysis.arm_names import arm_name
from analysis.effects.endpoint import Outcome, endpoint_values
from analysis.result_row import CI_LEVEL
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.protocol import Phase, StudyProtocol


def paths_of(protocol: StudyProtocol, tables: StudyTables) -> list[dict[str, Any]]:
    """Each arm's mean paths over session time, with every person's first and last report.

    Returns:
        Per arm: arm, label, has_music, target [valence, arousal]; planned and
        generated (MER) as points {time_s, valence, arousal, n} at clip centres;
        heard as {predictor, points}, the same as each predictor hears it, the one
        that reports first;
        felt as points {time_s, phase, valence, arousal, valence_ci, arousal_ci,
        n} with 95 % limits of the mean; people as {pre, post} lists of
        [valence, arousal].
    """
    return [
        {
            "arm": arm.arm_id,
            "label": arm_name(arm.arm_id),
            "has_music": arm.path.kind not in NO_MUSIC,
            "target": [protocol.target.valence, protocol.target.arousal],
            "planned": _clip_means(tables.clips, arm.arm_id, "target"),
            "generated": _clip_means(tables.clips, arm.arm_id, "pred"),
            "heard": _heard(protocol, tables, arm.arm_id),
            "felt": _felt(protocol, tables.self_reports, arm.arm_id, arm.path.duration_s),
            "people": {
                str(phase): _points(_reports(protocol, tables.self_reports, arm.arm_id, phase))
                for phase in (Phase.PRE, Phase.POST)
            },
        }
        for arm in protocol.arms
    ]


def changes_of(protocol: StudyProtocol, outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Each person's endpoint before and after, by arm: [before, after], without ids."""
    endpoint = protocol.analysis.endpoint
    found = []
    for arm in protocol.arms:
        pairs = []
        for outcome in outcomes:
            before = endpoint_values(protocol.start, protocol.target, outcome.pre, outcome.pre)[endpoint]
            after = outcome.values[endpoint]
            if outcome.arm == arm.arm_id and before is not None and after is not None:
                pairs.append([before, after])
        found.append({"arm": arm.arm_id, "label": arm_name(arm.arm_id), "pairs": pairs})
    return found


def _clip_means(clips: pd.DataFrame, arm_id: str, column: str) -> list[dict[str, Any]]:
    mine = clips[clips["arm"] == arm_id].dropna(subset=[f"valence_{column}", f"arousal_{column}"])
    points = []
    for onset_s, group in mine.groupby("onset_s", sort=True):
        points.append(
            {
                "time_s": float(str(onset_s)) + float(group["duration_s"].mean()) / 2,
                "valence": float(group[f"valence_{column}"].mean()),
                "arousal": float(group[f"arousal_{column}"].mean()),
                "n": len(group),
            }
        )
    return points


def _heard(protocol: StudyProtocol, tables: StudyTables, arm_id: str) -> list[dict[str, Any]]:
    reporter = protocol.analysis.agreement.predictor
    mine = tables.predictions[tables.predictions["arm"] == arm_id]
    names = sorted(map(str, mine["predictor"].unique()), key=lambda name: (name != reporter, name))
    return [
        {"predictor": name, "points": _clip_means(mine[mine["predictor"] == name], arm_id, "pred")}
        for name in names
    ]


def _reports(protocol: StudyProtocol, reports: pd.DataFrame, arm_id: str, phase: Phase) -> pd.DataFrame:
    mine = reports[
        (reports["arm"] == arm_id)
        & (reports["phase"] == phase)
        & (reports["instrument_id"] == protocol.analysis.instrument_id)
        & reports["session_id"].notna()
    ]
    return mine.dropna(subset=["valence", "arousal"])


def _felt(
    protocol: StudyProtocol, reports: pd.DataFrame, arm_id: str, duration_s: float
) -> list[dict[str, Any]]:
    points = []
    for phase, times in (
        (Phase.PRE, (0.0,)),
        (Phase.PROBE, protocol.probes_at_s),
        (Phase.POST, (duration_s,)),
    ):
        mine = _reports(protocol, reports, arm_id, phase)
        for time_s in times:
            here = mine if phase is not Phase.PROBE else mine[mine["probe_at_s"] == time_s]
            if len(here):
                points.append({"time_s": time_s, "phase": str(phase), "n": len(here), **_means(here)})
    return points


def _means(reports: pd.DataFrame) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for axis in ("valence", "arousal"):
        values = reports[axis].to_numpy(dtype=float)
        mean = float(values.mean())
        found[axis] = mean
        found[f"{axis}_ci"] = None
        if len(values) > 1:
            se = float(values.std(ddof=1)) / np.sqrt(len(values))
            reach = float(stats.t.ppf(0.5 + CI_LEVEL / 2, len(values) - 1)) * se
            found[f"{axis}_ci"] = [mean - reach, mean + reach]
    return found


def _points(reports: pd.DataFrame) -> list[list[float]]:
    return [[float(v), float(a)] for v, a in zip(reports["valence"], reports["arousal"], strict=True)]
