"""True peaks (ITU-R BS.1770-4, annex 2), and a limiter that keeps them below a ceiling."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d

from generation.sound_blocks import Samples, Sound, SoundOnDisk, blank_like, blocks_of

_TAPS_EACH_SIDE = 12
_PEAK_BLOCK = 32
_LOOK_AHEAD_S = 0.005
_CHUNK = 1 << 20
_PASSES = 4
_BATCH = 8192
_BETWEEN = (0.25, 0.5, 0.75)

Writable = Samples | SoundOnDisk


def true_peak_dbtp(samples: Sound) -> float | None:
    """The true peak in dB of full scale; None for silence."""
    peak = true_peak(samples)
    return _db(peak) if peak else None


def true_peak(samples: Sound) -> float:
    """Largest absolute value between and on the samples.

    Four times oversampled (ITU-R BS.1770-4, annex 2) with a Kaiser-windowed
    sinc of 24 taps a phase, twice the standard's example, so that it does not
    under-read near half the sample rate.
    """
    meter = PeakMeter(samples.shape[1])
    for block in blocks_of(samples):
        meter.add(block)
    return meter.peak()


class PeakMeter:
    """Measures the true peak while the sound goes by; see `true_peak`."""

    def __init__(self, n_channels: int) -> None:
        self._peak = 0.0
        # A peak can lie just outside the samples: a silent block stands before, and one for its own past.
        self._held = np.zeros((2 * _PEAK_BLOCK, n_channels), dtype=np.float32)

    def add(self, samples: Samples) -> None:
        """The next samples, float32, shape [n, n_channels]."""
        held = np.concatenate([self._held, samples])
        whole = len(held) // _PEAK_BLOCK * _PEAK_BLOCK
        magnitudes = np.abs(held[:whole])
        self._peak = max(self._peak, float(magnitudes.max()))
        for _, peaks in _peaks_between(held[:whole], magnitudes, self._peak):
            self._peak = max(self._peak, float(peaks.max()))
        self._held = held[whole - 2 * _PEAK_BLOCK :].copy()

    def peak(self) -> float:
        """The true peak of all that was added; nothing is added after this."""
        behind = -len(self._held) % _PEAK_BLOCK + 2 * _PEAK_BLOCK
        self.add(np.zeros((behind, self._held.shape[1]), dtype=np.float32))
        return self._peak


def limit(samples: Sound, sample_rate_hz: int, ceiling: float) -> tuple[Sound, float]:
    """`samples` with true peaks at or below `ceiling`, and the deepest reduction in dB.

    Look-ahead of 5 ms, channels linked. The very same sound where no peak passes;
    otherwise a new one, in memory or on disk as `samples` is.

    Raises:
        StorageError: the disk of a sound on disk has no room for another.
    """
    hold = max(round(_LOOK_AHEAD_S * sample_rate_hz), 2)
    limited: Writable | None = None
    deepest = 1.0
    # A second pass meets what the changing gain itself adds between samples.
    for _ in range(_PASSES):
        lowered, lowest = _lowered(samples if limited is None else limited, limited, hold, ceiling)
        if lowered is None:
            break
        limited, deepest = lowered, deepest * lowest
    return samples if limited is None else limited, -_db(deepest) if deepest < 1.0 else 0.0


def _lowered(
    samples: Sound, into: Writable | None, hold: int, ceiling: float
) -> tuple[Writable | None, float]:
    """One pass of the limiter, from `samples` into `into`, which may be the very same sound.

    Returns:
        `into`, made where it is None; None where no peak passes. The smallest gain.
    """
    n_samples, n_channels = samples.shape
    margin = 3 * hold
    # Whole blocks, so that they stand where they would stand in one piece.
    reach = (-(-margin // _PEAK_BLOCK) + 2) * _PEAK_BLOCK
    # Kept apart: where `into` is `samples`, what stands before a chunk is lowered already.
    before = np.zeros((reach, n_channels), dtype=np.float32)
    any_passes, lowest = False, 1.0
    for begin in range(0, n_samples, _CHUNK):
        end = min(begin + _CHUNK, n_samples)
        around = _padded(np.concatenate([before, samples[begin : end + reach]]), end - begin + 2 * reach)
        before = around[end - begin : end - begin + reach].copy()
        here = around[reach : reach + end - begin]
        need = _needed_gain(around, ceiling, reach - begin, reach - begin + n_samples - 1)
        if need is not None:
            any_passes = True
            if into is None:
                into = _copied(samples, begin)
            first, last = max(begin - margin, 0), min(begin + _CHUNK + margin, n_samples)
            gain = _smooth_gain(need[first - begin + reach : last - begin + reach], hold)
            gain = gain[begin - first : end - first]
            lowest = min(lowest, float(gain.min()))
            here = here * gain[:, None]
        if into is not None and (need is not None or into is not samples):
            into[begin:end] = here
    return into if any_passes else None, lowest


def _copied(samples: Sound, n_samples: int) -> Writable:
    """A sound like `samples` whose first `n_samples` are the same; silent after them."""
    copy = blank_like(samples)
    for begin in range(0, n_samples, _CHUNK):
        copy[begin : begin + _CHUNK] = samples[begin : begin + _CHUNK]
    return copy


def _padded(samples: Samples, n_samples: int) -> Samples:
    """With silence behind, so that it has at least `n_samples` and ends with a block."""
    n_samples += -n_samples % _PEAK_BLOCK
    return np.pad(samples, ((0, n_samples - len(samples)), (0, 0)))


def _needed_gain(samples: Samples, ceiling: float, first: int, last: int) -> Samples | None:
    """The gain each sample needs by itself, shape [n_samples]; None where all is below `ceiling`.

    Args:
        samples: whole blocks; the first and the last are there for those between them.
        first, last: places of the sound's own first and last sample, which may lie outside.
    """
    need: Samples | None = None
    for onset, peaks in _peaks_between(samples, np.abs(samples), ceiling):
        row, column = np.nonzero(peaks > ceiling)
        if not len(row):
            continue
        if need is None:
            need = np.ones(len(samples), dtype=np.float32)
        # What lies outside the sound is lowered by lowering the nearest sample.
        nearest = np.clip(onset[row] + column, first, last)
        np.minimum.at(need, nearest, np.float32(ceiling) / peaks[row, column])
    return need


def _smooth_gain(need: Samples, hold: int) -> Samples:
    """A gain without corners that is never above `need`.

    Each needed gain is held `hold` samples to both sides (sliding minimum, so a
    peak between two samples lowers both) and smoothed by two boxes that together
    are no wider than the hold: the gain has arrived before the peak does.
    """
    if need.min() == 1.0:
        return need
    held = minimum_filter1d(need, 2 * hold + 1, mode="nearest").astype(np.float64)
    for _ in range(2):
        held = uniform_filter1d(held, hold, mode="nearest")
    return held.astype(np.float32)


def _interpolator() -> NDArray[np.float32]:
    """From three blocks of samples to the points between those of the middle block.

    Returns:
        shape [3 × block, 3 × block]: column p × block + i gives the point
        (p + 1)/4 of the way from sample i of the middle block to the next.
    """
    place = np.arange(3 * _PEAK_BLOCK)[:, None] - _PEAK_BLOCK
    point = np.arange(_PEAK_BLOCK) + np.array(_BETWEEN)[:, None]
    offset = place - point.reshape(1, -1)
    window = np.i0(5.0 * np.sqrt(np.clip(1.0 - (offset / _TAPS_EACH_SIDE) ** 2, 0.0, None)))
    taps = np.where(np.abs(offset) < _TAPS_EACH_SIDE, np.sinc(offset) * window, 0.0)
    return np.asarray(taps / taps.sum(axis=0), dtype=np.float32)


_INTERPOLATOR = _interpolator()
_LARGEST_RISE = float(np.abs(_INTERPOLATOR).sum(axis=0).max())


def _rises() -> tuple[float, float]:
    """How far a point between samples can lie above what bounds the samples themselves.

    The interpolator less the straight line between the two nearest samples has next to no sum and no
    slope, so that it weighs the samples' second differences (with its own second sum).

    Returns:
        factor of the largest sample near; factor of the largest second difference near, to be added.
    """
    at = (np.arange(3 * _PEAK_BLOCK) - _PEAK_BLOCK)[:, None] - np.arange(_PEAK_BLOCK)
    of_samples, of_bends = [], []
    for taps, share in zip(np.split(_INTERPOLATOR.astype(np.float64), 3, axis=1), _BETWEEN, strict=True):
        bent = taps - np.clip(1.0 - np.abs(at - share), 0.0, 1.0)
        total, slope = bent.sum(axis=0), (bent * at).sum(axis=0)
        bent -= np.where(at == 0, total - slope, 0.0) + np.where(at == 1, slope, 0.0)
        of_samples.append(1.0 + np.abs(total) + 2.0 * np.abs(slope))
        of_bends.append(np.abs(bent.cumsum(axis=0).cumsum(axis=0)).sum(axis=0))
    # Room for rounding in float32.
    return float(np.max(of_samples)) + 1e-5, float(np.max(of_bends)) + 1e-5


_RISE, _RISE_OF_BEND = _rises()


def _peaks_between(
    samples: Samples, magnitudes: Samples, threshold: float
) -> Iterator[tuple[NDArray[np.int64], Samples]]:
    """Peaks on and between samples, wherever one could pass `threshold`.

    Most blocks need no interpolation: no point between samples lies above the largest sample near it by
    more than the sum of the taps' magnitudes, nor by more than the samples' bends allow.

    Args:
        samples: whole blocks; the first and the last are there for those between them.
        magnitudes: of the samples.

    Yields:
        onsets of blocks in samples, shape [m]; peaks over channels in [sample, next sample),
        shape [m, block].
    """
    if len(samples) < 3 * _PEAK_BLOCK:
        return
    bends = np.zeros_like(samples)
    inside = bends[1:-1]
    np.subtract(samples[2:], samples[1:-1], out=inside)
    inside -= samples[1:-1]
    inside += samples[:-2]
    near, near_bend = _largest_near(magnitudes), _largest_near(np.abs(bends, out=bends))
    could_be = np.minimum(near * (_LARGEST_RISE + 1e-5), near * _RISE + near_bend * _RISE_OF_BEND)
    hot = np.flatnonzero(could_be > threshold) + 1
    for some in np.array_split(hot, -(-len(hot) // _BATCH)) if len(hot) else []:
        peaks = np.zeros((len(some), _PEAK_BLOCK), dtype=np.float32)
        for channel in samples.T:
            blocks = np.ascontiguousarray(channel).reshape(-1, _PEAK_BLOCK)
            around = np.concatenate([blocks[some - 1], blocks[some], blocks[some + 1]], axis=1)
            between = np.abs(around @ _INTERPOLATOR).reshape(len(some), 3, _PEAK_BLOCK)
            np.maximum(peaks, between.max(axis=1), out=peaks)
            np.maximum(peaks, np.abs(blocks[some]), out=peaks)
        yield some * _PEAK_BLOCK, peaks


def _largest_near(values: Samples) -> Samples:
    """The largest in each block and its two neighbours, for all blocks but the first and the last."""
    largest = values.reshape(-1, _PEAK_BLOCK * values.shape[1]).max(axis=1)
    near: Samples = np.maximum(largest[1:-1], np.maximum(largest[:-2], largest[2:]))
    return near


def _db(ratio: float) -> float:
    return 20.0 * math.log10(ratio)
