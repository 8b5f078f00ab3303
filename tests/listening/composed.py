"""Music of the embedded composer: heard as planned or not, where clips meet, and where there is silence.

The composer and the predictor `cues` use the same published cues: that one follows the other is a check of
the manipulation, not of what a listener would say.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.predictor import AffectSeries
from tests.listening.hearing import HeardSound
from tests.listening.intervals import difference_of_means, spearman
from tests.listening.made_sounds import ComposedSound, GapSound, JoinedSound, PlainSound

GRID = (-0.75, -0.25, 0.25, 0.75)
GRID_S = 30.0
PALETTES = ("chamber", "acoustic", "ambient")

SESSION_S = 300.0
CLIP_S = 30.0
#: An iso path: where the person is, then step by step to where they want to be.
ISO = ((-0.6, 0.5), (-0.3, 0.3), (0.0, 0.1), (0.3, -0.1), (0.6, -0.4))
JOINED_AIMS = ((0.5, 0.5), (0.5, -0.5), (-0.5, 0.5), (-0.5, -0.5))
JOINED_SEEDS = (1, 2, 3, 4, 5, 6)

PAUSES = (GapSound(), GapSound(hiss_dbfs=-60.0))


def grid_sounds() -> list[ComposedSound]:
    """Pieces of one planned affect each."""
    return [
        ComposedSound("grid", (point,), GRID_S, seed, palette)
        for seed, palette in enumerate(PALETTES, start=1)
        for point in product(GRID, GRID)
    ]


def sessions() -> list[ComposedSound]:
    """Sessions along an iso path; the composer has no joins, its planned clips end every 30 s."""
    return [ComposedSound("session", ISO, SESSION_S, seed) for seed in (1, 2, 3, 4)]


def joined() -> list[JoinedSound]:
    """Sessions of separate clips with one aim, crossfaded."""
    return [JoinedSound(aim, JOINED_SEEDS) for aim in JOINED_AIMS]


def sounds() -> list[ComposedSound | JoinedSound | GapSound | PlainSound]:
    """All of them."""
    return [*grid_sounds(), *sessions(), *joined(), *PAUSES, *plain_sounds()]


def plain_sounds() -> list[PlainSound]:
    """What is no music."""
    return [PlainSound(kind, seed) for kind in ("white", "pink", "tone") for seed in (1, 2, 3, 4)]


def grid_figures(heard: Mapping[str, HeardSound], predictors: Sequence[str]) -> dict[str, Any]:
    """Rank correlation of planned and predicted, own axis and the other, by predictor."""
    found = {}
    for name in predictors:
        rows = [
            (*sound.points[0], *mean)
            for sound in grid_sounds()
            if (mean := heard[sound.sound_id].mean(name)) is not None
        ]
        planned_v, planned_a, v, a = (list(column) for column in zip(*rows, strict=True))
        found[name] = {
            "valence_by_planned_valence": spearman(planned_v, v),
            "valence_by_planned_arousal": spearman(planned_a, v),
            "arousal_by_planned_arousal": spearman(planned_a, a),
            "arousal_by_planned_valence": spearman(planned_v, a),
        }
    return found


def seam_figures(heard: Mapping[str, HeardSound], predictors: Sequence[str]) -> list[dict[str, Any]]:
    """How far a prediction moves from before to after a seam, and between other such moments."""
    marks = [number * CLIP_S for number in range(1, round(SESSION_S / CLIP_S))]
    placed: dict[str, list[tuple[str, Sequence[float]]]] = {
        "composed": [(sound.sound_id, marks) for sound in sessions()],
        "joined": [(sound.sound_id, heard[sound.sound_id].seams_s) for sound in joined()],
    }
    rows = []
    for kind, where in placed.items():
        for name in predictors:
            at_seams: list[NDArray[np.float64]] = []
            elsewhere: list[NDArray[np.float64]] = []
            for sound_id, seams_s in where:
                times_s, steps = steps_of(heard[sound_id].series[name])
                nearest = {int(np.argmin(np.abs(times_s - seam_s))) for seam_s in seams_s}
                is_seam = np.isin(np.arange(len(times_s)), list(nearest))
                # Windows that touch a seam tell of it, too; only those far from any are elsewhere.
                reach_s = heard[sound_id].series[name].window_s
                far = np.all(np.abs(times_s[:, None] - np.asarray(seams_s)) > reach_s, axis=1)
                at_seams.append(steps[is_seam])
                elsewhere.append(steps[far])
            rows.append(
                {
                    "kind": kind,
                    "predictor": name,
                    **{
                        axis: difference_of_means(
                            np.concatenate(at_seams)[:, place], np.concatenate(elsewhere)[:, place]
                        )
                        for place, axis in enumerate(("valence", "arousal"))
                    },
                }
            )
    return rows


def steps_of(series: AffectSeries) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Size of the step between windows that only just touch: their meeting times, and |Δ|, shape [n, 2]."""
    hop_s = float(np.median(np.diff(series.onset_s)))
    lag = max(1, math.ceil(series.window_s / hop_s - 1e-6))
    affect = np.stack([series.valence_pred, series.arousal_pred], axis=1)
    times_s = (series.onset_s[:-lag] + series.onset_s[lag:] + series.window_s) / 2
    return times_s, np.abs(affect[lag:] - affect[:-lag])


def pause_figures(heard: Mapping[str, HeardSound], predictors: Sequence[str]) -> list[dict[str, Any]]:
    """What is predicted in the music around a pause, in the pause, and how many windows are left there."""
    rows = []
    for sound in PAUSES:
        begin_s, end_s = sound.pause_s
        for name in predictors:
            series = heard[sound.sound_id].series[name]
            after_s = series.onset_s + series.window_s
            inside = (series.onset_s >= begin_s) & (after_s <= end_s)
            outside = (after_s <= begin_s) | (series.onset_s >= end_s)
            affect = np.stack([series.valence_pred, series.arousal_pred], axis=1)
            rows.append(
                {
                    "pause": "digital silence"
                    if sound.hiss_dbfs is None
                    else f"hiss at {sound.hiss_dbfs:g} dBFS",
                    "predictor": name,
                    "music": affect[outside].mean(axis=0).tolist(),
                    "pause_windows": int(inside.sum()),
                    "in_pause": affect[inside].mean(axis=0).tolist() if inside.any() else None,
                    "touching": affect[~inside & ~outside].mean(axis=0).tolist()
                    if (~inside & ~outside).any()
                    else None,
                }
            )
    return rows
