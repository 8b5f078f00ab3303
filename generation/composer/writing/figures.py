"""Accompaniment figures: eight ways of breaking a chord, thinned out and filled up by the density cue.

Each figure binds a tone of the chord to each place of the bar. As density rises further places open between
those that sound already; what is heard stays, so that a figure keeps its face while it thins and fills.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds, until_next
from generation.composer.writing.suspensions import Sounding
from generation.composer.writing.voicing import VOICES

_WANDER = 0.12
_LOWEST_ROCK, _HIGHEST_BELL = 48, 93
_BELL_BELOW, _BELLS = 5, 4
_LOWEST_FIGURE, _TONES, _WIDEST = 46, 5, 8


class FigureStyle(StrEnum):
    """How a chord is broken."""

    BROKEN = "broken chords"
    ALBERTI = "Alberti"
    ARPEGGIO = "arpeggio"
    PULSE = "pulse"
    WALTZ = "waltz"
    BELLS = "bells"
    OSTINATO = "ostinato"
    ROCKING = "rocking fifths"


@dataclass(frozen=True)
class _Pattern:
    """A figure over one bar.

    Args:
        opening: density (after `_at_least`) at which each sixteenth sounds.
        tones: places on the ladder of tones that each sixteenth strikes.
        limit: beats that a tone is held at most.
    """

    opening: tuple[float, ...]
    tones: tuple[tuple[int, ...], ...]
    limit: float


def style_weights(density: float, brightness: float, beats_per_bar: int) -> Mapping[FigureStyle, float]:
    """How readily a section takes each style; continuous in density and brightness of mode, both 0 to 1.

    Rocking and bells belong to rest, pulses and ostinati to drive, Alberti to what is light, waltzes to
    bars of three.
    """
    calm, drive = 1.0 - density, density
    return {
        FigureStyle.BROKEN: 1.0,
        FigureStyle.ALBERTI: 0.15 + 1.1 * drive * brightness,
        FigureStyle.ARPEGGIO: 0.5 + 0.5 * calm,
        FigureStyle.PULSE: 1.1 * drive**2,
        FigureStyle.WALTZ: 1.2 * (1.0 - abs(2.0 * density - 1.0)) * (1.0 if beats_per_bar == 3 else 0.15),
        FigureStyle.BELLS: 1.3 * calm**2,
        FigureStyle.OSTINATO: 0.15 + 1.2 * drive * (1.0 - 0.6 * brightness),
        FigureStyle.ROCKING: 1.2 * calm,
    }


def write_figure(
    phrase: Phrase,
    soundings: Sequence[Sounding],
    style: FigureStyle,
    density_at: Callable[[float], float],
    ceiling_at: Callable[[float], float],
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """A figure; its style and shape belong to the section, its fullness to the density.

    Args:
        density_at: beat to density, 0 to 1.
        ceiling_at: beat to the key that figures stay below, bells about.
        rng: seeded by the section, so that a section keeps its figure.
    """
    pattern = _pattern(style, phrase.beats_per_bar, rng)
    weights = strength(phrase.beats_per_bar)
    notes: list[WrittenNote] = []
    for now in soundings:
        ceiling = ceiling_at(now.onset_beat)
        ladder = _ladder(now, style, ceiling)
        n_slots = round(min(now.beats, phrase.end_beat - now.onset_beat) * SLOTS_PER_BEAT)
        fullness = 0.0
        for slot in range(n_slots):
            beat = now.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            if slot % SLOTS_PER_BEAT == 0:
                fullness = _at_least(density_at(beat))
            starts = slot == 0 and now.onset_beat <= now.chord.onset_beat
            if fullness < pattern.opening[place] and not starts:
                continue
            keys = sorted({_tone(ladder, tone) for tone in pattern.tones[place]})
            notes += [WrittenNote(beat, 1.0, key, weights[place]) for key in keys]
    return until_next(notes, limit=pattern.limit)


def _at_least(density: float) -> float:
    """Every beat sounds even at the quiet end: slow music breathes, it does not stop."""
    return 0.50 + 0.47 * density


def _ladder(now: Sounding, style: FigureStyle, ceiling: float) -> list[int]:
    """The keys a style may touch, low to high: what sounds, and its octaves below the ceiling."""
    if style == FigureStyle.ROCKING:
        return _rocking(now.chord)
    whole = sorted({*now.upper, *now.left_out})
    if style == FigureStyle.BELLS:
        lowest = min(ceiling - _BELL_BELOW, _HIGHEST_BELL - 14)
        bells = {key + 12 * octave for key in whole for octave in range(-1, 4)}
        return sorted(key for key in bells if lowest <= key <= _HIGHEST_BELL)[:_BELLS]
    keys = {key + 12 * octave for key in whole for octave in (-1, 0, 1)}
    kept = sorted(key for key in keys if max(now.bass + 3, _LOWEST_FIGURE) <= key <= ceiling)
    if len(kept) < VOICES:
        return whole
    lowest = max(len(kept) - (_WIDEST if style == FigureStyle.ARPEGGIO else _TONES), 0)
    return kept[lowest:]


def _rocking(chord: Chord) -> list[int]:
    """Root, fifth, octave and tenth: the cradle."""
    root = _LOWEST_ROCK + (chord.pitch_classes[0] - _LOWEST_ROCK) % 12
    third, fifth = ((pitch - chord.pitch_classes[0]) % 12 for pitch in chord.pitch_classes[1:3])
    root -= 12 if root > _LOWEST_ROCK + 7 else 0
    return sorted({root, root + fifth, root + 12, root + 12 + third})


def _tone(ladder: Sequence[int], place: int) -> int:
    """The `place`-th tone; past the top the way leads down again."""
    top = len(ladder) - 1
    if top == 0:
        return ladder[0]
    turned = place % (2 * top)
    return ladder[turned if turned <= top else 2 * top - turned]


#: Order in which broken chords touch the tones, per eighth.
_SHAPES: Sequence[tuple[int, ...]] = (
    (0, 1, 2, 3, 4, 3, 2, 1),
    (0, 2, 1, 3, 2, 4, 3, 1),
    (0, 2, 3, 2, 4, 2, 3, 2),
    (0, 3, 1, 4, 2, 4, 1, 3),
    (4, 2, 1, 2, 3, 2, 1, 2),
    (0, 1, 3, 1, 4, 3, 2, 1),
)


def _pattern(style: FigureStyle, beats_per_bar: int, rng: np.random.Generator) -> _Pattern:
    opening = [float(value) for value in thresholds(beats_per_bar, rng, wander=_WANDER)]
    shape = _SHAPES[int(rng.integers(len(_SHAPES)))]
    turn, doubled = int(rng.integers(3)), bool(rng.random() < 0.35)
    n_slots = beats_per_bar * SLOTS_PER_BEAT
    places = [(slot // SLOTS_PER_BEAT, slot % SLOTS_PER_BEAT) for slot in range(n_slots)]
    limit = 2.0
    tones: list[tuple[int, ...]] = []
    for slot, (beat, part) in enumerate(places):
        eighth = slot // 2
        match style:
            case FigureStyle.BROKEN:
                tone = shape[eighth % len(shape)] + (2 if part % 2 else 0)
                # Some sections strike two tones together on the strong beats.
                tones.append((tone, tone + 2) if doubled and part == 0 and beat % 2 == 0 else (tone,))
            case FigureStyle.ALBERTI:
                tones.append(((0, 2, 1, 2)[eighth % 4] + (1 if part % 2 else 0),))
            case FigureStyle.ARPEGGIO:
                wave = 1.0 - abs(2.0 * slot / n_slots - 1.0)
                tones.append((round(wave * 6 + (turn == 2)),))
            case FigureStyle.PULSE:
                tones.append((0, 1, 2) if part == 0 else (1, 2 + turn % 2) if part == 2 else (2,))
                opening[slot] += 0.06 if part == 2 else 0.2 if part % 2 else 0.0
                limit = 1.0
            case FigureStyle.WALTZ:
                first = beat == 0 or (beats_per_bar % 2 == 0 and beat % 2 == 0)
                tones.append((0,) if first and part == 0 else (1, 2) if part == 0 else (3 - part % 2,))
                limit = 1.0
            case FigureStyle.BELLS:
                tones.append((shape[(slot * 3 + turn) % len(shape)],))
                # At rest a bell every second beat, between them the pad.
                waits = part == 0 and beat % 2 == 1
                opening[slot] = 0.0 if part == 0 and beat % 2 == 0 else opening[slot] + 0.18 * waits
                limit = 4.0
            case FigureStyle.OSTINATO:
                cell = (0, 2, 1) if turn else (0, 1, 2)
                tones.append((cell[eighth % 3],))
                opening[slot] -= 0.06 if eighth % 3 == 0 and part == 2 else 0.0
            case FigureStyle.ROCKING:
                tones.append(((0, 1, 3, 1)[beat % 4] if part == 0 else 2 if part == 2 else 3,))
    return _Pattern(tuple(opening), tuple(tones), limit)
