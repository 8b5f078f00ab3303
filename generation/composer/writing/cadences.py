"""Formulas for every way a phrase may end, and the chords that lead to them.

Authentic: ii6/5 or IV, V (after I6/4 or Vsus4 where there is room), I. Half: to V, in dark modes by the
Phrygian iv6-V. Deceptive: V-vi or V-bVI. Plagal: IV-I, iv-I. Modal: bVII-i, bVI-bVII-i, bII-i. Sources:
Kostka & Payne, Tonal Harmony, chapters 10 and 17 (cadences, bII6); Temperley (2011, The cadential IV in rock,
Music Theory Online 17:1) and de Clercq & Temperley (2011) for the plagal and the modal ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from generation.composer.score import Cadence, Phrase
from generation.composer.writing.chances import choose, happens
from generation.composer.writing.chords import (
    LEADING,
    SUBDOMINANT,
    SUBMEDIANT,
    SUPERTONIC,
    TONIC,
    Harmony,
    applied,
    cadential,
    neapolitan,
    suspended_dominant,
    triad,
)
from generation.composer.writing.keys import links
from generation.composer.writing.modes import AEOLIAN, MIXOLYDIAN, PHRYGIAN
from generation.composer.writing.progressions import Mixture

_NEAPOLITAN, _APPLIED = 7, 8
_DARK_PLACE, _BRIGHT_PLACE = 1.8, 2.8
_IV_MINOR_SHARE = 0.5


@dataclass(frozen=True)
class Close:
    """A phrase's closing harmonies, as many as `Rhythm` has places for."""

    approach: tuple[Harmony, ...]
    dominant: tuple[Harmony, ...]
    goal: Harmony


def close(
    phrase: Phrase,
    n_approach: int,
    n_dominant: int,
    place: float,
    mixture: Mixture,
    before: Harmony | None,
    draws: Iterator[float],
) -> Close:
    """The cadence that the phrase was given, in its last key.

    Args:
        n_approach, n_dominant: chords there is room for, before the dominant and up to the goal.
        place: on the ladder of modes, at the cadence.
        before: the chord before these.
        draws: numbers in [0, 1).
    """
    tonic = phrase.next_tonic
    goal = _goal(phrase.cadence, tonic, place, mixture)
    approach = _approach(phrase, n_approach, place, mixture, before, draws)
    last = approach[-1] if approach else before
    match phrase.cadence:
        case Cadence.AUTHENTIC | Cadence.DECEPTIVE:
            dominant = _dominant(tonic, n_dominant, place, mixture, last, draws)
        case Cadence.HALF:
            dominant = _to_the_dominant(tonic, n_dominant, place, mixture, last, draws)
        case Cadence.PLAGAL:
            dominant = _plagal(tonic, n_dominant, place, mixture, last, draws)
        case Cadence.MODAL:
            dominant = _modal(tonic, n_dominant, place, mixture, last)
    return Close(approach, dominant, goal)


def _goal(cadence: Cadence, tonic: int, place: float, mixture: Mixture) -> Harmony:
    mode = mixture.goal_mode(place)
    match cadence:
        case Cadence.HALF:
            goal = mixture.dominant(tonic, place)
        case Cadence.DECEPTIVE:
            goal = triad(tonic, mode, SUBMEDIANT)
        case _:
            goal = triad(tonic, mode, TONIC)
    return replace(goal, is_goal=True, bass=goal.root)


def _approach(
    phrase: Phrase,
    count: int,
    place: float,
    mixture: Mixture,
    before: Harmony | None,
    draws: Iterator[float],
) -> tuple[Harmony, ...]:
    tonic = phrase.next_tonic
    chosen: list[Harmony] = []
    if count and tonic != phrase.tonic:
        linked = links(phrase.tonic, tonic, place, before)
        chosen.append(linked[int(next(draws) * len(linked))])
    while len(chosen) < count:
        last = chosen[-1] if chosen else before
        leads_on = phrase.cadence in (Cadence.AUTHENTIC, Cadence.DECEPTIVE) and len(chosen) == count - 1
        if not leads_on:
            chosen.append(_opening(tonic, place, mixture, last, next(draws)))
        else:
            chosen.append(_predominant(tonic, place, mixture, last, next(draws)))
    return tuple(chosen)


def _opening(tonic: int, place: float, mixture: Mixture, last: Harmony | None, draw: float) -> Harmony:
    """A chord that still rests, not the one that has just sounded."""
    weights = {TONIC: 2.5, SUBMEDIANT: 1.2, SUBDOMINANT: 1.4}
    return mixture.triad(tonic, place, choose(_without(weights, tonic, last), draw))


