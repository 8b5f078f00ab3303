"""The model of repeated measures: published output to the digit, and refusals in words."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.effects.linear_model import fit_arm_model
from analysis.effects.mixed.mmrm import RepeatedFit, fit_mmrm
from analysis.effects.mixed.restricted_fit import RestrictedFit
from analysis.effects.mixed.restricted_likelihood import Block, evaluate
from analysis.effects.mixed.satterthwaite import estimate_combination
from analysis.result_row import NotEstimable
from tests.analysis.published_data import LongTable, dental_growth, fev

# SAS stops where its relative criterion falls below 1e-8 (its printed 9e-6 to 1e-8), a few 1e-4 of a
# covariance short of the maximum; its deviance is that close to ours all the same.
SAS_COVARIANCE = 6e-4
SAS_ESTIMATE = 1e-3


def fit_of(table: LongTable, *columns: np.ndarray) -> RepeatedFit:
    design = np.column_stack([np.ones(len(table.outcome)), *columns])
    return fit_mmrm(table.outcome, table.person, table.visit, design)


def test_the_deviance_and_covariance_of_an_incomplete_trial_are_those_of_sas() -> None:
    # PROC MIXED, REML, TYPE=UN, MODEL FEV1 = ARMCD: openpharma/mmrm, design/KR/kr_us.txt.
    table = fev()
    found = fit_of(table, table.group)

    assert len(table.outcome) == 537
    assert found.fit.deviance == pytest.approx(3667.96276376, abs=1e-4)
    assert found.visit_covariance[np.tril_indices(4)] == pytest.approx(
        [108.39, 45.4113, 40.1721, -2.6971, 0.7771, 24.6058, -47.0103, -13.0998, 18.7346, 152.36],
        rel=SAS_COVARIANCE,
        abs=0.02,
    )
    difference = estimate_combination(found.fit, np.array([0.0, 1.0]))
    assert difference.value == pytest.approx(3.8197, abs=SAS_ESTIMATE)
    # The errors without Kenward & Roger's adjustment: design/predict_interval/un_kenwardroger_linear.csv.
    for weights, se in (([1.0, 0.0], 0.43968593), ([1.0, 1.0], 0.46348535)):
        assert estimate_combination(found.fit, np.array(weights)).se == pytest.approx(se, rel=2e-4)


def test_the_mean_of_an_incomplete_trial_has_the_error_and_degrees_of_freedom_of_sas() -> None:
    # PROC MIXED, REML, TYPE=UN, DDFM=SATTERTHWAITE, MODEL FEV1 = : design/SAS/sas_log_simple_reml.txt.
    found = fit_of(fev())
    mean = estimate_combination(found.fit, np.ones(1))

    assert found.fit.deviance == pytest.approx(3700.94648570, abs=1e-4)
    assert found.visit_covariance[3, 3] == pytest.approx(158.17, rel=SAS_COVARIANCE)
    assert found.visit_covariance[1, 0] == pytest.approx(49.8999, rel=SAS_COVARIANCE)
    assert mean.value == pytest.approx(42.8338, abs=SAS_ESTIMATE)
    assert mean.se == pytest.approx(0.3509, abs=5e-5)
    assert round(mean.df) == 171


def test_a_growth_curve_with_any_covariance_is_that_of_nlme() -> None:
    # gls(distance ~ Sex * I(age - 11), Orthodont, corSymm(form = ~ 1 | Subject),
    #     weights = varIdent(form = ~ 1 | age)): logLik -212.2734 (REML; help page of anova.gls;
    #     Pinheiro & Bates 2000, p. 251) and F of Sex 9.4030752449 (nlme, tests/anova.R).
    table = dental_growth()
    age = 2.0 * table.visit - 3.0
    found = fit_of(table, table.group, age, table.group * age)
    sex = estimate_combination(found.fit, np.array([0.0, 1.0, 0.0, 0.0]))

    assert -found.fit.deviance / 2 == pytest.approx(-212.2734, abs=5e-5)
    assert (sex.value / sex.se) ** 2 == pytest.approx(9.4030752449, rel=2e-5)


def test_complete_visits_give_each_visit_its_own_analysis_of_covariance() -> None:
    # With every covariate crossed with visit and nobody missing, the multivariate normal maximum is that
    # of each visit alone (Anderson 2003, An Introduction to Multivariate Statistical Analysis, 8.2).
    rng = np.random.default_rng(3)
    n, visits = 30, 3
    arm = np.arange(n) % 2
    baseline = rng.normal(size=n)
    outcomes = rng.normal(size=(n, visits)) @ rng.normal(size=(visits, visits)) + baseline[:, None]
    own = np.column_stack([arm == 0, arm == 1, baseline - baseline.mean()]).astype(float)
    design = np.kron(own, np.eye(visits))
    person, visit = np.repeat(np.arange(n), visits), np.tile(np.arange(visits), n)

    found = fit_mmrm(outcomes.ravel(), person, visit, design)

    for number in range(visits):
        alone = fit_arm_model(
            outcomes[:, number], [f"arm {a}" for a in arm], {"baseline": baseline}, "classical"
        ).difference("arm 1", "arm 0")
        weights = np.zeros(3 * visits)
        weights[[visits + number, number]] = 1.0, -1.0
        here = estimate_combination(found.fit, weights)
        assert (here.value, here.se, here.p_value) == pytest.approx((alone.value, alone.se, alone.p_value))
        assert here.df == pytest.approx(n - 3)


def test_the_order_of_rows_and_of_people_does_not_matter() -> None:
    table = fev()
    shuffle = np.random.default_rng(1).permutation(len(table.outcome))
    turned = LongTable(
        table.outcome[shuffle], 1000 - 3 * table.person[shuffle], table.visit[shuffle], table.group[shuffle]
    )

    assert fit_of(turned, turned.group).fit.coefficients == pytest.approx(
        fit_of(table, table.group).fit.coefficients, rel=1e-9
    )


def test_the_derivatives_of_the_likelihood_are_those_of_finite_differences() -> None:
    rng = np.random.default_rng(5)
    blocks, p = [], 3
    for k, patterns in ((3, 2), (2, 1), (1, 1)):
        shapes = rng.normal(size=(patterns, 4, k, k))
        derivatives = shapes @ shapes.swapaxes(-1, -2)
        rows = rng.normal(size=(patterns, 9, k, p + 1))
        blocks.append(Block(derivatives, np.full(patterns, 9.0), np.einsum("gmap,gmbq->gabpq", rows, rows)))
    theta, step = np.array([0.7, 0.4, 1.1, 0.9]), 1e-5
    at = evaluate(theta, blocks)
    assert at is not None

    for number, towards in enumerate(step * np.eye(4)):
        above, below = evaluate(theta + towards, blocks), evaluate(theta - towards, blocks)
        assert above is not None
        assert below is not None
        assert at.gradient[number] == pytest.approx(
            (above.deviance - below.deviance) / (2 * step), rel=1e-6, abs=1e-6
        )
        assert at.hessian[number] == pytest.approx(
            (above.gradient - below.gradient) / (2 * step), rel=1e-6, abs=1e-6
        )
        assert (at.inverse @ at.weights[number] @ at.inverse).ravel() == pytest.approx(
            ((above.inverse - below.inverse) / (2 * step)).ravel(), rel=1e-5, abs=1e-8
        )


def repeated(people: int, visits: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    outcome = (rng.normal(size=(people, 1)) + rng.normal(size=(people, visits))).ravel()
    return outcome, np.repeat(np.arange(people), visits), np.tile(np.arange(visits), people)


def refusal(outcome: np.ndarray, person: np.ndarray, visit: np.ndarray, design: np.ndarray) -> str:
    with pytest.raises(NotEstimable) as told:
        fit_mmrm(outcome, person, visit, design)
    return str(told.value)


def test_two_visits_that_nobody_made_both_have_no_covariance() -> None:
    outcome, person, visit = repeated(12, 3)
    kept = ~((visit == 2) & (person % 2 == 0)) & ~((visit == 1) & (person % 2 == 1))

    told = refusal(outcome[kept], person[kept], visit[kept], np.ones((int(kept.sum()), 1)))

    assert told == (
        "the covariance of two sessions needs 2 or more people who have the outcome of both "
        "(sessions 2 and 3 have 0)"
    )


def test_two_people_are_too_few() -> None:
    outcome, person, visit = repeated(2, 4)

    assert "singular" in refusal(outcome, person, visit, np.kron(np.ones((2, 1)), np.eye(4)))


def test_an_outcome_that_is_the_same_for_all_is_refused() -> None:
    _, person, visit = repeated(10, 3)

    assert refusal(np.full(30, 0.4), person, visit, np.ones((30, 1))) == (
        "the outcome does not vary within arms, so no interval can be given"
    )


def test_a_visit_at_which_all_say_the_same_is_refused() -> None:
    outcome, person, visit = repeated(10, 3)
    outcome[visit == 1] = 1.0

    assert refusal(outcome, person, visit, np.kron(np.ones((10, 1)), np.eye(3))) == (
        "the outcome does not vary within arms at one of the sessions"
    )


def test_a_visit_that_repeats_another_is_a_singular_covariance() -> None:
    outcome, person, visit = repeated(20, 3)
    outcome[visit == 2] = outcome[visit == 1]

    assert "singular" in refusal(outcome, person, visit, np.kron(np.ones((20, 1)), np.eye(3)))


def test_a_column_that_repeats_others_is_a_singular_design() -> None:
    outcome, person, visit = repeated(10, 3)

    assert "singular design" in refusal(outcome, person, visit, np.ones((30, 2)))


def test_what_reaches_no_maximum_is_refused_and_no_other_covariance_is_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("analysis.effects.mixed.restricted_fit.MOST_STEPS", 2)
    table = fev()

    with pytest.raises(NotEstimable, match="did not converge in 2 steps"):
        fit_of(table, table.group)


def test_a_fit_says_what_it_rests_on() -> None:
    table = dental_growth()
    found: RestrictedFit = fit_of(table, table.group).fit

    assert found.fitted.shape == table.outcome.shape
    assert found.parameters.shape == (10,)
    assert 1 < found.steps < 20
