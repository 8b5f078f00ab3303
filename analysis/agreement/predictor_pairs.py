"""Predictors side by side, never averaged: how far the one that reports and each other one are apart.

Two that hear different things (instruments, or mode and tempo) and agree are better evidence than one;
where they disagree, a figure that rests on one of them rests on which.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from analysis.agreement.pair_sets import AXES
from analysis.agreement.pair_statistics import STATISTICS, Pairs, bootstrap_pairs
from analysis.agreement.path_sets import PathSet
from analysis.agreement.resampling import resampling_of
from analysis.agreement.rows import FEWEST_PAIRS, estimated, method_of
from analysis.arm_names import arm_name
from analysis.result_row import ResultRow, not_estimated
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.protocol import StudyProtocol

PAIR_STATISTICS: Mapping[str, str] = {
    "mae": "Disagreement, mean of |first − second|",
    "bias": "Mean difference, first − second",
    "r": "Correlation over clips",
}
"""Statistic to label, in the order shown."""


def predictor_pair_rows(protocol: StudyProtocol, tables: StudyTables) -> Iterator[ResultRow]:
    """Rows ``predictors:<reporter>:<other>:<arm>:<axis>:<statistic>``, over clips; nothing for one predictor.

    Participants, each with all their clips, are drawn; where clips were shared, clips too.
    """
    first = protocol.analysis.agreement.predictor
    others = [str(name) for name in tables.predictions["predictor"].dropna().unique() if name != first]
    for other in sorted(others):
        for arm in protocol.arms:
            if arm.path.kind in NO_MUSIC:
                continue
            both = _beside(tables, arm.arm_id, first, other)
            design = resampling_of(list(both["participant_id"].astype(str)), list(both["clip_sha256"]))
            n, method = len(both), method_of(design).replace("n counts pairs", "n counts clips")
            for axis in AXES:
                x, y = (both[f"{axis}_pred_{side}"].to_numpy(dtype=float) for side in ("first", "other"))
                where = f"predictors:{first}:{other}:{arm.arm_id}:{axis}"
                found = {}
                if n >= FEWEST_PAIRS:
                    found = bootstrap_pairs(Pairs(x, y, design), f"{protocol.sha256}/{where}")
                for statistic, what in PAIR_STATISTICS.items():
                    label = f"{arm_name(arm.arm_id)}, {first} − {other}: {what}"
                    extra: dict[str, Any] = {
                        "arm": arm.arm_id,
                        "first": first,
                        "second": other,
                        "axis": axis,
                        "statistic": statistic,
                        "source": STATISTICS[statistic],
                        "n_participants": design.n_people,
                    }
                    row_id = f"{where}:{statistic}"
                    if statistic in found:
                        yield estimated(row_id, label, found[statistic], n, method, design, extra)
                    else:
                        reason = f"{n} clip(s) that both predict: {FEWEST_PAIRS} or more are needed"
                        yield not_estimated(row_id, label, n, method, reason, extra)
                        break


def parts_of(tables: StudyTables, sets: list[PathSet]) -> list[dict[str, Any]]:
    """What part each predictor has: whether it reports, helped to make the sound, reads the composer's cues.

    Returns:
        Per predictor, the one that reports first: predictor, is_reporter; the arms where it chose among
        candidates (took_part), helped to train the generator (trained), reads the composer's cues
        (manipulation_check); clips; and foreign_share: mean share of a clip's windows outside its reference
        music, None where it cannot tell.
    """
    found: dict[str, dict[str, Any]] = {}
    for one in sets:
        rows = tables.predictions[tables.predictions["predictor"] == one.predictor]
        foreign = rows["foreign_share"].dropna()
        part = found.setdefault(
            one.predictor,
            {
                "predictor": one.predictor,
                "is_reporter": one.is_reporter,
                "took_part": [],
                "trained": [],
                "manipulation_check": [],
                "clips": int(rows["valence_pred"].notna().sum()),
                "foreign_share": float(foreign.mean()) if len(foreign) else None,
            },
        )
        part["took_part"] += [one.arm] if one.chose else []
        part["trained"] += [one.arm] if one.trained else []
        part["manipulation_check"] += [one.arm] if one.shares_cues else []
    return list(found.values())


def _beside(tables: StudyTables, arm: str, first: str, other: str) -> pd.DataFrame:
    clip = ["participant_id", "session_id", "onset_s", "clip_sha256"]
    mine = tables.predictions[tables.predictions["arm"] == arm].dropna(
        subset=["valence_pred", "arousal_pred"]
    )
    sides = (
        mine[mine["predictor"] == name][[*clip, "valence_pred", "arousal_pred"]] for name in (first, other)
    )
    return next(sides).merge(next(sides), on=clip, suffixes=("_first", "_other"), validate="one_to_one")
