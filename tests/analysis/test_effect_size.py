"""Hedges' g against the effectsize package of R.

``data(mtcars)`` (Motor Trend 1974): ``hedges_g(mpg ~ am, data = mtcars)`` prints
-1.44, 95 % CI [-2.21, -0.65]; ``cohens_d`` prints -1.48 [-2.27, -0.67].

Borenstein, Hedges, Higgins & Rothstein (2009), Introduction to Meta-Analysis, p. 26-27: means
103 and 100, SDs 5.5 and 4.5, 50 in each group, give d = 0.5970, J = 0.9923, g = 0.5924.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from analysis.effects.effect_size import hedges_g
from analysis.result_row import NotEstimable

# fmt: off
AUTOMATIC = np.array([
    21.4, 18.7, 18.1, 14.3, 24.4, 22.8, 19.2, 17.8, 16.4, 17.3, 15.2, 10.4, 10.4, 14.7, 21.5, 15.5, 15.2,
    13.3, 19.2,
])
# fmt: on
MANUAL = np.array([21, 21, 22.8, 32.4, 30.4, 33.9, 27.3, 26, 30.4, 15.8, 19.7, 15, 21.4])


def test_g_and_its_exact_interval_are_those_that_r_prints() -> None:
    found = hedges_g(AUTOMATIC, MANUAL)

    assert found.g == pytest.approx(-1.44, abs=5e-3)
    assert found.ci_low == pytest.approx(-2.21, abs=5e-3)
    assert found.ci_high == pytest.approx(-0.65, abs=5e-3)


def test_g_is_that_of_borenstein_and_others() -> None:
    scores = np.random.default_rng(1).normal(size=50)
    scores = (scores - scores.mean()) / scores.std(ddof=1)

    found = hedges_g(103 + 5.5 * scores, 100 + 4.5 * scores)

    assert found.g == pytest.approx(0.5924, abs=5e-5)


def test_each_limit_is_the_difference_under_which_the_data_lie_in_a_tail_of_2_5_percent() -> None:
    """The non-central t distribution integrated here over the chi distribution of the pooled SD."""
    found, n, df = hedges_g(AUTOMATIC, MANUAL), len(AUTOMATIC) * len(MANUAL) / 32, 30
    t_value = float(stats.ttest_ind(AUTOMATIC, MANUAL).statistic)
    correction = found.g * np.sqrt(n) / t_value

    def below(limit: float) -> float:
        shift = limit / correction * np.sqrt(n)
        area, _ = integrate.quad(
            lambda s: float(stats.norm.cdf(t_value * s / np.sqrt(df) - shift) * stats.chi.pdf(s, df)), 0, 15
        )
        return float(area)

    assert below(found.ci_low) == pytest.approx(0.975, abs=1e-5)
    assert below(found.ci_high) == pytest.approx(0.025, abs=1e-5)


def test_changing_the_order_of_the_groups_changes_the_sign_alone() -> None:
    one, other = hedges_g(AUTOMATIC, MANUAL), hedges_g(MANUAL, AUTOMATIC)

    assert one.g == pytest.approx(-other.g)
    assert one.ci_low == pytest.approx(-other.ci_high, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.floats(-6, 6), st.integers(2, 400), st.integers(2, 60))
def test_the_interval_holds_g_for_any_shift_and_size(shift: float, n_first: int, n_second: int) -> None:
    rng = np.random.default_rng(n_first * 1000 + n_second)

    found = hedges_g(rng.normal(shift, 1, n_first), rng.normal(0, 1, n_second))

    assert found.ci_low < found.g < found.ci_high


def test_a_group_of_one_has_no_standardised_difference() -> None:
    with pytest.raises(NotEstimable, match="2 or more"):
        hedges_g(AUTOMATIC, MANUAL[:1])


def test_groups_without_variation_have_no_standardised_difference() -> None:
    with pytest.raises(NotEstimable, match="does not vary"):
        hedges_g(np.ones(4), np.zeros(4))
