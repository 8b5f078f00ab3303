"""Gentle compression of the whole: off unless a study asks for it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Samples = NDArray[np.float32]

_FRAME = 256
_THRESHOLD_DB = -26.0
_KNEE_DB = 8.0
_MOST_RATIO = 2.5
_SMOOTHING_S = 0.25
_QUIET = 1e-8


class Compressor:
    """Feed-forward, channels linked, soft knee; level detected in power over a quarter of a second.

    Nothing is made up for: mastering sets the session's loudness.

    Source: Giannoulis, Massberg & Reiss (2012), Digital dynamic range compressor design, JAES 60, 399-408.

    Args:
        amount: 0 (ratio 1) to 1 (ratio 2.5), straight between.
        sample_rate_hz: of the sound.
    """

    def __init__(self, amount: float, sample_rate_hz: int) -> None:
        self._slope = 1.0 / (1.0 + (_MOST_RATIO - 1.0) * amount) - 1.0
        self._pole = math.exp(-_FRAME / (_SMOOTHING_S * sample_rate_hz))
        self._power: NDArray[np.float64] = np.zeros(1)
        self._gain = 1.0

    def press(self, mixed: Samples) -> None:
        """Lower what is loud, in place.

        Args:
            mixed: shape [2, n_samples], a multiple of 256.
        """
        n_frames = mixed.shape[1] // _FRAME
        framed = mixed.reshape(2, n_frames, _FRAME)
        power = np.einsum("cfi,cfi->f", framed, framed, dtype=np.float64) / _FRAME
        smooth, self._power = lfilter([1.0 - self._pole], [1.0, -self._pole], power, zi=self._power)
        gains = 10.0 ** (self._slope * _over_db(10.0 * np.log10(smooth + _QUIET)) / 20.0)
        places = np.arange(1, mixed.shape[1] + 1) / _FRAME
        ends = np.concatenate([[self._gain], gains])
        mixed *= np.interp(places, np.arange(n_frames + 1.0), ends).astype(np.float32)
        self._gain = float(gains[-1])


def _over_db(level_db: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far above the threshold, rounded within the knee."""
    over = level_db - _THRESHOLD_DB
    inside = np.clip(over + _KNEE_DB / 2, 0.0, _KNEE_DB) ** 2 / (2 * _KNEE_DB)
    return np.asarray(np.where(over > _KNEE_DB / 2, over, inside))
