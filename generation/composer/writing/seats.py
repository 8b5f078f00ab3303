"""Seats: one instrument at work on one part, and how it comes in and goes out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generation.composer.palettes import INSTRUMENTS
from generation.composer.score import Part, Phrase, WrittenNote
from generation.composer.writing.figures import FigureStyle

#: Who enters is heard softly a bar before, and is at its full weight by the middle of the next phrase.
_FIRST_HEARD, _AT_THE_SEAM, _GONE = 0.15, 0.5, 0.05
_MELODY_AT_THE_SEAM = 0.75


@dataclass(frozen=True)
class Seat:
    """One instrument at work on one part, for one phrase.

    Args:
        part, instrument: what is played, and on what.
        weight_in, weight_out: factor on the velocity at both ends of the phrase, straight between.
        begins_beat, ends_beat: where the weights hold.
        octaves: added to what is written, for doublings.
        from_beat, until_beat: only notes that begin in [from, until) are played.
        style: how a figure is broken; None for other parts.
        least_accent: only notes with at least this accent are played, for bells above a figure.
        is_doubling: it rests where it cannot reach; who plays alone takes another octave.
    """

    part: Part
    instrument: str
    weight_in: float
    weight_out: float
    begins_beat: float
    ends_beat: float
    octaves: int = 0
    from_beat: float = -math.inf
    until_beat: float = math.inf
    style: FigureStyle | None = None
    least_accent: float = 0.0
    is_doubling: bool = False

    def weight_at(self, beats: NDArray[np.float64]) -> NDArray[np.float64]:
        """Factor on the velocity at `beats`, shape [n]."""
        ends = [self.begins_beat, self.ends_beat]
        return np.asarray(np.interp(beats, ends, [self.weight_in, self.weight_out]))

    def picked(self, written: Sequence[WrittenNote]) -> list[WrittenNote]:
        """What of a part this seat plays."""
        instrument, shift = INSTRUMENTS[self.instrument], 12 * self.octaves
        return [
            note
            for note in written
            if note.accent >= self.least_accent
            and self.from_beat <= note.onset_beat < self.until_beat
            and (not self.is_doubling or instrument.low <= note.key + shift <= instrument.high)
        ]


@dataclass(frozen=True)
class Player:
    """An instrument in a role, the same over phrases.

    Args:
        part, instrument, octaves, least_accent: see `Seat`.
    """

    part: Part
    instrument: str
    octaves: int = 0
    least_accent: float = 0.0


def seats_of(
    player: Player,
    levels: Sequence[float],
    phrases: Sequence[Phrase],
    styles: Sequence[FigureStyle | None],
    leads: Sequence[bool],
) -> list[Seat | None]:
    """A player's seat in each phrase, None where it is silent.

    It enters a bar before its first phrase, its weight runs without a step from phrase to phrase, and it
    leaves by fading over the phrase after its last.

    Args:
        levels: its weight in the middle of each phrase, 0 where it does not play.
        styles: of the figure in each phrase.
        leads: whether it has the part in each phrase, or doubles another.
    """
    whole = _without_gaps(levels)
    seats: list[Seat | None] = []
    for index, phrase in enumerate(phrases):
        begins = phrase.onset_beat
        before, after = _at(whole, index - 1), _at(whole, index + 1)
        here = whole[index]
        if here > 0.0:
            weights = _seam(player, before, here), _seam(player, here, after)
        elif before > 0.0:
            weights = _seam(player, before, 0.0), _GONE
        elif after > 0.0 and phrase.bars > 1:
            begins = phrase.end_beat - phrase.beats_per_bar
            weights = _FIRST_HEARD * after, _seam(player, 0.0, after)
        else:
            seats.append(None)
            continue
        if player.part == Part.MELODY and phrase.melody_rests:
            seats.append(None)
            continue
        seats.append(
            Seat(
                part=player.part,
                instrument=player.instrument,
                weight_in=round(weights[0], 6),
                weight_out=round(weights[1], 6),
                begins_beat=begins,
                ends_beat=phrase.end_beat,
                octaves=player.octaves,
                from_beat=-math.inf if begins == phrase.onset_beat else begins,
                style=styles[index] if player.part == Part.FIGURE else None,
                least_accent=player.least_accent,
                is_doubling=not leads[index] or here <= 0.0,
            )
        )
    return seats


def _without_gaps(levels: Sequence[float]) -> list[float]:
    """Nobody leaves for a single phrase: it plays on softly."""
    whole = list(levels)
    for index in range(1, len(whole) - 1):
        if whole[index] <= 0.0 < min(whole[index - 1], whole[index + 1]):
            whole[index] = 0.5 * min(whole[index - 1], whole[index + 1])
    return whole


def _at(levels: Sequence[float], index: int) -> float:
    """The level of a phrase; beyond the ends, of the nearest."""
    return levels[min(max(index, 0), len(levels) - 1)]


def _seam(player: Player, before: float, after: float) -> float:
    """The weight where two phrases meet."""
    if before <= 0.0:
        return after * (_MELODY_AT_THE_SEAM if player.part == Part.MELODY else _AT_THE_SEAM)
    return before if after <= 0.0 else (before + after) / 2
