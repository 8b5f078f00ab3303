"""What a musician would count in a score: voice-leading, line, cadences, keys, textures, likeness.

Nothing here asks the composer what it meant: cadences, textures and parallels are read off the notes and the
chords' pitch classes.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Chord, Part, Score, WrittenNote

_PERFECT = (0, 7)
_MODERATE = 0.5
_GRAM = 5
_BY_HALVES = 1e-6

Point = tuple[float, float]


@dataclass
class Counts:
    """Sums over sessions, and the worst of each."""

    sessions: int = 0
    pairs: int = 0
    parallels: int = 0
    outer_moves: int = 0
    outer_parallels: int = 0
    pad_motion: list[float] = field(default_factory=list)
    intervals: Counter[int] = field(default_factory=Counter)
    leaps: int = 0
    leaps_resolved: int = 0
    phrase_ends: int = 0
    cadences: Counter[str] = field(default_factory=Counter)
    longest_key_s: float = 0.0
    fewest_textures: int = 99
    longest_silence_s: float = 0.0
    out_of_range: int = 0
    forms: Counter[str] = field(default_factory=Counter)
    fingerprints: list[frozenset[tuple[int, ...]]] = field(default_factory=list)


def count(score: Score, arousal_at: Mapping[str, NDArray[np.float64]], counts: Counts) -> None:
    """Add one session to `counts`.

    Args:
        arousal_at: ``onset_s`` and ``arousal`` of the plan, to tell moderate moments.
    """
    counts.sessions += 1
    _count_voices(score, counts)
    _count_line(score, counts)
    for phrase, chords in zip(score.phrases, score.chords, strict=True):
        counts.phrase_ends += 1
        counts.cadences[cadence_of(chords, phrase.next_tonic)] += 1
    counts.longest_key_s = max(counts.longest_key_s, _longest_key_s(score, arousal_at))
    counts.fewest_textures = min(counts.fewest_textures, len(textures(score)))
    counts.longest_silence_s = max(counts.longest_silence_s, longest_gap_s(score))
    for note in score.notes:
        instrument = INSTRUMENTS[note.instrument]
        counts.out_of_range += not instrument.low <= note.key <= instrument.high
    counts.forms["".join(section.letter for section in score.sections)] += 1
    counts.fingerprints.append(fingerprint(score))


def cadence_of(chords: Sequence[Chord], tonic: int) -> str:
    """The cadence that the last two chords of a phrase make in `tonic`; "none" where it is none."""
    if len(chords) < 2:
        return "none"
    before, last = (_place(chord, tonic) for chord in chords[-2:])
    is_major = (chords[-2].pitch_classes[1] - chords[-2].pitch_classes[0]) % 12 == 4
    match before, last:
        case (7, 0) if is_major:
            return "authentic"
        case (11, 0):
            return "leading tone"
        case (5, 0):
            return "plagal"
        case (10, 0) | (3, 0) | (1, 0):
            return "modal"
        case (7, 9) | (7, 8) | (7, 5) if is_major:
            return "deceptive"
        case (_, 7):
            return "half"
        case _:
            return "none"


def textures(score: Score) -> set[frozenset[tuple[Part, str]]]:
    """The sets of players (part and instrument) that at least one phrase is played by."""
    beats = np.arange(len(score.beat_times_s), dtype=np.float64)
    edges = [float(np.interp(phrase.onset_beat, beats, score.beat_times_s)) for phrase in score.phrases]
    players: list[set[tuple[Part, str]]] = [set() for _ in edges]
    for note in score.notes:
        at = int(np.searchsorted(edges, note.onset_s + 0.05, side="right")) - 1
        if at >= 0:
            players[at].add((note.part, note.instrument))
    return {frozenset(some) for some in players}


def longest_gap_s(score: Score) -> float:
    """Longest time without an onset, the final chord's ring left out."""
    onsets = np.array([note.onset_s for note in score.notes])
    last = onsets.max() - 0.5
    inside = onsets[onsets <= last]
    return float(np.diff(inside).max()) if len(inside) > 1 else 0.0


def fingerprint(score: Score) -> frozenset[tuple[int, ...]]:
    """Melody intervals and lengths (in sixteenths), `_GRAM` notes at a time: free of key and tempo."""
    grams: set[tuple[int, ...]] = set()
    for written in score.written:
        line = list(written.get(Part.MELODY, ()))
        steps = [
            (b.key - a.key, round(4 * (b.onset_beat - a.onset_beat))) for a, b in itertools.pairwise(line)
        ]
        grams.update(
            tuple(itertools.chain.from_iterable(steps[k : k + _GRAM])) for k in range(len(steps) - _GRAM + 1)
        )
    return frozenset(grams)


