"""The upper voices of the harmony, led as a choir is led.

Three voices over a bass: each moves as little as it can, common tones stay, no fifths or octaves run
parallel, no voice crosses another, sevenths fall and leading tones rise. The way through a phrase is
chosen as a whole (Viterbi), not chord by chord.

Sources: Huron (2001, Tone and voice, Music Perception 19, 1-64) for the rules and their hearing;
Tymoczko (2011, A Geometry of Music) for least motion; Plomp & Levelt (1965, JASA 38, 548-560) for wide
spacing below and for the roughness of close semitones. The weights are ours.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generation.composer.score import Chord

VOICES = 3
LOWEST_KEY, HIGHEST_KEY = 48, 79
_WIDEST = 22
_KEPT_CANDIDATES = 80
_PAIRS = tuple(itertools.combinations(range(VOICES + 1), 2))
_FIRSTS, _SECONDS = (np.array(side) for side in zip(*_PAIRS, strict=True))
_LOW_SECOND, _LOW_THIRD = 53, 50
_FORBIDDEN = 100_000
#: By semitones above the root: what it costs to leave a tone out, and to have it twice.
_MISSED = {0: 300, 6: 250, 7: 30, 8: 250}
_DOUBLED = {0: 0, 3: 50, 4: 60, 6: 150, 7: 20, 8: 60}

Voicing = tuple[int, ...]
Keys = NDArray[np.int64]


@dataclass(frozen=True)
class Led:
    """A chord as it sounds, to lead on from.

    Args:
        chord: the harmony.
        bass: key of the bass.
        upper: keys of the upper voices, low to high.
    """

    chord: Chord
    bass: int
    upper: Voicing


def voice_chords(
    chords: Sequence[Chord],
    centre: float,
    before: Led | None = None,
    basses: Sequence[int] | None = None,
    tension: float = 0.0,
    ceiling: float = 72.0,
) -> list[Voicing]:
    """Keys of each chord's three upper voices, low to high.

    Args:
        centre: where the upper voices should lie on average, a MIDI key.
        before: the last chord before these; None at the start.
        basses: key of the bass under each chord; without it the voices are led among themselves.
        tension: 0 to 1: from wide and pure spacing to close spacing with semitones in the middle.
        ceiling: key that the top voice should not pass, to leave room to a melody.
    """
    if not chords:
        return []
    lows = list(basses) if basses is not None else [0] * len(chords)
    strain = round(100 * min(max(tension, 0.0), 1.0))
    place = round(VOICES * centre)
    top = round(ceiling)
    options = [_candidates(chord, bass, place, strain, top) for chord, bass in zip(chords, lows, strict=True)]
    costs = options[0][1]
    if before is not None and len(before.upper) == VOICES:
        last, old_bass = np.array([before.upper], dtype=np.int64), before.bass if basses else 0
        costs = costs + _transition(last, options[0][0], old_bass, lows[0], before.chord, chords[0])[0]
    ways: list[NDArray[np.intp]] = []
    for k in range(1, len(chords)):
        (old, _), (new, own) = options[k - 1], options[k]
        total = costs[:, None] + _transition(old, new, lows[k - 1], lows[k], chords[k - 1], chords[k])
        way = total.argmin(axis=0)
        ways.append(way)
        costs = total[way, np.arange(len(new))] + own
    chosen = int(costs.argmin())
    voicings = []
    for k in range(len(chords) - 1, -1, -1):
        voicings.append(tuple(int(key) for key in options[k][0][chosen]))
        if k:
            chosen = int(ways[k - 1][chosen])
    return voicings[::-1]


def _candidates(chord: Chord, bass: int, place: int, strain: int, top: int) -> tuple[Keys, Keys]:
    """The best positions of a chord by themselves: keys [n, 3] and costs [n], hundredths of a semitone."""
    root = chord.pitch_classes[0]
    shape = tuple((pitch - root) % 12 for pitch in chord.pitch_classes)
    keys, costs = _positions(shape, root, chord.is_dominant, (chord.bass - root) % 12)
    gaps, below = np.diff(keys, axis=1), keys[:, :-1]
    span = keys[:, -1] - keys[:, 0]
    costs = costs + 25 * np.abs(place - keys.sum(axis=1)) // VOICES
    costs += np.abs(100 * span - (1_500 - 10 * strain)) // 10
    costs += 25 * np.maximum(keys[:, -1] - top, 0)
    # Narrow intervals are mud where they lie low, unless mud is meant.
    costs += (200 - strain) * ((gaps < 3) & (below < _LOW_SECOND)).sum(axis=1)
    costs += (100 - strain) * ((gaps < 5) & (below < _LOW_THIRD)).sum(axis=1)
    costs += (150 - 5 * strain) * ((gaps == 1) & (below >= _LOW_SECOND)).sum(axis=1)
    costs += (60 - 2 * strain) * ((gaps == 2) & (below >= _LOW_SECOND)).sum(axis=1)
    costs += _FORBIDDEN * (keys[:, 0] <= bass)
    best = np.argsort(costs, kind="stable")[:_KEPT_CANDIDATES]
    return keys[best], costs[best]


def _transition(old: Keys, new: Keys, old_bass: int, new_bass: int, last: Chord, now: Chord) -> Keys:
    """What each way from one position to another costs, shape [n_old, n_new]."""
    moves = new[None, :, :] - old[:, None, :]
    steps = np.abs(moves)
    costs = 600 * steps.sum(axis=2) + 100 * np.maximum(steps - 4, 0).sum(axis=2)
    # A voice past its neighbour's old place is heard as crossing it.
    costs += 120 * (new[None, :, :-1] > old[:, None, 1:]).sum(axis=2)
    costs += 120 * (new[None, :, 1:] < old[:, None, :-1]).sum(axis=2)
    for pitch, kind in _bound_tones(last, now).items():
        bound = (old % 12 == pitch)[:, None, :]
        wrong = (moves != 1) & (moves != 0) if kind > 0 else (moves > 0) | (moves < -2)
        costs += 400 * (bound & wrong).sum(axis=2)
    return np.asarray(costs + 2_000 * _parallels(old, moves, old_bass, new_bass - old_bass))


def _parallels(old: Keys, moves: Keys, low: int, bass_move: int) -> Keys:
    """How many pairs of voices run in parallel fifths or octaves, shape [n_old, n_new]."""
    before = np.hstack([np.full((len(old), 1), low), old])
    intervals = (before[:, _SECONDS] - before[:, _FIRSTS]) % 12
    perfect = (intervals == 0) | (intervals == 7)
    all_moves = np.concatenate([np.full((*moves.shape[:2], 1), bass_move), moves], axis=2)
    first, second = all_moves[..., _FIRSTS], all_moves[..., _SECONDS]
    same = (first * second > 0) & ((first - second) % 12 == 0)
    return np.asarray((same & perfect[:, None, :]).sum(axis=2))


def _bound_tones(last: Chord, now: Chord) -> dict[int, int]:
    """Pitch classes of `last` that have to fall (-1, the seventh) or to rise (1, the leading tone)."""
    root = last.pitch_classes[0]
    bound = {pitch: -1 for pitch in last.pitch_classes[3:] if (pitch - root) % 12 in (10, 11)}
    tonic = (root + 5) % 12
    if last.is_dominant and tonic in now.pitch_classes:
        bound[(root + 4) % 12] = 1
    return bound


@lru_cache(maxsize=4096)
def _positions(shape: tuple[int, ...], root: int, is_dominant: bool, bass: int) -> tuple[Keys, Keys]:
    """All positions of a chord within the range, keys [n, 3], and what their choice of tones costs [n]."""
    patterns, costs = _patterns(shape, is_dominant, bass)
    found = [patterns + root + 12 * octave for octave in range(2, 7)]
    keys = np.concatenate(found)
    inside = (keys[:, 0] >= LOWEST_KEY) & (keys[:, -1] <= HIGHEST_KEY)
    return keys[inside], np.tile(costs, len(found))[inside]


@lru_cache(maxsize=256)
def _patterns(shape: tuple[int, ...], is_dominant: bool, bass: int) -> tuple[Keys, Keys]:
    found: dict[tuple[int, ...], int] = {}
    for tones, cost in _choices(shape, is_dominant, bass):
        for order in set(itertools.permutations(tones)):
            keys = [order[0]]
            for pitch in order[1:]:
                keys.append(keys[-1] + ((pitch - keys[-1]) % 12 or 12))
            if keys[-1] - keys[0] <= _WIDEST:
                found[tuple(keys)] = min(cost, found.get(tuple(keys), cost))
    ordered = sorted(found.items())
    keys_found = np.array([keys for keys, _ in ordered], dtype=np.int64)
    return keys_found, np.array([cost for _, cost in ordered], dtype=np.int64)


def _choices(shape: tuple[int, ...], is_dominant: bool, bass: int) -> list[tuple[tuple[int, ...], int]]:
    """Which three tones of a chord sound over its bass, doubled or left out, and what each choice costs."""
    kept = tuple(dict.fromkeys(shape))
    chosen: list[tuple[tuple[int, ...], int]] = []
    for some in itertools.combinations_with_replacement(kept, VOICES):
        if any(some.count(pitch) > 2 for pitch in some):
            continue
        heard = (*some, bass)
        # What an ear takes the chord for stays: its third and whatever was added.
        cost = sum(_MISSED.get(pitch, 550) for pitch in kept if pitch not in heard)
        for pitch in kept:
            again = heard.count(pitch) - 1
            if again > 0:
                leads = pitch == 4 and is_dominant
                cost += 500 if leads else again * _DOUBLED.get(pitch, 300)
        chosen.append((some, cost))
    return chosen
