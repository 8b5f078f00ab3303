"""Melodies: a theme developed over the chords, thinned by density, led by ear and closed at the cadence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.contour import arch, has_one_peak
from generation.composer.writing.counterpoint import Voice
from generation.composer.writing.development import Wish, develop, recalled, wishes
from generation.composer.writing.line import best_line
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength
from generation.composer.writing.motifs import Theme
from generation.composer.writing.ornaments import ornament, tie
from generation.composer.writing.weighing import Onset, Summit, ceiling, weigh, within

LOWEST_KEY, HIGHEST_KEY = 50, 90
_BREATH_BEATS = 0.75
_SEMITONES_A_STEP = 12 / 7
_TRIES = 4
_TOO_HIGH = 60
_ASTRAY = 1.5
_PEAK_FROM, _PEAK_UNTIL = 0.25, 0.8


def write_melody(
    phrase: Phrase,
    chords: Sequence[Chord],
    theme: Theme,
    density_at: Callable[[float], float],
    centre_at: Callable[[float], float],
    dissonance: float,
    previous_key: int | None,
    rng: np.random.Generator,
    others: Sequence[Voice] = (),
    compass: tuple[int, int] = (LOWEST_KEY, HIGHEST_KEY),
    heard: Mapping[int, int] | None = None,
) -> list[WrittenNote]:
    """The melody of one phrase.

    Args:
        density_at: beat to density, 0 to 1.
        centre_at: beat to the melody's middle, as a MIDI key.
        dissonance: 0 to 1; share of strong beats that hold a suspension or lean on a neighbour.
        previous_key: last note before the phrase.
        others: voices it makes no parallel fifths or octaves with, the bass first.
        compass: lowest and highest key of its instrument.
        heard: how such a phrase of this theme was first sung, see `memory.Memory.heard`.

    Returns:
        Notes in time order, without overlap; the last is held at the cadence.
    """
    compass = within(compass, LOWEST_KEY, HIGHEST_KEY)
    density, centre = by_bar(phrase, density_at), by_bar(phrase, centre_at)
    onsets = _onsets(phrase, chords, theme, heard or {}, density, centre)
    draws = rng.random(2 * len(onsets)).tolist()
    keys = _sing(phrase, onsets, others, dissonance, draws, compass, previous_key)
    notes = [
        WrittenNote(onset.beat, onset.beats, key, onset.weight)
        for onset, key in zip(onsets, keys, strict=True)
    ]
    under = [onset.chord for onset in onsets]
    notes = tie(ornament(notes, under, phrase.variant, density, draws[len(onsets) :]), chords)
    return _breathing(notes, phrase, {onset.beat for onset in _joints(onsets)}, density)


def openness(density: float) -> float:
    """How open a bar is for the slots of a motif, 0 to 1, by the density cue."""
    return 0.08 + 0.77 * round(density, 9)


def by_bar(phrase: Phrase, cue_at: Callable[[float], float]) -> Callable[[float], float]:
    """`cue_at` read at the bars' ends and straight between: cues change over a phrase, not within a beat."""
    bar = phrase.beats_per_bar
    values = [cue_at(phrase.onset_beat + k * bar) for k in range(phrase.bars + 1)]

    def at(beat: float) -> float:
        index = min(max(int((beat - phrase.onset_beat) / bar), 0), phrase.bars - 1)
        share = (beat - phrase.onset_beat) / bar - index
        return values[index] + share * (values[index + 1] - values[index])

    return at


def cadence_beat(phrase: Phrase, chords: Sequence[Chord]) -> float:
    """Where the melody closes: with the last chord, or in the last bar where that chord began earlier."""
    if phrase.is_last:
        return phrase.end_beat
    last = max((c.onset_beat for c in chords if c.onset_beat < phrase.end_beat), default=phrase.onset_beat)
    return max(last, phrase.end_beat - phrase.beats_per_bar)


def chords_at(chords: Sequence[Chord], beats: Sequence[float]) -> list[Chord]:
    """The chord under each of `beats`, which rise."""
    found, index = [], 0
    for beat in beats:
        while index + 1 < len(chords) and chords[index + 1].onset_beat <= beat + 1e-6:
            index += 1
        found.append(chords[index])
    return found


