"""How long chords last: bars with two chords, chords of two bars, and the room for a cadence.

Every bar has a threshold; the harmonic rate opens it. So a theme keeps its harmonic
rhythm, and more of its bars are divided as the rate rises: the share of bars with two
chords, and below one chord a bar the share of chords over two bars, move continuously.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from generation.composer.score import Phrase
from generation.composer.writing.chances import happens, turn

#: Chords a bar at which none of the shortest phrases prepares its dominant.
_UNPREPARED = 0.4

Span = tuple[float, float]
"""Onset and length, in beats."""


@dataclass(frozen=True)
class Rhythm:
    """The chords' places in one phrase, without gaps.

    Args:
        body: chords that are free.
        approach: chords that lead to the dominant.
        dominant: the dominant, or what delays it and itself.
        goal: the chord the phrase ends on; of a last phrase it follows the phrase's end.
    """

    body: tuple[Span, ...]
    approach: tuple[Span, ...]
    dominant: tuple[Span, ...]
    goal: Span


def chord_places(
    phrase: Phrase, rate_at: Callable[[float], float], ring_beats: float, offset: float
) -> Rhythm:
    """Where the chords of a phrase change.

    Args:
        rate_at: beat to chords a bar; 0.5 is a chord over two bars, 2 two chords in each.
        ring_beats: length of a last phrase's final chord.
        offset: 0 to 1, of the thresholds; one for each theme.
    """
    bar, bars = phrase.beats_per_bar, phrase.bars
    onsets = [phrase.onset_beat + float(k * bar) for k in range(bars)]
    if phrase.is_last:
        inner, goal = onsets, (float(phrase.end_beat), ring_beats)
    else:
        inner, goal = onsets[:-1], (onsets[-1], float(bar))
    if not inner:
        return _within_one_bar(phrase)
    *middle, last = inner
    shares = [turn(offset, k) for k in range(len(inner))]
    # Where there is no bar to prepare the dominant in, a slow phrase does without.
    prepares = phrase.tonic != phrase.next_tonic or happens(shares[-1], rate_at(last) - _UNPREPARED)
    if len(inner) == 1:
        return _opening_and_cadence(last, bar, goal, prepares)
    divides = happens(shares[-1], rate_at(last) - 1.0)
    if len(inner) == 2:
        body = _bars(middle, bar, shares, rate_at)
        if not prepares:
            return Rhythm(body, (), ((last, float(bar)),), goal)
        lead, fall = _divided(last, bar)
        return Rhythm(body, (lead,), (fall,), goal)
    dominant = _divided(last, bar) if divides else ((last, float(bar)),)
    *free, preparing = middle
    if phrase.tonic == phrase.next_tonic and _joins(free[-1], shares[len(free) - 1], rate_at):
        # A slow phrase goes straight from its first harmony to the dominant.
        held = ((free[-1], 2.0 * bar),)
        return Rhythm((*_bars(free[:-1], bar, shares, rate_at), *held), (), dominant, goal)
    approach = _bars([preparing], bar, shares[len(free) :], rate_at)
    return Rhythm(_bars(free, bar, shares, rate_at), approach, dominant, goal)


def _bars(
    onsets: Sequence[float], bar: int, shares: Sequence[float], rate_at: Callable[[float], float]
) -> tuple[Span, ...]:
    spans: list[Span] = []
    index = 0
    while index < len(onsets):
        onset, share = onsets[index], shares[index]
        if index + 1 < len(onsets) and _joins(onset, share, rate_at):
            spans.append((onset, 2.0 * bar))
            index += 2
            continue
        spans += _divided(onset, bar) if happens(share, rate_at(onset) - 1.0) else ((onset, float(bar)),)
        index += 1
    return tuple(spans)


def _joins(onset: float, share: float, rate_at: Callable[[float], float]) -> bool:
    # Half a chord a bar is every pair of bars joined.
    return happens(share, 2.0 * (1.0 - rate_at(onset)))


def _opening_and_cadence(onset: float, bar: int, goal: Span, prepares: bool) -> Rhythm:
    first, second = _divided(onset, bar)
    if bar < 3:
        return Rhythm((), (first,), (second,), goal)
    if not prepares:
        return Rhythm((first,), (), (second,), goal)
    dominant = 2.0 if bar > 4 else 1.0
    lead_at, end = onset + bar - dominant - 1.0, onset + bar
    return Rhythm(((onset, lead_at - onset),), ((lead_at, 1.0),), ((end - dominant, dominant),), goal)


def _within_one_bar(phrase: Phrase) -> Rhythm:
    onset, bar = phrase.onset_beat, phrase.beats_per_bar
    (lead_at, lead), (goal_at, goal) = _divided(onset, bar)
    if lead < 2:
        return Rhythm((), (), ((lead_at, lead),), (goal_at, goal))
    half = lead / 2
    return Rhythm((), ((lead_at, half),), ((lead_at + half, half),), (goal_at, goal))


def _divided(onset: float, bar: int) -> tuple[Span, Span]:
    first = float((bar + 1) // 2)
    return (onset, first), (onset + first, bar - first)
