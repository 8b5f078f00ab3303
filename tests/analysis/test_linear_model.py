"""The linear model against published numbers.

SAS: PROC GLM's covariance example, drugs against leprosy (Snedecor & Cochran
1967, p. 422; SAS/STAT User's Guide, GLM, "Analysis of Covariance"), with
``model PostTreatment = Drug PreTreatment; lsmeans Drug / stderr``.
R: ``data(cars)`` (Ezekiel 1930); ``coeftest(lm(speed ~ dist), vcovHC(type =
"HC1"))`` prints standard error 0.019402 for dist, which checks the sandwich
written out below; the same sandwich then checks HC3.
NIST: certified values of the Longley data (StRD); Stata: ``regress …, vce(hc3)`` on the same data,
as the tests of statsmodels quote its standard errors.
"""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from analysis.effects.linear_model import fit_arm_model, indicator_columns
from analysis.result_row import NotEstimable

DRUG = ["A"] * 10 + ["D"] * 10 + ["F"] * 10
PRE = np.array(
    [
        11,
        8,
        5,
        14,
        19,
        6,
        10,
        6,
        11,
        3,
        6,
        6,
        7,
        8,
        18,
        8,
        19,
        8,
        5,
        15,
        16,
        13,
        11,
        9,
        21,
        16,
        12,
        12,
        7,
        12,
    ],
    dtype=float,
)
POST = np.array(
    [6, 0, 2, 8, 11, 4, 13, 1, 8, 0, 0, 2, 3, 1, 18, 4, 14, 9, 1, 9, 13, 10, 18, 5, 23, 12, 5, 16, 1, 20],
    dtype=float,
)
SPEED = np.repeat(
    [4, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 22, 23, 24, 25],
    [2, 2, 1, 1, 3, 2, 4, 4, 4, 3, 2, 3, 4, 3, 5, 1, 1, 4, 1],
).astype(float)
# fmt: off
DIST = np.array([
    2, 10, 4, 22, 16, 10, 18, 26, 34, 17, 28, 14, 20, 24, 28, 26, 34, 34, 46, 26, 36, 60, 80, 20, 26,
    54, 32, 40, 32, 40, 50, 42, 56, 76, 84, 36, 46, 68, 32, 48, 52, 56, 64, 66, 54, 70, 92, 93, 120, 85,
], dtype=float)
# fmt: on


def sandwich_se(x: NDArray[np.float64], y: NDArray[np.float64], kind: str) -> NDArray[np.float64]:
    """Written out from MacKinnon & White (1985): (X'X)⁻¹ X' diag(ω) X (X'X)⁻¹."""
    design = np.column_stack([np.ones_like(x), x])
    bread = np.linalg.inv(design.T @ design)
    residuals = y - design @ bread @ design.T @ y
    leverage = np.einsum("ij,jk,ik->i", design, bread, design)
    n, p = design.shape
    omega = residuals**2 * (n / (n - p) if kind == "HC1" else 1 / (1 - leverage) ** 2)
    return np.asarray(np.sqrt(np.diag(bread @ (design.T * omega) @ design @ bread)))


def test_ancova_gives_the_means_and_the_fit_that_sas_prints() -> None:
    fit = fit_arm_model(POST, DRUG, {"pre": PRE}, errors="classical")

    assert fit.r_squared == pytest.approx(0.67626, abs=5e-6)
    assert fit.f_value == pytest.approx(18.10, abs=5e-3)
    for drug, mean, se in (("A", 6.7150, 1.2885), ("D", 6.8239, 1.2725), ("F", 10.1611, 1.3159)):
        assert fit.mean_of(drug).value == pytest.approx(mean, abs=5e-5)
        assert fit.mean_of(drug).se == pytest.approx(se, abs=5e-5)


def test_the_adjusted_difference_has_the_p_value_that_sas_prints() -> None:
    difference = fit_arm_model(POST, DRUG, {"pre": PRE}, errors="classical").difference("F", "D")

    assert difference.value == pytest.approx(3.337, abs=5e-4)
    assert difference.p_value == pytest.approx(0.0835, abs=5e-5)
    assert difference.df == 26
    assert difference.ci_low < 0 < difference.ci_high


def test_the_sandwich_of_this_file_gives_what_r_prints_for_hc1() -> None:
    assert sandwich_se(DIST, SPEED, "HC1")[1] == pytest.approx(0.019402, abs=5e-7)


def longley() -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    from statsmodels.datasets import longley as data

    table = data.load_pandas().data
    covariates = {name: table[name].to_numpy(float) for name in table.columns[1:]}
    return table["TOTEMP"].to_numpy(float), covariates


