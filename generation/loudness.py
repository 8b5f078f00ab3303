"""Integrated loudness (ITU-R BS.1770-4), a minute of sound at a time."""

from __future__ import annotations

import math

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from generation.sound_blocks import Sound, blocks_of
from study.errors import AudioError

GATE_LUFS = -70.0
BLOCK_S = 0.4
_STEP_S = 0.1
_CHUNK_S = 60.0
# The K-weighting's slowest pole (38 Hz) has decayed by e^-238 after a second.
_SETTLE_S = 1.0


def integrated_loudness(samples: Sound, sample_rate_hz: int) -> float | None:
    """Gated loudness in LUFS; None where nothing reaches the gate of -70 LUFS.

    Source: ITU-R BS.1770-4, as pyloudnorm measures it.

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
    """Measures gating blocks while the sound goes by, a minute at a time.

    The blocks are the same as in one piece, in a fraction of the memory, and the same
    however the sound is cut where it is added.

    Raises:
        AudioError: more than five channels.
    """

    def __init__(self, sample_rate_hz: int, n_channels: int) -> None:
        if n_channels > 5:
            raise AudioError(
                "sound", f"{n_channels} channels have no loudness by BS.1770-4", "mix down to stereo"
            )
        self._rate_hz = sample_rate_hz
        self._meter = pyloudnorm.Meter(sample_rate_hz, block_size=BLOCK_S)
        self._step = round(_STEP_S * sample_rate_hz)
        # Blocks begin on a sample only where the rate is a multiple of ten.
        self._chunk = math.inf if sample_rate_hz % 10 else round(_CHUNK_S / _STEP_S)
        self._settle = round(_SETTLE_S / _STEP_S)
        self._loudness: list[float] = []
        # What has gone by, from gating block `_begin` on.
        self._held: list[NDArray[np.float32]] = []
        self._n_held = self._begin = 0

    def add(self, samples: NDArray[np.float32]) -> None:
        """The next samples, float32, shape [n, n_channels]."""
        self._held.append(samples)
        self._n_held += len(samples)
        # The last two minutes stay in one piece, which may end within a block.
        while self._n_blocks() - len(self._loudness) >= 2 * self._chunk:
            self._measure(round(len(self._loudness) + self._chunk))

    def blocks(self) -> NDArray[np.float64]:
        """Every gating block of what was added, in LUFS; -inf for silence. Nothing is added after this.

        Raises:
            AudioError: shorter than one gating block.
        """
        if self._begin == 0 and self._n_held < round(BLOCK_S * self._rate_hz):
            seconds = self._n_held / self._rate_hz
            raise AudioError(
                "sound", f"{seconds:g} s is too short to have a loudness", f"use {BLOCK_S:g} s or more"
            )
        if len(self._loudness) < self._n_blocks():
            self._measure(None)
        return np.asarray(self._loudness, dtype=np.float64)

    def _n_blocks(self) -> int:
        n_samples = self._begin * self._step + self._n_held
        if math.isinf(self._chunk):
            return 1
        return round((n_samples - BLOCK_S * self._rate_hz) / self._step) + 1

    def _measure(self, last: int | None) -> None:
        """Measure up to gating block `last`, all that is held for None, and forget what is behind."""
        samples = np.concatenate(self._held)
        n_samples = len(samples)
        if last is not None:
            n_samples = (last - 1 - self._begin) * self._step + round(BLOCK_S * self._rate_hz)
        self._meter.integrated_loudness(samples[:n_samples])
        self._loudness.extend(self._meter.blockwise_loudness[len(self._loudness) - self._begin :])
        begin = max(len(self._loudness) - self._settle, 0)
        rest = samples[(begin - self._begin) * self._step :]
        self._held, self._n_held, self._begin = [rest], len(rest), begin


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
    first = math.ceil(onset_s / _STEP_S - 1e-6)
    last = math.floor((end_s - BLOCK_S) / _STEP_S + 1e-6)
    return gated_loudness(blocks[first : last + 1])
