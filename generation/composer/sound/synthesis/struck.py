"""Struck and plucked: partials that begin together and die away each at its own pace.

A stiff string's partials lie at n·f0·√(1 + B·n²) (Fletcher, 1964, Normal
vibration frequencies of a stiff piano string, JASA 36, 203-209); where it is
struck or plucked leaves out the partials that have a node there, sin(nπβ)
(Fletcher & Rossing, 1998, The Physics of Musical Instruments, chapter 2); its
sound dies away in two stages because its two polarisations do (Weinreich,
1977, Coupled piano strings, JASA 62, 1474-1484). Bars and tines have the
ratios of their own modes (Fletcher & Rossing, chapters 2.16 and 19).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.sound.synthesis.spectra import (
    TOP_HZ,
    Curve,
    Formant,
    Samples,
    body,
    harmonics,
    hertz_of,
    in_band,
    noise_loop,
    raised_cosine,
    scattered_phases,
    shade_factors,
)

#: Partials are summed as products of matrices of these sizes, always the same, so that a
#: longer tone begins with exactly the samples of a shorter one.
_COLUMNS, _ROWS = 512, 64
_INAUDIBLE = 1e-5
#: Partials that begin this far below the loudest are left out.
_TOO_SOFT = 3e-4
#: Only so many of the lowest partials sound on.
_SOUNDING_ON = 16
_T60 = float(np.log(1000.0))
_KNOCK_S = 0.25


@dataclass(frozen=True)
class Mode:
    """One mode of a bar, a tine or a reed.

    Args:
        ratio: of its frequency to the key's.
        db: level at the strike.
        t60: its time of decay as a share of the first one's.
    """

    ratio: float
    db: float
    t60: float


@dataclass(frozen=True)
class Struck:
    """A recipe of damped partials.

    Args:
        level_db: root mean square over the first 0.8 s at middle C, in decibels of full scale.
        per_octave_db: how the level changes with each octave up.
        t60_s: time of a fall of 60 dB at middle C.
        halving_semitones: keys up until that time is halved.
        loss: how much sooner higher partials die: at 1 kHz above the first, 1 / (1 + loss).
        modes: of bars and tines; None for strings, whose partials are nearly harmonic.
        place: where a string is touched, share of its length.
        slope: amplitude of a string's n-th partial falls with n to this power.
        softness_hz: the hammer's or finger's own low-pass.
        stiffness: B at middle C; doubles every 8.5 semitones up, halves as far as an octave and a half down.
        aftersound: share of the amplitude that dies four times as slowly.
        detuned_cents: distance of two strings struck together; 0 for one.
        formants: of the body.
        knock_db: level of the touch's own noise against the tone; None for none.
        knock_hz: where that noise lies.
        attack_s: from silence to full.
        release_s: of a fall of 70 dB after the key is let go.
    """

    level_db: float
    per_octave_db: float
    t60_s: float
    halving_semitones: float = 14.0
    loss: float = 0.5
    modes: Sequence[Mode] | None = None
    place: float = 0.13
    slope: float = 1.0
    softness_hz: float = 4_000.0
    stiffness: float = 0.0
    aftersound: float = 0.0
    detuned_cents: float = 0.0
    formants: Sequence[Formant] = ()
    knock_db: float | None = None
    knock_hz: float = 400.0
    attack_s: float = 0.002
    release_s: float = 0.3

    def shades(self, name: str, key: int, n_samples: int, sample_rate_hz: int) -> Samples:
        """The key's sound, shape [n_shades, n], n at most `n_samples`: shorter where it has died away."""
        f0_hz = hertz_of(key)
        hertz, amplitude, t60_s = self._partials(f0_hz, key)
        shaded = shade_factors(hertz, f0_hz) * amplitude
        phases = scattered_phases(len(hertz))
        sound = damped_sum(hertz, _T60 / t60_s, phases, shaded, n_samples, sample_rate_hz)
        if self.knock_db is not None:
            self._knock(sound, name, sample_rate_hz)
        rising = raised_cosine(max(round(self.attack_s * sample_rate_hz), 8))[: sound.shape[1]]
        sound[:, : len(rising)] *= rising
        return sound

    def _partials(self, f0_hz: float, key: int) -> tuple[Curve, Curve, Curve]:
        """Frequency, amplitude and time of decay of each, shape [n] each."""
        whole_t60_s = float(np.clip(self.t60_s * 2.0 ** ((60 - key) / self.halving_semitones), 0.12, 30.0))
        if self.modes is None:
            n = harmonics(f0_hz)
            b = self.stiffness * 2.0 ** (max(key - 60, -18) / 8.5)
            hertz = f0_hz * n * np.sqrt((1.0 + b * n * n) / (1.0 + b))
            # No place is a point: no partial is left out altogether.
            touched = 0.08 + 0.92 * np.abs(np.sin(np.pi * self.place * n))
            amplitude = touched * n**-self.slope
            share = np.ones_like(n)
        else:
            hertz = f0_hz * np.array([mode.ratio for mode in self.modes])
            amplitude = 10.0 ** (np.array([mode.db for mode in self.modes]) / 20.0)
            share = np.array([mode.t60 for mode in self.modes])
        amplitude = amplitude / np.sqrt(1.0 + (hertz / max(self.softness_hz, 1.2 * f0_hz)) ** 4)
        amplitude = amplitude * body(hertz, self.formants) * in_band(hertz)
        t60_s = whole_t60_s * share / (1.0 + self.loss * (hertz - f0_hz) / 1_000.0)
        heard = amplitude > _TOO_SOFT * amplitude.max()
        hertz, amplitude, t60_s = hertz[heard], amplitude[heard], t60_s[heard]
        if self.detuned_cents:
            apart = 2.0 ** (self.detuned_cents / 2_400.0)
            hertz, amplitude, t60_s = (
                np.concatenate([hertz / apart, hertz * apart]),
                np.concatenate([0.55 * amplitude, 0.45 * amplitude]),
                np.concatenate([t60_s, t60_s]),
            )
        if self.aftersound:
            low = hertz < (_SOUNDING_ON + 0.5) * f0_hz
            hertz, amplitude, t60_s = (
                np.concatenate([hertz, hertz[low] * 2.0 ** (0.4 / 1_200.0)]),
                np.concatenate([(1.0 - self.aftersound) * amplitude, self.aftersound * amplitude[low]]),
                np.concatenate([0.5 * t60_s, 2.0 * t60_s[low]]),
            )
        kept = hertz < TOP_HZ
        return hertz[kept], amplitude[kept], t60_s[kept]

    def _knock(self, sound: Samples, name: str, sample_rate_hz: int) -> None:
        noise = noise_loop(
            f"{name}/knock",
            _KNOCK_S,
            sample_rate_hz,
            lambda hertz: 1.0 / (1.0 + ((hertz - self.knock_hz) / self.knock_hz) ** 2),
        )[: sound.shape[1]]
        times_s = np.arange(len(noise), dtype=np.float32) / np.float32(sample_rate_hz)
        noise = noise * np.exp(times_s * np.float32(-1.0 / 0.022))
        start = sound[:, : round(0.05 * sample_rate_hz)]
        level = np.sqrt(np.mean(np.square(start, dtype=np.float64), axis=1))
        level *= 10.0 ** ((self.knock_db or 0.0) / 20.0)
        sound[:, : len(noise)] += level.astype(np.float32)[:, None] * noise


