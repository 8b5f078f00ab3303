"""What comes between a phrase's first chord and its cadence: functional root motion.

The tables are the flow of common-practice harmony (Kostka & Payne, Tonal Harmony,
chapter 7: tonic, then anything; iii to vi, vi to ii or IV, ii or IV to V or vii°, V to
I or vi), for minor with the moves to the natural seventh and third that modal music
adds (de Clercq & Temperley, 2011, A corpus analysis of rock harmony, Popular Music 30,
47-70). Weights are ours. Between dark and bright the tables are mixed, so that a
chord's probability moves with the place on the ladder of modes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from generation.composer.score import PhraseKind
from generation.composer.writing.chances import choose, happens, turn
from generation.composer.writing.chords import (
    DOMINANT,
    LEADING,
    MEDIANT,
    SUBDOMINANT,
    SUBMEDIANT,
    SUPERTONIC,
    TONIC,
    Harmony,
    dominant,
    triad,
)
from generation.composer.writing.modes import IONIAN, mode_at

Weights = Mapping[int, float]

_BRIGHT: Mapping[int, Weights] = {
    TONIC: {SUBDOMINANT: 3.2, SUBMEDIANT: 1.8, SUPERTONIC: 1.4, DOMINANT: 3.0, MEDIANT: 0.5},
    SUPERTONIC: {DOMINANT: 4.0, LEADING: 0.3, SUBDOMINANT: 0.5},
    MEDIANT: {SUBMEDIANT: 2.0, SUBDOMINANT: 3.0},
    SUBDOMINANT: {DOMINANT: 2.6, SUPERTONIC: 1.0, TONIC: 2.6, LEADING: 0.2},
    DOMINANT: {TONIC: 3.4, SUBMEDIANT: 1.2, SUBDOMINANT: 0.4},
    SUBMEDIANT: {SUPERTONIC: 1.8, SUBDOMINANT: 3.0, DOMINANT: 1.2, MEDIANT: 0.3},
    LEADING: {TONIC: 3.0},
}
_DARK: Mapping[int, Weights] = {
    TONIC: {SUBDOMINANT: 3.8, SUBMEDIANT: 1.4, LEADING: 0.9, DOMINANT: 1.6, SUPERTONIC: 1.3, MEDIANT: 0.3},
    SUPERTONIC: {DOMINANT: 3.0, TONIC: 1.2, SUBDOMINANT: 0.5},
    MEDIANT: {SUBMEDIANT: 2.0, SUBDOMINANT: 2.5, LEADING: 0.8},
    SUBDOMINANT: {DOMINANT: 2.0, TONIC: 3.0, LEADING: 0.9, SUPERTONIC: 0.9},
    DOMINANT: {TONIC: 3.4, SUBMEDIANT: 1.5},
    SUBMEDIANT: {SUBDOMINANT: 2.6, SUPERTONIC: 1.5, LEADING: 1.1, MEDIANT: 0.5, DOMINANT: 0.9},
    LEADING: {MEDIANT: 1.2, TONIC: 2.4, SUBMEDIANT: 1.2, SUBDOMINANT: 0.6},
}
_DARK_PLACE, _BRIGHT_PLACE = 1.0, 3.4
_DARK_EDGE, _BRIGHT_EDGE = 1.4, 2.9
_DARKEST, _BRIGHTEST = 1.2, 1.6
#: What a phrase begins on, by what it does; statements and answers begin on the tonic.
_OPENINGS: Mapping[PhraseKind, Weights] = {
    PhraseKind.CONTRAST: {DOMINANT: 2.4, SUBDOMINANT: 2.2, SUBMEDIANT: 1.8, SUPERTONIC: 1.2},
    PhraseKind.CONTINUATION: {SUBDOMINANT: 2.0, SUBMEDIANT: 2.0, TONIC: 1.4, SUPERTONIC: 1.2, MEDIANT: 0.4},
}
#: Falling fifths drive a continuation (Caplin, 1998, chapter 3: model and sequence).
_FALLING_FIFTH = 2.2
#: A coda does not travel.
_CODA: Mapping[int, Weights] = {
    TONIC: {SUBDOMINANT: 3.0, SUBMEDIANT: 0.8, SUPERTONIC: 0.8},
    SUBDOMINANT: {TONIC: 3.0},
    SUPERTONIC: {TONIC: 1.0, SUBDOMINANT: 0.6},
    SUBMEDIANT: {SUBDOMINANT: 2.0, TONIC: 0.5},
}
_OFFSETS: Mapping[int, float] = {
    TONIC: 0.5,
    SUPERTONIC: 0.25,
    MEDIANT: 0.8,
    SUBDOMINANT: 0.25,
    DOMINANT: 0.62,
    SUBMEDIANT: 0.75,
    LEADING: 0.4,
}


class Mixture:
    """Which of two neighbouring modes each chord comes from.

    Shares are a low-discrepancy sequence of each function's own, so that borrowed chords
    take turns with the mode's own in proportion to the place, function by function; the
    tonic keeps its third through a phrase's opening, and may change it at the cadence.

    Args:
        spread: the phrase's place in the session's sequence, 0 to 1.
    """

    def __init__(self, spread: float) -> None:
        self._spread = spread
        self._heard: dict[int, int] = {}

    def triad(self, tonic: int, place: float, degree: int) -> Harmony:
        """The triad on a degree, from the mode whose turn it is."""
        return triad(tonic, mode_at(place, self._share(degree)), degree)

    def dominant(self, tonic: int, place: float) -> Harmony:
        """The dominant, in the scale of the mode whose turn it is."""
        return dominant(tonic, mode_at(place, self._share(SUBDOMINANT)))

    def weak_dominant(self, tonic: int, place: float) -> Harmony:
        """The dominant before the cadence: in dark modes often without its leading tone."""
        share = self._share(DOMINANT)
        if happens(share, 0.4 + 0.15 * place):
            return dominant(tonic, mode_at(place, share))
        return triad(tonic, min(mode_at(place, share), IONIAN), DOMINANT)

    def goal_mode(self, place: float) -> int:
        """The mode of the cadence's goal."""
        return mode_at(place, self._spread)

    def _share(self, degree: int) -> float:
        heard = self._heard.get(degree, 0)
        self._heard[degree] = heard + 1
        times = 0 if degree == TONIC else heard
        return turn(self._spread + _OFFSETS[degree], times)