def _predominant(
    tonic: int, place: float, mixture: Mixture, last: Harmony | None, draw: float, is_next: bool = True
) -> Harmony:
    """A chord that asks for the dominant; where that is next, perhaps the dominant's own."""
    dark, bright = max(_DARK_PLACE - place, 0.0), max(place - _BRIGHT_PLACE, 0.0)
    weights = {
        SUPERTONIC: 3.0 - dark,
        SUBDOMINANT: 3.0 + 2.5 * bright + 2.0 * dark,
        _NEAPOLITAN: 0.8 * dark,
        _APPLIED: 0.7 * is_next,
    }
    chosen = choose(_without(weights, tonic, last), draw)
    if chosen == _NEAPOLITAN:
        return neapolitan(tonic, min(mixture.goal_mode(place), AEOLIAN))
    if chosen == _APPLIED:
        return applied(mixture.dominant(tonic, place))
    return mixture.triad(tonic, place, chosen)


def _without(weights: dict[int, float], tonic: int, last: Harmony | None) -> dict[int, float]:
    if last is None or last.tonic != tonic:
        return weights
    kept = {degree: weight for degree, weight in weights.items() if degree != last.degree}
    return kept or weights


def _dominant(
    tonic: int,
    count: int,
    place: float,
    mixture: Mixture,
    last: Harmony | None,
    draws: Iterator[float],
) -> tuple[Harmony, ...]:
    chord = mixture.dominant(tonic, place)
    rooted = chord.over(chord.root)
    if count == 1:
        return (rooted,)
    is_applied = last is not None and last.resolves_to is not None
    kind = choose({0: 0.45, 1: 0.25, 2: 0.0 if is_applied else 0.3}, next(draws))
    mode = mixture.goal_mode(place)
    if kind == 0:
        return cadential(tonic, mode), rooted
    if kind == 1 and last is not None and (tonic % 12) in last.pitch_classes:
        # Prepared: the tone that is held over was there before.
        return suspended_dominant(tonic, mode), rooted
    if is_applied:
        return cadential(tonic, mode), rooted
    return _predominant(tonic, place, mixture, last, next(draws)), rooted


def _to_the_dominant(
    tonic: int,
    count: int,
    place: float,
    mixture: Mixture,
    last: Harmony | None,
    draws: Iterator[float],
) -> tuple[Harmony, ...]:
    chosen: list[Harmony] = []
    while len(chosen) < count:
        before, is_next = chosen[-1] if chosen else last, len(chosen) == count - 1
        chosen.append(_predominant(tonic, place, mixture, before, next(draws), is_next))
    final = chosen[-1]
    if final.degree == SUBDOMINANT and not final.is_major:
        # Phrygian half cadence: the sixth degree falls by a semitone to the fifth.
        chosen[-1] = final.over(final.pitch_classes[1])
    return tuple(chosen)


def _plagal(
    tonic: int,
    count: int,
    place: float,
    mixture: Mixture,
    last: Harmony | None,
    draws: Iterator[float],
) -> tuple[Harmony, ...]:
    chord = mixture.triad(tonic, place, SUBDOMINANT)
    rooted = chord.over(chord.root)
    if count == 1:
        return (rooted,)
    minor = triad(tonic, AEOLIAN, SUBDOMINANT)
    if chord.is_major and happens(next(draws), _IV_MINOR_SHARE):
        return rooted, minor.over(minor.root)
    weights = _without({SUBMEDIANT: 2.0, TONIC: 1.0, SUPERTONIC: 1.0}, tonic, last)
    return mixture.triad(tonic, place, choose(weights, next(draws))), rooted


def _modal(
    tonic: int, count: int, place: float, mixture: Mixture, last: Harmony | None
) -> tuple[Harmony, ...]:
    mode = min(mixture.goal_mode(place), MIXOLYDIAN)
    if mode == PHRYGIAN:
        chord = triad(tonic, PHRYGIAN, SUPERTONIC)
        options = {SUBDOMINANT: 1.0, SUBMEDIANT: 0.5}
    else:
        chord = triad(tonic, mode, LEADING)
        options = (
            {SUBDOMINANT: 1.0, SUBMEDIANT: 0.5} if mode > AEOLIAN else {SUBMEDIANT: 1.0, SUBDOMINANT: 0.5}
        )
    rooted = chord.over(chord.root)
    if count == 1:
        return (rooted,)
    return triad(tonic, mode, next(iter(_without(options, tonic, last)))), rooted
