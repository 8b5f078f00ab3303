"""Minimisation with a random element, for equal and unequal ratios.

For each group, it is worked out how unequal the groups would be at the person's own levels if the
person came to it; the group where that is least is preferred and comes with the protocol's
probability. Ties are broken by chance, in the groups' ratio.

Sources: Pocock & Simon (1975), Sequential treatment assignment with balancing for prognostic
factors in the controlled clinical trial, Biometrics 31, 103-115; marginal totals as in Taves (1974)
and Pocock (1983), Clinical Trials, ch. 5. Unequal ratios by counts scaled with the ratio and the
biased-coin probabilities of Han, Enas & McEntegart (2009), Randomization by minimization for
unbalanced treatment allocation, Statistics in Medicine 28, 3329-3346.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction

from study.allocation.draws import as_chances
from study.allocation.place import Taken
from study.protocol import AllocationSpec, ImbalanceMeasure


def minimisation_chances(
    spec: AllocationSpec, taken: Sequence[Taken], stratum: Mapping[str, str]
) -> dict[str, Fraction]:
    """How likely each group is for a person of that stratum.

    Args:
        taken: places of the same list, in any order.
        stratum: factor to level, as `check_stratum` returns it.
    """
    scores = imbalance_scores(spec, taken, stratum)
    least = min(scores.values())
    weight = {group.group_id: group.weight for group in spec.groups}
    preferred = as_chances({group: Fraction(weight[group]) for group in scores if scores[group] == least})
    chances = dict.fromkeys(scores, Fraction(0))
    for best, share in preferred.items():
        for group, chance in _given(best, weight, spec).items():
            chances[group] += share * chance
    return chances


def _given(best: str, weight: Mapping[str, int], spec: AllocationSpec) -> dict[str, Fraction]:
    """Chances where one group is preferred.

    Han et al. (2009): the protocol's probability is that of a preferred group of the smallest
    weight; every other group comes with a chance in its weight, whichever is preferred, so that the
    ratio holds wherever each group is preferred in its ratio. With equal weights this is
    Pocock & Simon's p and (1 - p)/(N - 1).
    """
    p = Fraction(spec.probability if spec.probability is not None else 1)
    total, smallest = sum(weight.values()), min(weight.values())
    unit = (1 - p) / (total - smallest)
    chances = {group: unit * own for group, own in weight.items()}
    chances[best] = 1 - unit * (total - weight[best])
    return chances


def imbalance_scores(
    spec: AllocationSpec, taken: Sequence[Taken], stratum: Mapping[str, str]
) -> dict[str, Fraction]:
    """Pocock & Simon's G for each group the person might come to; the least is the best balanced.

    Counts at a level are divided by the group's weight. A measure of `marginal_totals` is the
    group's own total over the person's levels, the person included.
    """
    groups = [group.group_id for group in spec.groups]
    weight = {group.group_id: group.weight for group in spec.groups}
    scores = dict.fromkeys(groups, Fraction(0))
    for factor in spec.strata:
        if factor.factor in spec.list_factors:
            continue
        counted = Counter(
            one.group_id for one in taken if one.stratum.get(factor.factor) == stratum[factor.factor]
        )
        factor_weight = Fraction(spec.factor_weights.get(factor.factor, 1))
        for group in groups:
            would_be = [Fraction(counted[g] + (g == group), weight[g]) for g in groups]
            own = would_be[groups.index(group)]
            scores[group] += factor_weight * _measured(spec.imbalance, would_be, own)
    return scores


def _measured(measure: ImbalanceMeasure, counts: Sequence[Fraction], own: Fraction) -> Fraction:
    match measure:
        case ImbalanceMeasure.RANGE:
            return max(counts) - min(counts)
        case ImbalanceMeasure.VARIANCE:
            mean = sum(counts, Fraction(0)) / len(counts)
            return sum(((x - mean) ** 2 for x in counts), Fraction(0)) / (len(counts) - 1)
        case ImbalanceMeasure.MARGINAL_TOTALS:
            return own
