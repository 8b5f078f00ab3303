"""How long each note sounds: legato and detached, repeated notes, leaps, breaths, the pedal.

Source of the rules: the KTH rule system (Friberg, Bresin & Sundberg, 2006, Advances in Cognitive Psychology
2, 145-161): score legato and staccato articulation, repetition articulation, leap articulation, punctuation,
duration contrast.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import Chord, Part

Curve = NDArray[np.float64]

SHORTEST_S = 0.08
_REPEATED = 0.86
_LEAP_SEMITONES = 5
_LEAP_PAUSE_S, _BREATH_S = 0.03, 0.07
_OVERLAP_S = 0.06
_LONGER = 1.5
_CONTRAST = 0.08
_PEDAL = 1.5
_PEDAL_LIFT_S = 0.12
_HELD = 1.02
_SUNG = (Part.MELODY, Part.COUNTER)


def sounding_s(
    part: Part,
    keys: Curve,
    spans_s: Curve,
    articulation: Curve,
    contrast: Curve,
) -> Curve:
    """Seconds from key-down to key-up, shape [n].

    Args:
        spans_s: time that is written for each note.
        articulation: sounding share of that time; above 1 notes overlap, by 60 ms at most in a sung part.
        contrast: see `Cues.contrast`.
    """
    match part:
        case Part.MELODY | Part.COUNTER:
            return _sung(keys, spans_s, articulation, contrast)
        case Part.PAD:
            return _HELD * spans_s
        case Part.FIGURE:
            return np.asarray(_PEDAL * articulation * spans_s)
        case Part.BASS:
            return np.asarray(np.minimum(articulation + 0.05, 1.0) * spans_s)
        case _:
            return articulation * spans_s


def lifted_s(onsets_s: Curve, sounding: Curve, changes_s: Curve) -> Curve:
    """Seconds of sound under a pedal that is changed with the harmony: nothing rings far into the next chord.

    Args:
        onsets_s, sounding: of notes, shape [n].
        changes_s: moments at which a new chord begins, rising.
    """
    if not len(changes_s):
        return sounding
    after = np.searchsorted(changes_s, onsets_s + 0.05, side="right")
    limit_s = np.append(changes_s, np.inf)[after] + _PEDAL_LIFT_S - onsets_s
    return np.asarray(np.minimum(sounding, limit_s))


def change_moments(chords: Sequence[Chord]) -> list[float]:
    """Beats at which the harmony changes: chords whose tones differ from those before."""
    changes: list[float] = []
    before: frozenset[int] = frozenset()
    for chord in chords:
        tones = frozenset(chord.pitch_classes[:3])
        if tones != before:
            changes.append(chord.onset_beat)
        before = tones
    return changes


def _sung(keys: Curve, spans_s: Curve, articulation: Curve, contrast: Curve) -> Curve:
    relative = np.clip(np.log2(spans_s / np.median(spans_s)), -1.0, 1.0)
    share = articulation + _CONTRAST * contrast * relative
    move = np.diff(keys, append=keys[-1])
    share = np.where((move == 0.0) & _has_next(keys), np.minimum(share, _REPEATED), share)
    sounding = np.minimum(share * spans_s, spans_s + _OVERLAP_S)
    # Detached playing parts its leaps and breathes deeper than legato playing does.
    detached = np.clip(1.3 - articulation, 0.2, 1.0)
    leaps = np.abs(move) >= _LEAP_SEMITONES
    sounding = sounding - np.where(leaps, detached * _LEAP_PAUSE_S, 0.0)
    ends = _ends_of_gestures(spans_s)
    return np.asarray(sounding - np.where(ends, (0.4 + detached) * _BREATH_S, 0.0))


def _has_next(keys: Curve) -> NDArray[np.bool_]:
    return np.arange(len(keys)) < len(keys) - 1


def _ends_of_gestures(spans_s: Curve) -> NDArray[np.bool_]:
    """Notes after which a player breathes: much longer than both neighbours, or the last."""
    before = np.concatenate([spans_s[:1], spans_s[:-1]])
    after = np.concatenate([spans_s[1:], spans_s[-1:]])
    longer = (spans_s >= _LONGER * before) & (spans_s >= _LONGER * after)
    longer[-1] = True
    return np.asarray(longer)
