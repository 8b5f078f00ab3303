"""Equivalence and non-inferiority against published output.

- Lakens (2017), Soc. Psychol. Pers. Sci. 8, 355-362, and the R package TOSTER: a replication of
  Eskine (2013) by Moery & Calin-Jageman (2016), ``TOSTtwo(m1 = 5.25, m2 = 5.22, sd1 = .95,
  sd2 = .83, n1 = 95, n2 = 89, low_eqbound_d = -.43, high_eqbound_d = .43)``: t(182) = -2.69,
  p = .004; to more digits in the package's own tests (``test-known_results.R``).
- NCSS, chapter "Two-Sample T-Tests for Equivalence": two yields, margins ±110, as TOSTER's
  ``test-NCSS1.R`` quotes it.
- R package equivalence, ``tost(var1[1:15], var1[16:30], eps = .6)`` on the clinic data, as the
  tests of statsmodels quote it.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from analysis.effects.endpoint import Outcome, endpoint_values
from analysis.effects.equivalence import (
    Summary,
    equivalence_of_samples,
    equivalence_of_summaries,
    equivalence_rows,
    equivalence_test,
    non_inferiority_test,
)
from analysis.effects.estimate import estimate_effects
from analysis.result_row import PRIMARY_ESTIMAND, NotEstimable
from study.affect import Affect
from study.analysis_plan import Aim
from study.protocol import StudyProtocol
from tests.analysis.made_study import make_protocol

ORGANIC, CONTROL = Summary(5.25, 0.95, 95), Summary(5.22, 0.83, 89)
YIELD_A = np.array([452, 874, 554, 447, 356, 754, 558, 574, 664, 682, 547, 435, 245], dtype=float)
YIELD_B = np.array(
    [546, 547, 774, 465, 459, 665, 467, 365, 589, 534, 456, 651, 654, 665, 546, 537], dtype=float
)
# fmt: off
CLINIC_1 = np.array([
    2.84, 2.51, 2.41, 2.95, 3.14, 3.79, 4.14, 3.85, 3.02, 3.45, 5.37, 3.81, 4.19, 3.16, 3.84,
])
CLINIC_2 = np.array([
    2.60, 2.82, 2.18, 3.46, 4.01, 3.04, 3.47, 4.06, 2.91, 3.59, 4.51, 3.16, 3.86, 3.31, 3.02,
])
# fmt: on


def with_aim(protocol: StudyProtocol, aim: Aim, margin: float, better: bool | None = True) -> StudyProtocol:
    (contrast,) = protocol.analysis.contrasts
    changed = replace(contrast, aim=aim, margin=margin)
    return replace(
        protocol, analysis=replace(protocol.analysis, contrasts=(changed,), higher_is_better=better)
    )


def people(arm: str, shift: float, n: int = 12) -> list[Outcome]:
    start, target = Affect(-0.4, 0.6), Affect(0.6, -0.4)
    found = []
    for index in range(n):
        post = Affect(round(0.1 + shift + 0.03 * (index % 5), 3), 0.02 * (index % 3))
        pre = Affect(-0.4 + 0.05 * (index % 4), 0.6 - 0.04 * (index % 7))
        values = endpoint_values(start, target, pre, post)
        found.append(
            Outcome(
                f"sub-{arm}-{index}", arm, arm, 1, {"site": ("a", "b")[index % 2]}, pre, post, values, None
            )
        )
    return found


def test_summaries_give_what_lakens_and_toster_print() -> None:
    average_sd = math.sqrt((0.95**2 + 0.83**2) / 2)

    found = equivalence_of_summaries(ORGANIC, CONTROL, 0.43 * average_sd, 0.05)

    assert [found.t_lower, found.t_upper] == pytest.approx([3.14973, -2.692771], abs=1e-5)
    assert [found.p_lower, found.p_upper] == pytest.approx([0.0009560083, 0.003875522], rel=1e-6)
    assert found.df == pytest.approx(181.1344, abs=5e-5)
    assert [found.ci_low, found.ci_high] == pytest.approx([-0.1870843, 0.2470843], abs=5e-8)
    assert found.ci_level == pytest.approx(0.90)
    assert found.is_shown


def test_data_give_what_ncss_prints_with_pooled_variance() -> None:
    found = equivalence_of_samples(YIELD_A, YIELD_B, 110, 0.025, "pooled")

    assert [found.difference, found.se, found.df] == pytest.approx([-8.1153846, 51.114285, 27])
    assert [found.ci_low, found.ci_high] == pytest.approx([-112.99323, 96.76246], abs=5e-6)
    assert [found.p_lower, found.p_upper] == pytest.approx([0.02821, 0.01436], abs=5e-6)
    assert not found.is_shown


def test_data_give_what_ncss_prints_with_welch() -> None:
    found = equivalence_of_samples(YIELD_A, YIELD_B, 110, 0.025)

    assert found.se == pytest.approx(53.618547)
    assert found.df == pytest.approx(19.169, abs=5e-4)
    assert [found.ci_low, found.ci_high] == pytest.approx([-120.27336, 104.04259], abs=5e-6)
    assert [found.p_lower, found.p_upper] == pytest.approx([0.03628, 0.02002], abs=5e-6)


def test_data_give_what_the_r_package_equivalence_prints() -> None:
    found = equivalence_of_samples(CLINIC_1, CLINIC_2, 0.6, 0.05)

    assert [found.difference, found.se, found.df] == pytest.approx(
        [0.1646666666666667, 0.2531625991083627, 26.7484787582315]
    )
    assert [found.ci_low, found.ci_high] == pytest.approx([-0.2666862980722534, 0.596019631405587])
    assert found.is_shown


def test_equivalence_is_shown_exactly_where_the_interval_lies_within_the_margins() -> None:
    for difference in np.linspace(-0.5, 0.5, 41):
        found = equivalence_test(float(difference), 0.11, 30, 0.25, 0.05)

        assert found.is_shown == (found.ci_low >= -0.25 and found.ci_high <= 0.25)


def test_non_inferiority_looks_to_the_side_where_the_first_arm_would_be_worse() -> None:
    high = non_inferiority_test(-0.1, 0.04, math.inf, 0.2, higher_is_better=True, alpha=0.05)
    low = non_inferiority_test(-0.1, 0.04, math.inf, 0.2, higher_is_better=False, alpha=0.05)

    # (−.1 + .2) / .04 = 2.5, and (−.1 − .2) / .04 = −7.5: normal tails.
    assert high.p_value == pytest.approx(0.0062097, abs=5e-8)
    assert high.p_upper is None
    assert low.p_value < 1e-12
    assert low.p_lower is None
    assert [high.ci_low, high.ci_level] == pytest.approx([-0.1 - 1.959964 * 0.04, 0.95])


def test_non_inferiority_is_held_against_half_of_alpha() -> None:
    # One-sided p of .03: beyond .05, but not beyond .025.
    found = non_inferiority_test(0.0, 1.0, math.inf, 1.8808, higher_is_better=True, alpha=0.05)

    assert found.p_value == pytest.approx(0.03, abs=1e-5)
    assert not found.is_shown


def test_the_row_tests_the_models_own_estimate_and_error() -> None:
    protocol = with_aim(make_protocol(start=Affect(-0.4, 0.6)), Aim.EQUIVALENCE, 0.25)
    primary = estimate_effects(
        protocol, people("iso", 0.02) + people("target_only", 0.0), "projected_progress"
    )
    (row,) = equivalence_rows(protocol, primary)
    (contrast,) = primary.contrasts
    by_hand = equivalence_test(
        contrast.estimate or 0.0, contrast.extra["se"], contrast.extra["df"], 0.25, 0.05
    )

    assert row.row_id == "equivalence:iso_vs_target_only"
    assert (row.estimate, row.p_value) == (contrast.estimate, by_hand.p_value)
    assert (row.ci_low, row.ci_high) == (by_hand.ci_low, by_hand.ci_high)
    assert row.extra["ci_level"] == pytest.approx(0.90)
    assert row.extra["concluded"] is True
    assert row.estimand == PRIMARY_ESTIMAND


def test_less_alpha_left_by_earlier_looks_makes_a_wider_interval() -> None:
    protocol = with_aim(make_protocol(start=Affect(-0.4, 0.6)), Aim.EQUIVALENCE, 0.25)
    primary = estimate_effects(
        protocol, people("iso", 0.02) + people("target_only", 0.0), "projected_progress"
    )
    (full,), (left,) = equivalence_rows(protocol, primary), equivalence_rows(protocol, primary, 0.02)

    assert left.extra["ci_level"] == pytest.approx(0.96)
    assert (left.ci_low or 0) < (full.ci_low or 0)


def test_contrasts_of_superiority_have_no_row() -> None:
    protocol = make_protocol()

    assert equivalence_rows(protocol, estimate_effects(protocol, [], "projected_progress")) == ()


@pytest.mark.parametrize(
    ("outcomes", "reason"),
    [
        ([], "nobody has the outcome yet"),
        (people("iso", 0.0), "nobody in arm target_only has the outcome"),
        (people("iso", 0.0, 1) + people("target_only", 0.0, 1), "too few"),
        (
            [
                replace(o, values=dict.fromkeys(o.values, 0.1))
                for o in people("iso", 0) + people("target_only", 0)
            ],
            "does not vary",
        ),
    ],
)
def test_what_cannot_be_tested_says_why(outcomes: list[Outcome], reason: str) -> None:
    protocol = with_aim(make_protocol(), Aim.EQUIVALENCE, 0.25)
    (row,) = equivalence_rows(protocol, estimate_effects(protocol, outcomes, "projected_progress"))

    assert row.estimate is None
    assert row.extra["concluded"] is None
    assert reason in (row.reason or "")


def test_non_inferiority_without_a_better_direction_says_so() -> None:
    protocol = with_aim(make_protocol(start=Affect(-0.4, 0.6)), Aim.NON_INFERIORITY, 0.25, better=None)
    primary = estimate_effects(
        protocol, people("iso", 0.02) + people("target_only", 0.0), "projected_progress"
    )
    (row,) = equivalence_rows(protocol, primary)

    assert row.reason == "the protocol does not say which way is better"


def test_groups_without_variation_or_of_one_are_refused() -> None:
    with pytest.raises(NotEstimable, match="does not vary"):
        equivalence_of_samples(np.ones(4), np.zeros(4), 0.5, 0.05)
    with pytest.raises(NotEstimable, match="2 or more"):
        equivalence_of_samples(np.ones(1), np.zeros(4), 0.5, 0.05)
