"""True peaks (ITU-R BS.1770-4, annex 2), and a limiter that keeps them below a ceiling."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

Samples = NDArray[np.float32]

_TAPS_EACH_SIDE = 12
_PEAK_BLOCK = 32
_LOOK_AHEAD_S = 0.005


def true_peak_dbtp(samples: Samples) -> float | None:
    """Largest absolute value between and on the samples, in dB of full scale; None for silence.

    Four times oversampled (ITU-R BS.1770-4, annex 2) with a Kaiser-windowed
    sinc of 24 taps a phase, twice the standard's example, so that it does not
    under-read near half the sample rate.
    """
    peak = float(_level(samples).max(initial=0.0))
    if peak == 0.0:
        return None
    for _, peaks in _peaks_between(samples, peak):
        peak = max(peak, float(peaks.max(initial=0.0)))
    return _db(peak)


def limit(samples: Samples, sample_rate_hz: int, ceiling: float) -> tuple[Samples, float]:
    """`samples` with true peaks at or below `ceiling`, and the deepest reduction in dB.

    Look-ahead of 5 ms, channels linked. The very same array where no peak passes.
    """
    hold = max(round(_LOOK_AHEAD_S * sample_rate_hz), 2)
    limited, deepest = samples, 1.0
    # A second pass meets what the changing gain itself adds between samples.
    for _ in range(4):
        need = _needed_gain(limited, ceiling)
        if need is None:
            break
        gain = _smooth_gain(need, hold)
        deepest *= float(gain.min())
        limited = limited * gain[:, None]
    return limited, -_db(deepest) if deepest < 1.0 else 0.0


def _needed_gain(samples: Samples, ceiling: float) -> Samples | None:
    """The gain each sample needs by itself, shape [n_samples]; None where all is below `ceiling`."""
    need: Samples | None = None
    for onset, peaks in _peaks_between(samples, ceiling):
        row, column = np.nonzero(peaks > ceiling)
        if not len(row):
            continue
        if need is None:
            need = np.ones(len(samples), dtype=np.float32)
        # What lies outside the samples is lowered by lowering the nearest one.
        nearest = np.clip(onset[row] + column, 0, len(samples) - 1)
        np.minimum.at(need, nearest, np.float32(ceiling) / peaks[row, column])
    return need


def _smooth_gain(need: Samples, hold: int) -> Samples:
    """A gain without corners that is never above `need`.

    Each needed gain is held `hold` samples to both sides (sliding minimum, so a
    peak between two samples lowers both) and smoothed by two boxes that together
    are no wider than the hold: the gain has arrived before the peak does.
    """
    gain = np.ones_like(need)
    margin, chunk = 3 * hold, 1 << 20
    for begin in range(0, len(need), chunk):
        first, last = max(begin - margin, 0), min(begin + chunk + margin, len(need))
        some = need[first:last]
        if some.min() == 1.0:
            continue
        held = minimum_filter1d(some, 2 * hold + 1, mode="nearest").astype(np.float64)
        for _ in range(2):
            held = uniform_filter1d(held, hold, mode="nearest")
        end = min(begin + chunk, len(need))
        gain[begin:end] = held[begin - first : end - first]
    return gain


def _interpolator() -> NDArray[np.float32]:
    """From three blocks of samples to the points between those of the middle block.

    Returns:
        shape [3 × block, 3 × block]: column p × block + i gives the point
        (p + 1)/4 of the way from sample i of the middle block to the next.
    """
    place = np.arange(3 * _PEAK_BLOCK)[:, None] - _PEAK_BLOCK
    point = np.arange(_PEAK_BLOCK) + np.array([[0.25], [0.5], [0.75]])
    offset = place - point.reshape(1, -1)
    window = np.i0(5.0 * np.sqrt(np.clip(1.0 - (offset / _TAPS_EACH_SIDE) ** 2, 0.0, None)))
    taps = np.where(np.abs(offset) < _TAPS_EACH_SIDE, np.sinc(offset) * window, 0.0)
    return np.asarray(taps / taps.sum(axis=0), dtype=np.float32)


_INTERPOLATOR = _interpolator()
_LARGEST_RISE = float(np.abs(_INTERPOLATOR).sum(axis=0).max())


def _level(samples: Samples) -> Samples:
    """Largest magnitude over channels, shape [n_samples]."""
    level = np.abs(samples[:, 0])
    for channel in samples.T[1:]:
        np.maximum(level, np.abs(channel), out=level)
    return level


def _peaks_between(samples: Samples, threshold: float) -> Iterator[tuple[NDArray[np.int64], Samples]]:
    """Peaks on and between samples, wherever one could pass `threshold`.

    No point between samples exceeds the largest sample near it by more than
    the sum of the taps' magnitudes, so quiet blocks need no interpolation.

    Yields:
        onsets of blocks in samples, shape [m], from one block before the sound to one
        after it; peaks over channels in [sample, next sample), shape [m, block].
    """
    # Silent blocks stand before and after: a peak can lie just outside the samples.
    n_blocks = -(-len(samples) // _PEAK_BLOCK)
    level = _blocks(_level(samples), -2, n_blocks + 2)
    near = level.max(axis=1)
    near = np.maximum(near[1:-1], np.maximum(near[:-2], near[2:]))
    hot = np.flatnonzero(near * _LARGEST_RISE > threshold) - 1
    for some in np.array_split(hot, -(-len(hot) // 8192)) if len(hot) else []:
        first = int(some[0])
        peaks = level[some + 2]
        for channel in samples.T:
            blocks, at = _blocks(channel, first - 1, int(some[-1]) + 2), some - first
            around = np.concatenate([blocks[at], blocks[at + 1], blocks[at + 2]], axis=1)
            between = np.abs(around @ _INTERPOLATOR).reshape(len(at), 3, _PEAK_BLOCK)
            np.maximum(peaks, between.max(axis=1), out=peaks)
        yield some * _PEAK_BLOCK, peaks


def _blocks(channel: Samples, first: int, end: int) -> Samples:
    """Blocks `first` to `end` - 1 of one channel as rows, silent where the sound is not."""
    rows = np.zeros((end - first, _PEAK_BLOCK), dtype=np.float32)
    low, high = max(first * _PEAK_BLOCK, 0), min(end * _PEAK_BLOCK, len(channel))
    rows.reshape(-1)[low - first * _PEAK_BLOCK : high - first * _PEAK_BLOCK] = channel[low:high]
    return rows


def _db(ratio: float) -> float:
    return 20.0 * math.log10(ratio)
