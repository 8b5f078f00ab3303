"""A line of notes: of all the ways through its moments, the one that a singer would take.

A beam search over keys. What it weighs: intervals and what answers them (leaps turn back: Huron, 2006,
Sweet Anticipation, ch. 5; von Hippel & Huron, 2000, Music Perception 18, 59-85), likeness to the motif, chord
tones, foreign tones that resolve by step, no parallel fifths or octaves with other voices. The weights are
whole numbers, so that every machine takes the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

LARGEST_LEAP = 9
"""Semitones; a major sixth."""

_BEAM = 10
_UNLIKE_MOTIF = 20
_UNRESOLVED = 110
_LEAPT_AT = 34
_SKIPPED_AT = 10
_PREPARED = 70
_PARALLEL = 260
_SECOND_PEAK = 45
_HOPELESS = 110
_SAME_WAY = 5
_SIZES = (12, 1, 2, 3, 4, 10, 75, 14, 22, 24)
_REACH = 12


class Option(NamedTuple):
    """A key at one moment.

    Args:
        key: MIDI key.
        place: scale steps from the lowest key, see `places`.
        cost: of the key by itself.
        is_foreign: to its chord; asks for a step.
    """

    key: int
    place: int
    cost: int
    is_foreign: bool


class Moment(NamedTuple):
    """One onset of a line.

    Args:
        options: keys to choose from, at least one.
        places: scale steps of every MIDI key in this moment's scale.
        interval: scale steps from the note before, as the motif has it; None where no motif binds them.
        asks_step: cost of coming here other than by step.
        leans: a foreign tone may be leapt at: an appoggiatura.
        moved: each other voice's keys at the moment before and now, where they differ.
        struck: voice, its key when last struck together with this line, and its key now struck.
        against: 1 where the other voice rises, -1 where it falls: the line would rather go the other way.
    """

    options: Sequence[Option]
    places: Sequence[int]
    interval: int | None = None
    asks_step: int = 0
    leans: bool = False
    moved: Sequence[tuple[int, int]] = ()
    struck: Sequence[tuple[int, int, int]] = ()
    against: int = 0


class _State(NamedTuple):
    cost: int
    key: int
    before: int
    is_foreign: bool
    high: int
    debt: int
    anchors: tuple[int, ...]
    parent: _State | None


@lru_cache(maxsize=256)
def places(scale: tuple[int, ...]) -> tuple[int, ...]:
    """Scale steps from key 0 of every MIDI key; a key foreign to the scale stands with the one above it."""
    ladder = [key for key in range(128) if key % 12 in scale]
    return tuple(min(bisect_left(ladder, key), len(ladder) - 1) for key in range(128))


def best_line(moments: Sequence[Moment], previous_key: int | None, n_voices: int) -> list[int]:
    """The keys of the line, one a moment.

    Args:
        previous_key: last note before it.
        n_voices: how many other voices `Moment.struck` speaks of.
    """
    anchors = (-1,) * n_voices
    beam = [_State(0, -1 if previous_key is None else previous_key, 0, False, 0, 0, anchors, None)]
    for moment in moments:
        beam = _advance(beam, moment)
    state: _State | None = min(beam, key=lambda state: state[:3])
    keys: list[int] = []
    while state is not None and state.parent is not None:
        keys.append(state.key)
        state = state.parent
    return keys[::-1]


def _advance(beam: Sequence[_State], moment: Moment) -> list[_State]:
    if beam[0].key < 0:
        ways = sorted((option.cost, option.key, option) for option in moment.options)[:_BEAM]
        return [_reach((cost, option, beam[0]), 0, moment) for cost, _, option in ways]
    reached: dict[tuple[int, int], tuple[int, Option, _State]] = {}
    hopeless = 1 << 60
    for state in beam:
        wanted = None if moment.interval is None else moment.places[state.key] + moment.interval
        turns = _TURNS[state.before + _REACH]
        for option in moment.options:
            key, place, own, is_foreign = option
            cost = state.cost + own
            if cost > hopeless:
                continue
            move = key - state.key
            cost += turns[move + _REACH] if -_REACH <= move <= _REACH else 1000 + 50 * abs(move)
            if move > 2 or move < -2 or move == 0:
                cost += moment.asks_step
                if state.is_foreign:
                    cost += _UNRESOLVED
                if is_foreign and moment.leans:
                    # Held over from the note before, it is a suspension.
                    cost -= 0 if move else _PREPARED
                elif is_foreign and move:
                    cost += _LEAPT_AT if move > 4 or move < -4 else _SKIPPED_AT
            if wanted is not None:
                cost += _UNLIKE_MOTIF * abs(place - wanted)
            if move * moment.against > 0:
                cost += _SAME_WAY
            if moment.moved or moment.struck:
                cost += _PARALLEL * _parallels(state, key, moment)
            if key > state.high:
                # A new high point; that the last one came twice no longer counts.
                cost -= state.debt
            elif key == state.high and move:
                cost += _SECOND_PEAK
            # Ways that differ only in what lies further back are one way: the cheaper.
            end = (key, move if -_REACH <= move <= _REACH else 0)
            known = reached.get(end)
            if known is None or cost < known[0]:
                reached[end] = (cost, option, state)
                if cost < hopeless - _HOPELESS:
                    hopeless = cost + _HOPELESS
    best = sorted((way[0], end) for end, way in reached.items())[:_BEAM]
    return [_reach(reached[end], end[1], moment) for _, end in best]


def _parallels(state: _State, key: int, moment: Moment) -> int:
    """How many parallel fifths and octaves a move to `key` makes."""
    move, count = key - state.key, 0
    for was, now in moment.moved:
        if (now - was) * move > 0:
            count += _is_parallel(was, state.key, now, key)
    for voice, was, now in moment.struck:
        anchor = state.anchors[voice]
        if anchor >= 0 and (now - was) * (key - anchor) > 0:
            count += _is_parallel(was, anchor, now, key)
    return count


def _reach(way: tuple[int, Option, _State], move: int, moment: Moment) -> _State:
    cost, option, state = way
    anchors = state.anchors
    for voice, _, _ in moment.struck:
        anchors = (*anchors[:voice], option.key, *anchors[voice + 1 :])
    high, debt = max(option.key, state.high), state.debt
    if option.key > state.high:
        debt = 0
    elif option.key == state.high and move:
        debt += _SECOND_PEAK
    return _State(cost, option.key, move, option.is_foreign, high, debt, anchors, state)


def _is_parallel(was: int, key: int, now: int, next_key: int) -> bool:
    return (key - was) % 12 == (next_key - now) % 12 and (key - was) % 12 in (0, 7)


def _turn(before: int, now: int) -> int:
    """Cost of an interval after another, in semitones."""
    size = abs(now)
    cost = _SIZES[size] if size <= LARGEST_LEAP else 500
    if abs(before) > 4:
        if before * now < 0:
            return cost + (0 if size <= 2 else 44 if size <= 4 else 100)
        return cost + (70 if now == 0 else 120)
    if abs(before) > 2 and size > 2 and before * now > 0:
        cost += 8 if size <= 4 else 40
    if before == now == 0:
        cost += 30
    return cost


_TURNS = tuple(
    tuple(_turn(before, now) for now in range(-_REACH, _REACH + 1)) for before in range(-_REACH, _REACH + 1)
)
