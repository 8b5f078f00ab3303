"""How loud a window is, and how much its loudness moves.

Loudness is ITU-R BS.1770-4's: K-weighted power of blocks of 0.4 s, gated at
-70 LUFS and at 10 LU under the mean. Here the power comes from the spectra that
every cue shares (Parseval), weighted by the standard's own filters; it equals
`generation.audio.integrated_loudness`, which filters the samples, to 0.1 LU (0.4 where
notes stand in silence) in a twentieth of the time. What differs from the loudness of the
file: the window is one channel (the mean of all), so that identical stereo channels
read 3 LU lower than BS.1770 sums them, and nothing above 8 kHz is heard.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.signal import freqz

from analysis.mer.cues.frames import FINE_FRAME, FINE_HOP, RATE_HZ, CueWindow

Floats = NDArray[np.float64]

SILENCE_LUFS = -70.0
"""The absolute gate, and the loudness of a window in which nothing reaches it."""
_BLOCK_S, _BLOCK_STEP_S = 0.4, 0.1
_SHORT_TERM_S = 3.0
_FRAME_RATE_HZ = RATE_HZ / FINE_HOP
#: BS.1770-4, annex 1, tables 1 and 2: numerator and denominator at 48 kHz.
_SHELF = (1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585)
_HIGH_PASS = (1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621)


def loudness_lufs(window: CueWindow) -> float:
    """Gated loudness of the window in LUFS, `SILENCE_LUFS` or more."""
    blocks = _block_power(window, _BLOCK_S)
    heard = blocks[blocks > _power(SILENCE_LUFS)]
    if not heard.size:
        return SILENCE_LUFS
    return _lufs(float(heard[heard > 0.1 * heard.mean()].mean()))


def range_lu(window: CueWindow) -> float:
    """Loudness range in LU, 0 or more.

    EBU Tech 3342 over the window: short-term loudness (3 s, every 0.1 s), gated at
    -70 LUFS and 20 LU under the mean; 95th percentile less the 10th. A window of 12 s
    holds four independent values: it tells a swell from a level sound, no more.
    """
    blocks = _block_power(window, _SHORT_TERM_S)
    heard = blocks[blocks > _power(SILENCE_LUFS)]
    if not heard.size:
        return 0.0
    heard = heard[heard > 0.01 * heard.mean()]
    low, high = np.percentile(heard, (10, 95))
    return _lufs(float(high)) - _lufs(float(low))


def _block_power(window: CueWindow, block_s: float) -> Floats:
    """K-weighted mean square of the blocks of that length, shape [n_blocks], at least one."""
    power = np.square(window.fine) @ _weights()
    n_frames = min(round(block_s * _FRAME_RATE_HZ), len(power))
    sums = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    step = round(_BLOCK_STEP_S * _FRAME_RATE_HZ)
    return np.asarray((sums[n_frames:] - sums[:-n_frames])[::step] / n_frames)


def _lufs(power: float) -> float:
    return -0.691 + 10.0 * math.log10(power)


def _power(lufs: float) -> float:
    return float(10.0 ** ((lufs + 0.691) / 10.0))


@lru_cache(maxsize=1)
def _weights() -> NDArray[np.float32]:
    """From squared magnitudes of a frame to its K-weighted mean square, shape [513]."""
    hertz = np.arange(FINE_FRAME // 2 + 1) * RATE_HZ / FINE_FRAME
    gain = np.ones(len(hertz))
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        _, response = freqz(numerator, denominator, worN=hertz, fs=48_000)
        gain = gain * np.abs(response) ** 2
    # In a Hann frame a sine of amplitude A has squares of 3/2 A² in all; its mean square is A²/2.
    return np.asarray(gain / 3.0, dtype=np.float32)
