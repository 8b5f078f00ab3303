"""The tint of a section: instruments differ in brightness, the brightness cue should not depend on who plays.

As the level plan evens out how loud a section's instruments happen to be, this evens out how bright they
happen to be: the share of what is heard over the brightness shelf is brought most of the way to a usual one,
and the cue alone moves it from there. Drums are left out: that they are bright is why they come in.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.balance import note_level
from generation.composer.sound.strike import Strike

USUAL_DB = -7.5
"""Power heard over the shelf against that under it, before the shelf and without drums, all palettes."""
_EVENED = 0.85
LARGEST_DB = 8.0
_CROSSING_S = 2.0


def ratio_db(notes: Sequence[Note], strikes: Sequence[Strike]) -> float | None:
    """Power heard over the brightness shelf against that under it, in dB; None where only drums play."""
    chosen = [
        (note, strike)
        for note, strike in zip(notes, strikes, strict=True)
        if note.part is not Part.PERCUSSION
    ]
    if not chosen:
        return None
    levels = np.array([note_level(note) for note, _ in chosen])
    energies = np.array([strike.energy for _, strike in chosen])
    sends = np.array([INSTRUMENTS[note.instrument].reverb for note, _ in chosen])
    dry = np.array([strike.tone.heard for _, strike in chosen])
    wet = np.array([strike.tone.heard_in_room for _, strike in chosen])
    under, over = (energies * levels**2) @ (dry + wet * sends[:, None] ** 2)
    return 10.0 * math.log10(max(float(over), 1e-12) / max(float(under), 1e-12))


def tint_of(notes: Sequence[Note], strikes: Sequence[Strike]) -> float:
    """Factor on the brightness shelf of one section."""
    found_db = ratio_db(notes, strikes)
    if found_db is None:
        return 1.0
    wanted_db = _EVENED * (USUAL_DB - found_db)
    return float(10.0 ** (min(max(wanted_db, -LARGEST_DB), LARGEST_DB) / 20.0))


class Tints:
    """The sections' tints along the session; each takes over within the two seconds after it begins."""

    def __init__(self) -> None:
        self._begins_s: list[float] = []
        self._tints: list[float] = []

    def add(self, begin_s: float, tint: float) -> None:
        """The next section's tint.

        Args:
            begin_s: of its first note.
        """
        self._begins_s.append(max(begin_s, self._begins_s[-1] if self._begins_s else begin_s))
        self._tints.append(tint)

    def at(self, time_s: float) -> float:
        """Factor on the brightness shelf at a moment; the sections that begin before it must be known."""
        if not self._tints:
            return 1.0
        number = bisect_right(self._begins_s, time_s) - 1
        if number <= 0:
            return self._tints[0]
        share = min((time_s - self._begins_s[number]) / _CROSSING_S, 1.0)
        before, after = self._tints[number - 1], self._tints[number]
        return before * (1.0 - share) + after * share
