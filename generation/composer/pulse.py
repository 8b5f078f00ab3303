"""The beat: seconds to quarter notes and back, along a tempo that never jumps."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import DECIMALS, CueCurves
from generation.composer.score import Phrase

Curve = NDArray[np.float64]

_STEP_S = 0.05
_RITARD_BEATS = 7.0
_SHORTEST_RITARD_S, _LONGEST_RITARD_S = 3.0, 9.0
_RITARD_SLOWEST = 0.6
_BREADTH = 0.035


class Pulse:
    """The map between beats and seconds.

    The tempo follows the tempo cue and broadens before the final chord; within a phrase it is a little
    broader at both ends (`breathe`).

    Args:
        curves: the session's cues.
        first_s: moment of beat 0.
        final_s: moment of the final chord.
    """

    def __init__(self, curves: CueCurves, first_s: float, final_s: float) -> None:
        self.first_s, self.final_s = first_s, final_s
        self._curves = curves
        n_points = max(int((final_s - first_s) / _STEP_S), 1) + 1
        self._times_s = np.linspace(first_s, final_s, n_points)
        tempo = curves.at(self._times_s).tempo_bpm
        tempo = tempo * _ritard(self._times_s, final_s - first_s, float(tempo[-1]))
        steps = np.diff(self._times_s) * (tempo[1:] + tempo[:-1]) / 120.0
        self._natural = np.concatenate([[0.0], np.cumsum(steps)])
        self._set(self._natural, self._times_s)

    @property
    def natural_beats(self) -> float:
        """Beats from the first to the final chord at the cue's own tempo."""
        return round(float(self._natural[-1]), DECIMALS)

    def fit(self, beats: int) -> None:
        """Stretch the tempo evenly so that the final chord falls on beat `beats`; no phrase breathes then."""
        fitted = self._natural * (beats / self.natural_beats) if beats else self._natural
        self._set(fitted, self._times_s)

    def breathe(self, phrases: Iterable[Phrase]) -> None:
        """Let the tempo arch over each phrase: slower at both ends, faster in the middle.

        A beat at a phrase's edge lasts 1 + ε times as long, one in its middle 1 - ε, ε = .035 × the arch
        cue. No phrase becomes longer or shorter: its first and its last moment stay where they were, so that
        nothing drifts from the path. Source: the phrase arch of the KTH rules (Friberg, Bresin & Sundberg,
        2006, Advances in Cognitive Psychology 2, 145-161), here as a cosine.
        """
        moments_s = self._times_s.copy()
        for phrase in phrases:
            if phrase.beats < 2:
                continue
            start_s, end_s = self.second(phrase.onset_beat), self.second(phrase.end_beat)
            breadth = _BREADTH * self._curves.one("arch", (start_s + end_s) / 2)
            inside = slice(*np.searchsorted(self._times_s, [start_s, end_s]))
            share = (self._times_s[inside] - start_s) / (end_s - start_s)
            sway = breadth * (end_s - start_s) / (2.0 * math.pi)
            moments_s[inside] += sway * np.sin(2.0 * math.pi * share)
        self._set(self._beats, np.round(moments_s, DECIMALS))

    def seconds(self, beats: Curve) -> Curve:
        """Moments of `beats`, shape [n]; past the final chord at its tempo."""
        inside = np.interp(beats, self._beats, self._moments_s)
        late = np.maximum(np.asarray(beats) - self._beats[-1], 0.0)
        return np.asarray(np.round(inside + late * self._last_pace_s, DECIMALS))

    def second(self, beat: float) -> float:
        """Moment of one beat."""
        beats, moments_s = self._beat_list, self._moment_list
        after = bisect_right(beats, beat)
        if after == 0:
            return moments_s[0]
        if after == len(beats):
            return round(moments_s[-1] + (beat - beats[-1]) * self._last_pace_s, DECIMALS)
        share = (beat - beats[after - 1]) / (beats[after] - beats[after - 1])
        return round(moments_s[after - 1] * (1.0 - share) + moments_s[after] * share, DECIMALS)

    def _set(self, beats: Curve, moments_s: Curve) -> None:
        self._beats, self._moments_s = np.round(beats, DECIMALS + 3), moments_s
        # Read one by one, lists are faster than arrays.
        self._beat_list: list[float] = self._beats.tolist()
        self._moment_list: list[float] = moments_s.tolist()
        last = float(self._beats[-1] - self._beats[-2])
        self._last_pace_s = float(moments_s[-1] - moments_s[-2]) / last if last > 0.0 else 0.0


def _ritard(times_s: Curve, length_s: float, tempo_bpm: float) -> Curve:
    """Factor on the tempo: 1, falling before the end as a runner stops.

    Source: Friberg & Sundberg (1999, Does music performance allude to locomotion?, JASA 105, 1469-1484):
    v(x) = (1 + (w^q - 1) x)^(1/q) over score position, q = 3, which over time is a square root.
    """
    ritard_s = min(max(_RITARD_BEATS * 60.0 / tempo_bpm, _SHORTEST_RITARD_S), _LONGEST_RITARD_S)
    ritard_s = max(min(ritard_s, 0.4 * length_s), 1e-9)
    done = np.clip(1.0 - (times_s[-1] - times_s) / ritard_s, 0.0, 1.0)
    return np.asarray(np.sqrt(1.0 + (_RITARD_SLOWEST**2 - 1.0) * done))
