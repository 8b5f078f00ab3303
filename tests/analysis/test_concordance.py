"""Agreement of two measurements against published numbers.

Bland & Altman (1986), Lancet 327, 307-310, table 1: peak expiratory flow by
Wright meter and mini meter, first of each, 17 subjects. Their limits are
bias ± 2 SD. Lin's CCC of the same pairs: .94274, asymptotic SE .02862.

R's SimplyAgree 0.2 `agree_test` on its data `reps` (18 pairs, from Bland & Altman, 1999, table 4):
CCC .479; bias .4383, limits −1.947 and 2.8237.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from analysis.agreement.concordance import concordance, limits_of_agreement
from analysis.result_row import NotEstimable

Floats = NDArray[np.float64]


@pytest.fixture
def flow(test_data: Path) -> tuple[Floats, Floats]:
    """First readings by Wright meter and by mini meter, litres a minute."""
    table = pd.read_csv(test_data / "tables" / "pefr_bland_altman_1986.csv")
    first = table[table["repl"] == 1].pivot_table(index="item", columns="meth", values="y")
    return first["Wright"].to_numpy(dtype=float), first["Mini"].to_numpy(dtype=float)


def test_bias_and_limits_are_those_of_bland_and_altman(flow: tuple[Floats, Floats]) -> None:
    found = limits_of_agreement(flow[0] - flow[1], multiplier=2.0)

    assert found.bias == pytest.approx(-2.1176, abs=5e-5)
    assert found.sd == pytest.approx(38.765, abs=5e-4)
    assert (found.low, found.high) == pytest.approx((-79.65, 75.41), abs=5e-3)


def test_the_interval_of_the_bias_is_that_of_bland_and_altman(flow: tuple[Floats, Floats]) -> None:
    assert limits_of_agreement(flow[0] - flow[1]).bias_ci == pytest.approx((-22.05, 17.81), abs=5e-3)


def test_the_interval_of_a_limit_is_1_71_standard_errors_of_the_bias_wide(
    flow: tuple[Floats, Floats],
) -> None:
    """Bland & Altman (1999), § 2.1: Var(limit) is about 1.71² s²/n; exact here: 1/n + 1.96²/(2(n − 1))."""
    found = limits_of_agreement(flow[0] - flow[1])
    assert found.low_ci is not None
    assert found.bias_ci is not None

    ratio = (found.low_ci[1] - found.low_ci[0]) / (found.bias_ci[1] - found.bias_ci[0])
    assert ratio == pytest.approx(np.sqrt(1 + 17 * 1.96**2 / 32), rel=1e-12)
    assert ratio == pytest.approx(1.71, abs=0.05)


def test_concordance_is_lins(flow: tuple[Floats, Floats]) -> None:
    found = concordance(*flow)

    assert found.estimate == pytest.approx(0.94274, abs=5e-6)
    assert found.se == pytest.approx(0.02862, abs=5e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((0.8505, 0.9787), abs=5e-5)
    assert found.r * found.bias_correction == pytest.approx(found.estimate)


def test_concordance_and_limits_are_those_of_simply_agree() -> None:
    x = [
        7.83,
        7.42,
        7.89,
        7.12,
        6.16,
        7.26,
        6.71,
        4.75,
        5.24,
        4.86,
        4.78,
        6.05,
        5.42,
        4.21,
        3.61,
        3.72,
        3.87,
        3.92,
    ]
    y = [
        6.57,
        5.62,
        6.90,
        6.57,
        4.06,
        4.29,
        4.26,
        4.71,
        5.50,
        5.08,
        5.02,
        6.01,
        5.67,
        4.14,
        4.20,
        4.61,
        4.68,
        5.04,
    ]
    limits = limits_of_agreement(np.array(x) - np.array(y))

    assert concordance(np.array(x), np.array(y)).estimate == pytest.approx(0.479, abs=5e-4)
    assert (limits.bias, limits.low, limits.high) == pytest.approx((0.4383, -1.947, 2.8237), abs=5e-4)


def test_concordance_of_a_measurement_with_itself_is_one() -> None:
    values = np.array([0.1, 0.4, -0.3, 0.8])

    assert concordance(values, values).estimate == 1.0


def test_a_shift_lowers_concordance_but_not_correlation() -> None:
    values = np.linspace(-1, 1, 9)
    found = concordance(values, values + 0.5)

    assert found.r == pytest.approx(1.0)
    assert found.estimate == pytest.approx(2 * values.var() / (2 * values.var() + 0.25))


def test_a_measurement_that_does_not_vary_has_no_concordance() -> None:
    with pytest.raises(NotEstimable, match="does not vary"):
        concordance(np.ones(5), np.arange(5.0))
