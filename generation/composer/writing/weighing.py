"""What each key would cost a melody at each of its notes: chord, register, peak, motif and cadence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from generation.composer.score import Cadence, Chord, Phrase
from generation.composer.writing.counterpoint import Voice, encounters
from generation.composer.writing.line import Moment, Option, places

_WINDOW = 9
_FEWEST_KEYS = 16
_STRONG, _LONG_BEATS = 0.8, 1.5
_ASKS_STEP = 220
_FOREIGN, _HELD_FOREIGN = 40, 16
_OFF_PEAK = 9
#: Pull towards the closing note, by how many notes are left before it.
_TOWARDS = {1: 12, 2: 6, 3: 3}


@dataclass(frozen=True)
class Onset:
    """Where a note of a melody begins, and what it would like to be.

    Args:
        beat, beats: in quarter notes, to the next note.
        weight: metrical, 0 to 1.
        chord: under its beginning.
        coming: chords that begin while it sounds.
        step: scale steps above the phrase's level, as the motif has it.
        statement: number of the statement it belongs to.
        is_bound: its interval from the note before is the motif's, or was sung before.
        wanted: key where it would lie, not rounded.
    """

    beat: float
    beats: float
    weight: float
    chord: Chord
    coming: tuple[Chord, ...]
    step: int
    statement: int
    is_bound: bool
    wanted: float


class Summit(NamedTuple):
    """Number of the note that is to be the highest, its key, and what it costs any other to be as high."""

    number: int
    key: int
    too_high: int


def weigh(
    phrase: Phrase,
    onsets: Sequence[Onset],
    summit: Summit,
    others: Sequence[Voice],
    dissonance: float,
    draws: Sequence[float],
    compass: tuple[int, int],
) -> list[Moment]:
    """The moments of a melody; the last of `onsets` closes it.

    Args:
        others: voices it makes no parallel fifths or octaves with, the bass first.
        dissonance: 0 to 1, share of strong beats that may lean on a foreign tone.
        draws: one a note, in [0, 1); decides which do.
        compass: lowest and highest key.
    """
    met = encounters(others, [onset.beat for onset in onsets])
    goals = _goals(onsets[-1], phrase, compass)
    moments = []
    for index, onset in enumerate(onsets[:-1]):
        leans = (
            onset.beats <= 2.0
            and onset.weight >= 0.6
            and onsets[index + 1].chord == onset.chord
            and draws[index] < round(0.45 * dissonance, 9)
        )
        suspends = leans and onset.beat == onset.chord.onset_beat
        left = len(onsets) - 1 - index
        # An idea looks for its level with its first note and then keeps its shape.
        pull = 1 if onset.is_bound else 3
        options = []
        for key in keys_near(onset.chord, onset.wanted, compass, _WINDOW):
            cost = pull * round(abs(key - onset.wanted)) + _TOWARDS.get(left, 0) * _too_far(
                key, goals, 2 * left
            )
            if index == summit.number:
                cost += _OFF_PEAK * abs(key - summit.key)
            elif key >= summit.key:
                cost += summit.too_high
            tone_cost, is_foreign = _tone_cost(key, onset, leans)
            options.append(Option(key, places(onset.chord.scale)[key], cost + tone_cost, is_foreign))
        moments.append(
            Moment(
                options,
                places(onset.chord.scale),
                # A suspension keeps the note before it, whatever the motif has.
                interval=onset.step - onsets[index - 1].step if onset.is_bound and not suspends else None,
                leans=leans,
                moved=met[index].moved,
                struck=met[index].struck,
                against=met[index].against,
            )
        )
    closing, last = onsets[-1], met[-1]
    steps = places(closing.chord.scale)
    options = [
        Option(key, steps[key], _closing_cost(key, closing, phrase), False)
        for key in keys_near(closing.chord, closing.wanted, compass, _WINDOW)
    ]
    ways = (last.moved, last.struck, last.against)
    return [*moments, Moment(options, steps, None, _ASKS_STEP, False, *ways)]


def ceiling(onset: Onset) -> int:
    """The high point: the chord's nearest key at or above where the note would lie."""
    key = math.ceil(round(onset.wanted, 6))
    return next(k for k in range(key, key + 13) if k % 12 in onset.chord.pitch_classes[:3])


def keys_near(chord: Chord, wanted: float, compass: tuple[int, int], window: int) -> list[int]:
    """Keys of the chord and its scale at most `window` from `wanted`, within the compass; never none."""
    low, high = compass
    window = min(window, (high - low) // 2)
    middle = max(min(round(wanted), high - window), low + window)
    classes = {*chord.scale, *chord.pitch_classes[:3]}
    return [key for key in range(middle - window, middle + window + 1) if key % 12 in classes]


def within(compass: tuple[int, int], lowest: int, highest: int) -> tuple[int, int]:
    """The keys of an instrument between `lowest` and `highest`, or its nearest ones where they are few."""
    low, high = compass
    return max(low, min(lowest, high - _FEWEST_KEYS)), min(high, max(highest, low + _FEWEST_KEYS))


def _tone_cost(key: int, onset: Onset, leans: bool) -> tuple[int, bool]:
    """What a tone costs against its chords, and whether it has to move on by step."""
    place = key % 12
    if place not in onset.chord.pitch_classes:
        if leans and _resolves_down(key, onset.chord):
            return -6, True
        if onset.weight >= _STRONG or onset.beats >= _LONG_BEATS or onset.beat == onset.chord.onset_beat:
            return _FOREIGN, True
        return 10 if onset.weight >= 0.6 else 3, True
    clashes = [chord for chord in onset.coming if place not in chord.pitch_classes]
    return 8 * leans + _HELD_FOREIGN * len(clashes), bool(clashes) and clashes[-1] == onset.coming[-1]


def _resolves_down(key: int, chord: Chord) -> bool:
    return any((key - step) % 12 in chord.pitch_classes[:3] for step in (1, 2))


def _goals(closing: Onset, phrase: Phrase, compass: tuple[int, int]) -> list[int]:
    costs = {
        key: _closing_cost(key, closing, phrase)
        for key in keys_near(closing.chord, closing.wanted, compass, _WINDOW)
    }
    return [key for key, cost in costs.items() if cost == min(costs.values())]


def _too_far(key: int, goals: Sequence[int], reach: int) -> int:
    """Semitones from where one of `goals` can be reached by steps; a step away from it, not on it."""
    distance = min(abs(key - goal) for goal in goals)
    return max(distance - reach, 0) + (distance == 0 and reach == 2)


def _closing_cost(key: int, closing: Onset, phrase: Phrase) -> int:
    """Which tone closes: the tonic where the cadence closes, any tone of the chord where it asks."""
    root, third, fifth = closing.chord.pitch_classes[:3]
    match phrase.cadence:
        case Cadence.AUTHENTIC:
            costs = {root: 0, third: 18, fifth: 300}
        case Cadence.HALF:
            costs = {root: 4, third: 4, fifth: 0}
        case Cadence.DECEPTIVE:
            costs = {root: 6, third: 0, fifth: 30}
        case _:
            costs = {root: 0, third: 6, fifth: 10}
    # A phrase comes down at its end.
    height = 2 * round(abs(key - closing.wanted)) + 3 * max(round(key - closing.wanted), 0)
    return costs.get(key % 12, 400) + height
