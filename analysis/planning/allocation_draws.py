"""Stratified permuted blocks for many simulated studies at once.

The same law as `study.allocation.place_at` (each stratum its own list, block
sizes drawn with equal chance, each block holding every group in its weight, in
random order), without its sealed seed and one study at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from study.protocol import AllocationSpec

Indices = NDArray[np.intp]


def draw_strata(spec: AllocationSpec, n: int, replicates: int, rng: np.random.Generator) -> Indices:
    """Levels of every factor, each equally likely.

    Returns:
        Index of the level, shape [replicates, n, n_factors].
    """
    levels = np.array([len(stratum.levels) for stratum in spec.strata], dtype=np.intp)
    return rng.integers(0, levels, size=(replicates, n, len(levels)), dtype=np.intp)


def draw_groups(spec: AllocationSpec, strata: Indices, rng: np.random.Generator) -> Indices:
    """Whom chance gives what, in the order of arrival.

    Args:
        strata: as `draw_strata` drew them.

    Returns:
        Index of the group, shape [replicates, n].
    """
    replicates, n, _ = strata.shape
    levels = [len(stratum.levels) for stratum in spec.strata]
    cell = np.ravel_multi_index(tuple(np.moveaxis(strata, 2, 0)), levels) if levels else np.zeros(1, np.intp)
    cell = np.broadcast_to(cell, (replicates, n))
    groups = np.empty((replicates, n), dtype=np.intp)
    for one in range(int(np.prod(levels, dtype=np.intp))):
        here = cell == one
        # How many of this stratum came before: the place in its list.
        place = np.cumsum(here, axis=1) - 1
        longest = int(here.sum(axis=1).max(initial=0))
        if longest:
            lists = _lists(spec, longest, replicates, rng)
            groups[here] = np.take_along_axis(lists, np.where(here, place, 0), axis=1)[here]
    return groups


def smallest_fillable(spec: AllocationSpec, people: int) -> int:
    """The smallest number from `people` on that whole blocks can add up to."""
    reachable = {0}
    total = 0
    while True:
        if total >= people and total in reachable:
            return total
        total += 1
        if any(total - size in reachable for size in spec.block_sizes):
            reachable.add(total)


def _lists(spec: AllocationSpec, length: int, replicates: int, rng: np.random.Generator) -> Indices:
    pattern = np.repeat(np.arange(len(spec.groups)), [group.weight for group in spec.groups])
    blocks = -(-length // min(spec.block_sizes))
    ends = rng.choice(np.array(spec.block_sizes), size=(replicates, blocks)).cumsum(axis=1)
    # A block cut short by the list's end is shuffled whole, hence the places beyond.
    beyond = length + max(spec.block_sizes)
    begins = np.zeros((replicates, beyond + 1))
    np.put_along_axis(begins, np.minimum(ends, beyond), 1.0, axis=1)
    block = begins[:, :beyond].cumsum(axis=1)
    # Every block size is a whole number of patterns, so the unshuffled list is the pattern over and over,
    # and ordering by block plus a uniform number shuffles within blocks alone.
    order = np.argsort(block + rng.random((replicates, beyond)), axis=1)
    return np.asarray(pattern[order[:, :length] % len(pattern)], dtype=np.intp)
