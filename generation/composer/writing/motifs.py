"""Themes: short ideas of rhythm and contour that phrases repeat, sequence, turn and take apart.

An idea has a face, the few notes that it is known by, and notes between them that open one by one as density
grows: the same idea thins out and fills up without becoming another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from generation.composer.writing.meter import SLOTS_PER_BEAT, strength

_MOST_BEATS = 8
_FEWEST_TONES, _MOST_TONES = 2, 5
_WIDEST = 6


@dataclass(frozen=True)
class Tone:
    """One note of an idea.

    Args:
        slot: sixteenths from the idea's first bar.
        opens_at: how open a bar must be for it to sound, 0 always, above 0.85 hardly ever.
        step: scale steps above the idea's first note.
    """

    slot: int
    opens_at: float
    step: int


@dataclass(frozen=True)
class Motif:
    """An idea of one or two bars.

    Args:
        slots: its length in sixteenths.
        bar_slots: sixteenths of one of its bars.
        tones: in time order.
    """

    slots: int
    bar_slots: int
    tones: tuple[Tone, ...]


@dataclass(frozen=True)
class Theme:
    """What the phrases of one theme share.

    Args:
        idea: stated first and developed.
        contrast: unlike it in rhythm and direction; leads to cadences.
        sequence: scale steps by which a repeated idea moves on, 0 where it is repeated as it was.
        lift: scale steps from the idea to the contrast.
        turns: whether a bridge inverts the idea.
        quickens: whether a continuation's last fragments are twice as fast.
    """

    idea: Motif
    contrast: Motif
    sequence: int
    lift: int
    turns: bool
    quickens: bool


#: Onsets within a beat, in sixteenths, with their weights where the idea moves and where it rests.
_CELLS: Sequence[tuple[tuple[int, ...], float, float]] = (
    ((0,), 0.30, 0.40),
    ((0, 2), 0.33, 0.12),
    ((), 0.08, 0.38),
    ((0, 3), 0.12, 0.02),
    ((2,), 0.10, 0.08),
    ((0, 2, 3), 0.07, 0.0),
)
#: Scale steps from note to note, repeated where the idea is longer; a leap turns back by steps (gap and
#: fill: Meyer, 1973, Explaining Music).
_GESTURES: Mapping[str, tuple[int, ...]] = {
    "arch": (1, 2, 1, -1, -2, -1, -1),
    "valley": (-1, -2, 1, 1, 2, -1),
    "rise": (2, 1, -1, 2, 1, -1),
    "fall": (-1, -2, 1, -1, 2, -1),
    "fourth and fall": (3, -1, -1, -1, 1),
    "fifth and fall": (4, -1, -1, 1, -2, -1),
    "sixth and fall": (1, -1, 5, -1, -1, -2, -1),
    "turn": (1, -1, -1, 2, 1, -1, -1),
    "pendulum": (2, -1, 2, -1, -2, 1, -2),
    "call": (0, 2, 1, -1, -1, 0),
    "bell": (-2, 1, -2, 1, 2, 2),
    "sigh": (-1, 2, -1, -2, 2, -1, -1),
}


def make_motifs(rng: np.random.Generator, beats_per_bar: int) -> Theme:
    """The theme that `rng` stands for, in a metre of `beats_per_bar` quarter notes.

    The same generator gives themes of the same contour, and of the same rhythm as far as bars go, in every
    metre.
    """
    draws = _Draws(rng)
    names = list(_GESTURES)
    first = draws.pick(len(names))
    # Another gesture that sets out the other way.
    others = [name for name in names if _GESTURES[name][0] * _GESTURES[names[first]][0] <= 0]
    second = others[draws.pick(len(others))]
    sequence = (0, -1, 1, 1, -2, 2)[draws.pick(6)]
    lift = (1, 2, 0)[draws.pick(3)]
    turns = draws.pick(2) == 1
    long = beats_per_bar <= 4 and draws.pick(5) > 1
    idea = _motif(draws, beats_per_bar, names[first], bars=2 if long else 1, is_lively=True)
    contrast = _motif(draws, beats_per_bar, second, bars=2 if long else 1, is_lively=draws.pick(3) == 0)
    return Theme(idea, contrast, sequence, lift, turns, quickens=draws.pick(2) == 1)


class _Draws:
    """A generator's draws; a bar takes as many in every metre, so that metres share their themes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng

    def pick(self, count: int) -> int:
        return int(self._rng.integers(count))

    def row(self) -> list[float]:
        return [float(draw) for draw in self._rng.random(_MOST_BEATS * SLOTS_PER_BEAT)]


