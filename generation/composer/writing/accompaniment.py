"""What carries the melody: held chords led by least motion, broken figures, and the bass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds

PAD_LOWEST, PAD_HIGHEST = 48, 76
BASS_LOWEST, BASS_HIGHEST = 31, 50
_PERFECT = (0, 7)
_LONGEST_TIE_BEATS = 6.0


def voice_chords(chords: Sequence[Chord], centre: float, before: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Keys of each chord, low to high, each moving as little as it can from the one before.

    Args:
        centre: where the upper voices should lie.
        before: the last voicing before these chords; empty at the start.
    """
    voicings: list[tuple[int, ...]] = []
    last = before
    for chord in chords:
        last = _best_voicing(chord.pitch_classes[:5], chord.bass, round(centre), last)
        voicings.append(last)
    return voicings


def write_pad(
    chords: Sequence[Chord],
    voicings: Sequence[tuple[int, ...]],
    suspended: float = 0.0,
    rng: np.random.Generator | None = None,
) -> list[WrittenNote]:
    """Held chords; a voice that stays is not struck again within six beats.

    Args:
        suspended: share of the chords, 0 to 1, in which a voice that falls by step
            holds its old note, now foreign, for half the chord before it falls.
        rng: decides which; needed where `suspended` is above 0.
    """
    notes: list[WrittenNote] = []
    tied: dict[int, int] = {}
    earlier: tuple[int, ...] = ()
    for chord, voicing in zip(chords, voicings, strict=True):
        still: dict[int, int] = {}
        late = None
        if rng is not None and rng.random() < suspended and chord.beats >= 2:
            late = _falling_voice(earlier, voicing, chord.pitch_classes)
        for key in voicing:
            index = tied.get(key)
            if late is not None and key == late[1] and late[0] in tied:
                wait = chord.beats / 2
                held = notes[tied[late[0]]]
                notes[tied[late[0]]] = replace(held, beats=chord.onset_beat + wait - held.onset_beat)
                still[key] = len(notes)
                notes.append(WrittenNote(chord.onset_beat + wait, chord.beats - wait, key, 0.5))
            elif index is not None and chord.end_beat - notes[index].onset_beat <= _LONGEST_TIE_BEATS:
                held = notes[index]
                notes[index] = replace(held, beats=chord.end_beat - held.onset_beat)
                still[key] = index
            else:
                still[key] = len(notes)
                notes.append(WrittenNote(chord.onset_beat, chord.beats, key, 0.6))
        tied, earlier = still, voicing
    return sorted(notes, key=lambda note: (note.onset_beat, note.key))