def likeness(fingerprints: Sequence[frozenset[tuple[int, ...]]]) -> Iterator[float]:
    """Of every two sessions, the share of patterns that they have in common (Jaccard)."""
    for one, other in itertools.combinations(fingerprints, 2):
        yield len(one & other) / max(len(one | other), 1)


def _place(chord: Chord, tonic: int) -> int:
    return (chord.pitch_classes[0] - tonic) % 12


def _count_voices(score: Score, counts: Counts) -> None:
    for phrase_chords, written in zip(score.chords, score.written, strict=True):
        pad = [tuple(_sounding(written.get(Part.PAD, ()), chord)) for chord in phrase_chords]
        bass = [tuple(_sounding(written.get(Part.BASS, ()), chord)[:1]) for chord in phrase_chords]
        for (last, last_bass), (now, now_bass) in itertools.pairwise(zip(pad, bass, strict=True)):
            if not last or len(last) != len(now):
                continue
            counts.pad_motion.append(float(np.mean(np.abs(np.subtract(now, last)))))
            # Where the bass rests on one side of the change, it has no move that could be parallel.
            low = list(zip(last_bass, now_bass, strict=False))
            voices = [*low, *zip(last, now, strict=True)]
            for (a0, a1), (b0, b1) in itertools.combinations(voices, 2):
                counts.pairs += 1
                counts.parallels += _parallel(a0, a1, b0, b1)
        _count_outer(written, counts)


def _count_outer(written: Mapping[Part, Sequence[WrittenNote]], counts: Counts) -> None:
    melody, bass = list(written.get(Part.MELODY, ())), list(written.get(Part.BASS, ()))
    moments = sorted({note.onset_beat for note in bass} & {note.onset_beat for note in melody})
    pairs = [(_at(bass, moment), _at(melody, moment)) for moment in moments]
    for (a0, b0), (a1, b1) in itertools.pairwise(pairs):
        counts.outer_moves += 1
        counts.outer_parallels += _parallel(a0, a1, b0, b1)


def _parallel(a0: int, a1: int, b0: int, b1: int) -> bool:
    together = (a1 > a0 and b1 > b0) or (a1 < a0 and b1 < b0)
    return together and (b0 - a0) % 12 in _PERFECT and (b1 - a1) % 12 == (b0 - a0) % 12


def _sounding(notes: Iterable[WrittenNote], chord: Chord) -> list[int]:
    """Keys that sound in the middle of a chord, low to high: what was suspended has resolved by its end."""
    moment = chord.onset_beat + 0.9 * chord.beats
    return sorted({note.key for note in notes if note.onset_beat <= moment < note.onset_beat + note.beats})


def _at(notes: Sequence[WrittenNote], moment: float) -> int:
    return next(note.key for note in notes if abs(note.onset_beat - moment) < _BY_HALVES)


def _count_line(score: Score, counts: Counts) -> None:
    for written in score.written:
        keys = [note.key for note in written.get(Part.MELODY, ())]
        moves = [b - a for a, b in itertools.pairwise(keys)]
        counts.intervals.update(abs(move) for move in moves)
        for leap, after in itertools.pairwise(moves):
            if abs(leap) > 4:
                counts.leaps += 1
                # Turned back by no more than a third, or held.
                counts.leaps_resolved += leap * after <= 0 and abs(after) <= 4


def _longest_key_s(score: Score, arousal_at: Mapping[str, NDArray[np.float64]]) -> float:
    beats = np.arange(len(score.beat_times_s), dtype=np.float64)
    chords = [chord for phrase in score.chords for chord in phrase]
    longest = 0.0
    for _, held in itertools.groupby(chords, lambda chord: chord.tonic):
        group = list(held)
        first_s, last_s = (
            float(np.interp(beat, beats, score.beat_times_s))
            for beat in (group[0].onset_beat, group[-1].end_beat)
        )
        middle = np.interp((first_s + last_s) / 2, arousal_at["onset_s"], arousal_at["arousal"])
        if abs(float(middle)) <= _MODERATE:
            longest = max(longest, last_s - first_s)
    return longest