def _onsets(
    phrase: Phrase,
    chords: Sequence[Chord],
    theme: Theme,
    heard: Mapping[int, int],
    density: Callable[[float], float],
    centre: Callable[[float], float],
) -> list[Onset]:
    closing = cadence_beat(phrase, chords)
    weights = strength(phrase.beats_per_bar)
    sounding: list[tuple[float, Wish]] = []
    statements = develop(phrase, theme)
    for wish in recalled(wishes(statements), heard):
        beat = phrase.onset_beat + wish.slot / SLOTS_PER_BEAT
        if beat < closing - 0.24 and openness(density(beat)) >= wish.opens_at:
            sounding.append((beat, wish))
    sounding.append((closing, Wish(-1, 0.0, 0, len(statements))))
    beats = [beat for beat, _ in sounding]
    befores = [None, *(wish for _, wish in sounding[:-1])]
    ends = [*beats[1:], max(phrase.end_beat, closing + 1.0)]
    # The motif's steps on the phrase's arch, around the register cue.
    offsets = [
        _SEMITONES_A_STEP * wish.step + arch((beat - phrase.onset_beat) / phrase.beats)
        for beat, wish in sounding
    ]
    mean = sum(offsets) / len(offsets)
    return [
        Onset(
            beat=beat,
            beats=end - beat,
            weight=weights[max(wish.slot, 0) % len(weights)],
            chord=chord,
            coming=tuple(c for c in chords if beat + 1e-6 < c.onset_beat < end - 0.26),
            step=wish.step,
            statement=wish.statement,
            is_bound=(before is not None and _is_bound(before, wish, heard)),
            wanted=round(centre(beat) + offset - mean, 6),
        )
        for (beat, wish), before, end, offset, chord in zip(
            sounding, befores, ends, offsets, chords_at(chords, beats), strict=True
        )
    ]


def _is_bound(before: Wish, wish: Wish, heard: Mapping[int, int]) -> bool:
    return before.statement == wish.statement or (before.slot in heard and wish.slot in heard)


def _sing(
    phrase: Phrase,
    onsets: Sequence[Onset],
    others: Sequence[Voice],
    dissonance: float,
    draws: Sequence[float],
    compass: tuple[int, int],
    previous_key: int | None,
) -> list[int]:
    """The best line over `onsets`; sought again while it is off its register or has two peaks."""
    middle = sum(onset.wanted for onset in onsets)
    peak = _peak(phrase, onsets)
    summit = Summit(peak, ceiling(onsets[peak]), _TOO_HIGH)
    for last in range(1 - _TRIES, 1):
        moments = weigh(phrase, onsets, summit, others, dissonance, draws, compass)
        keys = best_line(moments, previous_key, len(others))
        astray = (middle - sum(keys)) / len(keys)
        if last == 0 or (has_one_peak(keys) and abs(astray) <= _ASTRAY):
            break
        moved = round(astray) if abs(astray) > _ASTRAY else 0
        onsets = [replace(onset, wanted=onset.wanted + moved) for onset in onsets]
        summit = Summit(peak, max(keys) + moved, summit.too_high + _TOO_HIGH)
    return keys


def _peak(phrase: Phrase, onsets: Sequence[Onset]) -> int:
    """Number of the note that lies highest, within the part of the phrase where its peak belongs."""
    places = [(onset.beat - phrase.onset_beat) / phrase.beats for onset in onsets]
    within = [k for k, place in enumerate(places[:-1]) if _PEAK_FROM <= place <= _PEAK_UNTIL]
    return max(within or range(max(len(onsets) - 1, 1)), key=lambda k: (onsets[k].wanted, -k))


def _joints(onsets: Sequence[Onset]) -> list[Onset]:
    """The last note of each statement."""
    return [a for a, b in pairwise(onsets) if a.statement != b.statement]


def _breathing(
    notes: Sequence[WrittenNote], phrase: Phrase, joints: set[float], density: Callable[[float], float]
) -> list[WrittenNote]:
    """Notes that leave room to breathe: at the phrase's end, and between its ideas where notes are few."""
    sung = []
    for index, note in enumerate(notes):
        room = 0.0
        if index + 1 == len(notes):
            room = 0.0 if phrase.is_last else min(_BREATH_BEATS, 0.3 * note.beats)
        elif note.onset_beat in joints:
            room = min(max(note.beats - 1.0, 0.0), 1.5) * (
                1.0 - 0.8 * min(max(density(note.onset_beat), 0.0), 1.0)
            )
        beats = min(note.beats - room, 1.5 * phrase.beats_per_bar)
        sung.append(WrittenNote(note.onset_beat, beats, note.key, note.accent))
    return sung
