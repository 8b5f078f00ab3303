"""Broken-chord figures, thinned out and filled up by the density cue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds, until_next


def write_figure(
    phrase: Phrase,
    chords: Sequence[Chord],
    voicings: Sequence[tuple[int, ...]],
    density_at: Callable[[float], float],
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """A broken-chord figure; its shape belongs to the section, its fullness to the density.

    Args:
        density_at: beat to density, 0 to 1.
        rng: seeded by the section, so that a section keeps its figure.
    """
    opening = thresholds(phrase.beats_per_bar, rng, wander=0.12)
    weights = strength(phrase.beats_per_bar)
    shape = _SHAPES[int(rng.integers(len(_SHAPES)))]
    spread = int(rng.integers(2))
    doubled = rng.random() < 0.4
    notes: list[WrittenNote] = []
    for chord, voicing in zip(chords, voicings, strict=True):
        tones = [*voicing[:3], *(key + 12 for key in voicing[spread : spread + 3])]
        count = 0
        n_slots = round(min(chord.beats, phrase.end_beat - chord.onset_beat) * SLOTS_PER_BEAT)
        for slot in range(max(n_slots, 0)):
            beat = chord.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            # Every beat sounds even at the quiet end: slow music breathes, it does not stop.
            if 0.50 + 0.47 * density_at(beat) < opening[place] and slot:
                continue
            key = tones[shape[count % len(shape)] % len(tones)]
            count += 1
            notes.append(WrittenNote(beat, 1.0, key, weights[place]))
    broken = until_next(notes, limit=2.0)
    if not doubled:
        return broken
    # Some sections strike two tones together on the strong beats.
    above = [replace(note, key=note.key + 12) for note in broken if note.accent >= 0.8 and note.key < 70]
    return sorted([*broken, *above], key=lambda note: (note.onset_beat, note.key))


#: Order in which a figure touches the chord's tones.
_SHAPES: Sequence[tuple[int, ...]] = (
    (0, 1, 2, 3, 4, 5, 4, 3),
    (0, 2, 3, 4, 3, 2),
    (0, 1, 2, 3, 4, 3, 2, 1),
    (0, 2, 4, 3, 5, 3),
    (0, 3, 2, 4, 1, 3, 2, 5),
)
