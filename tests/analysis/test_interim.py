"""Looks at the arms before the end: what is planned, what was recorded, and what is left.

Boundaries: Jennison & Turnbull (2000), tables 2.1 and 2.3; Lan & DeMets (1983). See
`test_group_sequential`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.effects.endpoint import Outcome, outcomes_of
from analysis.effects.estimate import Effects, estimate_effects
from analysis.effects.looks.interim import interim_of, look_at, without_statistics
from analysis.effects.looks.sequential_test import information_of, sequential_test_of, z_of
from analysis.result_row import NotEstimable, ResultRow
from analysis.results import analyse, results_to_json
from analysis.tables.build import build_tables
from analysis.tables.shuffled import shuffle_arms
from study.analysis_plan import Aim, InterimSpec
from study.events import InterimLookTaken
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import make_protocol, simulate

OBRIEN_FLEMING = InterimSpec((0.5, 1.0), "obrien_fleming")
SPENDING = InterimSpec((0.5, 1.0), "lan_demets_obrien_fleming")


def planned(
    plan: InterimSpec | None, aim: Aim = Aim.SUPERIORITY, margin: float | None = None
) -> StudyProtocol:
    protocol = make_protocol()
    (contrast,) = protocol.analysis.contrasts
    changed = replace(contrast, aim=aim, margin=margin)
    return replace(
        protocol,
        analysis=replace(protocol.analysis, interim=plan, contrasts=(changed,), higher_is_better=True),
    )


def effects(
    estimate: float | None = 0.2, p_value: float | None = 0.04, n: int = 20, se: float | None = 0.09
) -> Effects:
    """The primary contrast as some model gave it; the sample size planned is 40."""
    extra = {
        "contrast_id": "iso_vs_target_only",
        "is_primary": True,
        "endpoint_label": "Progress",
        "se": se,
        "df": 18.0,
    }
    reason = None if estimate is not None else "nobody in arm iso has the outcome"
    row = ResultRow("x", "x", estimate, None, None, p_value, n, "", reason, extra)
    return Effects("projected_progress", (row,), (), {}, ())


def taken(
    look: int, information: float, z: float | None, boundary: float, crossed: bool = False
) -> InterimLookTaken:
    return InterimLookTaken(look, information, z, boundary, crossed, "0" * 64, "the committee met")


def test_a_look_holds_the_z_of_the_p_value_against_its_boundary() -> None:
    found = look_at(planned(SPENDING), effects(p_value=0.04), [], 1)

    assert found.information == 0.5
    assert found.statistic_z == pytest.approx(float(stats.norm.isf(0.02)))
    assert found.boundary_z == pytest.approx(2.963, abs=6e-4)
    assert not found.crossed


def test_the_sign_of_the_statistic_is_that_of_the_difference_and_either_side_crosses() -> None:
    found = look_at(planned(SPENDING), effects(estimate=-0.2, p_value=0.002), [], 1)

    assert found.statistic_z == pytest.approx(-float(stats.norm.isf(0.001)))
    assert found.crossed


def test_spending_follows_the_information_reached_and_fixed_boundaries_the_plan() -> None:
    early = effects(n=12)

    # Lan & DeMets at t = .3: 3.93, the one-sided tail of 4 − 4 Φ(2.2414 / √.3).
    assert look_at(planned(SPENDING), early, [], 1).boundary_z == pytest.approx(3.9286, abs=5e-4)
    assert look_at(planned(OBRIEN_FLEMING), early, [], 1).boundary_z == pytest.approx(2.797, abs=6e-4)


def test_a_second_look_knows_what_the_first_spent() -> None:
    """Five equally spaced looks: 4.877, 3.357 (Reboussin and others, 2000)."""
    plan = InterimSpec((0.2, 0.4, 0.6, 0.8, 1.0), "lan_demets_obrien_fleming")

    found = look_at(planned(plan), effects(n=16), [taken(1, 0.2, 1.0, 4.877)], 2)

    assert found.boundary_z == pytest.approx(3.357, abs=6e-4)


def test_a_look_without_new_outcomes_or_a_plan_is_not_estimable() -> None:
    with pytest.raises(NotEstimable, match="no outcomes were gathered since"):
        look_at(planned(SPENDING), effects(n=20), [taken(1, 0.5, 1.0, 2.963)], 2)
    with pytest.raises(NotEstimable, match="there are no outcomes yet"):
        look_at(planned(SPENDING), effects(n=0), [], 1)
    with pytest.raises(NotEstimable, match="no looks"):
        look_at(planned(None), effects(), [], 1)


def test_a_contrast_that_cannot_be_estimated_never_crosses_and_says_why() -> None:
    found = look_at(planned(SPENDING), effects(estimate=None, p_value=None), [], 1)

    assert (found.statistic_z, found.crossed) == (None, False)
    assert found.reason == "nobody in arm iso has the outcome"


def test_equivalence_and_non_inferiority_enter_by_their_own_tests() -> None:
    estimate, se, df = 0.0, 0.05, 18.0
    one_sided = float(stats.t.sf(0.3 / 0.05, df))
    equal = look_at(planned(SPENDING, Aim.EQUIVALENCE, 0.3), effects(estimate, 1.0, 20, se), [], 1)
    no_worse = look_at(planned(SPENDING, Aim.NON_INFERIORITY, 0.3), effects(estimate, 1.0, 20, se), [], 1)
    worse = look_at(planned(SPENDING, Aim.NON_INFERIORITY, 0.3), effects(-0.6, 1e-9, 20, se), [], 1)

    assert equal.statistic_z == pytest.approx(z_of(one_sided))
    assert no_worse.statistic_z == pytest.approx(float(stats.norm.isf(one_sided)))
    assert equal.crossed
    assert no_worse.crossed
    # Far on the wrong side of the margin, however small the p-value against no difference.
    assert (worse.statistic_z or 0) < -2.963
    assert not worse.crossed


def test_a_look_on_the_wrong_side_of_a_one_sided_aim_does_not_count_later() -> None:
    protocol = planned(SPENDING, Aim.NON_INFERIORITY, 0.3)
    test = sequential_test_of(protocol, effects(n=40), [taken(1, 0.5, -4.0, 2.963)])

    assert test is not None
    assert (test.p_value(0.5) or 0) > 0.4


def test_information_is_the_share_of_the_people_planned_for_the_contrasts_arms() -> None:
    three = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    crossover = make_protocol(design=Design.CROSSOVER)
    (row,) = effects(n=10).contrasts

    assert information_of(three, row) == pytest.approx(10 / (40 * 2 / 3))
    assert information_of(crossover, row) == pytest.approx(10 / 40)


def test_an_outcome_that_was_drawn_or_is_of_an_earlier_visit_is_no_information() -> None:
    (row,) = effects(n=30).contrasts
    drawn = replace(row, extra={**row.extra, "n_by_arm": [16, 14], "n_imputed_by_arm": [4, 6]})
    repeated = replace(row, extra={**row.extra, "n_by_arm": [9, 8]})

    assert information_of(make_protocol(), drawn) == pytest.approx(20 / 40)
    assert information_of(make_protocol(), repeated) == pytest.approx(17 / 40)


def test_the_plan_shows_each_look_and_what_was_found() -> None:
    found = interim_of(planned(SPENDING), effects(p_value=0.0495, n=40), [taken(1, 0.45, 1.2, 3.1563)])

    assert found is not None
    first, last = found["looks"]
    assert [first["taken"], first["taken_information"], first["statistic_z"], first["crossed"]] == [
        True,
        0.45,
        1.2,
        False,
    ]
    assert first["information"] == 0.5
    assert (last["taken"], last["taken_information"], last["alpha_spent"]) == (True, 1.0, 0.05)
    assert 0.048 < found["final_nominal_alpha"] < 0.05
    # .0495 is below .05 and not below what the look left.
    assert last["crossed"] is False
    assert found["repeated_ci"] is not None


def test_a_look_that_was_not_taken_spends_nothing() -> None:
    found = interim_of(planned(SPENDING), effects(n=40), [])

    assert found is not None
    assert found["final_nominal_alpha"] == pytest.approx(0.05)
    assert [look["taken"] for look in found["looks"]] == [False, True]
    assert found["looks"][0]["boundary_z"] == pytest.approx(2.963, abs=6e-4)


def test_fixed_boundaries_stay_those_of_the_plan() -> None:
    found = interim_of(planned(OBRIEN_FLEMING), effects(n=31), [])

    assert found is not None
    assert [look["boundary_z"] for look in found["looks"]] == pytest.approx([2.797, 1.977], abs=6e-4)
    assert found["final_nominal_alpha"] == pytest.approx(0.0480, abs=5e-5)


def test_the_repeated_interval_is_wider_than_that_of_one_test() -> None:
    found = interim_of(planned(OBRIEN_FLEMING), effects(estimate=0.2, se=0.09, n=40), [])

    assert found is not None
    level = found["final_nominal_alpha"]
    half = float(stats.t.isf(level / 2, 18)) * 0.09
    assert found["repeated_ci"] == pytest.approx([0.2 - half, 0.2 + half])
    assert half > float(stats.t.isf(0.025, 18)) * 0.09


def test_while_arms_are_dealt_anew_nothing_tells_what_a_look_found() -> None:
    crossed = [taken(1, 0.5, 3.4, 2.963, crossed=True)]
    found = interim_of(planned(SPENDING), effects(n=30), without_statistics(crossed), is_blinded=True)

    assert found is not None
    first, last = found["looks"]
    assert first["taken"] is True
    for look in (first, last):
        assert look["statistic_z"] is None
        assert look["crossed"] is None
    assert last["taken"] is False
    assert found["repeated_ci"] is None
    assert "crossed" not in found["note"]
    assert "withheld" in found["note"]


def test_a_crossed_look_is_told_at_the_end() -> None:
    found = interim_of(planned(SPENDING), effects(n=22), [taken(1, 0.5, 3.4, 2.963, crossed=True)])

    assert found is not None
    assert "The boundary was crossed at look 1" in found["note"]


def test_fewer_outcomes_at_the_end_than_at_the_look_are_still_tested() -> None:
    """Consent withdrawn since, data erased: the last test goes on with what there is."""
    found = interim_of(planned(SPENDING), effects(n=18), [taken(1, 0.5, 1.0, 2.963)])

    assert found is not None
    # With no more information than the look had, the two are one test but for the look's own boundary.
    assert found["final_nominal_alpha"] == pytest.approx(0.05, abs=1e-6)
    assert found["looks"][1]["taken_information"] == pytest.approx(0.45)


@pytest.mark.parametrize(
    "spending", ["obrien_fleming", "pocock", "lan_demets_obrien_fleming", "lan_demets_pocock"]
)
def test_an_empty_study_has_a_plan_and_no_statistic(spending: str) -> None:
    protocol = planned(InterimSpec((0.5, 1.0), spending))
    found = interim_of(protocol, estimate_effects(protocol, [], "projected_progress"), [])

    assert found is not None
    assert [look["statistic_z"] for look in found["looks"]] == [None, None]
    assert found["looks"][1]["taken"] is False


def test_a_protocol_without_looks_has_no_such_part() -> None:
    assert interim_of(planned(None), effects(), []) is None
    assert sequential_test_of(planned(None), effects(), []) is None


def test_two_looks_and_the_end_keep_the_level_under_no_difference() -> None:
    """2 000 studies of 40 people, z at 16, 28 and 40: rejected at any look in .05 ± 3 Monte-Carlo errors."""
    rng = np.random.default_rng(20260303)
    plan = InterimSpec((0.4, 0.7, 1.0), "lan_demets_pocock")
    protocol = planned(plan)
    bounds = []
    before: list[InterimLookTaken] = []
    for look, n in ((1, 16), (2, 28)):
        found = look_at(protocol, effects(n=n), before, look)
        bounds.append(found.boundary_z)
        before.append(taken(look, found.information, 0.0, found.boundary_z))
    last = sequential_test_of(protocol, effects(n=40), before)
    assert last is not None
    bounds.append(last.final_boundary.z)

    data = rng.normal(size=(2000, 40))
    arm = np.tile([1.0, -1.0], 20)
    z = np.column_stack([data[:, :n] @ arm[:n] / np.sqrt(n) for n in (16, 28, 40)])
    rejected = float((np.abs(z) >= bounds).any(axis=1).mean())

    assert rejected == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 2000))


def test_a_simulated_study_is_looked_at_through_its_own_model() -> None:
    protocol = planned(SPENDING)
    study = simulate(protocol, 20, effect=0.5)
    people: tuple[Outcome, ...] = outcomes_of(
        protocol, build_tables(protocol, study.events, study.manifests, study.predictions)
    )
    primary = estimate_effects(protocol, people, "projected_progress")
    found = look_at(protocol, primary, [], 1)

    assert found.information == pytest.approx(0.5)
    assert found.statistic_z == pytest.approx(z_of(primary.contrasts[0].p_value or 1.0))
    assert found.crossed


def test_results_on_arms_dealt_anew_are_the_same_whatever_a_look_found() -> None:
    protocol = planned(SPENDING)
    study = simulate(protocol, 24)
    tables = build_tables(protocol, study.events, study.manifests, study.predictions)
    dealt = shuffle_arms(protocol, tables, "a head")
    crossed, not_crossed = taken(1, 0.5, 3.454545, 2.963, crossed=True), taken(1, 0.5, 0.1, 2.963)

    one, other = (
        results_to_json(analyse(protocol, dealt, {}, {}, looks=[look], shuffled="dealt anew"))
        for look in (crossed, not_crossed)
    )
    ledger = analyse(protocol, dealt, {}, {}, looks=[crossed]).ledger

    assert one == other
    assert "3.454545" not in one
    # Without the seal the look would decide, whatever the arms dealt anew say.
    assert ledger[0]["decision"] == "hypothesis of no difference rejected"
