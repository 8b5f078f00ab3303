"""The kit: absent at rest, ghost strokes as arousal rises, a groove that fills up, fills at section ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache

import numpy as np

from generation.composer.score import Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT

KICK, TAP, BRUSH, CLOSED_HAT, PEDAL_HAT, RIDE, MARACAS, TRIANGLE = 36, 38, 40, 42, 44, 51, 70, 80

_AUDIBLE = 0.03
_LEVELS: Mapping[int, float] = {KICK: 0.8, BRUSH: 0.6, TAP: 0.75, CLOSED_HAT: 0.5, MARACAS: 0.34, RIDE: 0.45}
#: How beats group within a bar, so that every metre has its strong and its back beats.
_GROUPS: Mapping[int, tuple[int, ...]] = {1: (1,), 2: (2,), 3: (3,), 4: (2, 2), 5: (3, 2), 6: (3, 3)}
#: A fill: quarter notes before the section's end, drum, threshold of the percussion cue, level.
_FILL: Sequence[tuple[float, int, float, float]] = (
    (0.5, TAP, 0.30, 0.55),
    (1.0, BRUSH, 0.22, 0.55),
    (0.25, TAP, 0.42, 0.65),
    (0.75, TAP, 0.52, 0.50),
    (1.5, TAP, 0.60, 0.45),
    (1.25, BRUSH, 0.72, 0.40),
    (1.75, TAP, 0.80, 0.40),
)

Strokes = Mapping[int, tuple[tuple[float, float], ...]]


def write_percussion(
    phrase: Phrase,
    level_at: Callable[[float], float],
    groove_at: Callable[[float], float],
    rng: np.random.Generator,
    closes_section: bool = False,
    opens_section: bool = False,
) -> list[WrittenNote]:
    """The kit's part of one phrase; the accent of a note carries its level.

    Args:
        level_at: beat to the percussion cue, 0 to 1.
        groove_at: beat to the groove cue, 0 to 1; without groove kick and hat keep a bare pulse.
        rng: seeded by the phrase.
        closes_section: a fill leads over to what follows.
        opens_section: the fill before it is answered on the ride.
    """
    strokes = _strokes(phrase.beats_per_bar)
    notes: list[WrittenNote] = []
    for bar in range(phrase.bars):
        start = phrase.onset_beat + bar * phrase.beats_per_bar
        for drum, slots in strokes.items():
            for position, threshold in slots:
                beat = start + position
                draw = rng.uniform(0.88, 1.0)
                level = level_at(beat)
                if level <= _AUDIBLE:
                    continue
                # Kick and hat keep a bare pulse; all else belongs to the groove.
                is_pulse = drum == KICK or (drum == CLOSED_HAT and position % 1.0 == 0.0)
                own = level if is_pulse else level * (0.2 + 0.8 * groove_at(beat))
                touch = _touch(drum, own, threshold) * draw
                if touch > 0.0:
                    notes.append(WrittenNote(beat, 1.0 / SLOTS_PER_BEAT, drum, float(touch)))
    if closes_section and not phrase.is_last:
        notes += _fill(phrase, level_at(phrase.end_beat), rng)
    opening = level_at(phrase.onset_beat)
    if opens_section and opening > _AUDIBLE:
        notes.append(WrittenNote(phrase.onset_beat, 2.0, RIDE, 0.4 * opening * min(1.0, opening / 0.3)))
    return sorted(_each_once(notes), key=lambda note: (note.onset_beat, note.key))


def _touch(drum: int, level: float, threshold: float) -> float:
    """How hard a stroke is; one whose place has just opened is a ghost of a stroke."""
    over = level - 0.9 * threshold
    if over <= 0.0:
        return 0.0
    return _LEVELS[drum] * min(1.0, 0.12 + over / 0.3) * (0.35 + 0.65 * level)


def _fill(phrase: Phrase, level: float, rng: np.random.Generator) -> list[WrittenNote]:
    notes = []
    for before, drum, threshold, loudness in _FILL:
        draw = rng.uniform(0.85, 1.0)
        beat = phrase.end_beat - before
        over = level - threshold
        if over > 0.0 and before < min(phrase.beats_per_bar, phrase.beats):
            touch = loudness * min(1.0, 0.12 + over / 0.3) * (0.35 + 0.65 * level) * draw
            notes.append(WrittenNote(beat, 1.0 / SLOTS_PER_BEAT, drum, float(touch)))
    return notes


def _each_once(notes: Sequence[WrittenNote]) -> list[WrittenNote]:
    """Of two strokes on one drum at once, the harder."""
    hardest: dict[tuple[float, int], WrittenNote] = {}
    for note in notes:
        place = (round(note.onset_beat * SLOTS_PER_BEAT) / SLOTS_PER_BEAT, note.key)
        if place not in hardest or note.accent > hardest[place].accent:
            hardest[place] = note
    return list(hardest.values())


@lru_cache(maxsize=16)
def _strokes(beats_per_bar: int) -> Strokes:
    """Drum to (place in the bar in quarter notes, threshold of the percussion cue)."""
    groups = _GROUPS.get(beats_per_bar, (1,) * beats_per_bar)
    heads = [sum(groups[:k]) for k in range(len(groups))]
    backs = [beat for beat in range(beats_per_bar) if beat not in heads]
    kick = [(float(head), 0.15 if head == 0 else 0.35) for head in heads]
    kick += [(beat, 0.75) for beat in backs]
    kick += [(head + 0.5, 0.7 if head else 0.92) for head in heads]
    brush = [(beat, 0.1) for beat in backs] + [(head, 0.5) for head in heads]
    tap = [(beat, 0.45) for beat in backs] + [(beats_per_bar - 0.25, 0.9), (beats_per_bar / 2 - 0.25, 0.97)]
    eighths = [(k / 2, 0.5 if k % 2 else 0.25) for k in range(2 * beats_per_bar)]
    maracas = [(k + 0.5, 0.65) for k in range(beats_per_bar)]
    return {
        KICK: tuple(kick),
        BRUSH: tuple((float(beat), threshold) for beat, threshold in brush),
        TAP: tuple((float(beat), threshold) for beat, threshold in tap),
        CLOSED_HAT: tuple(eighths),
        MARACAS: tuple(maracas),
    }
