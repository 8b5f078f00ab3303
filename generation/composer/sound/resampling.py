"""Recordings read at another speed, band-limited and in several shades, block by block in the spectrum.

A block of 8q frames becomes 8p samples, p/q close to the speed asked for: its
spectrum is cut or padded to the new length, which is exact band-limited
interpolation (Oppenheim & Schafer, 2010, Discrete-Time Signal Processing,
chapter 4). Filters are factors on the same spectrum, of zero phase, so that
shades of one sound can be mixed without cancelling. An eighth of each block on
both sides, where it meets itself at the other end, is thrown away. Blocks
stand at fixed places: a longer reading begins with exactly the samples of a
shorter one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

Samples = NDArray[np.float32]

_EIGHTH = 1_000
_LARGEST_ERROR = 1e-4
"""Of the speed: a sixth of a cent."""
_MARGIN_HZ = 1_500.0
_WEAKEST = 1e-4
"""Gains are followed down to -80 dB."""


@dataclass(frozen=True)
class Shade:
    """A zero-phase low-pass with the magnitude of a second-order Butterworth filter.

    Args:
        cutoff_hz: where it has fallen by 3 dB, in Hz of the sound; infinity for none.
    """

    cutoff_hz: float = math.inf


@lru_cache(maxsize=1024)
def speed_fraction(samples_per_frame: float) -> tuple[int, int]:
    """Whole numbers p, q of few small factors with p / q within a ten-thousandth of `samples_per_frame`."""
    best = (math.inf, 1, 1)
    for q in _smooth_numbers():
        wanted = samples_per_frame * q
        p = max(round(wanted), 1)
        error = abs(p / wanted - 1.0)
        if error <= _LARGEST_ERROR and _is_smooth(p):
            return p, q
        best = min(best, (error, p, q))
    return best[1], best[2]


def frames_read(samples_per_frame: float, n_samples: int) -> int:
    """How many frames of a source the blocks behind `n_samples` reach over."""
    p, q = speed_fraction(samples_per_frame)
    return 6 * q * _n_blocks(p, n_samples) + q


def read_at_speed(
    source: Samples, samples_per_frame: float, sample_rate_hz: int, shades: Sequence[Shade], n_samples: int
) -> Samples:
    """`source` at another rate, once for each shade.

    Args:
        source: shape [n_frames]; silence is before and after it.
        samples_per_frame: of the result to frames of the source.
        sample_rate_hz: of the result, for the shades' cutoffs.
        n_samples: how much of it is wanted.

    Returns:
        float32, shape [n_shades, n_samples].
    """
    p, q = speed_fraction(samples_per_frame)
    n_blocks = _n_blocks(p, n_samples)
    # An eighth of silence before the first block; the blocks' inner six eighths lie end to end.
    padded = np.zeros(6 * q * (n_blocks - 1) + 8 * q, dtype=np.float32)
    taken = min(len(source), len(padded) - q)
    padded[q : q + taken] = source[:taken]
    blocks = sliding_window_view(padded, 8 * q)[:: 6 * q]
    spectra = rfft(blocks, axis=1)[:, : 4 * p + 1]
    out = np.empty((len(shades), 6 * p * n_blocks), dtype=np.float32)
    for row, gains in zip(out, _gains(p, q, sample_rate_hz, tuple(shades)), strict=True):
        kept = min(len(gains), spectra.shape[1])
        read = irfft(spectra[:, :kept] * gains[:kept], 8 * p, axis=1)
        row.reshape(n_blocks, 6 * p)[:] = read[:, p : 7 * p]
    return out[:, :n_samples]


def _n_blocks(p: int, n_samples: int) -> int:
    return max(-(-n_samples // (6 * p)), 1)


@lru_cache(maxsize=256)
def _gains(p: int, q: int, sample_rate_hz: int, shades: tuple[Shade, ...]) -> tuple[Samples, ...]:
    """Factors of each shade on the bins of a block, up to the last that matters."""
    hertz = np.arange(4 * p + 1) * (sample_rate_hz / (8 * p))
    nyquist_hz = sample_rate_hz / 2.0
    # A raised cosine to nothing just under the output's Nyquist frequency.
    fall = np.clip((nyquist_hz - 100.0 - hertz) / _MARGIN_HZ, 0.0, 1.0)
    open_gains = (0.5 - 0.5 * np.cos(np.pi * fall)) * (p / q)
    gains = []
    for shade in shades:
        factors = open_gains / np.sqrt(1.0 + (hertz / shade.cutoff_hz) ** 4)
        heard = int(np.searchsorted(-factors, -_WEAKEST * factors[0]))
        gains.append(factors[:heard].astype(np.float32))
    return tuple(gains)


@lru_cache(maxsize=1)
def _smooth_numbers() -> tuple[int, ...]:
    """Block lengths in eighths, the middle one first."""
    found = [q for q in range(_EIGHTH // 2, 2 * _EIGHTH) if _is_smooth(q)]
    return tuple(sorted(found, key=lambda q: (abs(math.log(q / _EIGHTH)), q)))


def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5, 7, 11):
        while number % factor == 0:
            number //= factor
    return number == 1
