"""Which moments of a bar sound: slots with thresholds, opened by the density cue.

A slot sounds when the density reaches its threshold. The same figure thins out
and fills up continuously, strong beats first and last, and keeps its face.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import WrittenNote

SLOTS_PER_BEAT = 4

Curve = NDArray[np.float64]


@lru_cache(maxsize=16)
def strength(beats_per_bar: int) -> tuple[float, ...]:
    """Metrical weight of each sixteenth of a bar, 1 on the downbeat, 0.05 between eighths."""
    weights = []
    for slot in range(beats_per_bar * SLOTS_PER_BEAT):
        beat, part = divmod(slot, SLOTS_PER_BEAT)
        if part == 0:
            middle = beats_per_bar == 4 and beat == 2
            weights.append(1.0 if beat == 0 else 0.8 if middle else 0.6)
        else:
            weights.append(0.35 if part == 2 else 0.05)
    return tuple(weights)


def thresholds(beats_per_bar: int, rng: np.random.Generator, wander: float) -> Curve:
    """Density at which each slot of a bar begins to sound, shape [beats_per_bar × 4].

    Args:
        wander: how far a figure may depart from the metre, in units of density.
    """
    base = 1.0 - np.array(strength(beats_per_bar))
    # Off-beat slots stay ordered among themselves but move against the beats.
    return np.asarray(np.where(base == 0.0, 0.0, base + rng.uniform(-wander, wander, len(base))))


def until_next(notes: Sequence[WrittenNote], limit: float) -> list[WrittenNote]:
    """`notes` in time order, each held until the next moment that sounds, at most `limit` beats.

    Those of the last moment stay as written.
    """
    held: list[WrittenNote] = []
    coming: float | None = None
    moment: float | None = None
    for note in reversed(notes):
        if moment is not None and note.onset_beat < moment - 1e-6:
            coming = moment
        moment = note.onset_beat
        beats = note.beats if coming is None else min(coming - note.onset_beat, limit)
        held.append(WrittenNote(note.onset_beat, beats, note.key, note.accent))
    return held[::-1]
