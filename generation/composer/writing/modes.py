"""Modes on a ladder from dark to bright, their scales and triads, and a place between two of them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

#: From dark to bright, in the order listeners rank them by happiness
#: (Temperley & Tan, 2013, Music Perception 30, 237-257), Lydian and Locrian left out.
LADDER: Sequence[tuple[str, tuple[int, ...]]] = (
    ("Phrygian", (0, 1, 3, 5, 7, 8, 10)),
    ("Aeolian", (0, 2, 3, 5, 7, 8, 10)),
    ("Dorian", (0, 2, 3, 5, 7, 9, 10)),
    ("Mixolydian", (0, 2, 4, 5, 7, 9, 10)),
    ("Ionian", (0, 2, 4, 5, 7, 9, 11)),
)
PHRYGIAN, AEOLIAN, DORIAN, MIXOLYDIAN, IONIAN = range(len(LADDER))
#: What a float may be off by before a chord hangs on it: the same notes on any machine.
_DIGITS = 9


def mode_count() -> int:
    """Modes on the ladder."""
    return len(LADDER)


def mode_at(place: float, share: float) -> int:
    """The mode that sounds at a place between two modes.

    Args:
        place: on the ladder, 0 Phrygian to 4 Ionian.
        share: in [0, 1); shares spread evenly give both neighbours in proportion to the place.
    """
    mode = int(round(place + share, _DIGITS))
    return min(max(mode, 0), len(LADDER) - 1)


@lru_cache(maxsize=128)
def scale_of(tonic: int, mode: int) -> tuple[int, ...]:
    """The mode's seven pitch classes from the tonic."""
    return tuple((tonic + step) % 12 for step in LADDER[mode][1])


@lru_cache(maxsize=512)
def triad_of(tonic: int, mode: int, degree: int) -> tuple[int, int, int]:
    """Pitch classes of the triad on a degree, root first."""
    scale = scale_of(tonic, mode)
    return scale[degree % 7], scale[(degree + 2) % 7], scale[(degree + 4) % 7]


@lru_cache(maxsize=4096)
def scale_with(scale: tuple[int, ...], tones: tuple[int, ...]) -> tuple[int, ...]:
    """`scale` bent by semitones so that it holds `tones`: what a melody plays over a foreign chord.

    For each foreign tone one neighbour that is no chord tone gives way; of all ways, the one that leaves the
    fewest semitones side by side, the lower neighbour (a leading tone) first.
    """
    foreign = [tone for tone in tones if tone not in scale]
    neighbours = [
        [near for near in ((tone - 1) % 12, (tone + 1) % 12) if near in scale and near not in tones]
        for tone in foreign
    ]
    ways = [way for way in itertools.product(*neighbours) if len(set(way)) == len(way)]
    bends = (dict(zip(way, foreign, strict=True)) for way in ways)
    bent = [tuple(bend.get(pitch, pitch) for pitch in scale) for bend in bends]
    return min(bent, key=_chromatic_runs, default=scale)


def _chromatic_runs(scale: tuple[int, ...]) -> int:
    return sum((pitch + 1) % 12 in scale and (pitch + 2) % 12 in scale for pitch in scale)
