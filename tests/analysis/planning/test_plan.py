"""The sample size of a protocol."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from analysis.planning.assumptions import assumptions_of
from analysis.planning.plan import Plan, plan_study
from analysis.planning.power import PowerPoint, power_of, workers
from analysis.planning.power_curve import fit_curve
from study.analysis_plan import Aim, InterimSpec, PlanningSpec
from study.errors import OutOfRange
from study.protocol import StudyProtocol
from tests.analysis.made_study import make_protocol


def planned(protocol: StudyProtocol | None = None, **figures: float) -> StudyProtocol:
    plain = protocol or make_protocol(multiplicity="none")
    spec = PlanningSpec(**{"effect_size": 0.6, "drop_out": 0.0, **figures}, source="a pilot")
    return replace(plain, analysis=replace(plain.analysis, planning=spec))


@cache
def plan() -> Plan:
    return plan_study(planned(), replicates=500)


def test_the_sample_size_is_the_formulas_but_for_what_the_formula_leaves_out() -> None:
    found = plan()

    # Two groups, d = .6, adjusted for ρ = .5: 67 by the formula. HC3 errors, estimated spread and the
    # scale's ends ask for a few more.
    assert found.closed_form.people == pytest.approx(67.3, abs=0.5)
    assert found.people is not None
    assert found.people % 2 == 0
    assert 64 <= found.people <= 84
    at = next(p.simulated for p in found.points if p.simulated.people == found.people)
    assert at.power == pytest.approx(0.8, abs=4 * at.error)
    assert found.people_error is not None
    assert 1 < found.people_error < 6


def test_the_same_protocol_gives_the_same_plan() -> None:
    assert plan_study(planned(), replicates=500).to_plain() == plan().to_plain()


def test_power_rises_along_the_curve_and_the_number_the_protocol_plans_is_on_it() -> None:
    found = plan()

    assert 40 in [point.simulated.people for point in found.points]
    fitted = [point.fitted for point in found.points]
    assert fitted == sorted(fitted, key=lambda value: value or 0)
    for point in found.points:
        assert point.fitted == pytest.approx(point.simulated.power, abs=5 * point.simulated.error)


def test_every_figure_says_where_it_is_from() -> None:
    stated = {one.name: one for one in assumptions_of(planned(), power=0.9).said}
    alone = {one.name: one for one in assumptions_of(make_protocol()).said}

    assert stated["difference"].value == pytest.approx(0.24)
    assert stated["effect_size"].source == "the protocol's planning: a pilot"
    assert stated["power"].source == "the option --power"
    assert stated["sd"].source == "isopath's default, or the same in the protocol's planning"
    assert alone["sd"].source == "isopath's default"
    assert alone["effect_size"].value == 0.3
    assert all(one.source for one in alone.values())


def test_an_option_overrides_the_protocol_and_less_distance_is_better() -> None:
    assert assumptions_of(planned(difference=0.3)).difference == 0.3
    assert assumptions_of(planned(difference=0.3), difference=0.2).difference == 0.2
    protocol = planned(make_protocol(endpoint="distance", multiplicity="none"), sd=0.25)
    better = replace(protocol, analysis=replace(protocol.analysis, higher_is_better=False))
    assert assumptions_of(better).difference == pytest.approx(-0.15)


def test_an_uncertain_difference_gives_an_assurance_nearer_to_a_half() -> None:
    uncertain = plan_study(planned(difference_sd=0.2), people=[70], replicates=500)
    (point,) = uncertain.points

    assert uncertain.people is None
    assert point.assurance is not None
    # With difference N(.24, .2²) and a standard error of about .083, by the normal approximation.
    se = (point.simulated.half_width or 0) / 1.99
    total = np.hypot(se, 0.2)
    expected = stats.norm.sf((1.99 * se - 0.24) / total) + stats.norm.cdf((-1.99 * se - 0.24) / total)
    assert point.assurance.power == pytest.approx(expected, abs=0.07)
    assert point.assurance.power < point.simulated.power


def test_looks_before_the_end_may_end_it_and_cost_little_power() -> None:
    protocol = planned()
    looking = InterimSpec((0.5, 1.0), "obrien_fleming")
    with_looks = replace(protocol, analysis=replace(protocol.analysis, interim=looking))

    scenario = assumptions_of(protocol).scenario
    plain = power_of(protocol, scenario, 70, 1000, "looks")
    looked = power_of(with_looks, scenario, 70, 1000, "looks")

    assert 0.1 < looked.stopped_early < 0.4
    assert looked.power == pytest.approx(plain.power, abs=0.03)


def test_equivalence_is_planned_for_arms_that_do_not_differ() -> None:
    protocol = planned()
    contrast = replace(protocol.analysis.contrasts[0], aim=Aim.EQUIVALENCE, margin=0.15)
    asked = replace(protocol, analysis=replace(protocol.analysis, contrasts=(contrast,)))

    found = plan_study(asked, replicates=300)

    assert found.assumptions.difference == 0.0
    assert found.people is not None
    assert found.people == pytest.approx(found.closed_form.people, rel=0.12)


@pytest.mark.parametrize(
    ("aim", "margin", "difference", "problem"),
    [
        (Aim.SUPERIORITY, None, 0.0, "that do not"),
        (Aim.EQUIVALENCE, 0.1, 0.1, "not equivalent within 0.1"),
        (Aim.NON_INFERIORITY, 0.1, -0.2, "inferior by the margin"),
        (Aim.SUPERIORITY, None, float("nan"), "not a number"),
    ],
)
def test_what_no_study_can_show_is_refused(
    aim: Aim, margin: float | None, difference: float, problem: str
) -> None:
    protocol = planned()
    contrast = replace(protocol.analysis.contrasts[0], aim=aim, margin=margin)
    asked = replace(
        protocol, analysis=replace(protocol.analysis, contrasts=(contrast,), higher_is_better=True)
    )

    with pytest.raises(OutOfRange, match=problem):
        assumptions_of(asked, difference)


def test_too_few_people_replicates_or_power_are_refused() -> None:
    with pytest.raises(OutOfRange, match="3 people"):
        plan_study(planned(), people=[3])
    with pytest.raises(OutOfRange, match="says too little"):
        plan_study(planned(), replicates=10)
    with pytest.raises(OutOfRange, match="cannot be planned for"):
        plan_study(planned(), power=1.0)


def test_a_curve_is_recovered_from_its_own_points() -> None:
    def point(people: int) -> PowerPoint:
        power = float(stats.norm.cdf(-1.2 + 0.25 * np.sqrt(people)))
        return PowerPoint(people, 1000, power, 0.01, None, people, 0.0, 0.0)

    curve = fit_curve([point(people) for people in (20, 40, 80, 160)])

    assert curve is not None
    assert curve.intercept == pytest.approx(-1.2, abs=1e-4)
    assert curve.slope == pytest.approx(0.25, abs=1e-5)
    assert curve.people(0.8) == pytest.approx(((stats.norm.ppf(0.8) + 1.2) / 0.25) ** 2, rel=1e-4)
    assert fit_curve([replace(point(20), power=0.5), replace(point(40), power=0.5)]) is None


def test_other_processes_decide_the_same_studies_alike() -> None:
    protocol = planned()
    scenario = assumptions_of(protocol).scenario

    with workers(2) as run:
        there = power_of(protocol, scenario, 30, 300, "test", run=run)

    assert there == power_of(protocol, scenario, 30, 300, "test")
