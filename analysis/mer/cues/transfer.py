"""From cues in physical units to valence and arousal, by published coefficients.

The coefficients (``weights/cue_affect.json``, each with its source) are standardised:
valence and arousal in standard deviations of the ratings of Eerola, Friberg &
Bresin (2013), per standard deviation of a cue over their factorial design. Three
steps bring the audio to their scale and their result to ours; all but the coefficients
is written by ``scripts/calibrate_cues.py`` without any label.

1. Each feature becomes z = (feature - mean) / sd over the calibration music: a standard
   deviation in real music stands for one in the design. (The design's levels, in
   physical units, stand beside it in the file: its listeners judged against the design's
   range, as listeners judge music against music.) The design spans 1.5 standard
   deviations to either side, so z is held within two: beyond, nobody has rated.
   A cue with two features is their mean, brought to unit spread. Mode had two levels and
   is heard as one or the other: majorness is saturated (tanh of twice it), then
   weighted by its clarity, since music without a clear key is neither.
2. score = coefficients × z, one row an axis; where a published coefficient is not applied, the file says why.
3. affect = tanh(offset + gain × (mix @ score)): `mix` makes the axes uncorrelated over
   the calibration music (symmetric, so that both give way alike), gain and offset
   give the predictions the mean and spread of published ratings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.window_cues import WindowCues

Floats = NDArray[np.float64]

AXES = ("valence", "arousal")
FARTHEST_SD = 2.0
"""No feature counts as farther than this from its mean."""
_SLOWEST_HZ = 1 / 6
_LEAST_FLUX = 1e-4

FEATURES: Mapping[str, Callable[[WindowCues], float]] = MappingProxyType(
    {
        "mode": lambda cues: cues.clarity * math.tanh(2.0 * cues.majorness),
        "mean_pitch": lambda cues: cues.mean_pitch,
        "log2_note_rate": lambda cues: math.log2(max(cues.note_rate_hz, _SLOWEST_HZ)),
        "loudness_lufs": lambda cues: cues.loudness_lufs,
        "log2_flux": lambda cues: math.log2(max(cues.flux, _LEAST_FLUX)),
        "detachment": lambda cues: 1.0 - cues.articulation_ratio,
        "brightness_db": lambda cues: cues.brightness_db,
        "log2_tempo": lambda cues: math.log2(cues.tempo_bpm),
        "range_lu": lambda cues: cues.range_lu,
        "roughness": lambda cues: cues.roughness,
        "clarity": lambda cues: cues.clarity,
    }
)
"""What the map and the reference domain see of a window: scales on which steps are alike."""


def features_of(cues: Sequence[WindowCues]) -> Floats:
    """Shape [n_windows, n_features], in the order of `FEATURES`."""
    return np.array([[feature(one) for feature in FEATURES.values()] for one in cues], dtype=np.float64)


@dataclass(frozen=True)
class CueTransfer:
    """The map, ready to apply.

    Args:
        version: of the data file.
        cues: names, in the file's order.
        loadings: shape [n_cues, n_features], from standardised features to cues of unit spread.
        coefficients: shape [2, n_cues], as applied: valence and arousal.
        mean, sd: shape [n_features], over the calibration music.
        mix: shape [2, 2], from scores to uncorrelated axes of unit spread.
        gain, offset: shape [2], to the spread and mean of published ratings.
    """

    version: str
    cues: tuple[str, ...]
    loadings: Floats
    coefficients: Floats
    mean: Floats
    sd: Floats
    mix: Floats
    gain: Floats
    offset: Floats

    @classmethod
    def from_json(cls, text: str) -> CueTransfer:
        """Read the data file's text."""
        content: Mapping[str, Any] = json.loads(text)
        entries, calibration = content["cues"], content["calibration"]
        names = list(FEATURES)
        loadings = np.zeros((len(entries), len(names)))
        for row, entry in enumerate(entries):
            for feature in entry["features"]:
                loadings[row, names.index(feature)] = 1.0
        loadings /= np.array(calibration["cue_sd"])[:, None]
        return cls(
            version=content["version"],
            cues=tuple(entry["cue"] for entry in entries),
            loadings=loadings,
            coefficients=np.array(
                [[(entry.get("applied") or entry)[axis] for entry in entries] for axis in AXES]
            ),
            mean=np.array([calibration["features"][name]["mean"] for name in names]),
            sd=np.array([calibration["features"][name]["sd"] for name in names]),
            mix=np.array(calibration["mix"]),
            gain=np.array(calibration["gain"]),
            offset=np.array(calibration["offset"]),
        )

    def standardised(self, features: Floats) -> Floats:
        """Features in standard deviations of the calibration music, unlimited, shape [n, n_features]."""
        return np.asarray((features - self.mean) / self.sd)

    def cues_of(self, features: Floats) -> Floats:
        """Cues of unit spread over the calibration music: shape [n, n_features] → [n, n_cues]."""
        z = np.clip(self.standardised(features), -FARTHEST_SD, FARTHEST_SD)
        return np.asarray(z @ self.loadings.T)

    def scores(self, features: Floats) -> Floats:
        """Valence and arousal before mixing and scaling, shape [n, 2]."""
        return np.asarray(self.cues_of(features) @ self.coefficients.T)

    def contributions(self, features: Floats) -> Floats:
        """What each cue adds to the two scores, shape [n, 2, n_cues]."""
        return np.asarray(self.cues_of(features)[:, None, :] * self.coefficients)

    def affect(self, features: Floats) -> Floats:
        """Valence and arousal in (-1, 1), shape [n, n_features] → [n, 2]."""
        return np.asarray(np.tanh(self.offset + self.gain * (self.scores(features) @ self.mix.T)))
