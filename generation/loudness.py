"""Integrated loudness (ITU-R BS.1770-4) of sound that goes by, a second at a time.

The numbers are pyloudnorm's to 1e-6 LU (a test holds them against it); its meter filters a whole sound in
memory, and takes three times as long.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pyloudnorm
from numpy.typing import NDArray
from scipy.signal import lfilter

from generation.sound_blocks import Sound, blocks_of
from study.errors import AudioError

GATE_LUFS = -70.0
BLOCK_S = 0.4
_STEPS_PER_S = 10
_OFFSET_DB = -0.691
_CHANNEL_GAINS = (1.0, 1.0, 1.0, 1.41, 1.41)
_SMALLEST = 1e-30


def integrated_loudness(samples: Sound, sample_rate_hz: int) -> float | None:
    """Gated loudness in LUFS; None where nothing reaches the gate of -70 LUFS.

    Source: ITU-R BS.1770-4.

    Args:
        samples: float32, shape [n_samples, n_channels], up to five channels.

    Raises:
        AudioError: shorter than one gating block (0.4 s), or more than five channels.
    """
    return gated_loudness(block_loudness(samples, sample_rate_hz))


def block_loudness(samples: Sound, sample_rate_hz: int) -> NDArray[np.float64]:
    """Loudness of each gating block (0.4 s, every 0.1 s), in LUFS; -inf for silence.

    Raises:
        AudioError: as `integrated_loudness`.
    """
    meter = LoudnessMeter(sample_rate_hz, samples.shape[1])
    for block in blocks_of(samples):
        meter.add(block)
    return meter.blocks()


class LoudnessMeter:
    """Measures gating blocks while the sound goes by; the same ones however it is cut where it is added.

    Blocks begin every 0.1 s, to the sample below where the rate is no multiple of ten.

    Raises:
        AudioError: more than five channels.
    """

    def __init__(self, sample_rate_hz: int, n_channels: int) -> None:
        if n_channels > len(_CHANNEL_GAINS):
            raise AudioError(
                "sound", f"{n_channels} channels have no loudness by BS.1770-4", "mix down to stereo"
            )
        self._rate_hz = sample_rate_hz
        self._b, self._a = _k_weighting(sample_rate_hz)
        self._state = np.zeros((n_channels, len(self._b) - 1))
        self._steps = np.arange(_STEPS_PER_S) * sample_rate_hz // _STEPS_PER_S
        self._gains = np.array(_CHANNEL_GAINS[:n_channels])[:, None]
        self._held = np.zeros((0, n_channels), dtype=np.float32)
        self._n_samples = 0
        # Summed squares of each tenth of a second, weighted over channels.
        self._energies: list[NDArray[np.float64]] = []

    def add(self, samples: NDArray[np.float32]) -> None:
        """The next samples, float32, shape [n, n_channels]."""
        self._n_samples += len(samples)
        if len(self._held):
            samples = np.concatenate([self._held, samples])
        whole = len(samples) // self._rate_hz * self._rate_hz
        for begin in range(0, whole, self._rate_hz):
            self._measure(samples[begin : begin + self._rate_hz])
        self._held = samples[whole:].copy()

    def blocks(self) -> NDArray[np.float64]:
        """Every gating block of what was added, in LUFS; -inf for silence. Nothing is added after this.

        Raises:
            AudioError: shorter than one gating block.
        """
        if self._n_samples < round(BLOCK_S * self._rate_hz):
            seconds = self._n_samples / self._rate_hz
            raise AudioError(
                "sound", f"{seconds:g} s is too short to have a loudness", f"use {BLOCK_S:g} s or more"
            )
        if len(self._held):
            self._measure(self._held)
        # As pyloudnorm has it: the last block may lack up to half a step.
        n_blocks = round((self._n_samples - BLOCK_S * self._rate_hz) * _STEPS_PER_S / self._rate_hz) + 1
        n_steps = round(BLOCK_S * _STEPS_PER_S)
        energies = np.concatenate([*self._energies, np.zeros(n_steps)])
        means = sum(energies[k : k + n_blocks] for k in range(n_steps)) / (BLOCK_S * self._rate_hz)
        with np.errstate(divide="ignore"):
            return np.asarray(_OFFSET_DB + 10.0 * np.log10(means))

    def _measure(self, samples: NDArray[np.float32]) -> None:
        """One second, or what is left at the end."""
        weighted, self._state = lfilter(self._b, self._a, np.ascontiguousarray(samples.T), zi=self._state)
        # In silence the state would fall to numbers so small that arithmetic crawls.
        self._state[np.abs(self._state) < _SMALLEST] = 0.0
        steps = self._steps[self._steps < len(samples)]
        sums = np.add.reduceat(np.square(weighted), steps, axis=1)
        self._energies.append((self._gains * sums).sum(axis=0))


@cache
def _k_weighting(sample_rate_hz: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The shelf and the high-pass of BS.1770-4 as one filter of fourth order, as pyloudnorm computes them."""
    shelf = pyloudnorm.IIRfilter(4.0, 1.0 / math.sqrt(2.0), 1500.0, sample_rate_hz, "high_shelf")
    high_pass = pyloudnorm.IIRfilter(0.0, 0.5, 38.0, sample_rate_hz, "high_pass")
    return np.convolve(shelf.b, high_pass.b), np.convolve(shelf.a, high_pass.a)


def gated_loudness(blocks: NDArray[np.float64]) -> float | None:
    """Integrated loudness of gating blocks in LUFS, by the absolute and the relative gate.

    A gain of g dB may be tried as ``gated_loudness(blocks + g)``. None where no block
    reaches `GATE_LUFS`.
    """
    heard = blocks[blocks >= GATE_LUFS]
    if not heard.size:
        return None
    relative_gate = _mean_lufs(heard) - 10.0
    return _mean_lufs(heard[heard > relative_gate])


def _mean_lufs(blocks: NDArray[np.float64]) -> float:
    return 10.0 * math.log10(float(np.mean(10.0 ** (blocks / 10.0))))


def loudness_between(blocks: NDArray[np.float64], onset_s: float, end_s: float) -> float | None:
    """Integrated loudness of a part of a sound, from the blocks that lie inside it.

    Args:
        blocks: of the whole sound, as `block_loudness` gives them.
        onset_s, end_s: of the part, at least one block apart.

    Returns:
        LUFS; None where nothing in it reaches `GATE_LUFS`.
    """
    first = math.ceil(onset_s * _STEPS_PER_S - 1e-6)
    last = math.floor((end_s - BLOCK_S) * _STEPS_PER_S + 1e-6)
    return gated_loudness(blocks[first : last + 1])