def _motif(draws: _Draws, beats_per_bar: int, gesture: str, bars: int, is_lively: bool) -> Motif:
    bar_slots = beats_per_bar * SLOTS_PER_BEAT
    face: list[tuple[int, float]] = []
    open_slots: list[tuple[int, float]] = []
    for bar in range(bars):
        cells, wander = draws.row(), draws.row()
        # An idea moves first and then arrives.
        onsets = _rhythm(cells, beats_per_bar, is_lively and bar == 0, has_upbeat=bar == bars - 1)
        openings = _openings(onsets, wander, beats_per_bar, has_upbeat=bar == bars - 1)
        for slot, opens_at in enumerate(openings):
            (face if slot in onsets else open_slots).append((bar * bar_slots + slot, opens_at))
    steps = _steps(_GESTURES[gesture], len(face))
    tones = [Tone(slot, opens_at, step) for (slot, opens_at), step in zip(face, steps, strict=True)]
    tones += [Tone(slot, opens_at, _between(tones, slot)) for slot, opens_at in open_slots]
    return Motif(bars * bar_slots, bar_slots, tuple(sorted(tones, key=lambda tone: tone.slot)))


def _rhythm(draws: Sequence[float], beats_per_bar: int, is_lively: bool, has_upbeat: bool) -> list[int]:
    onsets: list[int] = []
    for beat in range(beats_per_bar):
        cell = _cell(draws[beat], is_lively)
        if beat == 0 and 0 not in cell:
            cell = (2,) if draws[_MOST_BEATS] < 0.08 and is_lively else (0,)
        if has_upbeat and beat == beats_per_bar - 1 and not cell and draws[_MOST_BEATS + 1] < 0.6:
            cell = (2,) if draws[_MOST_BEATS + 2] < 0.4 else (0,)
        if len(onsets) + len(cell) > _MOST_TONES:
            cell = cell[: max(_MOST_TONES - len(onsets), 0)]
        onsets += [beat * SLOTS_PER_BEAT + slot for slot in cell]
    if len(onsets) < _FEWEST_TONES:
        onsets.append((beats_per_bar - 1) * SLOTS_PER_BEAT + (0 if beats_per_bar > 1 else 2))
    return sorted(set(onsets))


def _cell(draw: float, is_lively: bool) -> tuple[int, ...]:
    total = sum(lively if is_lively else calm for _, lively, calm in _CELLS)
    left = draw * total
    for cell, lively, calm in _CELLS:
        left -= lively if is_lively else calm
        if left < 0.0:
            return cell
    return (0,)


def _openings(
    onsets: Sequence[int], wander: Sequence[float], beats_per_bar: int, has_upbeat: bool
) -> list[float]:
    """How open the bar must be for each slot: the face first, then beats, eighths and sixteenths."""
    openings = []
    last_beat = (beats_per_bar - 1) * SLOTS_PER_BEAT
    for slot, weight in enumerate(strength(beats_per_bar)):
        if slot == onsets[0]:
            opens_at = 0.0
        elif slot == onsets[-1] and slot >= last_beat and has_upbeat:
            # The upbeat to what follows gives grace to music that has few notes.
            opens_at = 0.07 * wander[slot]
        elif slot in onsets:
            opens_at = 0.10 + 0.40 * (1.0 - weight) + 0.14 * (wander[slot] - 0.5)
        elif slot % SLOTS_PER_BEAT == 0:
            opens_at = 0.40 + 0.25 * wander[slot]
        elif slot % SLOTS_PER_BEAT == SLOTS_PER_BEAT // 2:
            opens_at = 0.52 + 0.34 * wander[slot]
        else:
            opens_at = 0.80 + 0.5 * wander[slot]
        openings.append(round(opens_at, 6))
    return openings


def _steps(gesture: Sequence[int], count: int) -> list[int]:
    """Scale steps of `count` notes above the first; what would go too far turns back."""
    steps = [0]
    for k in range(count - 1):
        move = gesture[k % len(gesture)]
        if abs(steps[-1] + move) > _WIDEST:
            move = -move
        steps.append(steps[-1] + move)
    return steps


def _between(face: Sequence[Tone], slot: int) -> int:
    """A passing or neighbour note for a slot between two notes of the face."""
    before = next((tone for tone in reversed(face) if tone.slot < slot), None)
    after = next((tone for tone in face if tone.slot > slot), None)
    if before is None or after is None:
        near = before or after
        return near.step + 1 if near else 0
    span = abs(after.step - before.step)
    if span <= 1:
        above = slot % SLOTS_PER_BEAT == SLOTS_PER_BEAT // 2
        return max(before.step, after.step) + 1 if above else min(before.step, after.step) - 1
    passed = (2 * span * (slot - before.slot) + after.slot - before.slot) // (2 * (after.slot - before.slot))
    direction = 1 if after.step > before.step else -1
    return before.step + direction * min(max(passed, 1), span - 1)