def damped_sum(
    hertz: Curve, damping: Curve, phases: Curve, amplitude: Curve, n_samples: int, sample_rate_hz: int
) -> Samples:
    """Σ a·e^(-d·t)·sin(2πft + φ), float32, shape [n_rows, n]; n at most `n_samples`, less where all has died.

    Args:
        hertz, damping, phases: shape [n_partials]; damping in 1/s.
        amplitude: shape [n_rows, n_partials].
    """
    rows = len(amplitude)
    poles = -damping + 2j * np.pi * hertz
    column_s = np.arange(_COLUMNS) / sample_rate_hz
    inner = np.exp(poles[:, None] * column_s)
    loudest = amplitude.max(axis=0)
    floor = _INAUDIBLE * float(loudest.max())
    chunk = _ROWS * _COLUMNS
    out = np.zeros((rows, -(-n_samples // chunk) * chunk), dtype=np.float32)
    for start in range(0, n_samples, chunk):
        row_s = (start + np.arange(_ROWS) * _COLUMNS) / sample_rate_hz
        alive = loudest * np.exp(-damping * row_s[0]) > floor
        if not alive.any():
            out = out[:, :start]
            break
        outer = np.exp(poles[alive] * row_s[:, None] + 1j * phases[alive])
        left = amplitude[:, None, alive] * outer
        a = np.concatenate([left.imag, left.real], axis=2, dtype=np.float32)
        b = np.concatenate([inner[alive].real, inner[alive].imag], dtype=np.float32)
        out[:, start : start + chunk] = (a.reshape(rows * _ROWS, -1) @ b).reshape(rows, chunk)
    return out[:, :n_samples]
