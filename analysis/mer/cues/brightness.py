"""How much of a window's energy is high."""

from __future__ import annotations

import math

import numpy as np

from analysis.mer.cues.frames import FINE_FRAME, RATE_HZ, CueWindow

CUT_HZ = 1_500.0
FLOOR_DB = -60.0


def brightness_db(window: CueWindow) -> float:
    """Energy above 1.5 kHz over energy below it, in dB, between -60 and 60.

    The high-frequency energy of Juslin (2000, Journal of Experimental Psychology: Human
    Perception and Performance 26, 1797-1813), with the cut-off that MIRtoolbox's
    ``mirbrightness`` uses; as a ratio in decibels, so that it neither saturates nor follows
    the gain. Not the spectral centroid: that follows the highest partials of a quiet
    cymbal, and with the register moves semitone by semitone.
    """
    power = np.square(window.fine).sum(axis=0, dtype=np.float64)
    cut = round(CUT_HZ * FINE_FRAME / RATE_HZ)
    low, high = float(power[:cut].sum()), float(power[cut:].sum())
    # Windows of nothing at all are as dark as bright.
    ratio_db = 10.0 * math.log10((high + 1e-20) / (low + 1e-20))
    return min(max(ratio_db, FLOOR_DB), -FLOOR_DB)
