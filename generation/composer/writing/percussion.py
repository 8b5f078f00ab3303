"""The brush kit: enters softly as arousal rises and fills up with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from generation.composer.score import Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT

KICK, TAP, BRUSH, CLOSED_HAT, PEDAL_HAT, RIDE, MARACAS, TRIANGLE = 36, 38, 40, 42, 44, 51, 70, 80

_AUDIBLE = 0.03
#: Drum to (position in quarter notes of a bar, threshold of the percussion cue).
_FOUR: Mapping[int, tuple[tuple[float, float], ...]] = {
    KICK: ((0.0, 0.15), (2.0, 0.35), (2.5, 0.7), (1.0, 0.75), (3.0, 0.75), (1.5, 0.9)),
    BRUSH: ((1.0, 0.1), (3.0, 0.1), (0.0, 0.5), (2.0, 0.5)),
    TAP: ((1.0, 0.45), (3.0, 0.45), (3.75, 0.9), (1.75, 0.97)),
    CLOSED_HAT: tuple((k / 2, 0.5 if k % 2 else 0.25) for k in range(8)),
    MARACAS: tuple((k + 0.5, 0.65) for k in range(4)),
}
_THREE: Mapping[int, tuple[tuple[float, float], ...]] = {
    KICK: ((0.0, 0.15), (1.5, 0.75), (2.5, 0.95)),
    BRUSH: ((1.0, 0.1), (2.0, 0.1)),
    TAP: ((1.0, 0.5), (2.0, 0.45), (2.75, 0.9)),
    CLOSED_HAT: tuple((k / 2, 0.5 if k % 2 else 0.25) for k in range(6)),
    MARACAS: tuple((k + 0.5, 0.65) for k in range(3)),
}
_LEVELS: Mapping[int, float] = {KICK: 0.8, BRUSH: 0.6, TAP: 0.75, CLOSED_HAT: 0.5, MARACAS: 0.34, RIDE: 0.45}


def write_percussion(
    phrase: Phrase,
    level_at: Callable[[float], float],
    groove_at: Callable[[float], float],
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """The kit's part of one phrase; the accent of a note carries its level.

    Args:
        level_at: beat to the percussion cue, 0 to 1.
        groove_at: beat to the groove cue, 0 to 1; without groove the kick keeps a bare pulse.
        rng: seeded by the phrase.
    """
    pattern = _FOUR if phrase.beats_per_bar % 4 == 0 else _THREE
    cycle = 4 if pattern is _FOUR else 3
    notes: list[WrittenNote] = []
    start = phrase.onset_beat
    while start < phrase.end_beat - 1e-6:
        level = level_at(start)
        if level > _AUDIBLE:
            groove = groove_at(start)
            for drum, slots in pattern.items():
                # Everything but the kick belongs to the groove.
                own = level if drum == KICK else level * (0.2 + 0.8 * groove)
                for position, threshold in slots:
                    beat = start + position
                    over = own - 0.9 * threshold
                    if over <= 0.0 or beat >= phrase.end_beat - 1e-6:
                        continue
                    # A slot that opens is first a ghost of a stroke.
                    fullness = min(1.0, 0.25 + over / 0.3)
                    touch = _LEVELS[drum] * fullness * (0.35 + 0.65 * own) * rng.uniform(0.88, 1.0)
                    notes.append(WrittenNote(beat, 1.0 / SLOTS_PER_BEAT, drum, float(touch)))
        start += cycle
    if phrase.is_answer and level_at(phrase.end_beat) > 0.25:
        notes.append(WrittenNote(phrase.onset_beat, 2.0, RIDE, 0.4 * level_at(phrase.onset_beat)))
    return sorted(notes, key=lambda note: (note.onset_beat, note.key))
