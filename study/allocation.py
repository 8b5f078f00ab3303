"""Stratified permuted blocks of random size, from one secret seed.

Each stratum has its own endless list. A block's size and order are drawn from
the seed, the stratum and the block's number, so that the next place follows
from what has been allocated and from nothing that happened meanwhile; and
whoever does not hold the seed cannot foresee it.

Source: Pocock (1983), Clinical Trials, ch. 5; random block sizes as ICH E9 §2.3.2 asks.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping
from dataclasses import dataclass

from study.canonical import canonical_json
from study.errors import ConductError
from study.protocol import AllocationSpec


@dataclass(frozen=True)
class Place:
    """One place of a stratum's list.

    Args:
        group_id: the arm (parallel) or sequence (crossover).
        block, position: from 0; `position` counts within the block.
    """

    group_id: str
    arm_ids: tuple[str, ...]
    block: int
    position: int


def check_stratum(spec: AllocationSpec, stratum: Mapping[str, str]) -> dict[str, str]:
    """`stratum` in the protocol's order of factors.

    Raises:
        ConductError: a factor is missing, unknown, or has an unknown level.
    """
    factors = {factor.factor: factor.levels for factor in spec.strata}
    for name in stratum:
        if name not in factors:
            known = ", ".join(factors) or "no factors"
            raise ConductError(f"stratum {name}", "is not in the protocol", f"the protocol has {known}")
    for name, levels in factors.items():
        if name not in stratum:
            raise ConductError(f"stratum {name}", "is missing", f"give {name}=" + "|".join(levels))
        if stratum[name] not in levels:
            raise ConductError(
                f"stratum {name}", f"{stratum[name]!r} is not a level", "give " + " or ".join(levels)
            )
    return {name: stratum[name] for name in factors}


def place_at(spec: AllocationSpec, seed: bytes, stratum: Mapping[str, str], index: int) -> Place:
    """The place with that index (from 0) in a stratum's list.

    Args:
        seed: the sealed seed, at least 16 random bytes.
        stratum: factor to level, as `check_stratum` returns it.
    """
    block, before = 0, 0
    while True:
        groups = _block(spec, seed, stratum, block)
        if index < before + len(groups):
            position = index - before
            group = groups[position]
            arm_ids = next(g.arm_ids for g in spec.groups if g.group_id == group)
            return Place(group, arm_ids, block, position)
        before += len(groups)
        block += 1


def _block(spec: AllocationSpec, seed: bytes, stratum: Mapping[str, str], block: int) -> list[str]:
    # A keyed hash, so that one block says nothing about another without the seed.
    drawn = random.Random(hmac.digest(seed, canonical_json([stratum, block]), hashlib.sha256))
    size = drawn.choice(spec.block_sizes)
    repeats = size // sum(group.weight for group in spec.groups)
    groups = [group.group_id for group in spec.groups for _ in range(group.weight * repeats)]
    drawn.shuffle(groups)
    return groups
