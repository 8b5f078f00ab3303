"""Windows of sound for the tests of single cues."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueFrames, CueWindow
from generation.audio import SAMPLE_RATE_HZ
from tests.analysis.mer.controlled_audio import Knobs, sound_of

RATE_HZ = 16_000


def windows_of(samples: NDArray[np.float32], rate_hz: int = RATE_HZ) -> list[CueWindow]:
    """All windows of a sound, shape [n] or [n, n_channels]."""
    frames = CueFrames(rate_hz)
    return [*frames.hear(samples.reshape(len(samples), -1)), *frames.finish()]


def window_of(samples: NDArray[np.float32], rate_hz: int = RATE_HZ) -> CueWindow:
    """The first window of a sound."""
    return windows_of(samples, rate_hz)[0]


def window_with(knobs: Knobs) -> CueWindow:
    """The first window of a controlled sound."""
    return window_of(sound_of(knobs), SAMPLE_RATE_HZ)


def sine(hertz: float, amplitude: float, duration_s: float = 12.0) -> NDArray[np.float32]:
    """Shape [n], at 16 kHz."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    return np.asarray(amplitude * np.sin(2.0 * np.pi * hertz * t), dtype=np.float32)
