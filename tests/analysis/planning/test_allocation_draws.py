"""Simulated studies allocate by the law that the study itself follows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.planning.allocation_draws import draw_groups, draw_strata, smallest_fillable
from study.allocation import Taken, chances
from study.protocol import AllocationGroup, AllocationMethod, AllocationSpec, ImbalanceMeasure, Stratum

SITE, SEX = Stratum("site", ("north", "south")), Stratum("sex", ("f", "m", "x"))
TWO = (AllocationGroup("a", ("a",), 1), AllocationGroup("b", ("b",), 1))
MINIMISED = AllocationSpec(
    (AllocationGroup("a", ("a",), 1), AllocationGroup("b", ("b",), 2), AllocationGroup("c", ("c",), 1)),
    (SITE, SEX),
    (),
    AllocationMethod.MINIMISATION,
    0.8,
    ImbalanceMeasure.RANGE,
    {"sex": 2.0},
)

SPECS = {
    "simple": replace(MINIMISED, method=AllocationMethod.SIMPLE),
    "biased coin": AllocationSpec(TWO, (SITE,), (), AllocationMethod.BIASED_COIN),
    "range": MINIMISED,
    "variance": replace(MINIMISED, imbalance=ImbalanceMeasure.VARIANCE),
    "marginal totals": replace(MINIMISED, imbalance=ImbalanceMeasure.MARGINAL_TOTALS),
    "per site": replace(MINIMISED, list_factors=("site",)),
}


@pytest.mark.parametrize("name", SPECS)
def test_groups_come_as_often_as_the_studys_own_probabilities_say(name: str) -> None:
    spec = SPECS[name]
    rng = np.random.default_rng(11)
    strata = draw_strata(spec, 14, 60, rng)
    groups = draw_groups(spec, strata, rng)
    names = [group.group_id for group in spec.groups]
    surprise, variance, likeliest = 0.0, 0.0, []

    for study in range(60):
        taken: list[Taken] = []
        for person in range(14):
            levels = zip(spec.strata, strata[study, person], strict=True)
            stratum = {factor.factor: factor.levels[level] for factor, level in levels}
            likely = chances(spec, taken, stratum)
            came = names[groups[study, person]]
            assert likely[came] > 0
            best = max(likely, key=lambda group: likely[group])
            p = float(likely[best])
            surprise += (came == best) - p
            variance += p * (1 - p)
            likeliest.append(p)
            taken.append(Taken(came, stratum, 0, person))

    # A sum of centred indicators: 4 of its standard deviations.
    assert abs(surprise) < 4 * np.sqrt(variance)
    assert name == "simple" or np.mean(likeliest) > 0.55


def test_minimisation_with_unequal_weights_keeps_the_ratio() -> None:
    rng = np.random.default_rng(12)

    groups = draw_groups(MINIMISED, draw_strata(MINIMISED, 80, 300, rng), rng)

    shares = np.bincount(groups.ravel(), minlength=3) / groups.size
    np.testing.assert_allclose(shares, [0.25, 0.5, 0.25], atol=0.01)


def test_without_blocks_any_number_of_people_will_do() -> None:
    assert smallest_fillable(MINIMISED, 47) == 47
