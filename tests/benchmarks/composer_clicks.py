"""Clicks: corners in a wave that no note's attack explains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, percentile_filter
from scipy.signal import butter, sosfilt

_CORNER_HZ = 12_000.0
_ATTACK_S = 0.06
_BEFORE_S = 0.01
_FRAME = 64
_TIMES_ABOVE = 12.0
_FLOOR = 3e-5


def clicks(
    samples: NDArray[np.float32], onsets_s: Sequence[float], sample_rate_hz: int
) -> NDArray[np.float64]:
    """Moments, in seconds, where what lies above 12 kHz leaps far over what is around it.

    A click has all frequencies; released and held notes have next to nothing up there. Frames within
    60 ms of a note's onset are left out: hammers and brushes are meant to be heard.

    Args:
        samples: shape [n_samples, n_channels].
    """
    stages = butter(6, _CORNER_HZ, btype="high", fs=sample_rate_hz, output="sos")
    crackle = np.abs(sosfilt(stages, samples.astype(np.float64), axis=0)).max(axis=1)
    n_frames = len(crackle) // _FRAME
    peaks = crackle[: n_frames * _FRAME].reshape(n_frames, _FRAME).max(axis=1)
    usual = percentile_filter(peaks, 50, size=round(0.25 * sample_rate_hz / _FRAME))
    attack = np.zeros(n_frames, dtype=bool)
    for onset_s in onsets_s:
        first = max(round((onset_s - _BEFORE_S) * sample_rate_hz / _FRAME), 0)
        attack[first : first + round(_ATTACK_S * sample_rate_hz / _FRAME)] = True
    found = (peaks > _TIMES_ABOVE * usual + _FLOOR) & (peaks == maximum_filter1d(peaks, 9)) & ~attack
    return np.flatnonzero(found) * _FRAME / sample_rate_hz
