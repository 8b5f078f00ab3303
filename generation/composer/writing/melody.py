"""Melodies: a theme developed over the chords, thinned by density, led by ear and closed at the cadence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from generation.composer.score import Cadence, Chord, Phrase, WrittenNote
from generation.composer.writing.contour import arch, has_one_peak
from generation.composer.writing.counterpoint import Voice, encounters
from generation.composer.writing.development import Wish, develop, wishes
from generation.composer.writing.line import Moment, Option, best_line, places
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength
from generation.composer.writing.motifs import Theme
from generation.composer.writing.ornaments import ornament

LOWEST_KEY, HIGHEST_KEY = 50, 90
_WINDOW = 8
_BREATH_BEATS = 0.75
_SEMITONES_A_STEP = 12 / 7
_STRONG, _LONG_BEATS = 0.8, 1.5
_ASKS_STEP = 120
_TRIES = 3
_TOO_HIGH = 60
_ASTRAY = 1.5
#: Pull towards the closing note, by how many notes are left before it.
_TOWARDS = {1: 12, 2: 6, 3: 3}
_FOREIGN = 40


@dataclass(frozen=True)
class _Onset:
    """Where a note begins, and what it would like to be."""

    beat: float
    beats: float
    weight: float
    chord: Chord
    step: int
    statement: int


class _Summit(NamedTuple):
    """Number of the note that is to be the highest, its key, and what it costs any other to be as high."""

    number: int
    key: int
    too_high: int


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
) -> list[WrittenNote]:
    """The melody of one phrase.

    Args:
        density_at: beat to density, 0 to 1.
        centre_at: beat to the melody's middle, as a MIDI key.
        dissonance: 0 to 1; share of strong beats that hold a suspension or lean on a neighbour.
        previous_key: last note before the phrase.
        others: voices it makes no parallel fifths or octaves with, the bass first.
        compass: lowest and highest key of its instrument.

    Returns:
        Notes in time order, without overlap; the last is held at the cadence.
    """
    compass = max(compass[0], LOWEST_KEY), min(compass[1], HIGHEST_KEY)
    density, centre = by_bar(phrase, density_at), by_bar(phrase, centre_at)
    onsets = _onsets(phrase, chords, theme, density)
    middle = [round(centre(onset.beat), 6) for onset in onsets]
    wanted = _wanted(phrase, onsets, middle)
    draws = rng.random(2 * len(onsets) + 2).tolist()
    peak = max(range(len(onsets)), key=lambda k: (wanted[k] if k + 1 < len(onsets) else -1.0, -k))
    lift, ceiling, too_high = 0.0, _ceiling(onsets[peak], wanted[peak]), _TOO_HIGH
    for _ in range(_TRIES):
        summit = _Summit(peak, ceiling, too_high)
        moments = _moments(phrase, onsets, wanted, lift, summit, others, dissonance, draws, compass)
        keys = best_line(moments, previous_key, len(others))
        astray = (sum(middle) - sum(keys)) / len(keys)
        if has_one_peak(keys) and abs(astray) <= _ASTRAY:
            break
        # Once more, nearer to the register that is asked for, and with one peak where there were two.
        moved = round(astray) if abs(astray) > _ASTRAY else 0
        highest = [k for k, key in enumerate(keys[:-1] or keys) if key == max(keys[:-1] or keys)]
        peak = min(highest, key=lambda k: (abs(k - peak), k))
        lift, ceiling, too_high = lift + moved, keys[peak] + moved, too_high + _TOO_HIGH
    notes = [
        WrittenNote(onset.beat, onset.beats, key, onset.weight)
        for onset, key in zip(onsets, keys, strict=True)
    ]
    notes = ornament(notes, [onset.chord for onset in onsets], phrase.variant, density, draws[len(onsets) :])
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
    phrase: Phrase, chords: Sequence[Chord], theme: Theme, density: Callable[[float], float]
) -> list[_Onset]:
    closing = cadence_beat(phrase, chords)
    weights = strength(phrase.beats_per_bar)
    sounding: list[tuple[float, float, Wish]] = []
    statements = develop(phrase, theme)
    for wish in wishes(statements):
        beat = phrase.onset_beat + wish.slot / SLOTS_PER_BEAT
        if beat < closing - 0.24 and openness(density(beat)) >= wish.opens_at:
            sounding.append((beat, weights[wish.slot % len(weights)], wish))
    last = Wish(round((closing - phrase.onset_beat) * SLOTS_PER_BEAT), 0.0, 0, len(statements))
    sounding.append((closing, _STRONG, last))
    beats = [beat for beat, _, _ in sounding]
    ends = [*beats[1:], max(phrase.end_beat, closing + 1.0)]
    return [
        _Onset(beat, end - beat, weight, chord, wish.step, wish.statement)
        for (beat, weight, wish), end, chord in zip(sounding, ends, chords_at(chords, beats), strict=True)
    ]


def _wanted(phrase: Phrase, onsets: Sequence[_Onset], middle: Sequence[float]) -> list[float]:
    """Where each note would lie: the motif's steps on the phrase's arch, around the register cue."""
    offsets = [
        onset.step * _SEMITONES_A_STEP + arch((onset.beat - phrase.onset_beat) / phrase.beats)
        for onset in onsets
    ]
    mean = sum(offsets) / len(offsets)
    return [key + offset - mean for key, offset in zip(middle, offsets, strict=True)]


def _moments(
    phrase: Phrase,
    onsets: Sequence[_Onset],
    wanted: Sequence[float],
    lift: float,
    summit: _Summit,
    others: Sequence[Voice],
    dissonance: float,
    draws: Sequence[float],
    compass: tuple[int, int],
) -> list[Moment]:
    met = encounters(others, [onset.beat for onset in onsets])
    closing = onsets[-1].chord
    costs = {key: _closing_cost(key, closing, phrase) for key in range(compass[0], compass[1] + 1)}
    goals = [key for key, cost in costs.items() if cost == min(costs.values())]
    moments = []
    for index, onset in enumerate(onsets):
        is_last = index + 1 == len(onsets)
        before = onsets[index - 1] if index else None
        bound = before is not None and before.statement == onset.statement and not is_last
        follows_at_once = not is_last and onset.beats <= 2.0 and onsets[index + 1].chord == onset.chord
        leans = follows_at_once and onset.weight >= 0.6 and draws[index] < round(0.03 + 0.4 * dissonance, 9)
        options = []
        for key in keys_near(onset.chord, wanted[index] + lift, compass, _WINDOW):
            cost = round(abs(key - wanted[index] - lift)) * 2
            if is_last:
                cost += _closing_cost(key, onset.chord, phrase)
            elif index == summit.number:
                cost += 9 * abs(key - summit.key)
            elif key >= summit.key:
                cost += summit.too_high
            if (left := len(onsets) - 1 - index) in _TOWARDS:
                cost += _TOWARDS[left] * _too_far(key, goals, 2 * left)
            foreign = key % 12 not in onset.chord.pitch_classes
            if foreign and not is_last:
                cost += -6 if leans and _resolves_down(key, onset.chord) else _foreign_cost(onset)
            elif leans:
                cost += 8
            steps = places(onset.chord.scale)[key]
            options.append(Option(key, steps, cost, foreign and not is_last))
        moments.append(
            Moment(
                options,
                places(onset.chord.scale),
                interval=onset.step - before.step if bound and before is not None else None,
                asks_step=_ASKS_STEP if is_last else 0,
                leans=leans,
                moved=met[index].moved,
                struck=met[index].struck,
                against=met[index].against,
            )
        )
    return moments


def _too_far(key: int, goals: Sequence[int], reach: int) -> int:
    """Semitones from where one of `goals` can be reached by steps; a step away from it, not on it."""
    distance = min(abs(key - goal) for goal in goals)
    return max(distance - reach, 0) + (distance == 0 and reach == 2)


def _ceiling(onset: _Onset, wanted: float) -> int:
    """The high point: the chord's nearest key at or above `wanted`."""
    key = math.ceil(round(wanted, 6))
    return next(k for k in range(key, key + 13) if k % 12 in onset.chord.pitch_classes[:3])


