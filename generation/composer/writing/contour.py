"""The shape of a phrase: up to one high point and down again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

#: Melodies rise and fall in an arch (Huron, 1996, The melodic arch in Western folksongs, Computing in
#: Musicology 10, 3-23); their high point lies after the middle.
PEAK = 0.6
_HEIGHT = 4.5


def arch(place: float) -> float:
    """Semitones above the phrase's ends at `place`, 0 its beginning and 1 its end."""
    share = place / PEAK if place < PEAK else (1.0 - place) / (1.0 - PEAK)
    return _HEIGHT * (1.0 - (1.0 - min(max(share, 0.0), 1.0)) ** 2)


def has_one_peak(keys: Sequence[int]) -> bool:
    """Whether the highest of `keys` is reached once; a repeated note counts as one."""
    return [key for key, _ in groupby(keys)].count(max(keys)) == 1
