"""What spectra of all recipes share: the band they live in, bodies that resonate, shades, seeded noise.

Every tone is the sum of known frequencies below `TOP_HZ`, at any sample rate:
nothing can alias, and a session at 48 kHz sounds as it does at 32 kHz.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft

from generation.composer.streams import stream

Samples = NDArray[np.float32]
Curve = NDArray[np.float64]

TOP_HZ = 14_500.0
"""No partial and no noise lies above; below the Nyquist frequency of 32 kHz with room for a fade."""
_FADE_FROM_HZ = 12_500.0

#: Share of the way from the darkest to the brightest shade.
SHADES = (0.0, 0.5, 1.0)
_DARK_HZ = 1_400.0
_DARK_HARMONIC = 1.5

Formant = tuple[float, float, float]
"""Centre in Hz, width in Hz at half height, height in dB."""


def hertz_of(key: float) -> float:
    """Equal temperament, key 69 at 440 Hz."""
    return float(440.0 * 2.0 ** ((key - 69.0) / 12.0))


def harmonics(f0_hz: float, most: int = 120) -> Curve:
    """1, 2, 3 … as far as they stay below `TOP_HZ`, shape [n]; at least the first."""
    return np.arange(1.0, max(min(int(TOP_HZ / f0_hz), most), 1) + 1.0)


def in_band(hertz: Curve) -> Curve:
    """Factor that fades partials out towards `TOP_HZ` and is 0 above."""
    share = np.clip((TOP_HZ - hertz) / (TOP_HZ - _FADE_FROM_HZ), 0.0, 1.0)
    return np.asarray(share * share * (3.0 - 2.0 * share))


def body(hertz: Curve, formants: Sequence[Formant]) -> Curve:
    """Amplitude factor of a body that resonates at `formants` and passes the rest as it is."""
    gain = np.ones_like(hertz)
    for centre, width, height_db in formants:
        peak = 10.0 ** (height_db / 20.0) - 1.0
        gain = gain + peak / (1.0 + np.square((hertz - centre) / (0.5 * width)))
    return np.asarray(gain)


def shade_factors(hertz: Curve, f0_hz: float) -> Curve:
    """Amplitude factor of each frequency in each shade, shape [n_shades, n].

    The darkest is what a second-order low-pass at 1.4 kHz leaves (higher for keys whose own
    frequency is higher), the brightest is untouched, those between lie evenly between in decibels.
    """
    corner = max(_DARK_HZ, _DARK_HARMONIC * f0_hz)
    darkest = -0.5 * np.log(1.0 + (hertz / corner) ** 4)
    return np.asarray(np.exp((1.0 - np.array(SHADES))[:, None] * darkest[None, :]))


def scattered_phases(n: int) -> Curve:
    """`n` phases that never line up to a peak: multiples of the golden ratio of squares."""
    return np.asarray(2.0 * np.pi * ((np.arange(1.0, n + 1.0) ** 2 * 0.6180339887498949) % 1.0))


def noise_loop(label: str, seconds: float, sample_rate_hz: int, shape: Callable[[Curve], Curve]) -> Samples:
    """Gaussian noise of the spectrum `shape`, which closes on itself; unit power, shape [n].

    The same frequencies and phases at every sample rate.

    Args:
        label: names the noise; another label is another noise.
        shape: hertz to amplitude, faded out below `TOP_HZ`.
    """
    bins = int(TOP_HZ * seconds)
    hertz = np.arange(1.0, bins + 1.0) / seconds
    real, imaginary = stream(0, "noise", label).standard_normal((2, bins))
    amplitude = shape(hertz) * in_band(hertz)
    amplitude /= np.sqrt(np.sum(np.square(amplitude)))
    return _from_bins(amplitude * (real + 1j * imaginary), round(seconds * sample_rate_hz))


def tone_loop(amplitude: Curve, label: str, sample_rate_hz: int, seconds: float) -> Samples:
    """Lines of `amplitude` in every bin of a loop, with scattered phases, shape [n_rows, n].

    Args:
        amplitude: shape [n_rows, n_bins]; row by row the same phases. Bin k is (k + 1) / seconds.
    """
    bins = amplitude.astype(np.float32) * loop_phases(label, amplitude.shape[-1])
    return _from_bins(bins, round(seconds * sample_rate_hz))


@lru_cache(maxsize=32)
def loop_phases(label: str, n_bins: int) -> NDArray[np.complex64]:
    """Unit vectors of seeded random phases, shape [n_bins]."""
    turns = 2.0 * np.pi * stream(0, "phases", label).random(n_bins)
    return (np.cos(turns) + 1j * np.sin(turns)).astype(np.complex64)


def raised_cosine(n: int) -> Samples:
    """From 0 to 1 without a corner, shape [n]."""
    return (0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, n))).astype(np.float32)


def _from_bins(bins: NDArray[np.complexfloating], n_samples: int) -> Samples:
    spectrum = np.zeros((*bins.shape[:-1], n_samples // 2 + 1), dtype=np.complex64)
    spectrum[..., 1 : bins.shape[-1] + 1] = bins
    spectrum *= np.float32(n_samples / 2.0)
    loop: Samples = np.asarray(irfft(spectrum, n_samples, axis=-1), dtype=np.float32)
    return loop
