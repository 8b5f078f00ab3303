"""Functional harmony: a phrase's chords, from its first to its cadence."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from generation.composer.score import Chord, Phrase, PhraseKind
from generation.composer.writing.bass_line import with_bass_line
from generation.composer.writing.cadences import close
from generation.composer.writing.chances import happens, turn
from generation.composer.writing.chords import (
    SUBDOMINANT,
    SUBMEDIANT,
    TONIC,
    Harmony,
    applied,
    can_be_applied_to,
    triad,
)
from generation.composer.writing.harmonic_rhythm import Span, chord_places
from generation.composer.writing.progressions import Mixture, walk
from generation.composer.writing.tension import coloured

Cue = Callable[[float], float]
"""A cue by beat."""

_DRAWS, _BODY_DRAWS = 40, 20
_APPLIED_ON_A_WEAK_BEAT, _APPLIED_ON_A_DOWNBEAT = 0.3, 0.07
_PEDAL = 0.6
_EVADING_BARS = 6


def harmonise(
    phrase: Phrase,
    place_at: Cue,
    rate_at: Cue,
    dissonance_at: Cue,
    ring_beats: float,
    theme_rng: np.random.Generator,
    rng: np.random.Generator,
) -> list[Chord]:
    """The phrase's chords, without gaps; the last phrase's with the final tonic after its end.

    Args:
        place_at: beat to the place on the ladder of modes, 0 Phrygian to 4 Ionian.
        rate_at: beat to chords a bar.
        dissonance_at: beat to 0 to 1, how rough chords are.
        ring_beats: length of the final chord.
        theme_rng: seeded by the phrase's theme: phrases of one theme share chords and harmonic rhythm.
        rng: seeded by the phrase.
    """
    own: list[float] = theme_rng.random(_DRAWS).tolist()
    fresh: list[float] = rng.random(_DRAWS).tolist()
    offset, start, *themed = own
    if phrase.variant:
        # A return is varied in one chord.
        themed[(1, 2, _BODY_DRAWS)[phrase.variant % 3]] = fresh[-1]
    opening, ending = itertools.cycle(themed[:_BODY_DRAWS]), itertools.cycle(themed[_BODY_DRAWS:])
    draws = itertools.cycle(fresh[:-2])
    rhythm = chord_places(phrase, rate_at, ring_beats, offset)
    mixture = Mixture(phrase.spread)
    body = _body(phrase, rhythm.body, place_at, mixture, opening)
    end_place = place_at(phrase.end_beat)
    closing = close(
        phrase,
        len(rhythm.approach),
        len(rhythm.dominant),
        end_place,
        mixture,
        body[-1] if body else None,
        ending,
    )
    body = _with_applied(body, rhythm.body, closing.approach, phrase, ending)
    places: list[Span] = [*rhythm.body, *rhythm.approach, *rhythm.dominant, rhythm.goal]
    harmonies = [*body, *closing.approach, *closing.dominant, closing.goal]
    tinted = []
    for index, ((onset, _), harmony) in enumerate(zip(places, harmonies, strict=True)):
        is_final = phrase.is_last and index == len(places) - 1
        share = turn(fresh[-2] + start, index)
        tinted.append(harmony if is_final else coloured(harmony, round(dissonance_at(onset), 9), share))
    voiced = with_bass_line(tinted, None, [next(draws) for _ in tinted])
    return [harmony.at(onset, beats) for (onset, beats), harmony in zip(places, voiced, strict=True)]


def final_chord(tonic: int, mode: int, beats: float) -> Chord:
    """The tonic alone, for a session too short for a phrase."""
    return triad(tonic, mode, TONIC).at(0.0, beats)


def _body(
    phrase: Phrase, spans: Sequence[Span], place_at: Cue, mixture: Mixture, draws: itertools.cycle[float]
) -> list[Harmony]:
    places = [round(place_at(onset), 9) for onset, _ in spans]
    degrees = walk(phrase.kind, places, draws)
    chords: list[Harmony] = []
    for degree, place in zip(degrees, places, strict=True):
        if degree == 4:
            chord = mixture.weak_dominant(phrase.tonic, place)
        else:
            chord = mixture.triad(phrase.tonic, place, degree)
        if chords and set(chord.pitch_classes) == set(chords[-1].pitch_classes):
            instead = SUBDOMINANT if chord.degree == TONIC else TONIC
            chord = mixture.triad(phrase.tonic, place, instead)
        if phrase.kind == PhraseKind.CODA and chord.degree == SUBDOMINANT and happens(next(draws), _PEDAL):
            chord = chord.over(phrase.tonic)
        chords.append(chord)
    if phrase.bars >= _EVADING_BARS and phrase.is_answer and len(chords) >= 3:
        # One more time: the first cadence is evaded, then made.
        place = places[-1]
        chords[-2:] = [
            mixture.dominant(phrase.tonic, place),
            mixture.triad(phrase.tonic, place, SUBMEDIANT),
        ]
    return chords


def _with_applied(
    body: Sequence[Harmony],
    spans: Sequence[Span],
    approach: Sequence[Harmony],
    phrase: Phrase,
    draws: itertools.cycle[float],
) -> list[Harmony]:
    """Some chords become the dominant of the one that follows."""
    chords = list(body)
    follows = [*body, *(approach[:1] if phrase.tonic == phrase.next_tonic else ())]
    for index in range(1, min(len(chords), len(follows) - 1)):
        goal, draw = follows[index + 1], next(draws)
        is_weak = (spans[index][0] - phrase.onset_beat) % phrase.beats_per_bar > 0
        likely = _APPLIED_ON_A_WEAK_BEAT if is_weak else _APPLIED_ON_A_DOWNBEAT
        if happens(draw, likely) and can_be_applied_to(goal) and chords[index - 1].resolves_to is None:
            chords[index] = applied(replace(goal, bass=None))
    return chords
