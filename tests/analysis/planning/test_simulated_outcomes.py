"""Simulated studies keep the protocol, and their truth is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.effects.endpoint import ENDPOINTS
from analysis.planning.allocation_draws import draw_groups, draw_strata, smallest_fillable
from analysis.planning.simulated_outcomes import Scenario, draw_studies
from analysis.planning.truth import rng_of, true_difference, true_sd, with_difference, with_sd
from study.affect import Affect
from study.errors import OutOfRange
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import make_protocol

ARMS = ("iso", "target_only")


def scenario(endpoint: str = "projected_progress", **changes: Any) -> Scenario:
    plain = Scenario(endpoint, {"iso": 0.06, "target_only": -0.06}, (-0.45, 0.4), (0.1, 0.0), 0.25)
    return replace(plain, **changes)


def several(protocol: StudyProtocol, sessions: int) -> StudyProtocol:
    return replace(protocol, session_count=sessions)


def test_every_block_holds_each_group_in_its_weight_within_each_stratum() -> None:
    spec = make_protocol().allocation
    spec = replace(spec, groups=(replace(spec.groups[0], weight=2), spec.groups[1]), block_sizes=(3,))
    rng = np.random.default_rng(1)
    strata = draw_strata(spec, 60, 40, rng)
    groups = draw_groups(spec, strata, rng)

    orders = set()
    for study in range(40):
        for level in (0, 1):
            mine = groups[study][strata[study, :, 0] == level]
            for start in range(0, len(mine) - len(mine) % 3, 3):
                orders.add(tuple(mine[start : start + 3]))
                assert sorted(mine[start : start + 3]) == [0, 0, 1]
    assert orders == {(0, 0, 1), (0, 1, 0), (1, 0, 0)}


def test_block_sizes_are_drawn_with_equal_chance() -> None:
    spec = replace(make_protocol().allocation, strata=(), block_sizes=(2, 6))
    rng = np.random.default_rng(2)
    groups = draw_groups(spec, draw_strata(spec, 2, 4000, rng), rng)

    # The first two are equal only in a block of six, and there with chance 2/5.
    assert (groups[:, 0] == groups[:, 1]).mean() == pytest.approx(0.2, abs=0.025)


def test_people_are_rounded_up_to_whole_blocks() -> None:
    spec = make_protocol().allocation

    assert smallest_fillable(replace(spec, block_sizes=(4, 6, 8)), 47) == 48
    assert smallest_fillable(replace(spec, block_sizes=(9,)), 47) == 54
    assert smallest_fillable(replace(spec, block_sizes=(4, 6)), 3) == 4


@pytest.mark.parametrize("start", [None, Affect(-0.5, 0.5)])
@pytest.mark.parametrize("design", list(Design))
def test_the_endpoints_of_a_stack_are_those_of_its_outcomes(design: Design, start: Affect | None) -> None:
    protocol = make_protocol(design=design, start=start)
    studies = draw_studies(protocol, scenario(drop_out=0.3), 20, 2, np.random.default_rng(3))

    outcomes = studies.outcomes(1)

    for endpoint in ENDPOINTS:
        stacked = studies.values(endpoint)[1].ravel()
        single = np.array([np.nan if (v := o.values[endpoint]) is None else v for o in outcomes])
        np.testing.assert_allclose(stacked, single, atol=1e-12)
    assert {o.missing for o in outcomes} == {None, "dropped out (simulated)"}
    assert [o.period for o in outcomes[:2]] == ([1, 2] if design is Design.CROSSOVER else [1, 1])


def test_nobody_reports_beyond_the_scale() -> None:
    studies = draw_studies(make_protocol(), scenario(post_sd=1.5), 200, 5, np.random.default_rng(4))

    assert np.abs(studies.post).max() == 1.0
    assert (np.abs(studies.post) == 1.0).mean() > 0.1


@pytest.mark.parametrize("endpoint", list(ENDPOINTS))
def test_a_move_is_the_true_difference_where_nothing_is_cut_off(endpoint: str) -> None:
    found = true_difference(make_protocol(), scenario(endpoint, post_sd=0.1), ARMS, pairs=4000)

    # Nobody is nearer to the target than the move would take them past it.
    assert found.value == pytest.approx(0.12, abs=0.002 if endpoint == "distance" else 1e-9)
    assert found.error < 1e-3


def test_a_ceiling_shrinks_the_true_difference_and_a_large_study_finds_what_is_left() -> None:
    protocol = make_protocol()
    near = scenario("valence", post_mean=(0.9, 0.0), post_sd=0.4)
    truth = true_difference(protocol, near, ARMS)

    studies = draw_studies(protocol, near, 20_000, 5, np.random.default_rng(5))
    values, arm = studies.values("valence")[:, :, 0], studies.arm[:, :, 0]
    found = values[arm == 0].mean() - values[arm == 1].mean()

    assert 0.05 < truth.value < 0.08
    assert found == pytest.approx(truth.value, abs=4 * 0.4 * np.sqrt(4 / 100_000))


def test_the_scenario_is_set_to_the_wanted_spread_and_difference() -> None:
    protocol = make_protocol()

    set_up = with_difference(protocol, with_sd(protocol, scenario(), 0.4), ARMS, 0.15)

    assert true_difference(protocol, set_up, ARMS).value == pytest.approx(0.15, abs=1e-5)
    assert true_sd(protocol, replace(set_up, moves={}), "iso") == pytest.approx(0.4, abs=1e-5)


def test_what_the_scale_has_no_room_for_is_refused() -> None:
    protocol = make_protocol()

    with pytest.raises(OutOfRange, match="more than arms can differ"):
        with_difference(protocol, scenario(), ARMS, 3.0)
    with pytest.raises(OutOfRange, match="more than this endpoint can vary"):
        with_sd(protocol, scenario(), 1.5)


def test_before_and_after_correlate_as_told_and_spread_differs_by_arm() -> None:
    told = scenario(correlation=(0.7, 0.2), spread={"iso": 2.0}, moves={})
    studies = draw_studies(make_protocol(), told, 20_000, 1, np.random.default_rng(6))
    pre, post, arm = studies.pre[0, :, 0], studies.post[0, :, 0], studies.arm[0, :, 0]
    plain = arm == 1

    assert np.corrcoef(pre[plain, 0], post[plain, 0])[0, 1] == pytest.approx(0.7, abs=0.02)
    assert np.corrcoef(pre[plain, 1], post[plain, 1])[0, 1] == pytest.approx(0.2, abs=0.03)
    assert post[arm == 0, 1].std() / post[plain, 1].std() > 1.8


def test_who_drops_out_stays_away_and_started_worse_where_the_scenario_says_so() -> None:
    protocol = several(make_protocol(), 3)
    told = scenario(drop_out=0.3, drop_out_by_mood=1.0)
    studies = draw_studies(protocol, told, 4000, 2, np.random.default_rng(7))
    gone = studies.missing

    assert (gone[:, :, 0] <= gone[:, :, 1]).all()
    assert (gone[:, :, 1] <= gone[:, :, 2]).all()
    distance = np.hypot(*np.moveaxis(studies.pre[:, :, 0] - np.array([0.6, -0.4]), -1, 0))
    assert distance[gone[:, :, 0]].mean() > distance[~gone[:, :, 0]].mean() + 0.1
    plain = draw_studies(protocol, scenario(drop_out=0.3), 4000, 2, np.random.default_rng(7))
    assert plain.missing[:, :, 2].mean() == pytest.approx(0.3, abs=0.02)


def test_effects_grow_to_the_last_session_and_drift_moves_everybody() -> None:
    protocol = several(make_protocol(covariates=()), 4)
    told = scenario("valence", moves={"iso": 0.4}, drift=0.05, post_sd=0.1, post_mean=(0.0, 0.0))
    studies = draw_studies(protocol, told, 2000, 1, np.random.default_rng(8))
    values, arm = studies.values("valence")[0], studies.arm[0, :, 0]

    difference = values[arm == 0].mean(axis=0) - values[arm == 1].mean(axis=0)
    np.testing.assert_allclose(difference, [0.1, 0.2, 0.3, 0.4], atol=0.02)
    np.testing.assert_allclose(np.diff(values[arm == 1].mean(axis=0)), 0.05, atol=0.015)
    assert len(studies.visits(0)) == 8000
    assert [outcome.period for outcome in studies.outcomes(0)[:3]] == [1, 1, 1]


def test_sessions_of_one_person_are_alike_as_far_as_told() -> None:
    protocol = make_protocol(design=Design.CROSSOVER)
    told = scenario("valence", moves={}, person_share=0.6, correlation=(0.0, 0.0))
    studies = draw_studies(protocol, told, 20_000, 1, np.random.default_rng(9))
    values = studies.values("valence")[0]

    assert np.corrcoef(values[:, 0], values[:, 1])[0, 1] == pytest.approx(0.6, abs=0.02)
    assert set(map(tuple, studies.arm[0])) == {(0, 1), (1, 0)}


def test_three_arms_move_the_compared_two_and_leave_the_third() -> None:
    protocol = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    still = replace(scenario("valence", post_sd=0.1), moves={})
    set_up = with_difference(protocol, still, ARMS, 0.2)

    assert true_difference(protocol, set_up, ("iso", "silence")).value == pytest.approx(0.1, abs=1e-4)


def test_draws_are_fixed_by_the_protocol_and_the_name() -> None:
    protocol = make_protocol()

    first = rng_of(protocol, "one").random(3)

    assert (rng_of(protocol, "one").random(3) == first).all()
    assert (rng_of(protocol, "other").random(3) != first).all()
    assert (rng_of(replace(protocol, sha256="0"), "one").random(3) != first).all()
