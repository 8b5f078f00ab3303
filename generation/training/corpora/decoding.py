"""One sound file decoded to its end: how long it is, at what rate, and whether anything is heard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from generation.sound_file import read_blocks
from study.errors import AudioError

SILENCE_DB = -70.0
"""Sound whose every sample is under this level of full scale is silent: the absolute gate of EBU R128."""


@dataclass(frozen=True)
class Decoded:
    """What decoding found.

    Args:
        n_samples: of each channel; 0 where the file cannot be read.
        sample_rate_hz: of the file; 0 where it cannot be read.
        peak: largest absolute sample, full scale 1.
        problem: why it cannot be read, in the reader's words; None where it can.
    """

    n_samples: int
    sample_rate_hz: int
    peak: float
    problem: str | None = None

    @property
    def duration_s(self) -> float:
        """Seconds of sound; 0 where it cannot be read."""
        return self.n_samples / self.sample_rate_hz if self.sample_rate_hz else 0.0

    @property
    def is_silent(self) -> bool:
        """No sample reaches `SILENCE_DB`."""
        return self.peak < math.pow(10.0, SILENCE_DB / 20.0)


def decode(path: Path) -> Decoded:
    """Decode a file whole, a piece at a time, and keep none of it."""
    try:
        sample_rate_hz, blocks = read_blocks(path)
        n_samples, peak = 0, 0.0
        for block in blocks:
            n_samples += len(block)
            peak = max(peak, float(np.abs(block).max()))
    except AudioError as refusal:
        return Decoded(0, 0, 0.0, refusal.problem)
    return Decoded(n_samples, sample_rate_hz, peak)
