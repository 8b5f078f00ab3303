"""One gain for all clips of a system: how loud they are against each other is part of what they express."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, encode_audio, integrated_loudness
from generation.grid.request import LOUDNESS_LUFS

CEILING_DBTP = -1.0
"""No true peak of any clip lies above, as in sessions."""


@dataclass(frozen=True)
class SystemGain:
    """A system's gain.

    Args:
        gain_db: to three decimals, so that the journal holds it exactly.
        mean_lufs: mean loudness of its sounding clips afterwards; None where all are silent.
        is_held_back: a peak would have passed the ceiling.
    """

    gain_db: float
    mean_lufs: float | None
    is_held_back: bool

    @property
    def sentence(self) -> str:
        """For the manifest."""
        if self.mean_lufs is None:
            return "every clip is silent; no gain was applied"
        held = f", held back so that no peak passes {CEILING_DBTP:g} dBTP" if self.is_held_back else ""
        return (
            f"one gain of {self.gain_db:+.3f} dB for all its clips, which brings their mean loudness to"
            f" {self.mean_lufs:.1f} LUFS{held}; differences between clips are kept"
        )


def system_gain(loudness_lufs: Sequence[float | None], peaks_dbtp: Sequence[float | None]) -> SystemGain:
    """The gain that brings the mean loudness to -23 LUFS, or as near as the peaks allow.

    Args:
        loudness_lufs: of each clip; None where it is silent.
        peaks_dbtp: true peak of each clip; None where it is all zero.
    """
    sounding = [one for one in loudness_lufs if one is not None]
    if not sounding:
        return SystemGain(0.0, None, is_held_back=False)
    mean = sum(sounding) / len(sounding)
    wanted = LOUDNESS_LUFS - mean
    allowed = CEILING_DBTP - max((peak for peak in peaks_dbtp if peak is not None), default=CEILING_DBTP)
    gain = math.floor(min(wanted, allowed) * 1000) / 1000 + 0.0
    return SystemGain(gain, mean + gain, is_held_back=allowed < wanted)


def levelled(samples: NDArray[np.float32], gain_db: float) -> tuple[bytes, float | None]:
    """A clip as a 32-kHz FLAC under its system's gain, and its integrated loudness in LUFS.

    Args:
        samples: float32, shape [n_samples, n_channels].

    Raises:
        AudioError: NaN, or a sample beyond full scale.
    """
    sound = samples * np.float32(10.0 ** (gain_db / 20.0))
    loudness = integrated_loudness(sound, SAMPLE_RATE_HZ)
    return encode_audio(sound, SAMPLE_RATE_HZ), None if loudness is None else round(loudness, 3)
