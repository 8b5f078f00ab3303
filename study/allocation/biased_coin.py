"""Simple randomisation and Efron's biased coin, within each combination of levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from study.allocation.draws import as_chances
from study.allocation.place import Taken
from study.protocol import AllocationSpec

EFRON = Fraction(2, 3)
"""Efron's own choice for the probability of the group that lags behind."""


def simple_chances(spec: AllocationSpec) -> dict[str, Fraction]:
    """Every group in its weight, whatever came before."""
    return as_chances({group.group_id: Fraction(group.weight) for group in spec.groups})


def coin_chances(spec: AllocationSpec, taken: Sequence[Taken]) -> dict[str, Fraction]:
    """The group that lags behind in this list with the protocol's probability, 1/2 each at a tie.

    Source: Efron (1971), Forcing a sequential experiment to be balanced, Biometrika 58, 403-417.

    Args:
        spec: of two groups of equal weight.
        taken: of this list, in any order.
    """
    first, second = (group.group_id for group in spec.groups)
    had = Counter(one.group_id for one in taken)
    lead = had[first] - had[second]
    p = EFRON if spec.probability is None else Fraction(spec.probability)
    chance = Fraction(1, 2) if lead == 0 else p if lead < 0 else 1 - p
    return {first: chance, second: 1 - chance}
