"""Dissonance as a continuous cue: what is added to a triad, by how rough it makes it.

Roughness of a chord is the sum of the dissonance of its pairs of tones, from the
interval-class consonance of Huron (1994, Interval-class content in equally tempered
pitch-class sets, Music Perception 11, 289-305): minor second 1.428, major second 0.582,
tritone 0.453; thirds, sixths and fourths count nothing. Each chord draws how much of
the cue it bears; of all it may hold, that is taken which comes nearest.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from generation.composer.writing.chords import TONIC, Harmony

_DISSONANCE: Mapping[int, float] = {1: 1.428, 2: 0.582, 6: 0.453}
_FULL = 4.6
_REPRIEVE = 0.42
#: A phrase rests on a chord milder than those that led to it.
_GOAL_SHARE = 0.6
#: A seventh is no stranger to a dominant.
_DOMINANT_MORE = 0.35


@lru_cache(maxsize=4096)
def roughness(pitch_classes: tuple[int, ...]) -> float:
    """Summed dissonance of all pairs of tones; 0 of a major or minor triad."""
    return sum(
        _DISSONANCE.get(min((a - b) % 12, (b - a) % 12), 0.0)
        for a, b in itertools.combinations(pitch_classes, 2)
    )


def coloured(harmony: Harmony, dissonance: float, draw: float) -> Harmony:
    """The chord with what the cue adds to it.

    Args:
        dissonance: 0 to 1.
        draw: in [0, 1), how much of the cue this chord bears.
    """
    borne = dissonance - _REPRIEVE * (1.0 - draw)
    if harmony.is_dominant:
        borne += _DOMINANT_MORE * (0.35 + dissonance) * draw
    if harmony.is_goal:
        borne *= _GOAL_SHARE
    wanted = roughness(harmony.pitch_classes[:3]) + _FULL * max(borne, 0.0)
    options = _options(harmony)
    best = min(options, key=lambda tones: (round(abs(roughness(tones) - wanted), 9), tones))
    return replace(harmony, pitch_classes=best)


def _options(harmony: Harmony) -> tuple[tuple[int, ...], ...]:
    kind = (
        "held"
        if harmony.bass == harmony.pitch_classes[2] or harmony.is_suspended
        else "applied"
        if harmony.resolves_to is not None
        else "dominant"
        if harmony.is_dominant
        else "diminished"
        if harmony.is_diminished
        else "tonic"
        if harmony.degree == TONIC
        else "free"
    )
    return _options_of(harmony.pitch_classes, harmony.scale, kind)


@lru_cache(maxsize=8192)
def _options_of(pitches: tuple[int, ...], scale: tuple[int, ...], kind: str) -> tuple[tuple[int, ...], ...]:
    root, triad = pitches[0], pitches[:3]
    if kind == "held":
        return (pitches,)
    if kind == "applied":
        return pitches, (*pitches, (root + 1) % 12)
    seventh = (root + 10) % 12
    if kind == "dominant":
        ninth = next((tone for tone in ((root + 1) % 12, (root + 2) % 12) if tone in scale), (root + 2) % 12)
        return (
            triad,
            (*triad, seventh),
            (*triad, seventh, ninth),
            (*triad, seventh, (root + 1) % 12),
            (*triad, seventh, (root + 8) % 12),
        )
    own = [(tone - root) % 12 for tone in scale]
    sevenths = [tone for tone in (10, 11) if tone in own]
    if kind == "diminished":
        return triad, *((*triad, (root + tone) % 12) for tone in sevenths)
    # Seconds, fourths and sixths of the scale itself: where it has a semitone they are clusters. But not
    # those that turn a chord into its relative: a minor sixth over a minor third, and over the tonic a sixth
    # or a minor seventh, blur whether the music is major or minor.
    shut = {8} if pitches[1] == (root + 3) % 12 else set()
    if kind == "tonic":
        shut |= {9} if (root + 4) % 12 == pitches[1] else {10}
    sevenths = [tone for tone in sevenths if tone not in shut]
    added = [tone for tone in (1, 2, 5, 6, 8, 9) if tone in own and tone not in shut]
    singles = [(*triad, (root + tone) % 12) for tone in (*sevenths, *added)]
    pairs = [
        (*triad, (root + seventh) % 12, (root + tone) % 12)
        for seventh in sevenths
        for tone in added
        if tone in (1, 2, 6, 8)
    ]
    return (triad, *singles, *pairs)