def keys_near(chord: Chord, wanted: float, compass: tuple[int, int], window: int) -> list[int]:
    """Keys of the chord and its scale at most `window` from `wanted`, within the compass; never none."""
    low, high = compass
    middle = max(min(round(wanted), high - window), low + window)
    classes = {*chord.scale, *chord.pitch_classes[:3]}
    return [key for key in range(middle - window, middle + window + 1) if key % 12 in classes]


def _foreign_cost(onset: _Onset) -> int:
    if onset.weight >= _STRONG or onset.beats >= _LONG_BEATS or onset.beat == onset.chord.onset_beat:
        return _FOREIGN
    return 10 if onset.weight >= 0.6 else 3


def _resolves_down(key: int, chord: Chord) -> bool:
    return any((key - step) % 12 in chord.pitch_classes[:3] for step in (1, 2))


def _closing_cost(key: int, chord: Chord, phrase: Phrase) -> int:
    """Which tone closes: the tonic where the cadence closes, any tone of the chord where it asks."""
    root, third, fifth = chord.pitch_classes[:3]
    place = key % 12
    match phrase.cadence:
        case Cadence.AUTHENTIC:
            costs = {root: 0, third: 18, fifth: 140}
        case Cadence.HALF:
            costs = {root: 4, third: 4, fifth: 0}
        case Cadence.DECEPTIVE:
            costs = {root: 6, third: 0, fifth: 30}
        case _:
            costs = {root: 0, third: 6, fifth: 10}
    return costs.get(place, 400)


def _joints(onsets: Sequence[_Onset]) -> list[_Onset]:
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
