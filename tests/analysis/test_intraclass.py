"""Intraclass correlations for absolute agreement against published numbers.

Shrout & Fleiss (1979), Psychol. Bull. 86, 420-428, tables 2-4: four judges, six targets; mean squares
11.24 (targets), 32.49 (judges), 1.02 (rest); ICC(2,1) = .290, ICC(2,4) = .620. Limits as printed by R's
psych 2.4 `ICC`: .019 to .76 and .071 to .93.

R's irr 0.84 `icc(anxiety, model = "twoway", type = "agreement")`: 20 subjects, 3 raters,
ICC(A,1) = .198, −.039 to .494.
"""

from __future__ import annotations

import numpy as np
import pytest

from analysis.agreement.intraclass import intraclass
from analysis.agreement.pair_statistics import Pairs, pair_statistics
from analysis.agreement.resampling import resampling_of
from analysis.result_row import NotEstimable

JUDGES = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
ANXIETY = np.array(
    [
        [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3],
        [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4],
        [2, 1, 4, 4, 3, 2, 1, 6, 1, 1, 1, 2, 3, 3, 1, 1, 3, 3, 2, 2],
    ],
    float,
).T


def test_mean_squares_and_coefficients_are_those_of_shrout_and_fleiss() -> None:
    found = intraclass(JUDGES)

    assert (found.between, found.raters, found.error) == pytest.approx((11.24, 32.49, 1.02), abs=5e-3)
    assert (found.single, found.average) == pytest.approx((0.290, 0.620), abs=5e-4)


def test_the_limits_are_those_of_psych() -> None:
    found = intraclass(JUDGES)

    assert found.single_ci == pytest.approx((0.019, 0.76), abs=2e-3)
    assert found.average_ci == pytest.approx((0.071, 0.93), abs=3e-3)


def test_anxiety_ratings_agree_as_irr_says() -> None:
    found = intraclass(ANXIETY)

    assert found.single == pytest.approx(0.198, abs=5e-4)
    assert found.single_ci == pytest.approx((-0.039, 0.494), abs=5e-4)


def test_the_bootstraps_estimate_is_the_published_one() -> None:
    x, y = ANXIETY[:, 0], ANXIETY[:, 1]
    design = resampling_of([str(n) for n in range(20)], [str(n) for n in range(20)])
    published = intraclass(np.column_stack([x, y]))

    found = pair_statistics(Pairs(x, y, design), np.ones((20, 1)), None)

    assert found["icc_a1"][0] == pytest.approx(published.single)
    assert found["icc_ak"][0] == pytest.approx(published.average)


def test_a_constant_shift_lowers_agreement() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(0, 0.5, 40)
    y = x + rng.normal(0, 0.1, 40)

    assert intraclass(np.column_stack([x, y])).single > 0.9
    assert intraclass(np.column_stack([x, y + 1.0])).single < 0.5


def test_ratings_that_do_not_vary_have_no_intraclass_correlation() -> None:
    with pytest.raises(NotEstimable, match="do not vary"):
        intraclass(np.ones((5, 2)))
