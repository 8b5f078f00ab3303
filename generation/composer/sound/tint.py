"""The tint of a section: instruments differ in brightness, the brightness cue should not depend on who plays.

As the level plan evens out how loud a section's instruments happen to be, this evens out how bright they
happen to be: the shelf is set so that the section's spectrum, reckoned from its own notes, has its centre
where the cue wants it, and within the section the cue moves it from there. Drums are left out: that they are
bright is why they come in.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Note, Part
from generation.composer.sound.balance import note_level
from generation.composer.sound.spectrum import centroid_hz, room_by_band, shelf_power
from generation.composer.sound.strike import Strike

USUAL_HZ = 930.0
"""Centre of a section's spectrum (`spectrum.centroid_hz`) where the brightness cue is 1."""
_FOLLOWS = 0.34
"""Power of the cue that the centre follows: a shelf's factor moves it far less than itself."""
DARKEST, BRIGHTEST = 10.0 ** (-18.0 / 20.0), 10.0 ** (9.0 / 20.0)
"""The shelf is never turned further down or up: what lacks highs, or has little else, keeps its face."""
_ROUNDS = 24
_CROSSING_S = 2.0


def wanted_hz(brightness: float) -> float:
    """Where a section's spectrum should have its centre.

    Args:
        brightness: the cue.
    """
    return float(USUAL_HZ * brightness**_FOLLOWS)


def section_centre_hz(notes: Sequence[Note], strikes: Sequence[Strike], shelf: float = 1.0) -> float | None:
    """Centre of a section's spectrum as heard through the shelf; None where only drums play.

    Args:
        shelf: factor on what lies over its corner.
    """
    magnitudes = _spectrum(notes, strikes)
    return None if magnitudes is None else centroid_hz(magnitudes * np.sqrt(shelf_power(shelf)))


def tint_of(notes: Sequence[Note], strikes: Sequence[Strike], curves: CueCurves) -> float:
    """Factor on the brightness cue during one section."""
    magnitudes = _spectrum(notes, strikes)
    if magnitudes is None:
        return 1.0
    moments_s = np.array([note.onset_s for note in notes])
    brightness = float(np.exp(np.mean(np.log(curves.at(moments_s).brightness))))
    return _shelf_for(magnitudes, wanted_hz(brightness)) / brightness


def _spectrum(notes: Sequence[Note], strikes: Sequence[Strike]) -> NDArray[np.float64] | None:
    chosen = [pair for pair in zip(notes, strikes, strict=True) if pair[0].part is not Part.PERCUSSION]
    if not chosen:
        return None
    # A note's amplitude times how long it lasts: what a mean over time holds of it.
    weights = [note_level(note) * math.sqrt(strike.energy * note.duration_s) for note, strike in chosen]
    sends = np.array([INSTRUMENTS[note.instrument].reverb for note, _ in chosen])
    magnitudes = np.array([strike.tone.band_magnitudes(strike.mix) for _, strike in chosen])
    in_room = np.sqrt(1.0 + np.square(sends)[:, None] * room_by_band())
    return np.asarray(np.array(weights) @ (magnitudes * in_room))


def _shelf_for(magnitudes: NDArray[np.float64], hertz: float) -> float:
    """The shelf's factor at which a spectrum's centre is nearest to `hertz`."""
    low, high = math.log(DARKEST), math.log(BRIGHTEST)
    for _ in range(_ROUNDS):
        middle = (low + high) / 2.0
        if centroid_hz(magnitudes * np.sqrt(shelf_power(math.exp(middle)))) < hertz:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2.0)


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
