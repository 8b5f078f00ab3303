"""Sound of magnitudes alone: a first guess of the phases, then a fixed number of corrections.

Nothing is drawn at random: the same magnitudes give the same sound.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from generation.musicgen.codec.spectra import Spectra

MOMENTUM = 0.99
"""Source: Perraudin, Balazs & Søndergaard (2013), section 4."""

_NOTHING = 1e-12
"""A magnitude without a phase: 240 dB below full scale."""


def sound_of_magnitudes(magnitudes: Tensor, spectra: Spectra, hop: int, n_iterations: int) -> Tensor:
    """A sound whose spectra have nearly these magnitudes.

    Source: the fast Griffin-Lim algorithm of Perraudin, Balazs & Søndergaard (2013), A fast Griffin-Lim
    algorithm, WASPAA, from the phases of `first_phases`.

    Args:
        magnitudes: float32, shape [n_frames, n_bins], at least 0.
        spectra: the transform that they are of.
        hop: samples a frame.

    Returns:
        float32, shape [n_frames × hop].
    """
    guess = torch.polar(magnitudes, first_phases(magnitudes, hop))
    previous = guess
    for _ in range(n_iterations):
        consistent = spectra.of(spectra.sound(_with(magnitudes, guess)))
        guess = consistent + MOMENTUM * (consistent - previous)
        previous = consistent
    return spectra.sound(_with(magnitudes, guess))


def first_phases(magnitudes: Tensor, hop: int) -> Tensor:
    """Phases that let every partial go on from frame to frame.

    Around each peak of a spectrum stands one sinusoid, whose frequency is read off a parabola through the
    logarithms at the peak; its phase advances by that frequency from one frame to the next, and the bins
    around the peak follow it.

    Sources: Beauregard, Harish & Wyse (2015), Single pass spectrogram inversion, IEEE DSP, 427-431; the
    logarithms, Smith & Serra (1987), PARSHL, ICMC, 290-297.

    Args:
        magnitudes: float32, shape [n_frames, n_bins].
        hop: samples a frame.

    Returns:
        float32, the same shape, radians.
    """
    n_bins = magnitudes.shape[1]
    n_fft = 2 * (n_bins - 1)
    peaks = _peak_of_bins(magnitudes)
    levels = magnitudes.clamp_min(_NOTHING).log()
    below, at, above = (levels.gather(1, (peaks + shift).clamp(0, n_bins - 1)) for shift in (-1, 0, 1))
    curvature = below - 2.0 * at + above
    is_flat = curvature.abs() < torch.finfo(torch.float32).tiny
    offset = torch.where(is_flat, 0.0, 0.5 * (below - above) / curvature.where(~is_flat, 1.0))
    advance = 2.0 * math.pi * hop / n_fft * (peaks + offset.clamp(-0.5, 0.5))
    phase = torch.zeros(n_bins, device=magnitudes.device)
    at_peaks = []
    for owner, step in zip(peaks, advance, strict=True):
        phase = torch.remainder(phase[owner] + step, 2.0 * math.pi)
        at_peaks.append(phase)
    # A symmetric window has its centre n_fft / 2 samples after a spectrum's first sample.
    from_centre = math.pi * torch.arange(n_bins, device=magnitudes.device).remainder(2)
    return torch.stack(at_peaks) + from_centre


def _peak_of_bins(magnitudes: Tensor) -> Tensor:
    """The nearest local maximum of each bin; the bin itself where a frame has none. int64, same shape."""
    n_bins = magnitudes.shape[1]
    bins = torch.arange(n_bins, device=magnitudes.device).expand(magnitudes.shape)
    is_peak = torch.zeros_like(magnitudes, dtype=torch.bool)
    inner = magnitudes[:, 1:-1]
    is_peak[:, 1:-1] = (inner > magnitudes[:, :-2]) & (inner >= magnitudes[:, 2:])
    left = torch.where(is_peak, bins, -n_bins).cummax(dim=1).values
    right = torch.where(is_peak, bins, 2 * n_bins).flip(1).cummin(dim=1).values.flip(1)
    nearest = torch.where(bins - left <= right - bins, left, right)
    return nearest.where((nearest >= 0) & (nearest < n_bins), bins)


def _with(magnitudes: Tensor, spectrum: Tensor) -> Tensor:
    """The magnitudes with the spectrum's phases."""
    return spectrum * (magnitudes / spectrum.abs().clamp_min(_NOTHING))
