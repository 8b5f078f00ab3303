"""The least audible way from one clip to the next.

1. The shift: the later clip is moved by up to 0.4 s so that the onsets of both
   agree best in the overlap (Pearson correlation of onset strength), or stays
   where they hardly agree anywhere.
2. The crossfade: of all places in the overlap, and lengths from 2 to 4 s, the
   one whose cost is least. The cost is

       |step| / 3 LU + (onset peak + flux peak) / 2 + onset mean + flux mean

   step: loudness of the second after minus that of the second before, as the
   manifest's `Seam` tells it. Peaks: the strongest in the crossfade, both clips
   under their gains and added as powers are. Means: weighted by how much of
   both sounds. Onset strength and flux are in units of what is usual in the two.

Measured on 22 pairs of recorded pieces, beside a crossfade of 3 s in the middle
of the overlap: onset ratio 1.70 (1.94), flux ratio 2.18 (2.68), loudness step
1.7 LU (5.4 LU). Every mix of a grid measured: 1.53, 1.81 and 2.9 LU.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Stereo
from generation.clips.schedule import LARGEST_SHIFT_S, NOISY_END_S
from generation.clips.seams import HOP, HOP_S, Texture, Usual
from generation.loudness import BLOCK_S, block_loudness
from study.errors import AudioError

FADES_S = (2.0, 2.5, 3.0, 3.5, 4.0)
_NOISY = round(NOISY_END_S * SAMPLE_RATE_HZ)
#: Places are tried 16 ms apart.
_STRIDE = 4
#: Onsets that correlate less have no common beat, and are not moved to pretend one.
_LEAST_AGREEMENT = 0.3
_LEVEL_LU = 3.0
_QUIETEST_LUFS = -70.0


@dataclass(frozen=True)
class PlacedClip:
    """A clip in the session: the place of its first sample, its sound, and how that changes."""

    first: int
    samples: Stereo
    texture: Texture

    @property
    def heard_until(self) -> int:
        """Where its noisy end begins."""
        return self.first + len(self.samples) - _NOISY


@dataclass(frozen=True)
class Crossfade:
    """Where one clip gives way to the next, in samples of the session.

    Args:
        shift: how far the later clip moves.
        usual: what is usual inside the two clips.
    """

    first: int
    last: int
    shift: int
    usual: Usual


def choose_crossfade(before: PlacedClip, after: PlacedClip, earliest: int) -> Crossfade:
    """The least audible way from `before` to `after`; see the module's docstring.

    Args:
        earliest: the session is written until here.

    Raises:
        AudioError: the clips do not overlap.
    """
    shift = _shift(before, after)
    moved = PlacedClip(after.first + shift, after.samples, after.texture)
    earliest, latest = max(moved.first, earliest), before.heard_until
    if latest - earliest < HOP:
        raise AudioError("session", "two of its clips do not overlap", "report this to the engine's makers")
    clips = (before, moved)
    usual = Usual.of(*(clip.texture.between(0, len(clip.samples) - _NOISY) for clip in clips))
    parts = [clip.texture.between(earliest - clip.first, latest - clip.first) for clip in clips]
    count = min(len(part.onset) for part in parts)
    onsets = [part.onset[:count] / usual.onset for part in parts]
    fluxes = [part.flux[:count] / usual.flux for part in parts]
    lengths = [round(s / HOP_S) for s in FADES_S if round(s / HOP_S) <= count] or [count]
    found: list[tuple[float, int, int]] = []
    for length in lengths:
        begins = earliest + np.arange(0, count - length + 1, _STRIDE) * HOP
        step = _second_from(moved, begins + length * HOP) - _second_from(before, begins - SAMPLE_RATE_HZ)
        cost = np.abs(step) / _LEVEL_LU + _changes(onsets, length) + _changes(fluxes, length)
        found.append((float(cost.min()), int(begins[cost.argmin()]), length))
    _, first, length = min(found)
    return Crossfade(first, min(first + length * HOP, latest), shift, usual)


def _changes(both: list[NDArray[np.float64]], length: int) -> NDArray[np.float64]:
    """Half the peak of both under their gains, and the mean where both sound, for each place tried."""
    phase = np.pi / 2 * (np.arange(length) + 0.5) / length
    falling, rising = np.cos(phase), np.sin(phase)
    before, after = (np.lib.stride_tricks.sliding_window_view(x, length)[::_STRIDE] for x in both)
    peak = np.hypot(before * falling, after * rising).max(axis=1)
    mean = (np.maximum(before, after) * (falling * rising)).sum(axis=1) / (falling * rising).sum()
    return np.asarray(peak / 2 + mean)


def _second_from(clip: PlacedClip, begins: NDArray[np.int64]) -> NDArray[np.float64]:
    """Loudness of the second that begins at each of these samples of the session, in LUFS.

    The mean power of the blocks of 0.4 s (EBU Tech 3341) inside it, as far as the clip goes.
    """
    first = max(int(begins[0]) - clip.first - SAMPLE_RATE_HZ, 0)
    last = int(begins[-1]) - clip.first + 2 * SAMPLE_RATE_HZ
    first = max(min(first, len(clip.samples) - SAMPLE_RATE_HZ), 0)
    blocks = np.maximum(block_loudness(clip.samples[first:last], SAMPLE_RATE_HZ), _QUIETEST_LUFS)
    inside = min(round((1.0 - BLOCK_S) * 10) + 1, len(blocks))
    power = np.convolve(10.0 ** (blocks / 10.0), np.full(inside, 1 / inside), "valid")
    times = (clip.first + first) / SAMPLE_RATE_HZ + 0.1 * np.arange(len(power))
    return 10.0 * np.log10(np.interp(begins / SAMPLE_RATE_HZ, times, power))


def _shift(before: PlacedClip, after: PlacedClip) -> int:
    """Samples by which the later clip moves; 0 where no shift makes the onsets agree."""
    largest = round(LARGEST_SHIFT_S / HOP_S)
    found: dict[int, float] = {}
    for shift in range(-largest, largest + 1):
        begin = (after.first - before.first) // HOP + shift
        ending = before.texture.onset[max(begin, 0) : (len(before.samples) - _NOISY) // HOP]
        beginning = after.texture.onset[max(-begin, 0) :][: len(ending)]
        found[shift] = _correlation(ending[: len(beginning)], beginning)
    best = max(found, key=lambda shift: (found[shift], -abs(shift)))
    return best * HOP if found[best] >= _LEAST_AGREEMENT else 0


def _correlation(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Pearson's, or 0 where there is too little to compare: a second is the least in which beats agree."""
    if len(x) * HOP_S < 1.0:
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    spread = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / spread if spread > 1e-6 * len(x) else 0.0
