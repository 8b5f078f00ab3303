"""Held chords: voices that stay are tied, and at high tension a further voice thickens the middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from generation.composer.score import WrittenNote
from generation.composer.writing.suspensions import Sounding

_LONGEST_TIE_BEATS = 6.0
_STRUCK, _RESOLVED, _COLOUR = 0.6, 0.5, 0.42
#: Where a semitone is heard as rough rather than as mud or sparkle (Plomp & Levelt, 1965).
_MIDDLE = (53, 72)
_FIRST_COLOUR = 0.3
_SAME_MOMENT = 1e-6


def write_pad(soundings: Sequence[Sounding]) -> list[WrittenNote]:
    """Held chords; a voice that stays is not struck again within six beats."""
    notes: list[WrittenNote] = []
    tied: dict[int, int] = {}
    for sounding in soundings:
        starts_late = sounding.onset_beat > sounding.chord.onset_beat + _SAME_MOMENT
        still: dict[int, int] = {}
        for voice, key in enumerate(sounding.upper):
            index = tied.get(key)
            fits = (
                index is not None
                and sounding.end_beat - notes[index].onset_beat <= _LONGEST_TIE_BEATS + _SAME_MOMENT
            )
            # A suspension is never struck: it is prepared.
            if index is not None and (fits or voice in sounding.held):
                still[key] = index
                notes[index] = replace(notes[index], beats=sounding.end_beat - notes[index].onset_beat)
                continue
            still[key] = len(notes)
            accent = _RESOLVED if starts_late else _STRUCK
            notes.append(WrittenNote(sounding.onset_beat, sounding.beats, key, accent))
        tied = still
    return sorted(notes, key=lambda note: (note.onset_beat, note.key))


def write_colour(
    soundings: Sequence[Sounding], tension: float, rng: np.random.Generator
) -> list[WrittenNote]:
    """A further held voice, a semitone or a tone beside another, softer than the chord it colours.

    Args:
        tension: 0 to 1; none below .3, in nearly every chord at 1.
    """
    notes: list[WrittenNote] = []
    share = max(tension - _FIRST_COLOUR, 0.0) / (1.0 - _FIRST_COLOUR)
    for sounding in soundings:
        draw = rng.random()
        if draw >= share or sounding.held:
            continue
        key = _neighbour(sounding, share, notes[-1].key if notes else None)
        if key is None:
            continue
        if notes and notes[-1].key == key and abs(_end(notes[-1]) - sounding.onset_beat) < _SAME_MOMENT:
            notes[-1] = replace(notes[-1], beats=sounding.end_beat - notes[-1].onset_beat)
        else:
            notes.append(WrittenNote(sounding.onset_beat, sounding.beats, key, _COLOUR))
    return notes


def _neighbour(sounding: Sounding, share: float, last: int | None) -> int | None:
    """The key that rubs best: beside an upper voice, of the chord if it can be, near the `last` one."""
    chord, upper = sounding.chord, sounding.upper
    best: tuple[tuple[float, int], int] | None = None
    for key in range(max(_MIDDLE[0], sounding.bass + 3), _MIDDLE[1] + 1):
        if key in upper or key % 12 not in {*chord.pitch_classes, *chord.scale}:
            continue
        distance = min(abs(key - voice) for voice in upper)
        if distance > 2 or key > upper[-1]:
            continue
        foreign = key % 12 not in chord.pitch_classes
        # A semitone costs tension, a tone of the scale alone more of it.
        cost = abs(distance - (2.0 - 1.3 * share)) + 0.5 * foreign * (1.5 - share)
        cost += 0.0 if last is None else 0.3 * abs(key - last)
        if best is None or (round(cost, 9), key) < best[0]:
            best = ((round(cost, 9), key), key)
    return best[1] if best else None


def _end(note: WrittenNote) -> float:
    return note.onset_beat + note.beats
