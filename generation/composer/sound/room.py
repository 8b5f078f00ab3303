"""One room for all: a small hall, as an impulse response, and its convolution block by block."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy.fft import irfft, rfft

Samples = NDArray[np.float32]

ROOM_GAIN = 0.30
"""Root of the mean power gain of each side, up to 16 kHz."""
ROOM_S = 2.0
_HEARD_HZ = 16_000.0
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
        # Spectra of the last steps of the send, newest last, and the last step itself.
        self._past = np.zeros((len(self._parts) - 1, _PART + 1), dtype=np.complex64)
        self._before = np.zeros(_PART, dtype=np.float32)

    def sound(self, send: Samples) -> Samples:
        """What the room answers.

        Args:
            send: shape [n_samples], a multiple of 16384.

        Returns:
            shape [2, n_samples]: left and right.
        """
        n_steps = len(send) // _PART
        line = np.concatenate([self._before, send])
        self._before = line[-_PART:]
        # All steps at once: transforms of equal length share the processor's wide registers.
        frames = sliding_window_view(line, 2 * _PART)[::_PART]
        spectra = np.concatenate([self._past, rfft(frames, axis=1)])
        self._past = spectra[n_steps:]
        n_parts = len(self._parts)
        answer = np.empty((2, n_steps, _PART + 1), dtype=np.complex64)
        product = np.empty_like(answer[0])
        for side in range(2):
            # Part k of the response meets the send of k steps ago.
            np.multiply(spectra[n_parts - 1 :], self._parts[0, side], out=answer[side])
            for k in range(1, n_parts):
                np.multiply(spectra[n_parts - 1 - k : -k], self._parts[k, side], out=product)
                answer[side] += product
        wet = irfft(answer, 2 * _PART, axis=2)[:, :, _PART:]
        return np.asarray(wet.reshape(2, len(send)), dtype=np.float32)


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
    n_samples = round(ROOM_S * sample_rate_hz)
    times = np.arange(n_samples) / sample_rate_hz
    hertz = np.asarray(np.fft.rfftfreq(n_samples, 1.0 / sample_rate_hz), dtype=np.float64)
    edges = (160.0, 400.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0)
    decays_s = (1.7, 1.9, 1.7, 1.25, 0.8)
    room = np.zeros((2, n_samples))
    for side in range(2):
        # Drawn bin by bin from 0 Hz up, so that it is the same room at every rate.
        rng = np.random.default_rng([_SEED, side])
        noise = rng.standard_normal((len(hertz), 2)) @ np.array([1.0, 1.0j])
        for low, high, decay_s in zip(edges[:-1], edges[1:], decays_s, strict=True):
            band = 1.0 / (1.0 + (low / np.maximum(hertz, 1.0)) ** 4) / (1.0 + (hertz / high) ** 4)
            room[side] += irfft(noise * band, n_samples) * 10.0 ** (-3.0 * times / decay_s)
        room[side] *= np.clip((times - 0.018) / 0.03, 0.0, 1.0)
        room[side] /= np.sqrt(np.sum(_heard_energy(room[side], hertz)))
        echoes = np.random.default_rng([_SEED, side, 1])
        for _ in range(7):
            at = int(echoes.uniform(0.011, 0.055) * sample_rate_hz)
            room[side, at] += echoes.choice([-1.0, 1.0]) * echoes.uniform(0.10, 0.22)
        room[side] *= np.clip((ROOM_S - times) / 0.2, 0.0, 1.0)
        room[side] *= ROOM_GAIN / np.sqrt(np.sum(_heard_energy(room[side], hertz)))
    return np.asarray(room, dtype=np.float32)


def _heard_energy(response: NDArray[np.float64], hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean power gain over all that lies under 16 kHz, bin by bin."""
    power = np.abs(rfft(response)) ** 2 * (hertz <= _HEARD_HZ)
    return np.asarray(power / np.count_nonzero(hertz <= _HEARD_HZ), dtype=np.float64)
