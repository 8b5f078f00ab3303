"""Rubin's rules against the output of R's mice and against SAS's manual.

R, mice 3.10.3, help page of ``pool.scalar`` as printed on the package's site
(amices/mice, docs/reference/pool.scalar.html, commit 0002f74): means of ``bmi``
of ``nhanes`` (n = 25) in five data sets, ``pool.scalar(Q, U, n = 25, k = 1)``.
R, mice 3.11 or later, the same page at commit c7da4e2: ``bmi ~ age`` in two data
sets, ``pool.scalar(Q, U, n = 25, k = 2)`` and ``pool(fit)``.
SAS/STAT User's Guide, MIANALYZE, "Combining Inferences from Imputed Data
Sets": with m = 5 and r = 10 %, 484 degrees of freedom (Rubin 1987).
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from analysis.missing.rubin import pool, small_sample_df
from analysis.result_row import NotEstimable

BMI = np.array([26.816, 26.184, 26.692, 27.076, 26.528])
BMI_VARIANCE = np.array([0.7888227, 0.5449227, 0.7764973, 0.6764760, 0.5379173])


def test_a_pooled_mean_is_that_of_mice() -> None:
    found = pool(BMI, np.sqrt(BMI_VARIANCE), complete_df=24)

    assert found.value == pytest.approx(26.6592, abs=5e-5)
    assert found.within == pytest.approx(0.6649272, abs=5e-8)
    assert found.between == pytest.approx(0.1106032, abs=5e-8)
    assert found.se**2 == pytest.approx(0.797651, abs=5e-7)
    assert found.df == pytest.approx(16.41929, abs=5e-6)
    assert found.relative_increase == pytest.approx(0.1996066, abs=5e-8)
    assert found.fraction_missing == pytest.approx(0.2522468, abs=5e-8)
    assert found.imputations == 5


def test_a_pooled_slope_is_that_of_mice() -> None:
    found = pool(np.array([-1.5457, -1.428]), np.array([0.9723, 1.041]), complete_df=23)

    assert found.value == pytest.approx(-1.48685, abs=5e-6)
    assert found.se**2 == pytest.approx(1.024914, abs=5e-7)
    assert found.df == pytest.approx(20.97025, abs=5e-6)
    assert found.relative_increase == pytest.approx(0.01024122, abs=5e-9)
    assert found.fraction_missing == pytest.approx(0.09272831, abs=5e-9)


def test_a_pooled_intercept_with_much_missing_is_that_of_mice() -> None:
    # The page prints these inputs with four and three decimals, and the pooled values with more.
    found = pool(np.array([28.1043, 29.189]), np.array([1.8853, 2.019]), complete_df=23)

    assert found.value == pytest.approx(28.646618, abs=1e-3)
    assert found.df == pytest.approx(10.72144, abs=2e-3)
    assert found.relative_increase == pytest.approx(0.2312570, abs=1e-4)
    assert found.fraction_missing == pytest.approx(0.30620278, abs=1e-4)


def test_with_many_people_the_degrees_of_freedom_are_rubins_of_1987() -> None:
    share = 0.1 / 1.1

    assert small_sample_df(5, share, math.inf) == pytest.approx(484.0)


def test_with_few_people_the_degrees_of_freedom_are_below_those_of_complete_data() -> None:
    assert small_sample_df(5, 0.1 / 1.1, 20) < 20


def test_the_interval_and_the_test_agree_on_zero() -> None:
    rng = np.random.default_rng(4)
    for shift in np.linspace(-1, 1, 41):
        found = pool(shift + rng.normal(0, 0.2, 20), np.full(20, 0.3), complete_df=38)
        assert (found.p_value < 0.05) == (found.ci_low > 0 or found.ci_high < 0)


def test_a_narrower_level_gives_a_narrower_interval_about_the_same_value() -> None:
    found = pool(BMI, np.sqrt(BMI_VARIANCE), complete_df=24)
    low, high = found.interval(0.90)

    assert found.ci_low < low < found.value < high < found.ci_high
    assert (high - low) / 2 == pytest.approx(stats.t.ppf(0.95, 16.41929) * math.sqrt(0.797651), rel=1e-5)


@pytest.mark.parametrize(
    ("estimates", "errors", "why"),
    [([1.0], [0.1], "2 or more"), ([1.0, 1.0], [0.0, 0.0], "does not vary")],
)
def test_what_cannot_be_pooled_says_why(estimates: list[float], errors: list[float], why: str) -> None:
    with pytest.raises(NotEstimable, match=why):
        pool(np.array(estimates), np.array(errors), 10)
