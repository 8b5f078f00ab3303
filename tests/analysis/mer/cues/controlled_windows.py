"""Cues of controlled audio, and how turning one knob changes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.mer.cues.frames import CueFrames, CueWindow
from generation.audio import SAMPLE_RATE_HZ
from tests.analysis.mer.controlled_audio import PLAYERS, Knobs, sound_of

NEUTRAL = tuple(
    Knobs(seed=i, instrument=player, tonic=(2, 7, 0, 4, 9, 5)[i], duration_s=12.0)
    for i, player in enumerate(PLAYERS)
)
"""A melody and progression on each of six instruments, each on another tonic; one window."""


def windows_of(sound: NDArray[np.float32], rate_hz: int = SAMPLE_RATE_HZ) -> list[CueWindow]:
    """All windows of a sound; one channel may come without its axis."""
    frames = CueFrames(rate_hz)
    return frames.hear(sound if sound.ndim == 2 else sound[:, None]) + frames.finish()


@lru_cache(maxsize=128)
def window_with(knobs: Knobs) -> CueWindow:
    """The only window of twelve seconds of controlled audio."""
    (window,) = windows_of(sound_of(knobs))
    return window


def changes(cue: Callable[[CueWindow], float], **knobs: Any) -> NDArray[np.float64]:
    """What turning the knobs adds to the cue, for each neutral sound that can be so turned."""
    found: list[float] = []
    for neutral in NEUTRAL:
        try:
            turned = window_with(replace(neutral, **knobs))
        except ValueError:
            # The instrument has no such key.
            continue
        found.append(cue(turned) - cue(window_with(neutral)))
    assert len(found) >= 3
    return np.array(found)
