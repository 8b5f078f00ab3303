"""The tipping point: where a conclusion tips, in which direction, and when it never does.

The witness is analytic: a difference is linear in the outcomes, so that
without covariates it moves by the shift times the share that was drawn.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from analysis.effects.endpoint import Outcome
from analysis.effects.linear_model import fit_arm_model
from analysis.missing.imputation import endpoint_array, impute
from analysis.missing.rubin import pool
from analysis.missing.tipping_point import PRECISION, TippingPoint, find_tipping_point, widest_shift
from study.affect import Affect
from study.analysis_plan import Aim
from study.protocol import StudyProtocol
from tests.analysis.incomplete_study import ARMS, made_protocol, people


def scan(protocol: StudyProtocol, outcomes: tuple[Outcome, ...]) -> TippingPoint:
    """The tipping point of the protocol's endpoint."""
    return find_tipping_point(protocol, impute(protocol, outcomes, protocol.analysis.endpoint))


def p_value_at(protocol: StudyProtocol, outcomes: tuple[Outcome, ...], delta: float) -> float:
    """The p value at a shift, each completed data set analysed alone."""
    imputed = impute(protocol, outcomes, protocol.analysis.endpoint)
    moved = [p.arm == ARMS[0] and p.post is None for p in imputed.people]
    covariates = {"v": imputed.pre[0, :, 0], "a": imputed.pre[0, :, 1]}
    fits = [
        fit_arm_model(values + delta * np.array(moved), [p.arm for p in imputed.people], covariates)
        for values in imputed.values
    ]
    found = [fit.difference(*ARMS) for fit in fits]
    return pool(np.array([f.value for f in found]), np.array([f.se for f in found]), fits[0].df).p_value


def test_without_covariates_the_difference_moves_by_the_shift_times_the_share_drawn() -> None:
    protocol, outcomes = made_protocol(covariates=()), people(120, drop_out=(0.3, 0.1))
    drawn = sum(one.post is None for one in outcomes if one.arm == "iso") / 60

    points = scan(protocol, outcomes).points

    at_zero = points[0][1].value
    assert points[0][0] == 0
    for delta, found, _ in points:
        assert found.value == pytest.approx(at_zero + delta * drawn)


def test_the_conclusion_tips_where_p_reaches_alpha() -> None:
    protocol, outcomes = made_protocol(), people(120, effect=0.2, drop_out=(0.3, 0.1))

    found = scan(protocol, outcomes)

    assert found.reason is None
    assert found.tips_at is not None
    assert found.tips_at < -0.1
    assert p_value_at(protocol, outcomes, found.tips_at) >= 0.05
    assert p_value_at(protocol, outcomes, found.tips_at + 2 * PRECISION) < 0.05
    assert [concluded for _, _, concluded in found.points][:2] == [True, True]


def test_a_difference_the_other_way_round_is_another_conclusion() -> None:
    found = scan(made_protocol(), people(160, effect=0.2, drop_out=(0.45, 0.05)))

    _, last, concluded = found.points[-1]
    assert last.value < 0
    assert last.p_value < 0.05
    assert not concluded
    assert found.tips_at is not None


def test_few_missing_outcomes_never_tip_a_clear_conclusion() -> None:
    outcomes = people(200, effect=0.5, drop_out=(0.02, 0.02))

    found = scan(made_protocol(), outcomes)

    assert found.tips_at is None
    assert found.reason is None
    assert found.points[-1][0] == -2.0
    assert all(concluded for _, _, concluded in found.points)


def test_a_conclusion_that_was_not_reached_cannot_tip_and_its_shifts_hurt_the_first_arm() -> None:
    found = scan(made_protocol(), people(60, effect=0.0))

    assert found.tips_at is None
    assert found.reason == "the conclusion is not reached without a shift, so there is none to tip"
    assert found.points[-1][0] == -2.0


def test_where_less_is_better_the_shift_goes_up() -> None:
    protocol = made_protocol("arousal", higher_is_better=False)

    found = scan(protocol, people(160, effect=-0.25, drop_out=(0.3, 0.1)))

    assert found.points[0][1].value < 0
    assert found.tips_at is not None
    assert found.tips_at > 0


def test_equivalence_tips_where_the_narrower_interval_reaches_the_margin() -> None:
    protocol = made_protocol(aim=Aim.EQUIVALENCE, margin=0.2)

    found = scan(protocol, people(200, effect=0.02, drop_out=(0.3, 0.1)))

    assert found.points[0][2]
    assert found.tips_at is not None
    assert np.sign(found.tips_at) == np.sign(found.points[0][1].value)
    for _, one, concluded in found.points:
        low, high = one.interval(0.90)
        assert concluded == (low > -0.2 and high < 0.2)


def test_non_inferiority_tips_downward_where_more_is_better() -> None:
    protocol = made_protocol(aim=Aim.NON_INFERIORITY, margin=0.1)

    found = scan(protocol, people(200, effect=0.05, drop_out=(0.3, 0.1)))

    assert found.tips_at is not None
    assert found.tips_at < 0
    for _, one, concluded in found.points:
        assert concluded == (one.interval(0.90)[0] > -0.1)


def test_where_nobody_left_the_first_arm_there_is_nothing_to_shift() -> None:
    found = scan(made_protocol(), people(80, drop_out=(0.0, 0.3)))

    assert found.reason == "no outcome of iso was drawn, so there is none to shift"
    assert found.points == ()


def test_a_first_arm_that_cannot_be_drawn_gives_its_reason() -> None:
    outcomes = tuple(
        replace(one, post=None, values=dict.fromkeys(one.values), missing="withdrew")
        if one.arm == "iso"
        else one
        for one in people(80)
    )

    found = scan(made_protocol(), outcomes)

    assert found.reason == "nobody in arm iso has the outcome, so there is nothing to impute from"


@pytest.mark.parametrize("endpoint", ["projected_progress", "distance", "valence", "arousal"])
@pytest.mark.parametrize("start", [None, Affect(-0.6, 0.2)])
def test_the_widest_shift_is_as_wide_as_the_endpoint(endpoint: str, start: Affect | None) -> None:
    protocol = replace(made_protocol(endpoint), start=start)
    imputed = impute(protocol, people(40), endpoint)
    grid = np.array(list(itertools.product(np.linspace(-1, 1, 41), repeat=2)))
    pre = imputed.pre[0, imputed.post_is_drawn]

    values = endpoint_array(protocol, endpoint, pre[:, None, :], np.broadcast_to(grid, (len(pre), 1681, 2)))

    # The target lies on the grid, so that a distance of 0 does.
    assert widest_shift(protocol, imputed) == pytest.approx(np.ptp(values, axis=-1).max(), abs=1e-6)
