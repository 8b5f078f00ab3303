"""Decisions from numbers in [0, 1): rounded, so that none hangs on the last bit of a cue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0
"""Its multiples, modulo one, spread more evenly than random numbers (a Kronecker sequence)."""
_DIGITS = 9

T = TypeVar("T")


def happens(draw: float, probability: float) -> bool:
    """Whether what has this probability happens."""
    return round(draw - probability, _DIGITS) < 0.0


def choose(weights: Mapping[T, float], draw: float) -> T:
    """The option that a number in [0, 1) falls on, each as wide as its weight."""
    left = round(draw * sum(weights.values()), _DIGITS)
    options = list(weights)
    for option in options:
        left = round(left - weights[option], _DIGITS)
        if left < 0.0:
            return option
    return options[-1]


def turn(offset: float, index: int) -> float:
    """Number `index` of the even sequence that begins at `offset`, in [0, 1)."""
    return math.fmod(offset + index * GOLDEN, 1.0)
