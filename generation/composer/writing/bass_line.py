"""Inversions: the bass as a line of its own, found as the cheapest way through all chords of a phrase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from generation.composer.writing.chords import TONIC, Harmony

#: Cost of a bass's move by its interval class: steps are free, fourths and fifths plain, a tritone is dear.
_MOVES = (0.7, 0.0, 0.0, 0.5, 0.55, 0.35, 1.3)
_FIRST_INVERSION = 0.35
_LAST_INVERSION = 0.5
#: A seventh in the bass falls by step or is not there (Kostka & Payne, Tonal Harmony, chapter 13).
_UNRESOLVED = 9.0
_WANDER = 0.3


def with_bass_line(harmonies: Sequence[Harmony], before: int | None, draws: Sequence[float]) -> list[Harmony]:
    """The chords, each with its bass.

    Chords that ask for a bass keep it; the first and the last, goals and tonics at rest, prefer their root.

    Args:
        before: the bass that came before; None at the start.
        draws: a number in [0, 1) for each chord, so that equal phrases may differ.
    """
    if not harmonies:
        return []
    tables: list[dict[int, tuple[float, int | None]]] = []
    for index, harmony in enumerate(harmonies):
        table: dict[int, tuple[float, int | None]] = {}
        for bass, own in _options(harmony, index, draws[index]):
            if not tables:
                reached = 0.0 if before is None else _move(before, bass)
                table[bass] = (own + reached, None)
                continue
            cost, source = min(
                (round(total + _between(harmonies[index - 1], earlier, bass), 9), earlier)
                for earlier, (total, _) in tables[-1].items()
            )
            table[bass] = (own + cost, source)
        tables.append(table)
    line = [min(tables[-1], key=lambda option: (round(tables[-1][option][0], 9), option))]
    for table in reversed(tables[1:]):
        _, earlier_bass = table[line[-1]]
        line.append(line[-1] if earlier_bass is None else earlier_bass)
    return [replace(harmony, bass=bass) for harmony, bass in zip(harmonies, reversed(line), strict=True)]


def _options(harmony: Harmony, index: int, draw: float) -> list[tuple[int, float]]:
    if harmony.bass is not None:
        return [(harmony.bass, 0.0)]
    if harmony.is_goal:
        return [(harmony.root, 0.0)]
    opening = 0.6 if index == 0 and harmony.degree == TONIC else 0.0
    third = harmony.pitch_classes[1]
    options = [(harmony.root, 0.0), (third, _FIRST_INVERSION + opening - _WANDER * draw)]
    seventh = (harmony.root + 10) % 12
    if (harmony.is_dominant or harmony.resolves_to is not None) and seventh in harmony.pitch_classes[3:]:
        options.append((seventh, _LAST_INVERSION - _WANDER * draw))
    return options


def _between(harmony: Harmony, bass: int, coming: int) -> float:
    if bass == (harmony.root + 10) % 12 and (bass - coming) % 12 not in (1, 2):
        return _UNRESOLVED
    return _move(bass, coming)


def _move(bass: int, coming: int) -> float:
    distance = (coming - bass) % 12
    return _MOVES[min(distance, 12 - distance)]
