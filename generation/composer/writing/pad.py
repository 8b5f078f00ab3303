"""Held chords: voices that stay are tied, voices that fall may be suspended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from generation.composer.score import Chord, WrittenNote

_LONGEST_TIE_BEATS = 6.0


def write_pad(
    chords: Sequence[Chord],
    voicings: Sequence[tuple[int, ...]],
    suspended: float = 0.0,
    rng: np.random.Generator | None = None,
) -> list[WrittenNote]:
    """Held chords; a voice that stays is not struck again within six beats.

    Args:
        suspended: share of the chords, 0 to 1, in which a voice that falls by step
            holds its old note, now foreign, for half the chord before it falls.
        rng: decides which; needed where `suspended` is above 0.
    """
    notes: list[WrittenNote] = []
    tied: dict[int, int] = {}
    earlier: tuple[int, ...] = ()
    for chord, voicing in zip(chords, voicings, strict=True):
        still: dict[int, int] = {}
        late = None
        if rng is not None and rng.random() < suspended and chord.beats >= 2:
            late = _falling_voice(earlier, voicing, chord.pitch_classes)
        for key in voicing:
            index = tied.get(key)
            if late is not None and key == late[1] and late[0] in tied:
                wait = chord.beats / 2
                held = notes[tied[late[0]]]
                notes[tied[late[0]]] = replace(held, beats=chord.onset_beat + wait - held.onset_beat)
                still[key] = len(notes)
                notes.append(WrittenNote(chord.onset_beat + wait, chord.beats - wait, key, 0.5))
            elif index is not None and chord.end_beat - notes[index].onset_beat <= _LONGEST_TIE_BEATS:
                held = notes[index]
                notes[index] = replace(held, beats=chord.end_beat - held.onset_beat)
                still[key] = index
            else:
                still[key] = len(notes)
                notes.append(WrittenNote(chord.onset_beat, chord.beats, key, 0.6))
        tied, earlier = still, voicing
    return sorted(notes, key=lambda note: (note.onset_beat, note.key))


def _falling_voice(
    earlier: tuple[int, ...], voicing: tuple[int, ...], classes: tuple[int, ...]
) -> tuple[int, int] | None:
    """Old and new key of the highest upper voice that falls by step from a note foreign to the chord."""
    if len(earlier) != len(voicing):
        return None
    for old, new in zip(reversed(earlier[1:]), reversed(voicing[1:]), strict=True):
        if old - new in (1, 2) and old % 12 not in classes and new not in earlier and old not in voicing:
            return old, new
    return None
