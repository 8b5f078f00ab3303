"""A place that somebody is given, and the places that were given before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Taken:
    """A place that was given before.

    Args:
        stratum: factor to level of the person who got it.
        block, position: as in `Place`.
    """

    group_id: str
    stratum: Mapping[str, str]
    block: int
    position: int


@dataclass(frozen=True)
class Place:
    """One place of a list.

    Args:
        group_id: the arm (parallel) or sequence (crossover).
        block: from 0; 0 throughout where the method knows no blocks.
        position: from 0, within the block, or within the list where there are no blocks.
        probability: of this group for whoever knew the protocol and every place given before,
            but no seed; None where that was not worked out.
        drawn: 32 bytes from the operating system that decided it, as hex; None where the seed did.
    """

    group_id: str
    arm_ids: tuple[str, ...]
    block: int
    position: int
    probability: float | None = None
    drawn: str | None = None
