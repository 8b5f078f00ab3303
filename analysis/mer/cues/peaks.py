"""The partials of a sound: peaks of its long spectra.

A peak is a local maximum that stands out of its surroundings by 8 dB and lies
within 60 dB of the strongest in its frame; noise and drums leave few. Its
frequency is read between the bins by a parabola through the logarithms of
three magnitudes (Smith & Serra, 1987, PARSHL, Proc. ICMC), good to a tenth of
a bin (0.2 Hz) under a Hann window.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter1d

LOWEST_HZ, HIGHEST_HZ = 27.0, 5_300.0
MOST_PEAKS = 64
"""The strongest are kept; a full orchestra leaves about that many."""

_PROMINENCE = 2.5
_SURROUNDINGS_HZ = 127.0
_FLOOR = 1e-3

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class SpectralPeaks:
    """Peaks of each frame, in no order; both are 0 where a frame has fewer.

    Args:
        frequency_hz: shape [n_frames, MOST_PEAKS].
        magnitude: shape [n_frames, MOST_PEAKS], on the scale of the spectra.
    """

    frequency_hz: Float32
    magnitude: Float32


def searched_bins(bin_hz: float) -> tuple[int, int]:
    """First bin in which a peak may lie, and the one after the last."""
    return int(LOWEST_HZ / bin_hz), int(HIGHEST_HZ / bin_hz) + 1


def find_peaks(spectra: Float32, bin_hz: float) -> SpectralPeaks:
    """The strongest peaks of each spectrum.

    Args:
        spectra: magnitudes, shape [n_frames, n_bins].
        bin_hz: distance of the bins.
    """
    first, last = searched_bins(bin_hz)
    around = spectra[:, first - 1 : last + 1]
    height = around[:, 1:-1]
    surroundings = uniform_filter1d(
        around, 2 * round(_SURROUNDINGS_HZ / bin_hz / 2) + 1, axis=1, mode="nearest"
    )
    threshold = np.maximum(
        surroundings[:, 1:-1] * np.float32(_PROMINENCE),
        around.max(axis=1, keepdims=True) * np.float32(_FLOOR),
    )
    is_peak = (height > around[:, :-2]) & (height >= around[:, 2:]) & (height > threshold)
    heights = np.where(is_peak, height, np.float32(0.0))
    chosen = np.argpartition(heights, heights.shape[1] - MOST_PEAKS, axis=1)[:, -MOST_PEAKS:]
    magnitude = np.take_along_axis(heights, chosen, axis=1)
    below, here, above = (
        np.log(np.take_along_axis(around, chosen + step, axis=1) + np.float32(1e-30)) for step in (0, 1, 2)
    )
    curvature = np.minimum(below - 2.0 * here + above, np.float32(-1e-6))
    offset = np.clip(0.5 * (below - above) / curvature, -0.5, 0.5)
    frequency = ((first + chosen + offset) * bin_hz).astype(np.float32)
    return SpectralPeaks(np.where(magnitude > 0.0, frequency, np.float32(0.0)), magnitude)
