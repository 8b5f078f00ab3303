"""Degrees of freedom: those of published output, and those that theory gives exactly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from analysis.effects.mixed.mmrm import fit_mmrm
from analysis.effects.mixed.random_effects import RandomTerm, fit_random_effects
from analysis.effects.mixed.satterthwaite import degrees_of_freedom, estimate_combination
from analysis.result_row import NotEstimable
from tests.analysis.published_data import dental_growth, fev, sleepstudy


def test_the_slope_of_sleepstudy_has_17_degrees_of_freedom() -> None:
    # lmerTest: lmer(Reaction ~ Days + (Days | Subject), sleepstudy), df 17.000 for both coefficients.
    table = sleepstudy()
    design = np.column_stack([np.ones(180), table.visit.astype(float)])
    fit = fit_random_effects(
        table.outcome, table.person, design, [RandomTerm("person", table.person, design)]
    ).fit

    assert degrees_of_freedom(fit, np.array([0.0, 1.0])) == pytest.approx(17.0, abs=5e-4)
    assert degrees_of_freedom(fit, np.array([1.0, 0.0])) == pytest.approx(17.0, abs=5e-4)


def test_an_incomplete_trial_has_the_degrees_of_freedom_of_sas() -> None:
    # PROC MIXED, DDFM=SATTERTHWAITE, REML, TYPE=UN, MODEL FEV1 = : 171 (openpharma/mmrm,
    # design/SAS/sas_log_simple_reml.txt).
    table = fev()
    fit = fit_mmrm(table.outcome, table.person, table.visit, np.ones((537, 1))).fit

    assert round(degrees_of_freedom(fit, np.ones(1))) == 171


def test_two_groups_at_one_of_several_complete_visits_have_n_minus_2() -> None:
    # The variance of one visit is a χ² on n − 2 (Anderson 2003, 7.2): its Satterthwaite df are exact.
    table = dental_growth()
    girls = np.column_stack([table.group, 1 - table.group])
    design = np.concatenate([girls * (table.visit == age)[:, None] for age in range(4)], axis=1)
    fit = fit_mmrm(table.outcome, table.person, table.visit, design).fit
    oldest = table.visit == 3
    expected = stats.ttest_ind(
        table.outcome[oldest & (table.group == 1)], table.outcome[oldest & (table.group == 0)]
    )

    found = estimate_combination(fit, np.array([0.0, 0, 0, 0, 0, 0, 1, -1]))

    assert found.df == pytest.approx(25.0, abs=1e-6)
    assert found.value / found.se == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_two_groups_of_unequal_variance_have_the_degrees_of_freedom_of_welch() -> None:
    # Welch (1947), Biometrika 34, 28-35. Each person gives their value twice (± 0.01, so that there is a
    # residual), and each group has a variance between people of its own.
    rng = np.random.default_rng(4)
    small, large = rng.normal(0, 1, 9), rng.normal(0, 3, 14)
    person = np.repeat(np.arange(23), 2)
    groups = np.column_stack([person < 9, person >= 9]).astype(float)
    fit = fit_random_effects(
        np.concatenate([small, large])[person] + np.tile([0.01, -0.01], 23),
        person,
        groups,
        [RandomTerm("small", person, groups[:, :1]), RandomTerm("large", person, groups[:, 1:])],
    ).fit
    expected = stats.ttest_ind(small, large, equal_var=False)

    found = estimate_combination(fit, np.array([1.0, -1.0]))

    assert found.df == pytest.approx(expected.df, rel=1e-6)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)


def test_a_contrast_of_nothing_has_no_interval() -> None:
    table = dental_growth()
    fit = fit_mmrm(table.outcome, table.person, table.visit, np.ones((108, 1))).fit

    with pytest.raises(NotEstimable, match="no interval can be given"):
        estimate_combination(fit, np.zeros(1))


def test_a_covariance_of_which_the_sample_says_nothing_leaves_no_degrees_of_freedom() -> None:
    # One person: how people differ cannot be known, nor how uncertain the mean of people is.
    time = np.arange(6.0)
    design = np.column_stack([np.ones(6), time])
    person = np.zeros(6, dtype=np.intp)
    outcome = np.array([0.1, 0.3, 0.2, 0.5, 0.4, 0.6])
    fit = fit_random_effects(outcome, person, design, [RandomTerm("person", person, design)]).fit

    with pytest.raises(NotEstimable, match="does not determine the covariance well enough"):
        degrees_of_freedom(fit, np.array([0.0, 1.0]))
