"""The balance of a session: sections differ in instruments, their level follows the path.

A section's level is estimated from the energies of its own notes. All its
notes are then raised or lowered by one gain, so that neighbouring sections
differ in level as the path asks and not as their instruments happen to. The
gain goes with the note: what rings on over a section's end keeps its own.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from generation.composer.cues import CueCurves
from generation.composer.palettes import INSTRUMENTS, PART_DB
from generation.composer.score import Note, Score
from generation.composer.sound.sampler import Sampler, velocity_gain

LARGEST_DB = 5.0
_LOW_CORNER_HZ = 90.0
_TOUCH, _DURATION_STEP_S = 0.5, 0.5


def note_level(note: Note) -> float:
    """Amplitude factor of a note's sound: its instrument's and its part's."""
    part_gain: float = 10.0 ** (PART_DB[note.part] / 20.0)
    return INSTRUMENTS[note.instrument].gain * part_gain


def balance_gains(score: Score, curves: CueCurves, sampler: Sampler) -> NDArray[np.float64]:
    """Amplitude factor of every note, shape [n_notes]; one per section, at most `LARGEST_DB` either way.

    Raises:
        AudioError: the bank lacks a sound the score asks for.
    """
    onsets = np.array([note.onset_s for note in score.notes])
    edges = _section_edges_s(score)
    if len(edges) < 3:
        return np.ones(len(score.notes))
    energies = _energies(score, sampler)
    section = np.clip(np.searchsorted(edges, onsets, side="right") - 1, 0, len(edges) - 2)
    lengths_s = np.diff(edges)
    power = np.bincount(section, weights=energies, minlength=len(lengths_s)) / lengths_s
    middles = curves.at((edges[:-1] + edges[1:]) / 2)
    level_db = 10.0 * np.log10(np.maximum(power, 1e-12)) + middles.gain_db
    wanted_db = middles.level_db - level_db
    wanted_db -= np.average(wanted_db, weights=lengths_s)
    return np.asarray(10.0 ** (np.clip(wanted_db, -LARGEST_DB, LARGEST_DB) / 20.0)[section])


def _section_edges_s(score: Score) -> NDArray[np.float64]:
    beats = np.arange(len(score.beat_times_s), dtype=np.float64)
    starts = {phrase.section: phrase.onset_beat for phrase in reversed(score.phrases)}
    moments = np.interp([starts[section] for section in sorted(starts)], beats, score.beat_times_s)
    return np.array([*moments, score.duration_s])


def _energies(score: Score, sampler: Sampler) -> NDArray[np.float64]:
    # One touch and lengths in steps too small to matter here, so that few sounds are measured.
    names = [(note.instrument, note.key, round(note.duration_s / _DURATION_STEP_S)) for note in score.notes]
    measured: dict[tuple[str, int, int], float] = {}
    # Key by key, the longest first: each key's sound is made once.
    for instrument, key, length in sorted(set(names), reverse=True):
        preset = INSTRUMENTS[instrument].preset
        sound = sampler.note(preset, key, length * _DURATION_STEP_S, _TOUCH)
        measured[instrument, key, length] = float(np.dot(sound, sound)) * _low_weight(key)
    level = np.array([note_level(note) * velocity_gain(note.velocity) for note in score.notes])
    return np.array([measured[name] for name in names]) * (level / velocity_gain(_TOUCH)) ** 2


def _low_weight(key: int) -> float:
    """How much of a key's energy counts: a first-order high-pass, as BS.1770 hears little of the bass."""
    hertz = 440.0 * 2.0 ** ((key - 69) / 12.0)
    return 1.0 / (1.0 + math.pow(_LOW_CORNER_HZ / hertz, 2))
