"""How high the music lies: the mean of the keys that sound, each by its salience.

Not the spectral centroid: that follows brightness (a muted piano and a bright one
differ by an octave of centroid at the same keys). The notes of `notes.py` explain
overtones by their fundamentals, so timbre hardly moves the mean; drums leave few
partials, and those below `LOWEST_KEY` (kick drums) or scattered over all keys move
it little. An octave error of one note moves the mean by twelve times that
note's share of the salience; measured bounds are in the tests.
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