def write_figure(
    phrase: Phrase,
    chords: Sequence[Chord],
    voicings: Sequence[tuple[int, ...]],
    density_at: Callable[[float], float],
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """A broken-chord figure; its shape belongs to the section, its fullness to the density.

    Args:
        density_at: beat to density, 0 to 1.
        rng: seeded by the section, so that a section keeps its figure.
    """
    opening = thresholds(phrase.beats_per_bar, rng, wander=0.12)
    weights = strength(phrase.beats_per_bar)
    shape = _SHAPES[int(rng.integers(len(_SHAPES)))]
    spread = int(rng.integers(2))
    doubled = rng.random() < 0.4
    notes: list[WrittenNote] = []
    for chord, voicing in zip(chords, voicings, strict=True):
        tones = [*voicing[:3], *(key + 12 for key in voicing[spread : spread + 3])]
        count = 0
        n_slots = round(min(chord.beats, phrase.end_beat - chord.onset_beat) * SLOTS_PER_BEAT)
        for slot in range(max(n_slots, 0)):
            beat = chord.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            # Every beat sounds even at the quiet end: slow music breathes, it does not stop.
            if 0.50 + 0.47 * density_at(beat) < opening[place] and slot:
                continue
            key = tones[shape[count % len(shape)] % len(tones)]
            count += 1
            notes.append(WrittenNote(beat, 1.0, key, weights[place]))
    broken = _until_next(notes, limit=2.0)
    if not doubled:
        return broken
    # Some sections strike two tones together on the strong beats.
    above = [replace(note, key=note.key + 12) for note in broken if note.accent >= 0.8 and note.key < 70]
    return sorted([*broken, *above], key=lambda note: (note.onset_beat, note.key))


def write_bass(
    phrase: Phrase, chords: Sequence[Chord], density_at: Callable[[float], float], rng: np.random.Generator
) -> list[WrittenNote]:
    """Roots on the chords, then fifths, octaves and steps towards the next root as density grows."""
    opening = 0.15 + thresholds(phrase.beats_per_bar, rng, wander=0.1)
    weights = strength(phrase.beats_per_bar)
    notes: list[WrittenNote] = []
    root = 0
    for index, chord in enumerate(chords):
        root = _bass_key(chord.bass, root)
        notes.append(WrittenNote(chord.onset_beat, chord.beats, root, 0.9))
        fifth = root + 7 if root + 7 <= BASS_HIGHEST else root - 5
        coming = _bass_key(chords[index + 1].bass, root) if index + 1 < len(chords) else root
        for slot in range(1, round(min(chord.beats, phrase.end_beat - chord.onset_beat) * SLOTS_PER_BEAT)):
            beat = chord.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            if 0.85 * density_at(beat) < opening[place]:
                continue
            last_beat = chord.end_beat - beat <= 1.0
            if last_beat and coming != root:
                key = _approach(root, coming, chord.scale)
            else:
                key = fifth if weights[place] >= 0.6 else root
            notes.append(WrittenNote(beat, 1.0, key, weights[place]))
    return _until_next(notes, limit=8.0)


#: Order in which a figure touches the chord's tones.
_SHAPES: Sequence[tuple[int, ...]] = (
    (0, 1, 2, 3, 4, 5, 4, 3),
    (0, 2, 3, 4, 3, 2),
    (0, 1, 2, 3, 4, 3, 2, 1),
    (0, 2, 4, 3, 5, 3),
    (0, 3, 2, 4, 1, 3, 2, 5),
)


def _falling_voice(
    earlier: tuple[int, ...], voicing: tuple[int, ...], classes: tuple[int, ...]
) -> tuple[int, int] | None:
    """Old and new key of the highest upper voice that falls by step from a note foreign to the chord."""
    if len(earlier) != len(voicing):
        return None
    for old, new in zip(reversed(earlier[1:]), reversed(voicing[1:]), strict=True):
        if old - new in (1, 2) and old % 12 not in classes and new not in earlier and old not in voicing:
            return old, new
    return None


def _until_next(notes: list[WrittenNote], limit: float) -> list[WrittenNote]:
    return [
        WrittenNote(
            note.onset_beat,
            min(notes[k + 1].onset_beat - note.onset_beat, limit) if k + 1 < len(notes) else note.beats,
            note.key,
            note.accent,
        )
        for k, note in enumerate(notes)
    ]


@lru_cache(maxsize=4096)
def _best_voicing(classes: tuple[int, ...], bass: int, centre: int, last: tuple[int, ...]) -> tuple[int, ...]:
    best: tuple[float, tuple[int, ...]] | None = None
    for voicing in _voicings(classes):
        cost = _voicing_cost(voicing, bass, centre, last)
        if best is None or (cost, voicing) < best:
            best = (cost, voicing)
    return best[1] if best else last


@lru_cache(maxsize=512)
def _voicings(classes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
    """Close and open positions within the pad's range, the fifth left out where there is a fifth tone."""
    kept = classes if len(classes) <= 4 else (*classes[:2], *classes[3:])
    found = set()
    for order in itertools.permutations(kept):
        for lowest in range(PAD_LOWEST, PAD_LOWEST + 14):
            if lowest % 12 != order[0]:
                continue
            keys = [lowest]
            for pitch in order[1:]:
                step = (pitch - keys[-1]) % 12 or 12
                keys.append(keys[-1] + step)
            if keys[-1] <= PAD_HIGHEST and keys[-1] - keys[0] <= 19:
                found.add(tuple(keys))
    return tuple(sorted(found))


def _voicing_cost(voicing: tuple[int, ...], bass: int, centre: int, last: tuple[int, ...]) -> float:
    cost = 0.25 * abs(sum(voicing) / len(voicing) - centre)
    # Low clusters are mud.
    cost += sum(2.0 for a, b in itertools.pairwise(voicing) if b - a < 3 and a < 55)
    cost += 0.4 * (voicing[0] % 12 == bass)
    if not last:
        return cost
    cost += sum(min(abs(key - old) for old in last) for key in voicing) / len(voicing)
    cost += sum(min(abs(key - old) for key in voicing) for old in last) / len(last)
    if len(voicing) == len(last):
        pairs = list(zip(last, voicing, strict=True))
        for (a0, a1), (b0, b1) in itertools.combinations(pairs, 2):
            moved = a0 != a1 and b0 != b1
            if moved and (b0 - a0) % 12 in _PERFECT and (b1 - a1) % 12 == (b0 - a0) % 12:
                cost += 3.0
    return cost


def _bass_key(pitch_class: int, near: int) -> int:
    keys = [key for key in range(BASS_LOWEST, BASS_HIGHEST + 1) if key % 12 == pitch_class]
    target = near or 40
    return min(keys, key=lambda key: (abs(key - target) + 0.15 * abs(key - 40), key))


def _approach(root: int, coming: int, scale: tuple[int, ...]) -> int:
    direction = 1 if coming < root else -1
    for distance in (2, 1):
        if (coming + direction * distance) % 12 in scale:
            return coming + direction * distance
    return coming
