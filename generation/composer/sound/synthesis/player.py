"""One player who holds a note: bowed, blown or an oscillator, with vibrato, breath and a live attack.

One period is kept as a table of harmonics and read at a phase that vibrato and
drift bend; harmonics and formants after Fletcher & Rossing (1998, The Physics
of Musical Instruments, chapters 10, 15, 16); vibrato of five to six hertz that
sets in after the note has begun (Prame, 1994, 1997, JASA 96 and 102).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from generation.composer.sound.synthesis.spectra import (
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
from generation.composer.streams import stream

_TABLE = 4096
_LOOP_S = 4.0
#: Highest harmonic the table holds cleanly when it is read between its points.
_HARMONICS = 96


@dataclass(frozen=True)
class Player:
    """A recipe of one held tone.

    Args:
        level_db, per_octave_db, release_s: see `Struck`.
        slope: amplitude of the n-th harmonic falls with n to this power.
        even_db: level of the even harmonics at and below middle C, rising 5 dB an octave up to 0.
        softness_hz: corner of a second-order low-pass over all.
        formants: of the body.
        vibrato_cents: how far the pitch swings each way; 0 for none.
        vibrato_hz: how often.
        vibrato_from_s: when it is full.
        drift_cents: slow wandering of the pitch.
        swell_db: how much the vibrato swells and softens the tone each way.
        voices: how many oscillators; 2 beat against each other.
        detuned_cents: their distance.
        breath_db: level of the breath's or bow's noise against the tone; None for none.
        chiff_db: how much louder that noise is while the tone begins.
        brightens_s: the first moments are as dark as the darkest shade, for this long.
        attack_s: from silence to full.
    """

    level_db: float
    per_octave_db: float
    slope: float = 1.0
    even_db: float = 0.0
    softness_hz: float = 8_000.0
    formants: Sequence[Formant] = ()
    vibrato_cents: float = 0.0
    vibrato_hz: float = 5.25
    vibrato_from_s: float = 0.7
    drift_cents: float = 1.5
    swell_db: float = 0.0
    voices: int = 1
    detuned_cents: float = 0.0
    breath_db: float | None = None
    chiff_db: float = 0.0
    brightens_s: float = 0.08
    attack_s: float = 0.05
    release_s: float = 0.2

    def shades(self, name: str, key: int, n_samples: int, sample_rate_hz: int) -> Samples:
        """The key's sound, shape [n_shades, n_samples]."""
        f0_hz = hertz_of(key)
        tables = self._tables(f0_hz, key)
        sound = np.zeros((len(tables), n_samples), dtype=np.float32)
        for voice in range(self.voices):
            cents = (voice - (self.voices - 1) / 2.0) * self.detuned_cents
            cycles = self._cycles(f0_hz * 2.0 ** (cents / 1_200.0), voice, name, n_samples, sample_rate_hz)
            _read(tables, cycles, sound)
        if self.swell_db:
            swing = _bend(name, 0, self.vibrato_hz, sample_rate_hz).swing
            sound *= np.resize(10.0 ** (self.swell_db / 20.0 * swing), n_samples).astype(np.float32)
        self._brighten(sound, sample_rate_hz)
        if self.breath_db is not None:
            self._breathe(sound, f0_hz, name, sample_rate_hz)
        rising = raised_cosine(round(self.attack_s * sample_rate_hz))[:n_samples]
        sound[:, : len(rising)] *= rising
        return sound

    def _tables(self, f0_hz: float, key: int) -> Samples:
        n = harmonics(f0_hz, _HARMONICS)
        hertz = f0_hz * n
        amplitude = n**-self.slope
        even_db = min(self.even_db + 5.0 * max(key - 60, 0) / 12.0, 0.0)
        amplitude = np.where(n % 2 == 0, 10.0 ** (even_db / 20.0), 1.0) * amplitude
        amplitude = amplitude / np.sqrt(1.0 + (hertz / max(self.softness_hz, 1.5 * f0_hz)) ** 4)
        amplitude = amplitude * body(hertz, self.formants) * in_band(hertz * 1.03)
        shaded = shade_factors(hertz, f0_hz) * amplitude / np.sqrt(0.5 * np.sum(np.square(amplitude)))
        bins = np.zeros((len(shaded), _TABLE // 2 + 1), dtype=np.complex128)
        bins[:, 1 : len(n) + 1] = shaded * np.exp(1j * scattered_phases(len(n))) * (_TABLE / 2.0)
        return np.fft.irfft(bins, _TABLE, axis=1).astype(np.float32) / np.float32(self.voices**0.5)

    def _cycles(self, f0_hz: float, voice: int, name: str, n_samples: int, sample_rate_hz: int) -> Curve:
        """Where in its period the tone is, in cycles, shape [n_samples]."""
        cycles = np.arange(n_samples) * (f0_hz / sample_rate_hz)
        cycles += 0.37 * voice
        bend = _bend(name, voice, self.vibrato_hz, sample_rate_hz)
        cycles += np.resize(bend.drift * _swing_hz(f0_hz, self.drift_cents), n_samples)
        if self.vibrato_cents:
            swing = np.resize(bend.vibrato * _swing_hz(f0_hz, self.vibrato_cents), n_samples)
            setting_in = np.linspace(0.0, 1.0, round(self.vibrato_from_s * sample_rate_hz))[:n_samples]
            swing[: len(setting_in)] *= np.square(setting_in)
            cycles += swing
        return np.asarray(cycles)

    def _brighten(self, sound: Samples, sample_rate_hz: int) -> None:
        start = min(round(self.brightens_s * sample_rate_hz), sound.shape[1])
        if start < 2:
            return
        share = raised_cosine(start)
        sound[1:, :start] = sound[:1, :start] + share * (sound[1:, :start] - sound[:1, :start])

    def _breathe(self, sound: Samples, f0_hz: float, name: str, sample_rate_hz: int) -> None:
        def shape(hertz: Curve) -> Curve:
            centre = max(2.0 * f0_hz, 900.0)
            return np.asarray(1.0 / (1.0 + ((hertz - centre) / (0.9 * centre)) ** 2))

        noise = np.resize(noise_loop(f"{name}/breath", _LOOP_S / 2, sample_rate_hz, shape), sound.shape[1])
        noise *= np.float32(10.0 ** ((self.breath_db or 0.0) / 20.0))
        start = min(round(0.09 * sample_rate_hz), len(noise))
        extra = np.float32(10.0 ** (self.chiff_db / 20.0) - 1.0)
        noise[:start] *= np.float32(1.0) + extra * raised_cosine(start)[::-1]
        sound += noise


def _read(tables: Samples, cycles: Curve, out: Samples) -> None:
    """Add what `tables` hold at `cycles`, straight between their points."""
    places = (cycles - np.floor(cycles)) * _TABLE
    whole = places.astype(np.int32)
    share = (places - whole).astype(np.float32)
    for row, table in enumerate(tables):
        closed = np.append(table, table[0])
        steps = np.append(np.diff(closed), np.float32(0.0))
        out[row] += closed[whole] + share * steps[whole]


@dataclass(frozen=True)
class Bend:
    """How a player's pitch moves, one loop of it.

    Args:
        vibrato, drift: cycles gained by a swing and a wandering of 1 Hz each way, shape [n].
        swing: the vibrato itself, about -1 to 1, shape [n].
    """

    vibrato: Curve
    drift: Curve
    swing: Curve


@lru_cache(maxsize=64)
def _bend(name: str, voice: int, vibrato_hz: float, sample_rate_hz: int) -> Bend:
    rng = stream(0, "vibrato", name, voice)
    share = np.arange(round(_LOOP_S * sample_rate_hz)) / round(_LOOP_S * sample_rate_hz)
    # No two swings of a hand are alike: rate and depth wander, on frequencies that close the loop.
    uneven, depth, wandering = (_wandering(rng, share, most) for most in (4, 3, 5))
    turns = 2.0 * np.pi * round(vibrato_hz * _LOOP_S) * share
    swing = (1.0 + 0.15 * depth) * np.sin(turns + 0.5 * uneven)
    return Bend(_gained(swing, sample_rate_hz), _gained(wandering, sample_rate_hz), swing)


def _wandering(rng: np.random.Generator, share: Curve, most: int) -> Curve:
    curve = np.zeros_like(share)
    for k in range(1, most + 1):
        height, begin = rng.uniform(-1.0, 1.0) / k, rng.random()
        curve += height * np.sin(2.0 * np.pi * (k * share + begin))
    return curve


def _gained(bend: Curve, sample_rate_hz: int) -> Curve:
    return np.asarray(np.cumsum(bend - bend.mean()) / sample_rate_hz)


def _swing_hz(f0_hz: float, cents: float) -> float:
    return f0_hz * float(2.0 ** (cents / 1_200.0) - 1.0)