def walk(kind: PhraseKind, places: Sequence[float], draws: Iterator[float]) -> list[int]:
    """Degrees of a phrase's free chords, one for each place on the ladder.

    Args:
        draws: numbers in [0, 1), the theme's own, so that a theme brings its chords along.
    """
    degrees: list[int] = []
    for place in places:
        draw = next(draws)
        if not degrees:
            opening = _OPENINGS.get(kind)
            degrees.append(choose(opening, draw) if opening else TONIC)
            continue
        degrees.append(choose(moves(kind, degrees[-1], place), draw))
    return degrees


def moves(kind: PhraseKind, degree: int, place: float) -> Weights:
    """Where a chord may go, with weights."""
    if kind == PhraseKind.CODA:
        return _CODA.get(degree, {TONIC: 1.0})
    bright = min(max((place - _DARK_PLACE) / (_BRIGHT_PLACE - _DARK_PLACE), 0.0), 1.0)
    light, dark = _BRIGHT[degree], _DARK[degree]
    mixed = {
        goal: bright * light.get(goal, 0.0) + (1.0 - bright) * dark.get(goal, 0.0)
        for goal in range(7)
        if goal in light or goal in dark
    }
    # The darkest music keeps to its minor chords, the brightest to its three major ones.
    for goal in mixed:
        if goal in (TONIC, SUBDOMINANT):
            mixed[goal] *= 1.0 + _DARKEST * max(_DARK_EDGE - place, 0.0)
        if goal in (TONIC, SUBDOMINANT, DOMINANT):
            mixed[goal] *= 1.0 + _BRIGHTEST * max(place - _BRIGHT_EDGE, 0.0)
    if kind == PhraseKind.CONTINUATION:
        falling = (degree + 3) % 7
        if falling in mixed:
            mixed[falling] *= _FALLING_FIFTH
    return mixed
