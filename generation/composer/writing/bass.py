"""The bass: a line with a direction, pedal points at calm places, steps on the way as density grows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from generation.composer.score import Chord, Phrase, WrittenNote
from generation.composer.writing.meter import SLOTS_PER_BEAT, strength, thresholds, until_next
from generation.composer.writing.suspensions import Sounding

BASS_LOWEST, BASS_HIGHEST = 31, 50
_MIDDLE = 40
_FREE_LEAPS = (0, 1, 2, 3, 4, 5, 7, 12)
#: Chords at a phrase's end that no pedal point covers: the cadence is heard in its bass.
_CADENCE_CHORDS = 3
_SAME_MOMENT = 1e-6


def with_pedals(chords: Sequence[Chord], density: float, rng: np.random.Generator) -> list[Chord]:
    """The chords, some over the bass of the one before: only where it belongs to both, never at the cadence.

    Args:
        density: 0 to 1; pedal points belong to calm music.
    """
    share = 0.6 * (1.0 - min(max(density, 0.0), 1.0)) ** 2
    low = list(chords)
    for k in range(1, len(low) - _CADENCE_CHORDS):
        draw = rng.random()
        held = low[k - 1].bass
        if draw < share and held in low[k].pitch_classes[:3] and held != low[k].bass:
            low[k] = replace(low[k], bass=held)
    return low


def lead_bass(chords: Sequence[Chord], before: int | None) -> list[int]:
    """The key of the bass at each chord: by the shortest way, steps before leaps, near the middle.

    Args:
        before: the last key before these chords; None at the start.
    """
    if not chords:
        return []
    ways: list[dict[int, tuple[float, int | None]]] = []
    for chord in chords:
        here: dict[int, tuple[float, int | None]] = {}
        for key in _keys_of(chord.bass):
            own = 0.12 * abs(key - _MIDDLE)
            if not ways:
                here[key] = (own + (0.0 if before is None else _leap_cost(before, key)), None)
                continue
            cost, last = min((total + _leap_cost(old, key), old) for old, (total, _) in ways[-1].items())
            here[key] = (round(cost + own, 9), last)
        ways.append(here)
    key = min(ways[-1], key=lambda k: (ways[-1][k][0], k))
    line = [key]
    for way in reversed(ways[1:]):
        came_from = way[line[-1]][1]
        if came_from is not None:
            line.append(came_from)
    return line[::-1]


def write_bass(
    phrase: Phrase,
    soundings: Sequence[Sounding],
    density_at: Callable[[float], float],
    rng: np.random.Generator,
) -> list[WrittenNote]:
    """The line on the chords; then fifths, octaves and steps towards the next chord as density grows.

    Args:
        density_at: beat to density, 0 to 1.
    """
    opening = 0.15 + thresholds(phrase.beats_per_bar, rng, wander=0.1)
    weights = strength(phrase.beats_per_bar)
    notes: list[WrittenNote] = []
    for index, now in enumerate(soundings):
        key = now.bass
        tied = bool(notes) and (-1 in now.held or (index > 0 and now.chord is soundings[index - 1].chord))
        if not (tied and notes[-1].key == key):
            notes.append(WrittenNote(now.onset_beat, now.beats, key, 0.9))
        after = soundings[index + 1] if index + 1 < len(soundings) else now
        n_slots = round(min(now.beats, phrase.end_beat - now.onset_beat) * SLOTS_PER_BEAT)
        density = density_at(now.onset_beat)
        for slot in range(1, n_slots):
            beat = now.onset_beat + slot / SLOTS_PER_BEAT
            place = round((beat - phrase.onset_beat) * SLOTS_PER_BEAT) % len(weights)
            if slot % SLOTS_PER_BEAT == 0:
                density = density_at(beat)
            # A chord of several bars is struck again on each of them.
            if place and 0.85 * density < opening[place]:
                continue
            if -1 in now.held:
                continue
            left = (n_slots - slot) / SLOTS_PER_BEAT
            if place == 0:
                notes.append(WrittenNote(beat, 1.0, key, 0.8))
            else:
                way = _on_the_way(now, after, left, weights[place])
                notes.append(WrittenNote(beat, 1.0, way, 0.8 * weights[place]))
    return until_next(notes, limit=8.0)


def _on_the_way(now: Sounding, after: Sounding, left: float, weight: float) -> int:
    """A key between a bass and the next: fifth or octave first, at last a step towards it."""
    key = now.bass
    if left <= 1.0:
        ways = [key] if after.bass == key else [*_approaches(key, after.bass, now.chord.scale), key]
        return next((way for way in ways if not _runs_parallel(way, now, after)), ways[-1])
    fifth = (now.chord.pitch_classes[2] - key) % 12
    if weight >= 0.6 and fifth in (3, 4, 5, 7, 8, 9):
        return key + fifth if key + fifth <= BASS_HIGHEST else key + fifth - 12
    return key + 12 if weight < 0.2 and key + 12 <= BASS_HIGHEST else key


def _approaches(key: int, coming: int, scale: tuple[int, ...]) -> list[int]:
    """Notes of the scale beside the coming one, first those on the side the line comes from."""
    side = 1 if coming < key else -1
    if abs(coming - key) <= 2:
        # Already a step away: turn about the goal from the other side.
        side = -side
    near = [coming + way * distance for way in (side, -side) for distance in (2, 1)]
    return [way for way in near if way % 12 in scale and way != key and BASS_LOWEST <= way <= BASS_HIGHEST]


def _runs_parallel(way: int, now: Sounding, after: Sounding) -> bool:
    """Whether the step from `way` into the next bass runs in fifths or octaves with an upper voice."""
    if len(now.upper) != len(after.upper):
        return False
    move = after.bass - way
    return any(
        (new - old) * move > 0 and (new - old - move) % 12 == 0 and (old - way) % 12 in (0, 7)
        for old, new in zip(now.upper, after.upper, strict=True)
    )


def _keys_of(pitch_class: int) -> list[int]:
    return [key for key in range(BASS_LOWEST, BASS_HIGHEST + 1) if key % 12 == pitch_class]


def _leap_cost(old: int, new: int) -> float:
    leap = abs(new - old)
    return 0.5 * leap + (0.0 if leap in _FREE_LEAPS else 3.0) + (1.0 if leap > 7 else 0.0)
