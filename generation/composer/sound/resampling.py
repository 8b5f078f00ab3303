"""Recordings read at another speed, band-limited and in several shades, block by block in the spectrum.

A block of 16q frames becomes 16p samples, p/q close to the speed asked for: its
spectrum is cut or padded to the new length, which is exact band-limited
interpolation (Oppenheim & Schafer, 2010, Discrete-Time Signal Processing,
chapter 4). Filters are factors on the same spectrum, of zero phase, so that
shades of one sound can be mixed without cancelling. A sixteenth of each block
on both sides, 9 ms, where it meets itself at the other end, is thrown away:
there the filters' own responses have died away by 80 dB and more. Blocks stand at
fixed places: a longer reading begins with exactly the samples of a shorter one.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

Samples = NDArray[np.float32]

_SIXTEENTH = 400
_LARGEST_ERROR = 2e-4
"""Of the speed: a third of a cent."""
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
    """Whole numbers p, q without large prime factors; p / q is `samples_per_frame` to a third of a cent.

    A speed below a tenth or above ten is met less exactly.
    """
    ascending = _smooth_numbers()
    lengths = [q for q in ascending if _SIXTEENTH * 3 // 5 <= q <= 4 * _SIXTEENTH]
    best = (math.inf, 1, 1)
    for q in sorted(lengths, key=lambda length: (abs(math.log(length / _SIXTEENTH)), length)):
        wanted = samples_per_frame * q
        after = min(bisect_left(ascending, wanted), len(ascending) - 1)
        p = min(ascending[max(after - 1, 0)], ascending[after], key=lambda number: abs(number - wanted))
        error = abs(p / wanted - 1.0)
        if error <= _LARGEST_ERROR:
            return p, q
        best = min(best, (error, p, q))
    return best[1], best[2]


def frames_read(samples_per_frame: float, n_samples: int) -> int:
    """How many frames of a source the blocks behind `n_samples` reach over."""
    p, q = speed_fraction(samples_per_frame)
    return 14 * q * _n_blocks(p, n_samples) + q


def read_at_speed(
    source: Samples,
    samples_per_frame: float,
    sample_rate_hz: int,
    shades: Sequence[Shade],
    n_samples: int,
    begin: int = 0,
) -> Samples:
    """`source` at another rate, once for each shade.

    Args:
        source: shape [n_frames]; silence is before and after it.
        samples_per_frame: of the result to frames of the source.
        sample_rate_hz: of the result, for the shades' cutoffs.
        n_samples: where the reading ends.
        begin: where it begins; all counted in samples of the whole.

    Returns:
        float32, shape [n_shades, n_samples - begin].
    """
    p, q = speed_fraction(samples_per_frame)
    first = begin // (14 * p)
    n_blocks = _n_blocks(p, n_samples) - first
    # A sixteenth before the first block's inner part, and one after the last one's; they lie end to end.
    padded = np.zeros(14 * q * n_blocks + 2 * q, dtype=np.float32)
    at = 14 * q * first - q
    taken = source[max(at, 0) : at + len(padded)]
    padded[max(-at, 0) : max(-at, 0) + len(taken)] = taken
    blocks = sliding_window_view(padded, 16 * q)[:: 14 * q]
    spectra = rfft(blocks, axis=1)[:, : 8 * p + 1]
    out = np.empty((len(shades), 14 * p * n_blocks), dtype=np.float32)
    for row, gains in zip(out, _gains(p, q, sample_rate_hz, tuple(shades)), strict=True):
        kept = min(len(gains), spectra.shape[1])
        read = irfft(spectra[:, :kept] * gains[:kept], 16 * p, axis=1)
        row.reshape(n_blocks, 14 * p)[:] = read[:, p : 15 * p]
    return out[:, begin - 14 * p * first : n_samples - 14 * p * first]


def _n_blocks(p: int, n_samples: int) -> int:
    return max(-(-n_samples // (14 * p)), 1)


@lru_cache(maxsize=256)
def _gains(p: int, q: int, sample_rate_hz: int, shades: tuple[Shade, ...]) -> tuple[Samples, ...]:
    """Factors of each shade on the bins of a block, up to the last that matters."""
    hertz = np.arange(8 * p + 1) * (sample_rate_hz / (16 * p))
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
    """Numbers without large prime factors, ascending, whose transforms are quick."""
    return tuple(number for number in range(1, 20 * _SIXTEENTH) if _is_smooth(number))


def _is_smooth(number: int) -> bool:
    for factor in (2, 3, 5, 7, 11, 13):
        while number % factor == 0:
            number //= factor
    return number == 1
