"""Sample sizes from formulas equal published ones."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from analysis.planning.closed_form import (
    closed_form_of,
    equivalence_power,
    non_inferiority_power,
    people_for,
    superiority_power,
)
from study.analysis_plan import Aim, PlanningSpec
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import make_protocol


def t_test(d: float) -> Callable[[float], float]:
    return lambda n: superiority_power(d, math.sqrt(2 / n), 2 * n - 2, 0.05)


def test_half_a_standard_deviation_needs_63_77_a_group() -> None:
    # R: power.t.test(delta = 0.5, power = 0.8) gives n = 63.76576.
    assert people_for(0.8, t_test(0.5), 2.1) == pytest.approx(63.76576, abs=1e-3)


def test_a_within_person_difference_needs_19_97_people() -> None:
    # Dalgaard (2008), Introductory Statistics with R, § 9.3: SD within persons 10, difference 10,
    # power .85, paired: n = 19.96892.
    found = people_for(0.85, lambda n: superiority_power(10, 10 * math.sqrt(2 / n), n - 1, 0.05), 2.1)

    assert found == pytest.approx(19.96892, abs=1e-3)


@pytest.mark.parametrize(
    ("cv", "ratio", "margin", "n", "power"),
    [
        # PowerTOST 1.5, README: sampleN.TOST(CV = 0.20), 2x2 crossover: n = 20, power .834680.
        (0.20, 0.95, 1.25, 20, 0.834680),
        # The same: sampleN.TOST(CV = 0.125, theta0 = 0.975, theta1 = 0.90): n = 32, power .800218.
        (0.125, 0.975, 1 / 0.9, 32, 0.800218),
    ],
)
def test_equivalence_in_a_crossover_has_the_published_power(
    cv: float, ratio: float, margin: float, n: int, power: float
) -> None:
    within = math.sqrt(math.log(cv**2 + 1))

    def at(people: int) -> float:
        se = within * math.sqrt(2 / people)
        return equivalence_power(math.log(ratio), math.log(margin), se, people - 2, 0.05)

    assert at(n) == pytest.approx(power, abs=1e-6)
    assert at(n - 2) < 0.8


def test_equivalence_of_two_groups_has_the_published_power() -> None:
    # PowerTOST 1.5, README: power.TOST(CV = 0.35, n = c(52, 49), design = "parallel") gives .8011186.
    se = math.sqrt(math.log(0.35**2 + 1) * (1 / 52 + 1 / 49))

    found = equivalence_power(math.log(0.95), math.log(1.25), se, 99, 0.05)

    assert found == pytest.approx(0.8011186, abs=1e-6)


def test_non_inferiority_is_a_one_sided_t_test_from_the_margin() -> None:
    # Dalgaard (2008), § 9.2: difference 0.5, SD 2, one-sided at .01, power .9: n = 417.898 in each group.
    # Half of the difference may as well be a margin.
    found = people_for(
        0.9, lambda n: non_inferiority_power(0.25, 0.25, 2 * math.sqrt(2 / n), 2 * n - 2, 0.01), 2.1
    )

    assert found == pytest.approx(417.898, abs=1e-2)


def planned(protocol: StudyProtocol, d: float) -> float | None:
    planning = PlanningSpec(drop_out=0.0)
    return closed_form_of(protocol, planning, d * planning.sd).people


def test_adjustment_for_a_correlation_of_a_half_saves_a_quarter() -> None:
    # 63.77 a group become 47.8 (Borm, Fransen & Lemmens 2007).
    adjusted = planned(make_protocol(multiplicity="none"), 0.5)
    alone = planned(make_protocol(multiplicity="none", covariates=()), 0.5)

    assert alone == pytest.approx(2 * 63.76576, abs=0.01)
    assert adjusted == pytest.approx(2 * 47.824, abs=0.01)


def test_drop_out_asks_for_more_people_and_an_unequal_ratio_too() -> None:
    protocol = make_protocol(multiplicity="none", covariates=())
    groups = protocol.allocation.groups
    uneven = replace(
        protocol, allocation=replace(protocol.allocation, groups=(replace(groups[0], weight=2), groups[1]))
    )
    planning = PlanningSpec(drop_out=0.2)

    assert closed_form_of(protocol, planning, 0.2).people == pytest.approx(2 * 63.76576 / 0.8, abs=0.01)
    # With two to one, 3/2 + 3/1 of the variance stands where 2 + 2 stood.
    assert planned(uneven, 0.5) == pytest.approx(2 * 63.76576 * 9 / 8, rel=0.002)


def test_a_crossover_compares_within_persons_and_holm_shares_alpha() -> None:
    crossover = make_protocol(design=Design.CROSSOVER, covariates=())
    within = people_for(0.8, lambda n: superiority_power(0.5, math.sqrt(2 * 0.5 / n), n - 2, 0.05), 2.1)
    three = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE), covariates=())

    assert planned(crossover, 0.5) == pytest.approx(within, abs=0.01)
    assert (planned(three, 0.5) or 0) / 1.5 > 2 * 63.8
    assert "2 contrasts" in closed_form_of(three, PlanningSpec(), 0.2).formula


def test_no_number_of_people_is_said_where_none_suffices() -> None:
    protocol = make_protocol(multiplicity="none")
    contrast = replace(protocol.analysis.contrasts[0], aim=Aim.EQUIVALENCE, margin=0.1)
    asked = replace(protocol, analysis=replace(protocol.analysis, contrasts=(contrast,)))

    assert closed_form_of(asked, PlanningSpec(), 0.1).people is None
    assert (closed_form_of(asked, PlanningSpec(), 0.0).people or 0) > 100
