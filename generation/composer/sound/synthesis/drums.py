"""Kits: membranes whose pitch falls, bands of noise, and metal with its crowd of partials.

Source: Fletcher & Rossing (1998, The Physics of Musical Instruments, chapters
18 and 20) for what rings; the electronic kit is the analogue one of a falling
sine and filtered noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.sound.synthesis.spectra import (
    SHADES,
    Curve,
    Samples,
    in_band,
    noise_loop,
    raised_cosine,
    scattered_phases,
)
from generation.composer.sound.synthesis.struck import damped_sum
from study.errors import AudioError

_T60 = float(np.log(1000.0))


@dataclass(frozen=True)
class Fall:
    """A sine whose pitch falls to rest: a drum head, a kick."""

    from_hz: float
    to_hz: float
    falling_s: float
    t60_s: float
    db: float = 0.0


@dataclass(frozen=True)
class Hiss:
    """Noise between two corners: brushes, snares, shakers.

    Args:
        attack_s: a stroke across the head swells, a hit does not.
    """

    low_hz: float
    high_hz: float
    t60_s: float
    db: float = 0.0
    attack_s: float = 0.001


@dataclass(frozen=True)
class Ring:
    """Partials of metal at `hertz`, the higher the sooner gone."""

    hertz: Sequence[float]
    t60_s: float
    db: float = 0.0
    slope: float = 0.4


@dataclass(frozen=True)
class Drum:
    """One key of a kit: layers, and its level over the first 0.8 s in decibels of full scale."""

    level_db: float
    layers: Sequence[Fall | Hiss | Ring]


@dataclass(frozen=True)
class Kit:
    """A recipe of drums by key.

    Args:
        drums: General MIDI percussion key to drum.
        release_s: see `Struck`.
    """

    drums: Mapping[int, Drum]
    release_s: float = 0.5

    def drum(self, name: str, key: int) -> Drum:
        """The drum on `key`.

        Raises:
            AudioError: there is none.
        """
        if key in self.drums:
            return self.drums[key]
        known = ", ".join(map(str, sorted(self.drums)))
        raise AudioError(f"kit {name!r}", f"has no drum on key {key}", f"write one of {known}")

    def shades(self, name: str, key: int, n_samples: int, sample_rate_hz: int) -> Samples:
        """The drum's sound, shape [n_shades, n], n at most `n_samples`.

        Raises:
            AudioError: there is no such drum.
        """
        layers = self.drum(name, key).layers
        length = min(n_samples, round(max(_length_s(layer) for layer in layers) * sample_rate_hz))
        sound = np.zeros((len(SHADES), length), dtype=np.float32)
        for number, layer in enumerate(layers):
            label = f"{name}/{key}/{number}"
            rows = _layer(layer, label, length, sample_rate_hz)
            sound[:, : rows.shape[1]] += np.float32(10.0 ** (layer.db / 20.0)) * rows
        rising = raised_cosine(max(round(0.001 * sample_rate_hz), 8))[:length]
        sound[:, : len(rising)] *= rising
        return sound


def _length_s(layer: Fall | Hiss | Ring) -> float:
    # Followed down to 90 dB under the stroke.
    return 1.5 * layer.t60_s + 0.05


def _layer(layer: Fall | Hiss | Ring, label: str, length: int, sample_rate_hz: int) -> Samples:
    match layer:
        case Fall():
            return np.repeat(_falling(layer, length, sample_rate_hz)[None, :], len(SHADES), axis=0)
        case Hiss():
            return _hiss(layer, label, length, sample_rate_hz)
        case Ring():
            hertz = np.asarray(layer.hertz, dtype=np.float64)
            plain = (hertz / hertz[0]) ** -layer.slope * in_band(hertz)
            amplitude = plain * _darkening(hertz) / np.sqrt(0.5 * np.sum(np.square(plain)))
            damping = _T60 / layer.t60_s * (hertz / hertz[0]) ** 0.5
            return damped_sum(hertz, damping, scattered_phases(len(hertz)), amplitude, length, sample_rate_hz)


def _falling(fall: Fall, length: int, sample_rate_hz: int) -> Samples:
    times_s = np.arange(length) / sample_rate_hz
    gone = 1.0 - np.exp(-times_s / fall.falling_s)
    cycles = fall.to_hz * times_s + (fall.from_hz - fall.to_hz) * fall.falling_s * gone
    sound = np.sin(2.0 * np.pi * cycles) * np.exp(-_T60 / fall.t60_s * times_s)
    return np.asarray(sound, dtype=np.float32)


def _hiss(hiss: Hiss, label: str, length: int, sample_rate_hz: int) -> Samples:
    def shape(hertz: Curve) -> Curve:
        return np.asarray(
            1.0 / np.sqrt((1.0 + (hiss.low_hz / hertz) ** 4) * (1.0 + (hertz / hiss.high_hz) ** 4))
        )

    seconds = float(np.ceil(length / sample_rate_hz * 4.0) / 4.0)
    times_s = np.arange(length) / sample_rate_hz
    envelope = np.exp(-_T60 / hiss.t60_s * times_s)
    rising = raised_cosine(max(round(hiss.attack_s * sample_rate_hz), 8))[:length]
    envelope[: len(rising)] *= rising
    rows = []
    for factor in _CORNERS:

        def darker(hertz: Curve, factor: float = factor) -> Curve:
            return np.asarray(shape(hertz) / np.sqrt(1.0 + (hertz / (factor * hiss.low_hz + 2_500.0)) ** 4))

        rows.append(noise_loop(label, seconds, sample_rate_hz, darker)[:length] * envelope)
    return np.asarray(rows, dtype=np.float32)


#: Corner of the low-pass of each shade of noise, in multiples of where the noise begins.
_CORNERS = (1.0, 2.0, 40.0)


def _darkening(hertz: Curve) -> Curve:
    darkest = -0.5 * np.log(1.0 + (hertz / (1.3 * hertz[0])) ** 2)
    return np.asarray(np.exp((1.0 - np.array(SHADES))[:, None] * darkest[None, :]))
