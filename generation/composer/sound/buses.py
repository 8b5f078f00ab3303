"""Mono buses: all notes of one instrument in one part and place are summed before they are panned."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

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
class BusName:
    """Who plays there, and from which place: -1 left of the instrument's own, 0, or 1 right of it."""

    part: Part
    instrument: str
    place: int


def bus_of(note: Note) -> BusName:
    """The bus a note sounds on."""
    spread = INSTRUMENTS[note.instrument].rings and note.part != Part.BASS
    place = round((note.key - _MIDDLE_KEY) / _PLACE_KEYS) if spread else 0
    return BusName(note.part, note.instrument, min(max(place, -1), 1))


@dataclass
class _Placed:
    onset: int
    gain: float
    strike: Strike


@dataclass
class Bus:
    """Sums its notes block by block.

    Args:
        name: whose it is.
    """

    name: BusName
    _placed: list[_Placed] = field(default_factory=list)

    @property
    def pan(self) -> tuple[float, float]:
        """Amplitude factors left and right; their squares sum to 1."""
        pan = INSTRUMENTS[self.name.instrument].pan + _PLACE_PAN * self.name.place
        angle = (min(max(pan, -_WIDEST_PAN), _WIDEST_PAN) + 1.0) * math.pi / 4.0
        return math.cos(angle), math.sin(angle)

    @property
    def send(self) -> float:
        """Amplitude factor to the room."""
        return INSTRUMENTS[self.name.instrument].reverb

    def place(self, onset: int, gain: float, strike: Strike) -> None:
        """Let a note begin at sample `onset` of the session."""
        self._placed.append(_Placed(onset, gain, strike))

    def sound(self, start: int, n_samples: int) -> Samples | None:
        """The next block, which begins at sample `start`; None where nothing sounds."""
        end = start + n_samples
        block: Samples | None = None
        left: list[_Placed] = []
        for placed in self._placed:
            if placed.onset < end:
                if block is None:
                    block = np.zeros(n_samples, dtype=np.float32)
                placed.strike.add_to(block, placed.onset - start, placed.gain)
            if placed.onset + placed.strike.n_samples > end:
                left.append(placed)
        self._placed = left
        return block
