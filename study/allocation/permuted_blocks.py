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

from study.allocation.draws import Seeded, as_chances, pick
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
    block, group = pick(block_law(spec, taken), key)
    position = taken[-1].position + 1 if taken and taken[-1].block == block else 0
    return _place(spec, group, block, position, block_chances(spec, taken)[group])


def block_chances(spec: AllocationSpec, taken: Sequence[Taken]) -> dict[str, Fraction]:
    """How likely each group is next for whoever knows the protocol and the places taken, but no seed."""
    chances = {group.group_id: Fraction(0) for group in spec.groups}
    for (_, group), chance in block_law(spec, taken).items():
        chances[group] += chance
    return chances


def block_law(spec: AllocationSpec, taken: Sequence[Taken]) -> dict[tuple[int, str], Fraction]:
    """How likely each group is next, in the last block or as the first of a new one.

    Returns:
        (number of the block, group) to its probability.
    """
    fresh = as_chances({group.group_id: Fraction(group.weight) for group in spec.groups})
    if not taken:
        return {(0, group): chance for group, chance in fresh.items()}
    last = taken[-1].block
    had = Counter(one.group_id for one in taken if one.block == last)
    weights = {(last, group): Fraction(0) for group in fresh}
    ended, count = Fraction(0), had.total()
    for size in spec.block_sizes:
        repeats = size // sum(group.weight for group in spec.groups)
        holds = {group.group_id: group.weight * repeats for group in spec.groups}
        likely = _prefix_chance(holds, had, size)
        if size == count:
            ended += likely
        elif likely:
            for group, held in holds.items():
                weights[last, group] += likely * Fraction(held - had[group], size - count)
    if not ended + sum(weights.values()):
        # Rows of this block were erased: what is left of it is not known, and another begins.
        ended = Fraction(1)
    weights |= {(last + 1, group): ended * chance for group, chance in fresh.items()}
    return as_chances(weights)


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
