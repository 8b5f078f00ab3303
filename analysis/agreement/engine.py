"""Whether the engine hits its target: generated beside planned, clip by clip, arm by arm.

What was generated is what music emotion recognition hears in it, with all its limits: a miss may be the
engine's or the predictor's. Every rendered clip counts, heard or not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analysis.agreement.pair_sets import AXES, engine_set
from analysis.agreement.pair_statistics import NEAR, STATISTICS, bootstrap_pairs
from analysis.agreement.rows import FEWEST_PAIRS, estimated, method_of, row_extra
from analysis.arm_names import arm_name
from analysis.result_row import ResultRow, not_estimated
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.protocol import Arm, StudyProtocol

ENGINE_STATISTICS: Mapping[str, str] = {
    "bias": "Bias, generated − planned",
    "mae": "Mean absolute error",
    "ccc": "Concordance (CCC)",
    "slope": "Slope of generated on planned (1: full response)",
    "within": f"Share of clips within {NEAR:g} of the plan",
}
"""Statistic to label, in the order shown."""


def engine_rows(protocol: StudyProtocol, tables: StudyTables) -> Iterator[ResultRow]:
    """Rows ``engine:<arm>:<axis>:<statistic>``.

    Participants, each with all their clips, are drawn; where clips were shared, clips too. An arm
    without anything to compare has one row, with the reason.
    """
    for arm in protocol.arms:
        one = engine_set(tables, arm.arm_id)
        n, method = len(one.frame), method_of(one.design).replace("n counts pairs", "n counts clips")
        for axis in AXES:
            found = {}
            if n >= FEWEST_PAIRS:
                found = bootstrap_pairs(one.pairs(axis), f"{protocol.sha256}/engine:{arm.arm_id}:{axis}")
            for statistic, what in ENGINE_STATISTICS.items():
                row_id = f"engine:{arm.arm_id}:{axis}:{statistic}"
                label = f"{arm_name(arm.arm_id)}: {what}"
                extra = {**row_extra(one, axis), "arm": arm.arm_id, "statistic": statistic}
                extra["source"] = STATISTICS[statistic]
                if statistic in found:
                    yield estimated(row_id, label, found[statistic], n, method, one.design, extra)
                else:
                    yield not_estimated(row_id, label, n, method, _why_none(arm, n), extra)
                    break


def _why_none(arm: Arm, n: int) -> str:
    if arm.path.kind in NO_MUSIC:
        return f"the arm's sound is {arm.path.kind}, not music"
    return f"{n} clip(s) with both a plan and a prediction: {FEWEST_PAIRS} or more are needed"
