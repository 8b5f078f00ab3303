"""Functional harmony: modes, chords, progressions, cadences and pivot chords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from generation.composer.score import Cadence, Chord, Phrase
from generation.composer.writing.chord_names import roman_name
from generation.composer.writing.modes import LADDER, mode_count, scale_of, triad_of

__all__ = ["LADDER", "common_chords", "final_chord", "harmonise", "mode_count", "scale_of", "triad_of"]

#: Degrees that follow a degree, with weights; the rules of common-practice root motion.
_MAJOR_MOVES: Mapping[int, Mapping[int, float]] = {
    0: {3: 3, 5: 3, 1: 2, 4: 1.5, 2: 1},
    1: {4: 4, 5: 1},
    2: {5: 3, 3: 3},
    3: {0: 1.5, 4: 2, 1: 2, 5: 1},
    4: {0: 1.5, 5: 3, 3: 0.5},
    5: {3: 3, 1: 3, 2: 0.7},
    6: {3: 2, 0: 2},
}
_MINOR_MOVES: Mapping[int, Mapping[int, float]] = {
    0: {3: 3, 5: 3, 6: 2, 2: 1.5},
    1: {4: 3, 0: 1},
    2: {5: 3, 3: 2, 6: 2},
    3: {0: 1.5, 4: 2, 6: 2, 5: 1},
    4: {0: 1.5, 5: 2},
    5: {3: 2, 6: 2.5, 2: 2, 0: 0.5},
    6: {2: 3, 0: 2, 5: 1},
}
#: Diminished triads are replaced by the triad of the same function.
_SUBSTITUTES: Mapping[tuple[int, int], int] = {(4, 6): 4, (3, 2): 0, (2, 5): 3, (1, 1): 3, (0, 4): 1}
_FIRST_MAJOR_MODE = 3


@dataclass(frozen=True)
class _Slot:
    onset_beat: float
    beats: float


def common_chords(tonic: int, other: int, mode: int) -> list[int]:
    """Degrees of `other` that lead to its dominant and are triads of `tonic`, too."""
    owned = {frozenset(triad_of(tonic, mode, degree)) for degree in range(7)}
    return [
        degree
        for degree in (1, 3, 5)
        if (mode, degree) not in _SUBSTITUTES and frozenset(triad_of(other, mode, degree)) in owned
    ]


def harmonise(
    phrase: Phrase, harmonic_rate: float, dissonance: float, ring_beats: float, rng: np.random.Generator
) -> list[Chord]:
    """The phrase's chords, without gaps; the last phrase's with the final tonic after its end.

    Args:
        harmonic_rate: chords a bar.
        dissonance: 0 to 1, share of chords with an added tension.
        ring_beats: length of the final chord.
    """
    free, closing = _slots(phrase, harmonic_rate, rng)
    degrees = _walk(phrase, len(free), rng)
    chords = [
        _chord(slot, phrase.tonic, phrase.mode, degree) for slot, degree in zip(free, degrees, strict=True)
    ]
    chords += _close(phrase, closing, degrees[-1] if degrees else None, rng)
    coloured = [_coloured(chord, dissonance, rng) for chord in chords]
    if phrase.is_last:
        final = _Slot(phrase.end_beat, ring_beats)
        coloured.append(_chord(final, phrase.next_tonic, phrase.mode, 0))
    return [_named(chord) for chord in _with_smooth_bass(coloured, rng)]


def final_chord(tonic: int, mode: int, beats: float) -> Chord:
    """The tonic alone, for a session too short for a phrase."""
    return _named(_chord(_Slot(0.0, beats), tonic, mode, 0))


def _named(chord: Chord) -> Chord:
    return replace(chord, roman=roman_name(chord.pitch_classes, chord.bass, chord.tonic))


def _slots(phrase: Phrase, rate: float, rng: np.random.Generator) -> tuple[list[_Slot], list[_Slot]]:
    bar = phrase.beats_per_bar
    first_half = (bar + 1) // 2
    closing_bars = 1 if phrase.is_last or phrase.bars == 1 else 2
    free: list[_Slot] = []
    for index in range(phrase.bars - closing_bars):
        onset = phrase.onset_beat + index * bar
        if rng.random() < rate - 1.0:
            free += [_Slot(onset, first_half), _Slot(onset + first_half, bar - first_half)]
        else:
            free.append(_Slot(onset, bar))
    onset = phrase.end_beat - closing_bars * bar
    closing = [_Slot(onset, first_half), _Slot(onset + first_half, bar - first_half)]
    if closing_bars == 2:
        closing.append(_Slot(onset + bar, bar))
    return free, closing


def _walk(phrase: Phrase, count: int, rng: np.random.Generator) -> list[int]:
    moves = _MAJOR_MOVES if phrase.mode >= _FIRST_MAJOR_MODE else _MINOR_MOVES
    degrees: list[int] = []
    for _ in range(count):
        if not degrees:
            degrees.append(5 if phrase.is_answer and rng.random() < 0.2 else 0)
            continue
        options = moves[degrees[-1]]
        weights = np.array(list(options.values()), dtype=float)
        chosen = list(options)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        chosen = _SUBSTITUTES.get((phrase.mode, chosen), chosen)
        if chosen == degrees[-1]:
            chosen = 0 if chosen != 0 else 3
        degrees.append(chosen)
    return degrees


def _close(phrase: Phrase, slots: list[_Slot], before: int | None, rng: np.random.Generator) -> list[Chord]:
    """Two chords that lead to the last one; of a last phrase, two that ask for the final tonic."""
    tonic, mode = phrase.next_tonic, phrase.mode
    pivots = common_chords(phrase.tonic, tonic, mode) if tonic != phrase.tonic else []
    leads = pivots or [degree for degree in (1, 3) if (mode, degree) not in _SUBSTITUTES and degree != before]
    lead = int(rng.choice(leads)) if leads else 3
    if len(slots) < 3:
        return [_chord(slots[0], tonic, mode, lead), _dominant(slots[1], tonic, mode)]
    opening = _chord(slots[0], tonic, mode, lead)
    match phrase.cadence:
        case Cadence.HALF:
            first = _chord(slots[0], tonic, mode, 0 if before != 0 else 5)
            return [_usable(first), _chord(slots[1], tonic, mode, lead), _dominant(slots[2], tonic, mode)]
        case Cadence.DECEPTIVE:
            end = _usable(_chord(slots[2], tonic, mode, 5))
            return [opening, _dominant(slots[1], tonic, mode), end]
        case Cadence.MODAL if mode < len(LADDER) - 1:
            return [opening, _chord(slots[1], tonic, mode, 6), _chord(slots[2], tonic, mode, 0)]
        case Cadence.PLAGAL | Cadence.MODAL:
            first = _chord(slots[0], tonic, mode, 0 if before != 0 else 5)
            plagal = _chord(slots[1], tonic, mode, 3)
            return [_usable(first), plagal, _chord(slots[2], tonic, mode, 0)]
        case _:
            return [opening, _dominant(slots[1], tonic, mode), _chord(slots[2], tonic, mode, 0)]


def _chord(slot: _Slot, tonic: int, mode: int, degree: int) -> Chord:
    root, third, fifth = triad_of(tonic, mode, degree)
    return Chord(
        onset_beat=slot.onset_beat,
        beats=slot.beats,
        tonic=tonic,
        mode=mode,
        degree=degree,
        pitch_classes=(root, third, fifth),
        scale=scale_of(tonic, mode),
        bass=root,
    )


def _usable(chord: Chord) -> Chord:
    degree = _SUBSTITUTES.get((chord.mode, chord.degree))
    if degree is None:
        return chord
    return _chord(_Slot(chord.onset_beat, chord.beats), chord.tonic, chord.mode, degree)


def _dominant(slot: _Slot, tonic: int, mode: int) -> Chord:
    # The leading tone is raised in every mode: without it there is no cadence.
    root = (tonic + 7) % 12
    leading = (tonic + 11) % 12
    scale = tuple(leading if (pitch - tonic) % 12 == 10 else pitch for pitch in scale_of(tonic, mode))
    return Chord(
        onset_beat=slot.onset_beat,
        beats=slot.beats,
        tonic=tonic,
        mode=mode,
        degree=4,
        pitch_classes=(root, leading, (tonic + 2) % 12),
        scale=scale,
        bass=root,
        is_dominant=True,
    )


def _coloured(chord: Chord, dissonance: float, rng: np.random.Generator) -> Chord:
    draw, choice = rng.random(), rng.random()
    root = chord.pitch_classes[0]
    if chord.is_dominant:
        if draw > 0.25 + 0.7 * dissonance:
            return chord
        added = [(root + 10) % 12]
        if dissonance > 0.4 + 0.6 * choice:
            added.append((root + 1) % 12)
        return replace(chord, pitch_classes=(*chord.pitch_classes, *added))
    if draw > 0.08 + 0.85 * dissonance:
        return chord
    place = chord.scale.index(root) if root in chord.scale else 0
    second, seventh = chord.scale[(place + 1) % 7], chord.scale[(place + 6) % 7]
    # Sharp tensions (semitones against the root) where dissonance is high, soft ones where it is low.
    sharp = [pitch for pitch in (second, seventh) if (pitch - root) % 12 in (1, 11)]
    soft = [pitch for pitch in (second, seventh) if (pitch - root) % 12 in (2, 10)]
    options = sharp if sharp and choice < dissonance else soft or sharp
    return replace(chord, pitch_classes=(*chord.pitch_classes, options[int(choice * 997) % len(options)]))


def _with_smooth_bass(chords: list[Chord], rng: np.random.Generator) -> list[Chord]:
    """First inversions where they make the bass walk; never at the cadence."""
    voiced = list(chords)
    for index in range(1, len(voiced) - 3):
        before, chord = voiced[index - 1].bass, voiced[index]
        third = chord.pitch_classes[1]
        by_step = min((third - before) % 12, (before - third) % 12) in (1, 2)
        if by_step and rng.random() < 0.6:
            voiced[index] = replace(chord, bass=third)
    return voiced
