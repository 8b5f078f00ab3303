"""The level plan: sections differ in instruments, their level follows the path.

A section's loudness is estimated from the energies of its own notes, as
BS.1770 would hear them. All its notes are then raised or lowered by one gain,
so that the section is as loud as the path asks and not as its instruments
happen to be; where the path rises or falls, the gain leans with it. A gain
depends on that section's notes and on the path only: what is still unwritten
has no say, and what streams is what a file holds. The gain goes with the note:
what rings on over a section's end keeps its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, PART_DB
from generation.composer.score import Note
from generation.composer.sound.spectrum import BANDS_HZ, k_weight, room_by_band, shelf_power
from generation.composer.sound.strike import Strike

NOMINAL_LUFS = -23.0
"""Of a mood in the middle; a mood held throughout keeps its own level, until the session is mastered."""
LARGEST_DB = 11.0
"""No section is raised or lowered by more, against the usual gain."""
_USUAL_DB = 5.0
#: Loudness of a mean square of 1 (ITU-R BS.1770-4, annex 1).
_OFFSET_LU = -0.691
_POINTS = 32
_RINGING_S = 3.0
#: From one half of a section to the other; halves shorter than four seconds are left as they are.
_LARGEST_TILT_DB = 3.0
_SHORTEST_HALF_S = 4.0
#: Keys that sound together, and what the loudness gate leaves out, are a little louder than the sum
#: of their energies; measured over 40 minutes of all palettes and moods (within 0.5 mostly).
_TOGETHER_DB = 0.1


def note_level(note: Note) -> float:
    """Amplitude factor of a note's sound: its instrument's and its part's."""
    part_gain: float = 10.0 ** (PART_DB[note.part] / 20.0)
    return INSTRUMENTS[note.instrument].gain * part_gain


def band_energies(notes: Sequence[Note], strikes: Sequence[Strike]) -> NDArray[np.float64]:
    """Energy of each note in each band of `spectrum`, in the hall, before shelf and gains.

    Returns:
        Shape [n_notes, 17].
    """
    energies = np.array([strike.energy for strike in strikes])
    levels = np.array([note_level(note) for note in notes])
    sends = np.array([INSTRUMENTS[note.instrument].reverb for note in notes])
    shares = np.array([strike.tone.band_shares(strike.mix) for strike in strikes])
    in_room = 1.0 + np.square(sends)[:, None] * room_by_band()
    return np.asarray((energies * levels**2)[:, None] * shares * in_room, dtype=np.float64)


class LevelPlan:
    """How loud each section is to be.

    Args:
        curves: the session's cues, whose `level_db` and `gain_db` it serves.
    """

    def __init__(self, curves: CueCurves) -> None:
        self._curves = curves

    def wanted_lufs(self, begin_s: float, end_s: float) -> float:
        """Loudness the path asks for between two moments."""
        level_db = self._curves.at(np.linspace(begin_s, end_s, _POINTS)).level_db
        mean_db = 10.0 * math.log10(float(np.mean(10.0 ** (level_db / 10.0))))
        return NOMINAL_LUFS + mean_db

    def estimated_lufs(self, notes: Sequence[Note], strikes: Sequence[Strike], tint: float = 1.0) -> float:
        """Loudness of notes that sound together, before any section's gain; -inf where there are none."""
        if not notes:
            return -math.inf
        begin_s, end_s = _span_s(notes)
        return _lufs(float(np.sum(self._heard(notes, strikes, tint))), end_s - begin_s)

    def gains(
        self, notes: Sequence[Note], strikes: Sequence[Strike], tint: float = 1.0
    ) -> NDArray[np.float64]:
        """Amplitude factors of one section's notes, shape [n_notes].

        One gain for all, and one slope in decibels a second where the section as written rises or falls
        in another way than the path asks.
        """
        if not notes:
            return np.ones(0)
        heard = self._heard(notes, strikes, tint)
        begin_s, end_s = _span_s(notes)
        onsets_s = np.array([note.onset_s for note in notes])
        slope_db = self._missing_db_per_s(onsets_s, heard, begin_s, end_s)
        tilt_db = slope_db * (onsets_s - (begin_s + end_s) / 2.0)
        estimated = _lufs(float(np.sum(heard * 10.0 ** (tilt_db / 10.0))), end_s - begin_s)
        wanted_db = self.wanted_lufs(begin_s, end_s) - estimated
        bounded_db = min(max(wanted_db, _USUAL_DB - LARGEST_DB), _USUAL_DB + LARGEST_DB)
        return np.asarray(10.0 ** ((bounded_db + tilt_db) / 20.0), dtype=np.float64)

    def _heard(self, notes: Sequence[Note], strikes: Sequence[Strike], tint: float) -> NDArray[np.float64]:
        """K-weighted energy of each note, through the desk's gain and shelf and in the hall."""
        cues = self._curves.at(np.array([note.onset_s for note in notes]))
        shelves = shelf_power(tint * cues.brightness)
        heard = np.sum(band_energies(notes, strikes) * shelves * k_weight(BANDS_HZ), axis=1)
        return np.asarray(heard * 10.0 ** (cues.gain_db / 10.0), dtype=np.float64)

    def _missing_db_per_s(
        self, onsets_s: NDArray[np.float64], heard: NDArray[np.float64], begin_s: float, end_s: float
    ) -> float:
        """From the section's halves: how much faster its level should rise than it does."""
        half_s = (end_s - begin_s) / 2.0
        early = onsets_s < begin_s + half_s
        first, second = float(np.sum(heard[early])), float(np.sum(heard[~early]))
        if half_s < _SHORTEST_HALF_S or min(first, second) <= 0.0:
            return 0.0
        middle_s = begin_s + half_s
        wanted_db = self.wanted_lufs(middle_s, end_s) - self.wanted_lufs(begin_s, middle_s)
        missing_db = wanted_db - 10.0 * math.log10(second / first)
        return min(max(missing_db, -_LARGEST_TILT_DB), _LARGEST_TILT_DB) / half_s


def _lufs(energy: float, length_s: float) -> float:
    return _OFFSET_LU + _TOGETHER_DB + 10.0 * math.log10(max(energy / length_s, 1e-12))


def _span_s(notes: Sequence[Note]) -> tuple[float, float]:
    begin_s = min(note.onset_s for note in notes)
    end_s = max(note.onset_s + note.duration_s for note in notes)
    # What rings on long after the last key was struck is no longer what a section's loudness means.
    last_s = max(note.onset_s for note in notes) + _RINGING_S
    return begin_s, max(min(end_s, last_s), begin_s + 0.1)
