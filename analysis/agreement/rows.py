"""Agreement of felt, generated and planned affect, each axis apart.

Music emotion recognition estimates what the music expresses (perceived);
self-report here is mostly what was felt. A gap between the two is not an error
of either. Correlation alone is not agreement, so concordance, bias, limits,
error and calibration are given together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.agreement.concordance import concordance, limits_of_agreement
from analysis.agreement.pair_statistics import STATISTICS, Bootstrapped, bootstrap_pairs, within_person_r
from analysis.agreement.resampling import PARTICIPANT, REPLICATES, Resampling, resampling_of
from analysis.result_row import NotEstimable, ResultRow, not_estimated
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.protocol import StudyProtocol

Floats = NDArray[np.float64]

AXES = ("valence", "arousal")
FEWEST_PAIRS = 3


@dataclass(frozen=True)
class PairSet:
    """Pairs that are analysed together.

    Args:
        set_id: e.g. ``felt_vs_generated:probe:slider``.
        label: for people.
        first, second: names of what is compared; bias is first − second.
        frame: columns participant_id, clip, time_s, arm and, for each axis,
            ``valence_x``, ``valence_y``, ``arousal_x``, ``arousal_y``.
        phase, perspective, instrument_id: None where clips are compared.
    """

    set_id: str
    label: str
    first: str
    second: str
    frame: pd.DataFrame
    phase: str | None = None
    perspective: str | None = None
    instrument_id: str | None = None

    @property
    def design(self) -> Resampling:
        """The unit that is resampled."""
        return resampling_of(list(self.frame["participant_id"]), list(self.frame["clip"]))


def pair_sets(tables: StudyTables) -> tuple[PairSet, ...]:
    """Every comparison there are reports or clips for, felt and perceived apart."""
    sets: list[PairSet] = []
    pairs = tables.pairs
    keys = pairs[["phase", "perspective", "instrument_id"]].drop_duplicates()
    for phase, perspective, instrument_id in sorted(
        keys.itertuples(index=False, name=None), key=lambda k: (k[0] != "probe", k[1], k[2])
    ):
        mine = pairs[
            (pairs["phase"] == phase)
            & (pairs["perspective"] == perspective)
            & (pairs["instrument_id"] == instrument_id)
        ]
        for second, column in (("generated", "pred"), ("planned", "target")):
            words = {"generated": "generated (MER)", "planned": "planned"}[second]
            sets.append(
                PairSet(
                    f"{perspective}_vs_{second}:{phase}:{instrument_id}",
                    f"{perspective} − {words}, {phase} ({instrument_id})",
                    str(perspective),
                    second,
                    _frame(mine, ("valence", "arousal"), column, mine["probe_at_s"]),
                    str(phase),
                    str(perspective),
                    str(instrument_id),
                )
            )
    clips = tables.clips
    sets.append(
        PairSet(
            "generated_vs_planned:clips",
            "generated (MER) − planned, every clip",
            "generated",
            "planned",
            _frame(clips, ("valence_pred", "arousal_pred"), "target", clips["onset_s"]),
        )
    )
    return tuple(sets)


def agreement_rows(protocol: StudyProtocol, pair_set: PairSet) -> Iterator[ResultRow]:
    """Every statistic of a set, per axis.

    Intervals are percentile bootstraps over the design's unit. Where pairs are
    independent (one per participant, everyone with sound of their own), rows
    of CCC, bias and limits also carry the published analytic interval.
    """
    design = pair_set.design
    for axis in AXES:
        x, y = (pair_set.frame[f"{axis}_{side}"].to_numpy(dtype=float) for side in "xy")
        extra: dict[str, Any] = {
            "set_id": pair_set.set_id,
            "axis": axis,
            "phase": pair_set.phase,
            "perspective": pair_set.perspective,
            "instrument_id": pair_set.instrument_id,
            "first": pair_set.first,
            "second": pair_set.second,
            "unit": design.unit,
            "n_participants": design.n_people,
            "n_clips": int(pair_set.frame["clip"].nunique()),
        }
        n = len(x)
        row_id = f"{pair_set.set_id}:{axis}"
        method = _method(design)
        if n < FEWEST_PAIRS:
            reason = f"{n} pair(s): agreement needs {FEWEST_PAIRS} or more"
            yield not_estimated(
                f"{row_id}:ccc", STATISTICS["ccc"], n, method, reason, {**extra, "statistic": "ccc"}
            )
            continue
        found = bootstrap_pairs(x, y, design, f"{protocol.sha256}/{row_id}")
        analytic = _analytic(x, y, design)
        for statistic, label in STATISTICS.items():
            more = {**extra, "statistic": statistic, "analytic_ci": analytic.get(statistic)}
            yield _row(f"{row_id}:{statistic}", label, found[statistic], n, method, design, more)
        yield from _within_rows(protocol, pair_set, design, axis, x, y, extra)


def unpaired_counts(tables: StudyTables) -> dict[str, int]:
    """Why reports have no prediction beside them, and how many."""
    reasons = tables.pairs["unpaired_reason"].dropna()
    return {str(reason): int(count) for reason, count in sorted(reasons.value_counts().items(), key=str)}


def arms_without_music(protocol: StudyProtocol) -> tuple[str, ...]:
    """Arms whose sound is not music; they have no prediction."""
    return tuple(arm.arm_id for arm in protocol.arms if arm.path.kind in NO_MUSIC)


def _frame(
    table: pd.DataFrame, first: tuple[str, str], second: str, time_s: pd.Series[float]
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "participant_id": table["participant_id"].astype(str),
            "clip": table["clip_sha256"],
            "arm": table["arm"],
            "time_s": time_s,
            "valence_x": table[first[0]],
            "valence_y": table[f"valence_{second}"],
            "arousal_x": table[first[1]],
            "arousal_y": table[f"arousal_{second}"],
        }
    )
    return frame.dropna(subset=["clip", "valence_x", "valence_y", "arousal_x", "arousal_y"])


def _analytic(x: Floats, y: Floats, design: Resampling) -> dict[str, tuple[float, float] | None]:
    if design.unit != PARTICIPANT or design.n_people != len(x):
        return {}
    try:
        ccc, limits = concordance(x, y), limits_of_agreement(x - y)
    except NotEstimable:
        return {}
    return {
        "ccc": (ccc.ci_low, ccc.ci_high),
        "bias": limits.bias_ci,
        "limit_low": limits.low_ci,
        "limit_high": limits.high_ci,
    }


def _within_rows(
    protocol: StudyProtocol,
    pair_set: PairSet,
    design: Resampling,
    axis: str,
    x: Floats,
    y: Floats,
    extra: dict[str, Any],
) -> Iterator[ResultRow]:
    if pair_set.phase != "probe" or pair_set.second != "generated" or design.unit != PARTICIPANT:
        return
    time_s = pair_set.frame["time_s"].to_numpy(dtype=float)
    for statistic, label, detrend in (
        ("within_r", "Within-person correlation, raw (confounded by a shared trend)", False),
        ("within_r_detrended", "Within-person correlation, detrended", True),
    ):
        row_id = f"{pair_set.set_id}:{axis}:{statistic}"
        found = within_person_r(x, y, time_s, design, detrend, f"{protocol.sha256}/{row_id}")
        if found is not None:
            more = {**extra, "statistic": statistic, "analytic_ci": None}
            yield _row(row_id, label, found, len(x), _method(design), design, more)


def _row(
    row_id: str,
    label: str,
    found: Bootstrapped,
    n: int,
    method: str,
    design: Resampling,
    extra: dict[str, Any],
) -> ResultRow:
    if not np.isfinite(found.estimate):
        return not_estimated(row_id, label, n, method, "one of the two measurements does not vary", extra)
    reason = None
    if found.ci_low is None:
        reason = design.too_few or "the interval is not defined in too many resamples"
    return ResultRow(
        row_id, label, found.estimate, found.ci_low, found.ci_high, None, n, method, reason, extra
    )


def _method(design: Resampling) -> str:
    why = "everyone heard sound of their own" if design.unit == PARTICIPANT else "clips were shared"
    return f"percentile bootstrap, {REPLICATES} draws, unit {design.unit} ({why}); n counts pairs"


def difference_points(pair_set: PairSet) -> dict[str, list[list[Any]]]:
    """For each axis, [mean, difference, arm] of every pair: what a Bland-Altman plot shows."""
    return {
        axis: [[(x + y) / 2, x - y, arm] for x, y, arm in _triples(pair_set.frame, axis)] for axis in AXES
    }


def _triples(frame: pd.DataFrame, axis: str) -> Sequence[tuple[float, float, str]]:
    return list(
        zip(
            frame[f"{axis}_x"].astype(float),
            frame[f"{axis}_y"].astype(float),
            frame["arm"].astype(str),
            strict=True,
        )
    )
