"""One room for all: a small hall, as an impulse response, and its convolution block by block."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

Samples = NDArray[np.float32]

ROOM_GAIN = 0.30
"""Root of the energy of each side's response."""
ROOM_S = 2.0
_PART = 1 << 14
_SEED = 20_180_305


class Room:
    """Adds the hall's sound to a mono send, left and right.

    Uniformly partitioned convolution (Gardner, 1995, JAES 43, 127-136): the response is cut into
    parts of 16384 samples; the parts' spectra meet the spectra of the last blocks of the send.

    Args:
        sample_rate_hz: of the send.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._parts = _room_spectra(sample_rate_hz)
        self._past = np.zeros((self._parts.shape[0], _PART + 1), dtype=np.complex64)
        self._before = np.zeros(_PART, dtype=np.float32)
        self._now = 0

    def sound(self, send: Samples) -> Samples:
        """What the room answers.

        Args:
            send: shape [n_samples], a multiple of 16384.

        Returns:
            shape [2, n_samples]: left and right.
        """
        wet = np.empty((2, len(send)), dtype=np.float32)
        for start in range(0, len(send), _PART):
            wet[:, start : start + _PART] = self._step(send[start : start + _PART])
        return wet

    def _step(self, send: Samples) -> Samples:
        n_parts = len(self._past)
        # Newest first: part k of the response meets the send of k steps ago.
        self._now = (self._now - 1) % n_parts
        self._past[self._now] = rfft(np.concatenate([self._before, send]))
        self._before = send.copy()
        answer = self._past[self._now] * self._parts[0]
        for part in range(1, n_parts):
            answer += self._past[(self._now + part) % n_parts] * self._parts[part]
        return np.asarray(irfft(answer, 2 * _PART, axis=1)[:, _PART:], dtype=np.float32)


@lru_cache(maxsize=3)
def _room_spectra(sample_rate_hz: int) -> NDArray[np.complex64]:
    """Spectra of the response's parts, shape [n_parts, 2, part + 1]."""
    response = room_response(sample_rate_hz)
    n_parts = -(-response.shape[1] // _PART)
    padded = np.zeros((2, n_parts * _PART), dtype=np.float32)
    padded[:, : response.shape[1]] = response
    parts = padded.reshape(2, n_parts, _PART).transpose(1, 0, 2)
    return np.asarray(rfft(parts, 2 * _PART, axis=2), dtype=np.complex64)


@lru_cache(maxsize=6)
def room_power(sample_rate_hz: int, n_bins: int) -> NDArray[np.float64]:
    """Energy the hall adds on both sides together to a send, in bands from 0 Hz to half the
    rate, shape [n_bins]."""
    spectrum = rfft(room_response(sample_rate_hz).astype(np.float64), 1 << 17, axis=1)
    power = (np.abs(spectrum) ** 2).sum(axis=0)
    edges = np.linspace(0, len(power), n_bins + 1).astype(int)
    running = np.concatenate([[0.0], np.cumsum(power)])
    return np.asarray((running[edges[1:]] - running[edges[:-1]]) / np.diff(edges), dtype=np.float64)


@lru_cache(maxsize=3)
def room_response(sample_rate_hz: int) -> NDArray[np.float32]:
    """The hall's impulse response, shape [2, n_samples].

    Early reflections, then noise that decays faster the higher it is (Moorer, 1979, About this
    reverberation business, Computer Music Journal 3, 13-28): 1.9 s at 500 Hz, other noise left than right,
    nothing under 160 Hz.
    """
    rng = np.random.default_rng(_SEED)
    n_samples = round(ROOM_S * sample_rate_hz)
    times = np.arange(n_samples) / sample_rate_hz
    n_fft = next_fast_len(n_samples, real=True)
    hertz = np.fft.rfftfreq(n_fft, 1.0 / sample_rate_hz)
    room = np.zeros((2, n_samples))
    edges = (160.0, 400.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0)
    decays_s = (1.7, 1.9, 1.7, 1.25, 0.8)
    for side in range(2):
        noise = rfft(rng.standard_normal(n_samples), n_fft)
        for low, high, decay_s in zip(edges[:-1], edges[1:], decays_s, strict=True):
            band = 1.0 / (1.0 + (low / np.maximum(hertz, 1.0)) ** 4) / (1.0 + (hertz / high) ** 4)
            room[side] += irfft(noise * band, n_fft)[:n_samples] * 10.0 ** (-3.0 * times / decay_s)
        room[side] *= np.clip((times - 0.018) / 0.03, 0.0, 1.0)
        for _ in range(7):
            at = int(rng.uniform(0.011, 0.055) * sample_rate_hz)
            room[side, at] += (
                rng.choice([-1.0, 1.0]) * rng.uniform(1.0, 2.2) * math.sqrt(sample_rate_hz / 32_000.0)
            )
        room[side] *= np.clip((ROOM_S - times) / 0.2, 0.0, 1.0)
    room *= ROOM_GAIN / np.sqrt((room**2).sum(axis=1, keepdims=True))
    return np.asarray(room, dtype=np.float32)
