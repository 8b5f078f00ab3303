"""How high the music lies: the mean of the keys that sound, each by its salience.

Not the spectral centroid, which follows brightness: the notes of `notes.py` explain
overtones by their fundamentals, and drums leave few partials. An octave up moves the
mean by 10.9 semitones, an octave down by 9.8 (controlled audio, six instruments). It lies
some two semitones under the mean of the written keys, since a note an octave above another is
often taken for its overtone; one octave error moves the mean by twelve times that
note's share of the salience. Low piano strings (under 80 Hz) and the clarinet, whose
overtones outweigh their fundamentals, are heard too high when they sound alone.
"""

from __future__ import annotations

import numpy as np

from analysis.mer.cues.frames import CueWindow
from analysis.mer.cues.notes import HIGHEST_KEY, LOWEST_KEY

MIDDLE_KEY = (LOWEST_KEY + HIGHEST_KEY) / 2
"""Said of a window in which no note sounds."""


def mean_pitch(window: CueWindow) -> float:
    """Mean MIDI key, fractional; 60 is middle C, `MIDDLE_KEY` where nothing sounds."""
    salience = window.notes.by_key
    total = float(salience.sum())
    if total == 0.0:
        return MIDDLE_KEY
    keys = np.arange(LOWEST_KEY, HIGHEST_KEY + 1)
    return float(keys @ salience) / total + window.notes.tuning
