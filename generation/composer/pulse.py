"""The beat: seconds to quarter notes and back, along a tempo that never jumps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves

Curve = NDArray[np.float64]

_RITARD_S = 9.0
_RITARD_SLOWEST = 0.62


class Pulse:
    """The map between beats and seconds.

    The tempo follows the tempo cue and broadens before the final chord.

    Args:
        curves: the session's cues.
        first_s: moment of beat 0.
        final_s: moment of the final chord.
    """

    def __init__(self, curves: CueCurves, first_s: float, final_s: float) -> None:
        self.first_s, self.final_s = first_s, final_s
        n_points = max(int((final_s - first_s) / 0.05), 1) + 1
        self._times_s = np.linspace(first_s, final_s, n_points)
        tempo = np.interp(self._times_s, curves.times_s, curves.cues.tempo_bpm)
        ritard_s = min(_RITARD_S, 0.4 * (final_s - first_s))
        left = np.clip((final_s - self._times_s) / max(ritard_s, 1e-9), 0.0, 1.0)
        tempo = tempo * (1.0 - (1.0 - _RITARD_SLOWEST) * (1.0 - left) ** 2)
        steps = np.diff(self._times_s) * (tempo[1:] + tempo[:-1]) / 120.0
        self._natural = np.concatenate([[0.0], np.cumsum(steps)])
        self._beats = self._natural

    @property
    def natural_beats(self) -> float:
        """Beats from the first to the final chord at the cue's own tempo."""
        return float(self._natural[-1])

    def fit(self, beats: int) -> None:
        """Stretch the tempo evenly so that the final chord falls on beat `beats`."""
        self._beats = self._natural * (beats / self.natural_beats) if beats else self._natural

    def seconds(self, beats: Curve) -> Curve:
        """Moments of `beats`, shape [n]; past the final chord at its tempo."""
        fitted = self._beats
        inside = np.interp(beats, fitted, self._times_s)
        if len(fitted) < 2 or fitted[-1] <= 0:
            return inside
        pace_s = (self._times_s[-1] - self._times_s[-2]) / (fitted[-1] - fitted[-2])
        return np.asarray(inside + np.maximum(beats - fitted[-1], 0.0) * pace_s)

    def second(self, beat: float) -> float:
        """Moment of one beat."""
        return float(self.seconds(np.array([beat]))[0])
