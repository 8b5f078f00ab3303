"""Plain progressions for the tests of lines: chords a bar, and the cadence that the phrase asks for."""

from __future__ import annotations

import numpy as np

from generation.composer.score import Cadence, Chord, Phrase

SCALES = {0: (0, 1, 3, 5, 7, 8, 10), 1: (0, 2, 3, 5, 7, 8, 10), 4: (0, 2, 4, 5, 7, 9, 11)}
_ENDS = {
    Cadence.AUTHENTIC: (4, 0),
    Cadence.HALF: (3, 4),
    Cadence.DECEPTIVE: (4, 5),
    Cadence.MODAL: (6, 0),
    Cadence.PLAGAL: (3, 0),
}


def progression(phrase: Phrase, seed: int) -> list[Chord]:
    """One chord a bar in the phrase's mode (Phrygian, Aeolian or Ionian), the last two its cadence."""
    rng = np.random.default_rng(seed)
    scale = tuple((phrase.tonic + step) % 12 for step in SCALES[phrase.mode])
    degrees = [0, *(int(degree) for degree in rng.choice([0, 3, 4, 5], phrase.bars))]
    degrees = [*degrees[: max(phrase.bars - 2, 0)], *_ENDS[phrase.cadence]][-phrase.bars :]
    if phrase.is_last:
        degrees.append(0)
    return [
        Chord(
            onset_beat=phrase.onset_beat + bar * phrase.beats_per_bar,
            beats=phrase.beats_per_bar,
            tonic=phrase.tonic,
            mode=phrase.mode,
            degree=degree,
            pitch_classes=(scale[degree], scale[(degree + 2) % 7], scale[(degree + 4) % 7]),
            scale=scale,
            bass=scale[degree],
        )
        for bar, degree in enumerate(degrees)
    ]
