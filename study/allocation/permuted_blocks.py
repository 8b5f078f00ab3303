"""Stratified permuted blocks of random size.

Each stratum has its own endless list. From a seed, a block's size and order follow from the seed,
the stratum and the block's number, so that the next place follows from what has been allocated
and from nothing that happened meanwhile; and whoever does not hold the seed cannot foresee it.

Drawn on the fly, no size and no order exists before its time: each place is drawn with the
probability that a block of still unknown size would have given it, and a block's end is drawn when
it could be the end. The places so drawn have the same distribution as those of blocks drawn whole.

Source: Pocock (1983), Clinical Trials, ch. 5; random block sizes as ICH E9 §2.3.2 asks. The
drawing place by place is Bayes' rule on the block's size.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from study.allocation.draws import Seeded, as_chances, uniform
from study.allocation.place import Place, Taken
from study.protocol import AllocationSpec


def place_at(spec: AllocationSpec, seed: bytes, stratum: Mapping[str, str], index: int) -> Place:
    """The place with that index (from 0) in a stratum's list.

    Args:
        seed: the sealed seed, at least 16 random bytes.
        stratum: factor to level, as `check_stratum` returns it.
    """
    block, before = 0, 0
    while True:
        groups = block_of(spec, seed, stratum, block)
        if index < before + len(groups):
            return _place(spec, groups[index - before], block, index - before)
        before += len(groups)
        block += 1


def block_of(spec: AllocationSpec, seed: bytes, stratum: Mapping[str, str], block: int) -> list[str]:
    """The groups of one block of a stratum's list, in order."""
    # A keyed hash, so that one block says nothing about another without the seed.
    drawn = random.Random(Seeded(seed).key(stratum, block))
    size = drawn.choice(spec.block_sizes)
    repeats = size // sum(group.weight for group in spec.groups)
    groups = [group.group_id for group in spec.groups for _ in range(group.weight * repeats)]
    drawn.shuffle(groups)
    return groups


def seeded_place(
    spec: AllocationSpec, seed: bytes, stratum: Mapping[str, str], taken: Sequence[Taken], skipped: int = 0
) -> Place:
    """The place that follows those taken of a stratum's list.

    Args:
        taken: of this list, in order.
        skipped: places passed over, since somebody may have had them whose row was erased.
    """
    block, position = (taken[-1].block, taken[-1].position) if taken else (0, -1)
    groups = block_of(spec, seed, stratum, block)
    for _ in range(1 + skipped):
        position += 1
        if position == len(groups):
            block, position = block + 1, 0
            groups = block_of(spec, seed, stratum, block)
    chances = block_chances(spec, taken)
    return _place(spec, groups[position], block, position, chances[groups[position]])


def drawn_place(spec: AllocationSpec, taken: Sequence[Taken], key: bytes) -> Place:
    """The place that follows those taken of a list that nobody wrote beforehand.

    Args:
        taken: of this list, in order.
        key: random bytes, which decide whether the block ends here and which group comes.
    """
    goes_on, anew = _joint(spec, taken)
    at, below = uniform(key), Fraction(0)
    chances = block_chances(spec, taken)
    last = taken[-1] if taken else None
    for group, weight in goes_on.items():
        below += weight
        if at < below and last is not None:
            return _place(spec, group, last.block, last.position + 1, chances[group])
    for group, weight in anew.items():
        below += weight
        if at < below:
            return _place(spec, group, 0 if last is None else last.block + 1, 0, chances[group])
    raise ValueError(f"chances add up to {below}, not to 1")


def block_chances(spec: AllocationSpec, taken: Sequence[Taken]) -> dict[str, Fraction]:
    """How likely each group is next for whoever knows the protocol and the places taken, but no seed."""
    goes_on, anew = _joint(spec, taken)
    return {group.group_id: goes_on[group.group_id] + anew[group.group_id] for group in spec.groups}


def _joint(spec: AllocationSpec, taken: Sequence[Taken]) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
    """The probability of each group within the last block, and as the first of a new one."""
    total = sum(group.weight for group in spec.groups)
    fresh = as_chances({group.group_id: Fraction(group.weight) for group in spec.groups})
    block = [one.group_id for one in taken if one.block == taken[-1].block]
    if not block:
        return dict.fromkeys(fresh, Fraction(0)), fresh
    had = Counter(block)
    goes_on = dict.fromkeys(fresh, Fraction(0))
    ended = Fraction(0)
    for size in spec.block_sizes:
        holds = {group.group_id: group.weight * (size // total) for group in spec.groups}
        likely = _prefix_chance(holds, had, size)
        if size == len(block):
            ended += likely
        elif likely:
            for group, held in holds.items():
                goes_on[group] += likely * Fraction(held - had[group], size - len(block))
    whole = ended + sum(goes_on.values())
    if not whole:
        # Places were passed over: what is left of this block is not known.
        return dict.fromkeys(fresh, Fraction(0)), fresh
    return (
        {group: weight / whole for group, weight in goes_on.items()},
        {group: ended / whole * weight for group, weight in fresh.items()},
    )


def _prefix_chance(holds: Mapping[str, int], had: Mapping[str, int], size: int) -> Fraction:
    """How likely a shuffled block of that size begins with exactly these groups in a given order."""
    if sum(had.values()) > size:
        return Fraction(0)
    chance, left = Fraction(1), size
    for group, count in had.items():
        for already in range(count):
            chance *= Fraction(max(holds[group] - already, 0), left)
            left -= 1
    return chance


def _place(
    spec: AllocationSpec, group: str, block: int, position: int, chance: Fraction | None = None
) -> Place:
    arm_ids = next(g.arm_ids for g in spec.groups if g.group_id == group)
    return Place(group, arm_ids, block, position, None if chance is None else float(chance))