def test_an_ill_conditioned_fit_has_the_values_that_nist_certifies() -> None:
    total, covariates = longley()
    fit = fit_arm_model(total, ["all"] * 16, covariates, errors="classical")

    assert fit.coefficients[1:] == pytest.approx(
        [
            15.0618722713733,
            -0.358191792925910e-01,
            -2.02022980381683,
            -1.03322686717359,
            -0.511041056535807e-01,
            1829.15146461355,
        ],
        rel=1e-7,
    )
    assert np.sqrt(np.diag(fit.covariance))[1:] == pytest.approx(
        [
            84.9149257747669,
            0.334910077722432e-01,
            0.488399681651699,
            0.214274163161675,
            0.226073200069370,
            455.478499142212,
        ],
        rel=1e-7,
    )
    assert fit.r_squared == pytest.approx(0.995479004577296, rel=1e-9)
    assert fit.f_value == pytest.approx(330.285339234588, rel=1e-8)


def test_hc3_errors_are_those_that_stata_prints() -> None:
    total, covariates = longley()
    fit = fit_arm_model(total, ["all"] * 16, covariates, errors="HC3")

    assert np.sqrt(np.diag(fit.covariance))[1:] == pytest.approx(
        [91.11939, 0.05562, 0.82213, 0.29879, 0.32491, 922.80784], abs=6e-6
    )


def test_fitted_values_residuals_and_leverage_are_those_of_the_hat_matrix() -> None:
    fit = fit_arm_model(SPEED, ["all"] * 50, {"dist": DIST})
    design = np.column_stack([np.ones(50), DIST])
    hat = design @ np.linalg.inv(design.T @ design) @ design.T

    assert fit.leverage == pytest.approx(np.diag(hat))
    assert fit.fitted == pytest.approx(hat @ SPEED)
    assert fit.residuals == pytest.approx(SPEED - hat @ SPEED)


def test_a_slope_is_read_by_its_name() -> None:
    slope = fit_arm_model(SPEED, ["all"] * 50, {"dist": DIST}, errors="classical").slope_of("dist")

    # R prints 0.16557, standard error 0.01749.
    assert [slope.value, slope.se] == pytest.approx([0.16557, 0.01749], abs=5e-6)
    with pytest.raises(NotEstimable, match="age does not vary"):
        fit_arm_model(SPEED, ["all"] * 50, {"dist": DIST}).slope_of("age")


def test_hc3_errors_are_the_sandwich_with_squared_leverage() -> None:
    fit = fit_arm_model(SPEED, ["all"] * 50, {"dist": DIST}, errors="HC3")

    assert np.sqrt(fit.covariance[1, 1]) == pytest.approx(sandwich_se(DIST, SPEED, "HC3")[1], rel=1e-10)


def test_the_reference_of_hc3_is_the_t_distribution_on_residual_degrees_of_freedom() -> None:
    difference = fit_arm_model(POST, DRUG, {"pre": PRE}).difference("F", "D")
    t_quantile_26 = 2.0555294386

    assert (difference.ci_high - difference.value) / difference.se == pytest.approx(t_quantile_26, abs=1e-8)


def test_the_adjusted_mean_of_an_arm_is_at_the_mean_of_the_covariates() -> None:
    strata = indicator_columns("site", ["a", "b", "b"] * 10)
    fit = fit_arm_model(POST, DRUG, {"pre": PRE, **strata}, errors="classical")
    slopes = dict(zip(fit.covariates, fit.coefficients[3:], strict=True))
    arm_a = np.array(DRUG) == "A"

    by_hand = POST[arm_a].mean() - sum(
        slope * ({"pre": PRE, **strata}[name][arm_a].mean() - {"pre": PRE, **strata}[name].mean())
        for name, slope in slopes.items()
    )
    assert fit.mean_of("A").value == pytest.approx(by_hand)


def test_a_covariate_without_variation_is_left_out_and_named() -> None:
    fit = fit_arm_model(POST, DRUG, {"pre": PRE, "age": np.full(30, 41.0)})

    assert fit.left_out == ("age",)
    assert fit.df == 26


@pytest.mark.parametrize(
    ("outcome", "arm", "covariates", "reason"),
    [
        ([], [], {}, "nobody has the outcome yet"),
        ([1.0, 2.0], ["a", "b"], {}, "2 outcome"),
        ([1.0, 2.0, 4.0, 3.0], ["a", "a", "a", "b"], {}, "one participant alone"),
        ([1.0, 2.0, 4.0, 3.0, 5.0], ["a", "a", "a", "b", "b"], {"x": [0, 0, 0, 1, 1]}, "singular"),
    ],
)
def test_a_design_that_gives_no_number_says_why(
    outcome: list[float], arm: list[str], covariates: dict[str, list[float]], reason: str
) -> None:
    columns = {name: np.array(values, dtype=float) for name, values in covariates.items()}

    with pytest.raises(NotEstimable, match=reason):
        fit_arm_model(np.array(outcome), arm, columns)


def test_an_outcome_that_does_not_vary_gives_no_interval() -> None:
    fit = fit_arm_model(np.full(8, 0.5), ["a", "b"] * 4, {})

    with pytest.raises(NotEstimable, match="does not vary"):
        fit.difference("a", "b")


def test_a_contrast_with_an_arm_nobody_is_in_says_so() -> None:
    with pytest.raises(NotEstimable, match="nobody in arm Z"):
        fit_arm_model(POST, DRUG, {"pre": PRE}).difference("A", "Z")
