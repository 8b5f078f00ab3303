"""The bass: roots, and steps towards the next as density grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds, until_next

BASS_LOWEST, BASS_HIGHEST = 31, 50


def write_bass(
    phrase: Phrase, chords: Sequence[Chord], density_at: Callable[[float], float], rng: np.random.Generator
) -> list[WrittenNote]:
    """Roots on the chords, then fifths, octaves and steps towards the next root as density grows."""
    opening = 0.15 + thresholds(phrase.beats_per_bar, rng, wander=0.1)
    weights = strength(phrase.beats_per_bar)
    notes: list[WrittenNote] = []
    root = 0
    for index, chord in enumerate(chords):
        root = _bass_key(chord.bass, root)
        notes.append(WrittenNote(chord.onset_beat, chord.beats, root, 0.9))
        fifth = root + 7 if root + 7 <= BASS_HIGHEST else root - 5
        coming = _bass_key(chords[index + 1].bass, root) if index + 1 < len(chords) else root
        for slot in range(1, round(min(chord.beats, phrase.end_beat - chord.onset_beat) * SLOTS_PER_BEAT)):
            beat = chord.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            if 0.85 * density_at(beat) < opening[place]:
                continue
            last_beat = chord.end_beat - beat <= 1.0
            if last_beat and coming != root:
                key = _approach(root, coming, chord.scale)
            else:
                key = fifth if weights[place] >= 0.6 else root
            notes.append(WrittenNote(beat, 1.0, key, weights[place]))
    return until_next(notes, limit=8.0)


def _bass_key(pitch_class: int, near: int) -> int:
    keys = [key for key in range(BASS_LOWEST, BASS_HIGHEST + 1) if key % 12 == pitch_class]
    target = near or 40
    return min(keys, key=lambda key: (abs(key - target) + 0.15 * abs(key - 40), key))


def _approach(root: int, coming: int, scale: tuple[int, ...]) -> int:
    direction = 1 if coming < root else -1
    for distance in (2, 1):
        if (coming + direction * distance) % 12 in scale:
            return coming + direction * distance
    return coming
