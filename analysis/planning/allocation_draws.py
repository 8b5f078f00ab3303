"""Allocation by the protocol's method, for many simulated studies at once.

The same laws as `study.allocation` (permuted blocks: each stratum its own list, block sizes drawn
with equal chance, each block holding every group in its weight, in random order; minimisation, the
biased coin and simple randomisation: the probabilities of `study.allocation.chances`), without a
seed to keep and without one study at a time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from study.allocation.biased_coin import EFRON
from study.protocol import AllocationMethod, AllocationSpec, ImbalanceMeasure

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


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
    match spec.method:
        case AllocationMethod.PERMUTED_BLOCKS:
            return _block_groups(spec, strata, rng)
        case AllocationMethod.SIMPLE:
            weight = _weights(spec)
            return rng.choice(len(weight), size=strata.shape[:2], p=weight / weight.sum()).astype(np.intp)
        case AllocationMethod.BIASED_COIN:
            return _coin_groups(spec, strata, rng)
        case AllocationMethod.MINIMISATION:
            return _minimised_groups(spec, strata, rng)


def smallest_fillable(spec: AllocationSpec, people: int) -> int:
    """The smallest number from `people` on that whole blocks can add up to; without blocks, `people`."""
    if not spec.block_sizes:
        return people
    reachable = {0}
    total = 0
    while True:
        if total >= people and total in reachable:
            return total
        total += 1
        if any(total - size in reachable for size in spec.block_sizes):
            reachable.add(total)


def _weights(spec: AllocationSpec) -> Floats:
    return np.array([group.weight for group in spec.groups], dtype=float)


def _cells(spec: AllocationSpec, strata: Indices) -> Indices:
    """The combination of levels of everybody, shape [replicates, n]."""
    replicates, n, _ = strata.shape
    levels = [len(stratum.levels) for stratum in spec.strata]
    cell = np.ravel_multi_index(tuple(np.moveaxis(strata, 2, 0)), levels) if levels else np.zeros(1, np.intp)
    return np.asarray(np.broadcast_to(cell, (replicates, n)), dtype=np.intp)


def _block_groups(spec: AllocationSpec, strata: Indices, rng: np.random.Generator) -> Indices:
    replicates, n, _ = strata.shape
    levels = [len(stratum.levels) for stratum in spec.strata]
    cell = _cells(spec, strata)
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


def _coin_groups(spec: AllocationSpec, strata: Indices, rng: np.random.Generator) -> Indices:
    cell = _cells(spec, strata)
    replicates, n = cell.shape
    p = float(EFRON) if spec.probability is None else spec.probability
    lead = np.zeros((replicates, int(cell.max(initial=0)) + 1), dtype=np.intp)
    groups = np.empty((replicates, n), dtype=np.intp)
    rows = np.arange(replicates)
    for person in range(n):
        here = cell[:, person]
        ahead = np.sign(lead[rows, here])
        first = np.choose(ahead + 1, [p, 0.5, 1.0 - p])
        groups[:, person] = (rng.random(replicates) >= first).astype(np.intp)
        lead[rows, here] += 1 - 2 * groups[:, person]
    return groups


def _minimised_groups(spec: AllocationSpec, strata: Indices, rng: np.random.Generator) -> Indices:
    replicates, n, _ = strata.shape
    names = [factor.factor for factor in spec.strata]
    own = [names.index(name) for name in spec.list_factors]
    # A list for each combination of the factors that are kept apart: a level of every other factor in each.
    apart = _cells(replace(spec, strata=tuple(spec.strata[at] for at in own)), strata[:, :, own])
    balanced = [at for at in range(len(names)) if at not in own]
    factor_weight = np.array([spec.factor_weights.get(names[at], 1.0) for at in balanced])
    most = max(len(factor.levels) for factor in spec.strata)
    counts = np.zeros((replicates, int(apart.max(initial=0)) + 1, len(balanced), most, len(spec.groups)))
    groups = np.empty((replicates, n), dtype=np.intp)
    rows, factors = np.arange(replicates)[:, None], np.arange(len(balanced))[None, :]
    for person in range(n):
        at = (rows, apart[:, person, None], factors, strata[:, person, balanced])
        likely = minimised_chances(spec, counts[at], factor_weight)
        drawn = (rng.random((replicates, 1)) >= likely.cumsum(axis=1)[:, :-1]).sum(axis=1)
        groups[:, person] = drawn
        counts[(*at, drawn[:, None])] += 1.0
    return groups


def minimised_chances(spec: AllocationSpec, counts: Floats, factor_weight: Floats) -> Floats:
    """The probability of each group, as `study.allocation.minimisation` has it.

    Args:
        counts: at the person's own levels, shape [replicates, n_factors, n_groups].
        factor_weight: shape [n_factors].

    Returns:
        Shape [replicates, n_groups].
    """
    weight = _weights(spec)
    size = len(weight)
    # Whom the person would join: [replicates, n_factors, joined, n_groups].
    would_be = (counts[:, :, None, :] + np.eye(size)) / weight
    match spec.imbalance:
        case ImbalanceMeasure.RANGE:
            measured = np.ptp(would_be, axis=3)
        case ImbalanceMeasure.VARIANCE:
            measured = would_be.var(axis=3, ddof=1)
        case ImbalanceMeasure.MARGINAL_TOTALS:
            measured = np.diagonal(would_be, axis1=2, axis2=3)
    scores = (measured * factor_weight[None, :, None]).sum(axis=1)
    best = np.isclose(scores, scores.min(axis=1, keepdims=True), rtol=1e-9, atol=1e-9) * weight
    preferred = best / best.sum(axis=1, keepdims=True)
    p = spec.probability if spec.probability is not None else 1.0
    unit = (1.0 - p) / (weight.sum() - weight.min())
    when_preferred = 1.0 - unit * (weight.sum() - weight)
    return np.asarray(preferred * when_preferred + (1.0 - preferred) * unit * weight, dtype=float)
