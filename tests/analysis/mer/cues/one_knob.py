"""One knob of the controlled sound at a time: how far each cue follows it.

`measured_table` hears every setting anew; the tests hold it to bounds, the documentation prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.predictor import CuesPredictor
from analysis.mer.cues.transfer import FEATURES, features_of
from analysis.mer.cues.window_cues import WindowCues, hear_cues
from tests.analysis.mer.controlled_audio import PLAYERS, Knobs
from tests.analysis.mer.cues.one_window import window_with

SEEDS = (0, 1)
PLAIN = Knobs(duration_s=12.0)

#: Feature of the map and its unit.
CUES: Mapping[str, str] = {
    "mode": "clarity × mode, -1 to 1",
    "mean_pitch": "semitones",
    "log2_note_rate": "octaves of notes a second",
    "log2_tempo": "octaves of beats a minute",
    "loudness_lufs": "LU",
    "range_lu": "LU",
    "log2_flux": "octaves",
    "detachment": "share of the time to the next note",
    "brightness_db": "dB",
    "roughness": "share",
    "clarity": "0 to 1",
}


@dataclass(frozen=True)
class Knob:
    """Settings of one knob, from one end to the other.

    Args:
        title: what is turned.
        unit: of `settings`; slopes are per one of it.
        settings: place on a scale on which equal steps are alike → what is changed.
    """

    title: str
    unit: str
    settings: Mapping[float, Mapping[str, Any]]


KNOBS: Mapping[str, Knob] = {
    "transposed": Knob(
        "ten semitones higher",
        "semitone",
        {float(step): {"transpose_semitones": step} for step in (-5, 0, 5)},
    ),
    "mode": Knob("minor → major", "mode", {0.0: {"mode": "minor"}, 1.0: {"mode": "major"}}),
    "notes": Knob(
        "1.2 → 6 notes a second",
        "octave",
        {float(np.log2(rate)): {"notes_per_s": rate} for rate in (1.2, 2.0, 2.8, 4.4, 6.0)},
    ),
    "pulse": Knob(
        "90 → 168 notes a minute",
        "octave",
        {float(np.log2(rate)): {"notes_per_s": rate} for rate in (1.5, 2.0, 2.8)},
    ),
    "gain": Knob("12 dB louder", "dB", {gain: {"gain_db": gain} for gain in (-6.0, 0.0, 6.0)}),
    "detached": Knob(
        "held for all → for a quarter of the time",
        "share",
        {1.0 - held: {"articulation": held} for held in (1.0, 0.75, 0.5, 0.25)},
    ),
    "clusters": Knob(
        "no → three semitone neighbours", "neighbour", {float(n): {"dissonance": n} for n in (0, 3)}
    ),
    "instrument": Knob(
        "all six instruments",
        "instrument",
        {float(number): {"instrument": name} for number, name in enumerate(PLAYERS)},
    ),
}


def measured_table() -> list[dict[str, Any]]:
    """One row a cue and knob.

    Columns: cue, unit, knob, title, slope (change of the cue for one unit of the knob, least
    squares; None for instruments, which have no order) and moved_sd (largest less smallest mean
    over the knob's settings, in standard deviations of the cue in real music).
    """
    sd = dict(zip(FEATURES, CuesPredictor().transfer.sd, strict=True))
    rows = []
    for knob_name, knob in KNOBS.items():
        settings = np.array(list(knob.settings))
        heard = _heard(knob_name)
        for cue, unit in CUES.items():
            values = heard[:, list(FEATURES).index(cue)]
            slope = None if knob_name == "instrument" else float(np.polyfit(settings, values, 1)[0])
            rows.append(
                {
                    "cue": cue,
                    "unit": unit,
                    "knob": knob_name,
                    "title": knob.title,
                    "slope": slope,
                    "moved_sd": float(np.ptp(values) / sd[cue]),
                }
            )
    return rows


def affect_with(knobs: Knobs) -> NDArray[np.float64]:
    """Valence and arousal of a controlled sound, mean over the seeds."""
    cues = [_cues(replace(knobs, seed=seed)) for seed in SEEDS]
    return np.asarray(CuesPredictor().transfer.affect(features_of(cues)).mean(axis=0))


@lru_cache(maxsize=len(KNOBS))
def _heard(knob: str) -> NDArray[np.float64]:
    """Features at each setting, mean over the seeds, shape [n_settings, n_features]."""
    turned = KNOBS[knob]
    return np.array(
        [
            features_of([_cues(replace(PLAIN, **change, seed=seed)) for seed in SEEDS]).mean(axis=0)
            for change in turned.settings.values()
        ]
    )


@lru_cache(maxsize=64)
def _cues(knobs: Knobs) -> WindowCues:
    return hear_cues(window_with(knobs))
