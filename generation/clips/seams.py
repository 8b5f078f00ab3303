"""How audible a place in music is: onsets, spectral flux and loudness around it.

A seam is measured against the clips it joins: an onset in the crossfade is
nothing unusual where the clips are full of onsets as strong.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import rfft
from scipy.ndimage import gaussian_filter1d
from scipy.sparse import csr_array

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Stereo
from generation.loudness import BLOCK_S, block_loudness, gated_loudness
from study.manifest import Seam

HOP = 128
"""Samples between frames: 4 ms, in windows of 32 ms, both as Ellis (2007)."""

HOP_S = HOP / SAMPLE_RATE_HZ
_WINDOW = 1024
_BANDS = 40
_BLOCK = 256
_HIGHEST_HZ = 8000.0
# Quieter than a mel band of -80 dB under full scale is silence, whose changes nobody hears.
_FLOOR = 1e-8
_SMOOTHING_S = 0.020
_USUAL_PERCENTILE = 95.0
# Below these a clip has no onsets or no flux to speak of (a held tone); ratios are taken over them.
_LEAST_ONSET = 0.1
_LEAST_FLUX = 1e-4
_BESIDE_S = 1.0
_SETTLE_S = 1.0


@dataclass(frozen=True)
class Texture:
    """What changes in a sound, frame by frame; frame i is centred on sample i × `HOP`.

    Args:
        onset: onset strength in dB a frame, shape [n_frames]: rises of the mel spectrum
            in dB, falls counted as zero, mean over 40 bands, smoothed over 20 ms.
            Source: Ellis (2007), Beat tracking by dynamic programming, J. New Music
            Research 36, 51-60, section 3.1.
        flux: spectral flux of linear magnitudes, shape [n_frames]: rises summed over all bins.
            Source: Dixon (2006), Onset detection revisited, DAFx-06, equation 2.
    """

    onset: NDArray[np.float64]
    flux: NDArray[np.float64]

    def between(self, first: int, last: int) -> Texture:
        """The frames whose centres lie in samples [first, last)."""
        begin, end = -(-first // HOP), -(-last // HOP)
        return Texture(self.onset[begin:end], self.flux[begin:end])


@dataclass(frozen=True)
class Usual:
    """The 95th percentile of onset strength and flux inside the clips of a seam."""

    onset: float
    flux: float

    @classmethod
    def of(cls, *clips: Texture) -> Usual:
        """Over all frames of these clips."""
        onset, flux = (
            np.concatenate(parts) for parts in ([clip.onset for clip in clips], [clip.flux for clip in clips])
        )
        return cls(
            max(float(np.percentile(onset, _USUAL_PERCENTILE)), _LEAST_ONSET),
            max(float(np.percentile(flux, _USUAL_PERCENTILE)), _LEAST_FLUX),
        )


def texture(samples: Stereo) -> Texture:
    """Onset strength and spectral flux of the mono mix-down of a sound."""
    mono = np.pad(samples.mean(axis=1, dtype=np.float32), _WINDOW // 2)
    count = (len(mono) - _WINDOW) // HOP + 1
    frames = np.lib.stride_tricks.sliding_window_view(mono, _WINDOW)[::HOP][:count]
    onset, flux = np.zeros(count), np.zeros(count)
    # Blocks that stay in the cache, each with the last frame of the one before.
    for first in range(0, count - 1, _BLOCK):
        last = min(first + _BLOCK + 1, count)
        onset[first + 1 : last], flux[first + 1 : last] = _rises(frames[first:last])
    return Texture(gaussian_filter1d(onset, _SMOOTHING_S / HOP_S / 2), flux)


def _rises(frames: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Onset strength and flux of frames, shape [n, 1024], from each to the next: shape [n - 1]."""
    window = np.hanning(_WINDOW + 1)[:-1].astype(np.float32)
    # Scaled so that a sine of amplitude 1 has a magnitude of 1.
    magnitude = np.abs(rfft(frames * window, axis=1)) * np.float32(2.0 / window.sum())
    decibel = 10.0 * np.log10(np.maximum((_mel_bands() @ (magnitude**2).T).T, np.float32(_FLOOR)))
    onset = np.maximum(np.diff(decibel, axis=0), 0.0).mean(axis=1)
    return onset, np.maximum(np.diff(magnitude, axis=0), 0.0).sum(axis=1)


def measured_seam(samples: Stereo, first: int, last: int, shift_s: float, usual: Usual) -> Seam:
    """A seam as it sounds in the joined session.

    Args:
        samples: the session.
        first, last: samples where the crossfade begins and ends; equal where clips
            continue one another without one.
        shift_s: how far the later clip was moved.
        usual: of the two clips.
    """
    # Without a crossfade, what is heard at the seam is what the windows across it hold.
    margin = _WINDOW // 2 if first == last else 0
    begin = max(first - margin - _WINDOW, 0)
    around = texture(samples[begin : last + margin + _WINDOW])
    inside = around.between(first - margin - begin, last + margin - begin + 1)
    return Seam(
        at_s=round((first + last) / 2 / SAMPLE_RATE_HZ, 4),
        fade_s=round((last - first) / SAMPLE_RATE_HZ, 4),
        shift_s=round(shift_s, 4),
        loudness_step_lu=_loudness_step(samples, first, last),
        onset_ratio=round(float(inside.onset.max(initial=0.0)) / usual.onset, 3),
        flux_ratio=round(float(inside.flux.max(initial=0.0)) / usual.flux, 3),
    )


def _loudness_step(samples: Stereo, first: int, last: int) -> float | None:
    beside = round(_BESIDE_S * SAMPLE_RATE_HZ)
    before = _loudness_of(samples, first - beside, first)
    after = _loudness_of(samples, last, last + beside)
    return None if before is None or after is None else round(after - before, 3)


def _loudness_of(samples: Stereo, first: int, last: int) -> float | None:
    """Integrated loudness of a part, the filter settled on what comes before it; None for silence."""
    begin = max(first - round(_SETTLE_S * SAMPLE_RATE_HZ), 0)
    first, last = max(first, 0), min(last, len(samples))
    if last - first < round(BLOCK_S * SAMPLE_RATE_HZ):
        return None
    blocks = block_loudness(samples[begin:last], SAMPLE_RATE_HZ)
    step = SAMPLE_RATE_HZ // 10
    return gated_loudness(blocks[-(-(first - begin) // step) :])


@cache
def _mel_bands() -> csr_array:
    """Triangles of equal width on the mel scale, shape [40, 513]; each sums to its share of power.

    Source: O'Shaughnessy (1987), Speech communication: mel = 2595 log10(1 + f / 700).
    """
    highest = 2595.0 * np.log10(1.0 + _HIGHEST_HZ / 700.0)
    corners = 700.0 * (10.0 ** (np.linspace(0.0, highest, _BANDS + 2) / 2595.0) - 1.0)
    frequencies = np.arange(_WINDOW // 2 + 1) * SAMPLE_RATE_HZ / _WINDOW
    left, centre, right = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising, falling = (frequencies - left) / (centre - left), (right - frequencies) / (right - centre)
    # Sparse: a dense product would wake as many threads as the machine has cores, for 500 numbers.
    return csr_array(np.maximum(np.minimum(rising, falling), 0.0).astype(np.float32))
