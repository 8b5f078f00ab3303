"""A second voice: it moves where the melody holds, holds where it moves, and answers it in its gaps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.counterpoint import Voice, encounters, voice_of
from generation.composer.writing.line import Moment, Option, best_line, places
from generation.composer.writing.melody import by_bar, chords_at, openness
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength
from generation.composer.writing.motifs import Theme
from generation.composer.writing.weighing import keys_near, within

LOWEST_KEY, HIGHEST_KEY = 43, 84
_DISTANCE = 9.0
_CLOSEST, _TOO_NEAR = 3, 130
_WINDOW = 9
_LONGEST_BEATS = 6.0
_BREATH_BEATS = 0.5
_ANSWER_AFTER, _GAP = 1.0, 2.0
_FOREIGN = 45
#: Cost of an interval to the melody, by semitones within the octave: thirds and sixths are free.
_WITH_MELODY = (44, 68, 44, 0, 0, 38, 48, 25, 0, 0, 36, 58)


def write_counter(
    phrase: Phrase,
    chords: Sequence[Chord],
    theme: Theme,
    melody: Sequence[WrittenNote],
    density_at: Callable[[float], float],
    centre_at: Callable[[float], float],
    dissonance: float,
    previous_key: int | None,
    rng: np.random.Generator,
    others: Sequence[Voice] = (),
    compass: tuple[int, int] = (LOWEST_KEY, HIGHEST_KEY),
) -> list[WrittenNote]:
    """The second voice of one phrase.

    Args:
        melody: what it accompanies; empty where the melody rests and this voice leads.
        density_at: beat to density, 0 to 1.
        centre_at: beat to the melody's middle, as a MIDI key; this voice lies a sixth below or above.
        dissonance: 0 to 1; share of strong beats that hold a suspension.
        previous_key: its last note before the phrase.
        others: voices it makes no parallel fifths or octaves with, besides the melody.
        compass: lowest and highest key of its instrument.

    Returns:
        Notes in time order, without overlap.
    """
    compass = within(compass, LOWEST_KEY, HIGHEST_KEY)
    density, centre = by_bar(phrase, density_at), by_bar(phrase, centre_at)
    beats, intervals = _onsets(phrase, chords, theme, melody, density)
    ends = [*beats[1:], max(phrase.end_beat, beats[-1] + 1.0)]
    side = _side(phrase, centre(phrase.onset_beat), compass)
    voices = (voice_of(melody), *others) if melody else tuple(others)
    met = encounters(voices, beats)
    draws = rng.random(len(beats)).tolist()
    weights = strength(phrase.beats_per_bar)
    moments = []
    for index, (beat, chord) in enumerate(zip(beats, chords_at(chords, beats), strict=True)):
        weight = weights[round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)]
        heard = _heard(melody, beat, ends[index])
        leans = draws[index] < round(0.4 * dissonance, 9) and index + 1 < len(beats)
        options = []
        for key in keys_near(chord, centre(beat) + side * _DISTANCE, compass, _WINDOW):
            cost = round(abs(key - centre(beat) - side * _DISTANCE)) + _beside(key, heard, side)
            foreign = key % 12 not in chord.pitch_classes
            if foreign:
                is_weak = weight < 0.6 and ends[index] - beat <= 1.0
                cost += 4 if leans else 8 if is_weak else _FOREIGN
                cost += 60 * (index + 1 == len(beats))
            options.append(Option(key, places(chord.scale)[key], cost, foreign))
        moments.append(
            Moment(
                options,
                places(chord.scale),
                interval=intervals[index],
                leans=False,
                moved=met[index].moved,
                struck=met[index].struck,
                against=met[index].against,
            )
        )
    keys = best_line(moments, previous_key, len(voices))
    return [
        WrittenNote(
            beat,
            min(end - beat, _LONGEST_BEATS)
            - (_BREATH_BEATS if end == ends[-1] and end - beat > 1.0 else 0.0),
            key,
            weights[round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)],
        )
        for beat, end, key in zip(beats, ends, keys, strict=True)
    ]


def _onsets(
    phrase: Phrase,
    chords: Sequence[Chord],
    theme: Theme,
    melody: Sequence[WrittenNote],
    density: Callable[[float], float],
) -> tuple[list[float], list[int | None]]:
    """Where it moves, and the motif's interval where it answers."""
    found: dict[float, int | None] = {}
    for start, stop in _gaps(phrase, melody):
        step: int | None = None
        for tone in theme.idea.tones:
            beat = start + tone.slot / SLOTS_PER_BEAT
            if beat > stop - 0.5 or openness(density(beat)) + _FREER < tone.opens_at:
                continue
            found[beat] = None if step is None else tone.step - step
            step = tone.step
    for chord in chords:
        beat = chord.onset_beat
        crowded = any(0.0 < abs(other - beat) < 0.5 for other in found)
        if beat < phrase.end_beat - 1e-6 and not crowded:
            found.setdefault(beat, None)
    if phrase.is_last:
        # It rings with the final chord.
        found[float(phrase.end_beat)] = None
    beats = sorted(found)
    return beats, [found[beat] for beat in beats]


_FREER = 0.12


def _gaps(phrase: Phrase, melody: Sequence[WrittenNote]) -> list[tuple[float, float]]:
    """From where to where the melody holds or rests; every two bars where there is none."""
    if not melody:
        span = 2.0 * phrase.beats_per_bar
        count = -(-phrase.bars // 2)
        starts = [phrase.onset_beat + k * span for k in range(count)]
        return [(start, min(start + span, phrase.end_beat)) for start in starts]
    onsets = [note.onset_beat for note in melody]
    edges = [*onsets, phrase.end_beat]
    return [(a + _ANSWER_AFTER, b) for a, b in pairwise(edges) if b - a >= _GAP]


def _side(phrase: Phrase, centre: float, compass: tuple[int, int]) -> int:
    """-1 below the melody, 1 above: a descant in some sections, where the instrument reaches."""
    below, above = centre - _DISTANCE - 5 >= compass[0], centre + _DISTANCE + 5 <= compass[1]
    if below and above:
        return 1 if phrase.texture % 5 == 0 else -1
    return 1 if above and not below else -1


def _heard(melody: Sequence[WrittenNote], beat: float, end: float) -> list[tuple[int, bool]]:
    """The melody's keys from `beat` to `end`, and whether each begins together with this note or holds."""
    return [
        (note.key, note.onset_beat <= beat + 1e-6)
        for note in melody
        if note.onset_beat < end - 1e-6 and note.onset_beat + note.beats > beat + 1e-6
    ]


def _beside(key: int, heard: Sequence[tuple[int, bool]], side: int) -> int:
    """Cost of a key beside the melody: what it meets first, what it meets on average, and too near."""
    if not heard:
        return 0
    costs = [_WITH_MELODY[(key - other) % 12] for other, _ in heard]
    first = max((cost for cost, (_, is_first) in zip(costs, heard, strict=True) if is_first), default=0)
    too_near = any((key - other) * side < _CLOSEST for other, _ in heard)
    return first + sum(costs) // len(costs) + _TOO_NEAR * too_near
