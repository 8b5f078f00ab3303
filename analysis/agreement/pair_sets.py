"""What is compared with what: felt, perceived, generated and planned, never mixed.

Music emotion recognition estimates what the music expresses (perceived); self-report here is mostly what
was felt. A gap between the two is not an error of either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.agreement.pair_statistics import Pairs
from analysis.agreement.repeated_concordance import Occasions
from analysis.agreement.resampling import Resampling, resampling_of
from analysis.agreement.trajectories import Trajectories
from analysis.tables.build import StudyTables
from analysis.tables.pairing import NO_MUSIC
from study.protocol import Phase, StudyProtocol

Floats = NDArray[np.float64]

AXES = ("valence", "arousal")
GENERATED = "generated"
PLANNED = "planned"


@dataclass(frozen=True)
class PairSet:
    """Pairs that are analysed together.

    Args:
        set_id: e.g. ``felt_vs_generated:probe:slider``.
        label: for people.
        first, second: names of what is compared; bias is first − second.
        frame: columns participant_id, session_id, clip, time_s, heard_s, arm and, for each axis,
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

    @cached_property
    def design(self) -> Resampling:
        """The unit that is resampled."""
        return resampling_of(list(self.frame["participant_id"]), list(self.frame["clip"]))

    @property
    def is_of_probes(self) -> bool:
        """Whether these are reports during a session."""
        return self.phase == Phase.PROBE

    def pairs(self, axis: str) -> Pairs:
        """The pairs on one axis, with occasions and trajectories where they mean something."""
        x, y = (self.frame[f"{axis}_{side}"].to_numpy(dtype=float) for side in "xy")
        design, occasions, trajectories = self.design, None, None
        if self.phase is not None and len(x) > design.n_people:
            times = zip(self.frame["session_id"], self.frame["time_s"].fillna(-1.0), strict=True)
            occasions = Occasions(x, y, numbered(list(times)), design)
        if self.is_of_probes and self.second == GENERATED:
            time_s = self.frame["time_s"].to_numpy(dtype=float)
            trajectories = Trajectories(x, y, time_s, self.sessions, design)
        return Pairs(x, y, design, occasions, trajectories)

    @property
    def sessions(self) -> NDArray[np.intp]:
        """Shape [n]: which person's session each pair is of."""
        return numbered(list(zip(self.frame["participant_id"], self.frame["session_id"], strict=True)))

    @property
    def clips(self) -> NDArray[np.intp]:
        """Shape [n]: which sound each pair is of."""
        return numbered(list(self.frame["clip"]))


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
        for second, column in ((GENERATED, "pred"), (PLANNED, "target")):
            words = {GENERATED: "generated (MER)", PLANNED: "planned"}[second]
            sets.append(
                PairSet(
                    f"{perspective}_vs_{second}:{phase}:{instrument_id}",
                    f"{perspective} − {words}, {phase} ({instrument_id})",
                    str(perspective),
                    second,
                    _frame(mine, AXES, column, mine["probe_at_s"], mine["window_heard_s"]),
                    str(phase),
                    str(perspective),
                    str(instrument_id),
                )
            )
    sets.append(engine_set(tables))
    return tuple(sets)


def engine_set(tables: StudyTables, arm: str | None = None) -> PairSet:
    """What was generated beside what was planned, clip by clip; of one arm, or of all."""
    clips = tables.clips if arm is None else tables.clips[tables.clips["arm"] == arm]
    return PairSet(
        "generated_vs_planned:clips",
        "generated (MER) − planned, every clip",
        GENERATED,
        PLANNED,
        _frame(clips, ("valence_pred", "arousal_pred"), "target", clips["onset_s"], clips["heard_s"]),
    )


def unpaired_counts(tables: StudyTables) -> dict[str, int]:
    """Why reports have no prediction beside them, and how many."""
    reasons = tables.pairs["unpaired_reason"].dropna()
    return {str(reason): int(count) for reason, count in sorted(reasons.value_counts().items(), key=str)}


def arms_without_music(protocol: StudyProtocol) -> tuple[str, ...]:
    """Arms whose sound is not music; they have no prediction."""
    return tuple(arm.arm_id for arm in protocol.arms if arm.path.kind in NO_MUSIC)


def difference_points(pair_set: PairSet) -> dict[str, list[list[Any]]]:
    """For each axis, [mean, difference, arm] of every pair: what a Bland-Altman plot shows."""
    arms = list(pair_set.frame["arm"].astype(str))
    points = {}
    for axis in AXES:
        x, y = (pair_set.frame[f"{axis}_{side}"].to_numpy(dtype=float) for side in "xy")
        means, differences = ((x + y) / 2).tolist(), (x - y).tolist()
        points[axis] = [list(point) for point in zip(means, differences, arms, strict=True)]
    return points


def numbered(names: Sequence[Any]) -> NDArray[np.intp]:
    """Each name's number, in order of first appearance."""
    order = {name: index for index, name in enumerate(dict.fromkeys(names))}
    return np.array([order[name] for name in names], dtype=np.intp)


def _frame(
    table: pd.DataFrame,
    first: tuple[str, ...],
    second: str,
    time_s: pd.Series[float],
    heard_s: pd.Series[float],
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "participant_id": table["participant_id"].astype(str),
            "session_id": table["session_id"].astype(str),
            "clip": table["clip_sha256"],
            "arm": table["arm"],
            "time_s": time_s,
            "heard_s": heard_s,
            "valence_x": table[first[0]],
            "valence_y": table[f"valence_{second}"],
            "arousal_x": table[first[1]],
            "arousal_y": table[f"arousal_{second}"],
        }
    )
    return frame.dropna(subset=["clip", "valence_x", "valence_y", "arousal_x", "arousal_y"])
