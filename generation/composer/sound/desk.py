"""From mono buses to stereo: pan, room, brightness, level and the fades at both ends."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from generation.composer.cues import CueCurves
from generation.composer.sound.buses import Place
from generation.composer.sound.compressor import Compressor
from generation.composer.sound.room import Room
from generation.composer.sound.spectrum import SHELF_HZ

Samples = NDArray[np.float32]

_FADE_IN_S = 1.2
_FADE_OUT_S = 3.0


class Desk:
    """Mixes one session, block by block; carries what rings on.

    Args:
        curves: whose brightness and gain it follows.
        sample_rate_hz: of everything.
        n_samples: length of the session.
        compression: 0 for none, to 1.
    """

    def __init__(self, curves: CueCurves, sample_rate_hz: int, n_samples: int, compression: float) -> None:
        self._curves = curves
        self._sample_rate_hz = sample_rate_hz
        self._n_samples = n_samples
        self._room = Room(sample_rate_hz)
        self._low = np.zeros((2, 1), dtype=np.float32)
        self._compressor = Compressor(compression, sample_rate_hz) if compression else None

    def mix(
        self,
        buses: Iterable[tuple[Place, Samples]],
        start: int,
        n_samples: int,
        tints: tuple[float, float] = (1.0, 1.0),
    ) -> Samples:
        """The block of stereo that begins at sample `start`.

        Everything but the compressor is linear: stems mixed alone sum to the whole.

        Args:
            buses: place and block of each, shape [n_samples], in a fixed order.
            tints: factors on the brightness shelf at both edges of the block (`tint`).

        Returns:
            float32, shape [n_samples, 2].
        """
        mixed = np.zeros((2, n_samples), dtype=np.float32)
        send = np.zeros(n_samples, dtype=np.float32)
        scaled = np.empty(n_samples, dtype=np.float32)
        for place, block in buses:
            for sum_, gain in zip((*mixed, send), (*place.sides, place.send), strict=True):
                np.multiply(block, np.float32(gain), out=scaled)
                np.add(sum_, scaled, out=sum_)
        mixed += self._room.sound(send)
        edges_s = np.array([start, start + n_samples]) / self._sample_rate_hz
        cues = self._curves.at(edges_s)
        self._shelve(mixed, cues.brightness * np.array(tints))
        # A straight ramp between block edges: no level ever steps.
        gain_db = cues.gain_db
        mixed *= _ramp(10.0 ** (gain_db / 20.0), n_samples)
        if self._compressor is not None:
            self._compressor.press(mixed)
        self._fade(mixed, start)
        return np.ascontiguousarray(mixed.T)

    def _shelve(self, mixed: Samples, factor: NDArray[np.float64]) -> None:
        """A first-order high shelf whose factor runs straight from one block edge to the next."""
        pole = math.exp(-2.0 * math.pi * SHELF_HZ / self._sample_rate_hz)
        b = np.array([1.0 - pole], dtype=np.float32)
        a = np.array([1.0, -pole], dtype=np.float32)
        low, self._low = lfilter(b, a, mixed, axis=1, zi=self._low)
        mixed -= low
        mixed *= _ramp(factor, mixed.shape[1])
        mixed += low

    def _fade(self, mixed: Samples, start: int) -> None:
        duration_s = self._n_samples / self._sample_rate_hz
        opening = round(min(_FADE_IN_S, 0.1 * duration_s) * self._sample_rate_hz)
        closing = round(min(_FADE_OUT_S, 0.35 * duration_s) * self._sample_rate_hz)
        places = np.arange(start, start + mixed.shape[1])
        if start < opening:
            mixed *= (np.sin(np.clip(places / opening, 0.0, 1.0) * np.pi / 2) ** 2).astype(np.float32)
        if start + mixed.shape[1] > self._n_samples - closing:
            left = np.clip((self._n_samples - 1 - places) / closing, 0.0, 1.0)
            mixed *= (np.sin(left * np.pi / 2) ** 2).astype(np.float32)


def _ramp(ends: NDArray[np.float64], n_samples: int) -> Samples:
    return np.linspace(ends[0], ends[1], n_samples, endpoint=False, dtype=np.float32)
