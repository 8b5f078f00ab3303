"""How rough the sound is: beating of neighbouring partials inside a critical band.

Hutchinson & Knopoff (1978), "The acoustic component of Western consonance",
Interface 7, 1-29: each pair of partials adds the product of its amplitudes times
the dissonance of its distance in critical bands, over the sum of all squared
amplitudes, so that level does not count. The dissonance curve is the
parametric form of Plomp & Levelt's (1965) given by Mashinter (2006), "Calculating
sensory dissonance", Empirical Musicology Review 1, 65-84, cut off at 1.2 bands
(Bigand, Parncutt & Lerdahl, 1996). It is that of the R package dycon.

A sound without beating has 0, a major triad of eleven harmonics at middle C 0.12, a
minor second 0.48. Partials closer than about 6 Hz are one peak here: slow beats are
heard as such, not as roughness.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueWindow

CUT_OFF = 1.2
"""In critical bands; partials further apart do not beat."""

_PARTIALS = 24
_EVERY = 2
_SHARPEST = 0.25

Float32 = NDArray[np.float32]


def roughness(window: CueWindow) -> float:
    """Mean roughness over the window, each moment by its partials' energy; 0 where nothing sounds."""
    # Moments half a frame apart, the strongest partials: the rest changes the mean by less than a percent.
    magnitude, frequency = window.peaks.magnitude[::_EVERY], window.peaks.frequency_hz[::_EVERY]
    first = magnitude.shape[1] - _PARTIALS
    strongest = np.argpartition(magnitude, first, axis=1)[:, first:]
    magnitude = np.take_along_axis(magnitude, strongest, axis=1)
    frequency = np.take_along_axis(frequency, strongest, axis=1)
    energy = np.square(magnitude, dtype=np.float64).sum(axis=1)
    if not energy.any():
        return 0.0
    return float(_beating(frequency, magnitude).sum() / energy.sum())


def roughness_of_partials(frequency_hz: NDArray[np.float64], amplitude: NDArray[np.float64]) -> float:
    """Roughness of one set of partials, shapes [n_partials]."""
    beating = _beating(frequency_hz[None], amplitude[None])
    return float(beating[0] / np.square(amplitude).sum())


def critical_bandwidth_hz(
    lower_hz: NDArray[np.floating], upper_hz: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Width of the critical band around two partials; Hutchinson & Knopoff (1978)."""
    return np.asarray(1.72 * (0.5 * (lower_hz + upper_hz)) ** 0.65)


def dissonance(distance: NDArray[np.floating]) -> NDArray[np.floating]:
    """Dissonance, 0 to 1, of two partials some critical bands apart; Mashinter (2006)."""
    scaled = distance / _SHARPEST
    return np.where(distance > CUT_OFF, 0.0, np.square(scaled * np.exp(1.0 - scaled)))


def _beating(frequency: NDArray[np.floating], amplitude: NDArray[np.floating]) -> NDArray[np.floating]:
    """Summed over all pairs of each row, shape [n_rows]."""
    one, other = np.triu_indices(frequency.shape[1], k=1)
    first, second = frequency[:, one], frequency[:, other]
    # Absent partials lie at 0 Hz; with an amplitude of 0 their distance does not count.
    bandwidth = np.maximum(critical_bandwidth_hz(first, second), 1.0)
    pairs = amplitude[:, one] * amplitude[:, other] * dissonance(np.abs(first - second) / bandwidth)
    return np.asarray(pairs.sum(axis=1))
