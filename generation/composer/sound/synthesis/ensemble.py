"""Many at once: sections of strings, choirs and pads, from one loop in which every partial is a narrow band.

Source: Paul Nasca's PADsynth: an inverse Fourier transform of bands with
random phases is a sound of many players that closes on itself without a seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.sound.synthesis.spectra import (
    SHADES,
    TOP_HZ,
    Curve,
    Formant,
    Samples,
    body,
    harmonics,
    hertz_of,
    in_band,
    raised_cosine,
    shade_factors,
    tone_loop,
)

_LOOP_S = 4.0
_WIDEST = 3.0


@dataclass(frozen=True)
class Ensemble:
    """A recipe of bands around the harmonics.

    Args:
        level_db, per_octave_db, release_s: see `Struck`.
        slope: amplitude of the n-th harmonic falls with n to this power.
        spread_cents: standard deviation of the players around the key.
        softness_hz: corner of a second-order low-pass over all.
        formants: of the bodies or the vowel.
        octave_below_db: level of a second line an octave lower; None for none.
        sweep: octaves by which a filter slowly opens and closes; 0 for none.
        sweep_s: of one opening and closing; a multiple of four seconds.
        attack_s: from silence to full.
    """

    level_db: float
    per_octave_db: float
    slope: float = 1.0
    spread_cents: float = 9.0
    softness_hz: float = 6_000.0
    formants: Sequence[Formant] = ()
    octave_below_db: float | None = None
    sweep: float = 0.0
    sweep_s: float = 8.0
    attack_s: float = 0.15
    release_s: float = 0.5

    def shades(self, name: str, key: int, n_samples: int, sample_rate_hz: int) -> Samples:
        """The key's sound, shape [n_shades, n_samples]."""
        f0_hz = hertz_of(key)
        hertz, amplitude = self._lines(f0_hz)
        label = f"{name}/{key}"
        if self.sweep:
            corner_hz = max(self.softness_hz, 2.0 * f0_hz)
            # One corner more than there are shades: each shade moves between two neighbours.
            corners = corner_hz * 2.0 ** (self.sweep * (np.arange(len(SHADES) + 1.0) - 1.0))
            rows = amplitude / np.sqrt(1.0 + (hertz / corners[:, None]) ** 4)
            loops = tone_loop(_bands(hertz, rows, self.spread_cents), label, sample_rate_hz, _LOOP_S)
            sound = _swept(loops, n_samples, round(self.sweep_s * sample_rate_hz))
        else:
            rows = amplitude * shade_factors(hertz, f0_hz)
            loops = tone_loop(_bands(hertz, rows, self.spread_cents), label, sample_rate_hz, _LOOP_S)
            sound = np.tile(loops, (1, -(-n_samples // loops.shape[1])))[:, :n_samples]
        rising = raised_cosine(round(self.attack_s * sample_rate_hz))[:n_samples]
        sound[:, : len(rising)] *= rising
        return sound

    def _lines(self, f0_hz: float) -> tuple[Curve, Curve]:
        n = harmonics(f0_hz)
        hertz, amplitude = f0_hz * n, n**-self.slope
        if self.octave_below_db is not None:
            below = harmonics(f0_hz / 2.0)
            hertz = np.concatenate([hertz, f0_hz / 2.0 * below])
            lower = 10.0 ** (self.octave_below_db / 20.0) * below ** -(self.slope + 0.4)
            amplitude = np.concatenate([amplitude, lower])
        if not self.sweep:
            amplitude = amplitude / np.sqrt(1.0 + (hertz / max(self.softness_hz, 1.5 * f0_hz)) ** 4)
        return hertz, amplitude * body(hertz, self.formants) * in_band(hertz)


def _bands(hertz: Curve, rows: Curve, spread_cents: float) -> Curve:
    """Amplitude of each bin of the loop, shape [n_rows, n_bins]: every line widened, its power kept."""
    amplitude = np.zeros((len(rows), int(TOP_HZ * _LOOP_S)))
    for index, centre_hz in enumerate(hertz):
        width = max(centre_hz * (2.0 ** (spread_cents / 1_200.0) - 1.0) * _LOOP_S, 0.35)
        centre = centre_hz * _LOOP_S - 1.0
        first = max(int(np.floor(centre - _WIDEST * width)), 0)
        last = min(int(np.ceil(centre + _WIDEST * width)) + 1, amplitude.shape[1])
        profile = np.exp(-0.25 * ((np.arange(first, last) - centre) / width) ** 2)
        profile /= np.sqrt(np.sum(np.square(profile)))
        amplitude[:, first:last] += rows[:, index, None] * profile
    return amplitude


def _swept(loops: Samples, n_samples: int, period: int) -> Samples:
    """Each shade between two neighbouring loops, darker first, there and back once a period."""
    once = min(period, n_samples)
    share = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(once) / period)).astype(np.float32)
    repeated = np.tile(loops, (1, -(-once // loops.shape[1])))[:, :once]
    swept = repeated[:-1] + share * (repeated[1:] - repeated[:-1])
    return np.tile(swept, (1, -(-n_samples // once)))[:, :n_samples]
