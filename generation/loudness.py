"""Integrated loudness (ITU-R BS.1770-4), a minute of sound at a time."""

from __future__ import annotations

import math

import numpy as np
import pyloudnorm
from numpy.typing import NDArray

from study.errors import AudioError

GATE_LUFS = -70.0
BLOCK_S = 0.4
_STEP_S = 0.1
_CHUNK_S = 60.0
# The K-weighting's slowest pole (38 Hz) has decayed by e^-238 after a second.
_SETTLE_S = 1.0


def integrated_loudness(samples: NDArray[np.float32], sample_rate_hz: int) -> float | None:
    """Gated loudness in LUFS; None where nothing reaches the gate of -70 LUFS.

    Source: ITU-R BS.1770-4, as pyloudnorm measures it.

    Args:
        samples: float32, shape [n_samples, n_channels], up to five channels.

    Raises:
        AudioError: shorter than one gating block (0.4 s), or more than five channels.
    """
    return gated_loudness(block_loudness(samples, sample_rate_hz))


def block_loudness(samples: NDArray[np.float32], sample_rate_hz: int) -> NDArray[np.float64]:
    """Loudness of each gating block (0.4 s, every 0.1 s), in LUFS; -inf for silence."""
    n_samples, n_channels = samples.shape
    if n_samples < round(BLOCK_S * sample_rate_hz):
        seconds = n_samples / sample_rate_hz
        raise AudioError(
            "sound", f"{seconds:g} s is too short to have a loudness", f"use {BLOCK_S:g} s or more"
        )
    if n_channels > 5:
        raise AudioError(
            "sound", f"{n_channels} channels have no loudness by BS.1770-4", "mix down to stereo"
        )
    meter = pyloudnorm.Meter(sample_rate_hz, block_size=BLOCK_S)
    step = round(_STEP_S * sample_rate_hz)
    if sample_rate_hz % 10:
        meter.integrated_loudness(samples)
        return np.asarray(meter.blockwise_loudness, dtype=np.float64)
    # A minute at a time: the same blocks as in one piece, in a twentieth of the memory.
    settle, chunk = (round(s / _STEP_S) for s in (_SETTLE_S, _CHUNK_S))
    n_blocks = round((n_samples - BLOCK_S * sample_rate_hz) / step) + 1
    loudness: list[float] = []
    while len(loudness) < n_blocks:
        first = len(loudness)
        begin = max(first - settle, 0)
        last = n_blocks if n_blocks - first < 2 * chunk else first + chunk
        end = n_samples if last == n_blocks else (last - 1) * step + round(BLOCK_S * sample_rate_hz)
        meter.integrated_loudness(samples[begin * step : end])
        loudness.extend(meter.blockwise_loudness[first - begin :])
    return np.asarray(loudness, dtype=np.float64)


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
