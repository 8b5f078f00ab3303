"""Mono buses: all notes of one part that come from one place are summed before they are panned."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.strike import Strike

Samples = NDArray[np.float32]

#: Low keys to the left, high ones to the right, as a keyboard stands before its player: three places.
_PLACE_KEYS = 14
_PLACE_PAN = 0.17
_MIDDLE_KEY = 64
_WIDEST_PAN = 0.7


@dataclass(frozen=True, order=True)
class Place:
    """A part's place in the room; whoever plays that part from there shares one bus.

    Args:
        part: who plays.
        pan: -1 left to 1 right.
        send: amplitude factor to the room.
    """

    part: Part
    pan: float
    send: float

    @property
    def sides(self) -> tuple[float, float]:
        """Amplitude factors left and right; their squares sum to 1."""
        angle = (self.pan + 1.0) * math.pi / 4.0
        return math.cos(angle), math.sin(angle)


def place_of(note: Note) -> Place:
    """Where a note comes from."""
    instrument = INSTRUMENTS[note.instrument]
    spread = instrument.rings and note.part != Part.BASS
    step = min(max(round((note.key - _MIDDLE_KEY) / _PLACE_KEYS), -1), 1) if spread else 0
    pan = min(max(instrument.pan + _PLACE_PAN * step, -_WIDEST_PAN), _WIDEST_PAN)
    return Place(note.part, round(pan, 3), instrument.reverb)


@dataclass
class _Placed:
    onset: int
    gain: float
    strike: Strike


class Bus:
    """Sums its notes block by block."""

    def __init__(self) -> None:
        self._placed: list[_Placed] = []

    def place(self, onset: int, gain: float, strike: Strike) -> None:
        """Let a note begin at sample `onset` of the session."""
        self._placed.append(_Placed(onset, gain, strike))

    def sound(self, start: int, block: Samples) -> bool:
        """Write the next block; False, and nothing written, where nothing sounds.

        Args:
            start: sample of the session the block begins at.
            block: shape [n_samples], overwritten.
        """
        end = start + len(block)
        scratch = _scratch(len(block))
        ringing: list[_Placed] = []
        sounds = False
        for placed in self._placed:
            if placed.onset < end:
                if not sounds:
                    block.fill(0.0)
                sounds = True
                placed.strike.add_to(block, placed.onset - start, placed.gain, scratch)
            if placed.onset + placed.strike.n_samples > end:
                ringing.append(placed)
        self._placed = ringing
        return sounds


_SCRATCH = threading.local()


def _scratch(n_samples: int) -> Samples:
    """This thread's scratch, shape [2, n_samples]: fresh memory would cost as much as the note itself."""
    kept: Samples | None = getattr(_SCRATCH, "kept", None)
    if kept is None or kept.shape[1] != n_samples:
        kept = _SCRATCH.kept = np.empty((2, n_samples), dtype=np.float32)
    return kept
