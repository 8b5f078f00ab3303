"""The level plan: sections differ in instruments, their level follows the path.

A section's loudness is estimated from the energies of its own notes, as
BS.1770 would hear them. All its notes are then raised or lowered by one gain,
so that the section is as loud as the path asks and not as its instruments
happen to be. A gain depends on that section's notes and on the path only:
what is still unwritten has no say, and what streams is what a file holds. The
gain goes with the note: what rings on over a section's end keeps its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, PART_DB
from generation.composer.score import Note
from generation.composer.sound.strike import Strike

NOMINAL_LUFS = -23.0
LARGEST_DB = 9.0
"""No section is raised or lowered by more, against the usual gain."""
_USUAL_DB = 7.0
#: A held mood is this share of its own level away from the nominal one: a session that is calm
#: throughout is a little softer than one that is lively throughout.
_KEPT = 0.45
#: Loudness of a mean square of 1 (ITU-R BS.1770-4, annex 1).
_OFFSET_LU = -0.691
_POINTS = 32
_RINGING_S = 3.0
#: Keys that sound together, and what the loudness gate leaves out, are a little louder than the sum
#: of their energies; measured over 40 minutes of all palettes and moods (within 0.5 mostly).
_TOGETHER_DB = 0.1


def note_level(note: Note) -> float:
    """Amplitude factor of a note's sound: its instrument's and its part's."""
    part_gain: float = 10.0 ** (PART_DB[note.part] / 20.0)
    return INSTRUMENTS[note.instrument].gain * part_gain


class LevelPlan:
    """How loud each section is to be.

    Args:
        curves: the session's cues, whose `level_db` and `gain_db` it serves.
    """

    def __init__(self, curves: CueCurves) -> None:
        self._curves = curves
        mean = np.mean(10.0 ** (np.asarray(curves.cues.level_db) / 10.0))
        self._centre_db = (1.0 - _KEPT) * 10.0 * math.log10(float(mean))

    def wanted_lufs(self, begin_s: float, end_s: float) -> float:
        """Loudness the path asks for between two moments."""
        level_db = self._curves.at(np.linspace(begin_s, end_s, _POINTS)).level_db
        mean_db = 10.0 * math.log10(float(np.mean(10.0 ** (level_db / 10.0))))
        return NOMINAL_LUFS - self._centre_db + mean_db

    def estimated_lufs(self, notes: Sequence[Note], strikes: Sequence[Strike]) -> float:
        """Loudness of notes that sound together, before any section's gain; -inf where there are none."""
        if not notes:
            return -math.inf
        onsets_s = np.array([note.onset_s for note in notes])
        cues = self._curves.at(onsets_s)
        energies = np.array([strike.energy for strike in strikes])
        levels = np.array([note_level(note) for note in notes])
        sends = np.array([INSTRUMENTS[note.instrument].reverb for note in notes])
        dry = np.array([strike.tone.heard for strike in strikes])
        wet = np.array([strike.tone.heard_in_room for strike in strikes])
        under, over = (dry + wet * sends[:, None] ** 2).T
        heard = energies * levels**2 * (under + over * cues.brightness**2)
        begin_s, end_s = _span_s(notes)
        power = float(np.sum(heard * 10.0 ** (cues.gain_db / 10.0))) / (end_s - begin_s)
        return _OFFSET_LU + _TOGETHER_DB + 10.0 * math.log10(max(power, 1e-12))

    def gain(self, notes: Sequence[Note], strikes: Sequence[Strike]) -> float:
        """Amplitude factor of all notes of one section."""
        if not notes:
            return 1.0
        wanted_db = self.wanted_lufs(*_span_s(notes)) - self.estimated_lufs(notes, strikes)
        bounded_db = min(max(wanted_db, _USUAL_DB - LARGEST_DB), _USUAL_DB + LARGEST_DB)
        return float(10.0 ** (bounded_db / 20.0))


def _span_s(notes: Sequence[Note]) -> tuple[float, float]:
    begin_s = min(note.onset_s for note in notes)
    end_s = max(note.onset_s + note.duration_s for note in notes)
    # What rings on long after the last key was struck is no longer what a section's loudness means.
    last_s = max(note.onset_s for note in notes) + _RINGING_S
    return begin_s, max(min(end_s, last_s), begin_s + 0.1)
