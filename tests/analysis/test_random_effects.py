"""Random intercepts and slopes: published output to the digit, and what is singular is said."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.effects.mixed.random_effects import RandomEffectsFit, RandomTerm, fit_random_effects
from analysis.effects.mixed.restricted_fit import fit_restricted
from analysis.effects.mixed.restricted_likelihood import Block, standard_form
from analysis.effects.mixed.satterthwaite import estimate_combination
from analysis.result_row import NotEstimable
from tests.analysis.published_data import LongTable, dental_growth, sleepstudy

# Davies & Goldsmith (1972), Statistical Methods in Research and Production, table 6.1, p. 131: yield of
# dyestuff of 5 preparations from each of 6 batches (`Dyestuff` in lme4).
DYESTUFF = (
    *(1545, 1440, 1440, 1520, 1580, 1540, 1555, 1490, 1560, 1495, 1595, 1550, 1605, 1510, 1560),
    *(1445, 1440, 1595, 1465, 1545, 1595, 1630, 1515, 1635, 1625, 1520, 1455, 1450, 1480, 1445),
)
# Box & Tiao (1973), Bayesian Inference in Statistical Analysis, table 5.1.4, p. 247 (`Dyestuff2` in lme4).
DYESTUFF_2 = (
    *(7.298, 3.846, 2.434, 9.566, 7.990, 5.220, 6.556, 0.608, 11.788, -0.892),
    *(0.110, 10.386, 13.434, 5.510, 8.166, 2.212, 4.852, 7.092, 9.288, 4.980),
    *(0.282, 9.014, 4.458, 9.446, 7.198, 1.722, 4.782, 8.106, 0.758, 3.758),
)


def growth(table: LongTable, time: np.ndarray) -> RandomEffectsFit:
    design = np.column_stack([np.ones(len(table.outcome)), time])
    return fit_random_effects(
        table.outcome, table.person, design, [RandomTerm("person", table.person, design)]
    )


def batches(yields: tuple[float, ...]) -> RandomEffectsFit:
    batch, one = np.repeat(np.arange(6), 5), np.ones((30, 1))
    return fit_random_effects(np.array(yields, dtype=float), batch, one, [RandomTerm("batch", batch, one)])


def test_sleepstudy_is_that_of_lme4() -> None:
    # lmer(Reaction ~ Days + (Days | Subject), sleepstudy): Bates et al. (2015), J. Stat. Softw. 67 (1).
    table = sleepstudy()
    found = growth(table, table.visit.astype(float))
    intercept, slope = (estimate_combination(found.fit, weights) for weights in np.eye(2))

    assert found.fit.deviance == pytest.approx(1743.628, abs=5e-4)
    assert (intercept.value, intercept.se) == pytest.approx((251.405, 6.8246), abs=5e-4)
    assert (slope.value, slope.se) == pytest.approx((10.467, 1.5458), abs=5e-4)
    variances = found.random_covariances[0]
    assert variances[0, 0] == pytest.approx(612.10, abs=0.011)
    assert variances[1, 1] == pytest.approx(35.07, abs=5e-3)
    assert found.residual_variance == pytest.approx(654.94, abs=5e-3)
    assert variances[0, 1] / np.sqrt(variances[0, 0] * variances[1, 1]) == pytest.approx(0.07, abs=5e-3)
    assert found.singular_note is None


def test_the_growth_of_children_is_that_of_nlme() -> None:
    # lme(distance ~ age, Orthodont, random = ~ age | Subject): help page of anova.lme, nlme 3.1.
    table = dental_growth()
    found = growth(table, 2.0 * table.visit + 8.0)
    intercept, slope = (estimate_combination(found.fit, weights) for weights in np.eye(2))

    assert -found.fit.deviance / 2 == pytest.approx(-221.3183, abs=5e-5)
    assert (intercept.value, intercept.se) == pytest.approx((16.761111, 0.7752462), abs=2e-6)
    assert (slope.value, slope.se) == pytest.approx((0.660185, 0.0712533), abs=2e-6)
    deviations = np.sqrt(np.diagonal(found.random_covariances[0]))
    assert deviations == pytest.approx([2.3270354, 0.2264279], rel=1e-6)
    assert found.residual_variance**0.5 == pytest.approx(1.3100397, rel=1e-6)


def test_the_batches_of_dyestuff_are_those_of_lme4() -> None:
    # lmer(Yield ~ 1 + (1 | Batch), Dyestuff): Bates (2010), lme4, 1.3.1; df 5.00 by lmerTest.
    found = batches(DYESTUFF)
    mean = estimate_combination(found.fit, np.ones(1))

    assert found.fit.deviance == pytest.approx(319.6543, abs=5e-5)
    assert (mean.value, mean.se, mean.df) == pytest.approx((1527.5, 19.38, 5.0), abs=5e-3)
    # The analysis of variance gives these exactly: 1764.05 and 2451.25.
    assert float(found.random_covariances[0][0, 0]) == pytest.approx(1764.05)
    assert found.residual_variance == pytest.approx(2451.25)


def test_a_variance_at_zero_is_a_maximum_and_is_said() -> None:
    # lmer(Yield ~ 1 + (1 | Batch), Dyestuff2): Bates (2010), 1.3.3: REML 161.8283, batches 0, residual
    # 13.806, mean 5.6656 (0.6784). With nothing between batches the mean is one of 30 on 29 df.
    found = batches(DYESTUFF_2)
    mean = estimate_combination(found.fit, np.ones(1))

    assert found.fit.deviance == pytest.approx(161.8283, abs=5e-5)
    assert float(found.random_covariances[0][0, 0]) == pytest.approx(0.0, abs=1e-9)
    assert found.residual_variance == pytest.approx(13.806, abs=5e-4)
    assert (mean.value, mean.se) == pytest.approx((5.6656, 0.6784), abs=5e-5)
    assert mean.df == pytest.approx(29.0)
    assert found.singular == ("batch",)
    assert found.singular_note is not None
    assert "random effects of batch" in found.singular_note


def test_a_factor_of_zero_to_begin_with_does_not_hide_a_variance() -> None:
    # At zero the deviance is flat in the factor of a variance, though not lowest: a saddle.
    outcome, one = np.array(DYESTUFF, dtype=float), np.ones((30, 1))
    form = standard_form(outcome, one)
    rows = form.rows.reshape(6, 5, 2)
    block = Block(
        np.stack([np.ones((5, 5)), np.eye(5)])[None],
        np.array([6.0]),
        np.einsum("map,mbq->abpq", rows, rows)[None],
    )
    squares = np.zeros((2, 2, 2))
    squares[0, 0, 0] = squares[1, 1, 1] = 1.0

    found = fit_restricted(form, one, [block], squares, np.array([0.0, 1.0]))

    assert found.deviance == pytest.approx(319.6543, abs=5e-5)
    assert found.parameters == pytest.approx([1764.05, 2451.25])


def deviance_of(
    outcome: np.ndarray, person: np.ndarray, design: np.ndarray, random: np.ndarray, residual: float
) -> float:
    """−2 restricted log-likelihood, written out with the covariance of all outcomes."""
    covariance = residual * np.eye(len(outcome))
    covariance += np.equal.outer(person, person) * (design @ random @ design.T)
    inverse = np.linalg.inv(covariance)
    information = design.T @ inverse @ design
    left = outcome - design @ np.linalg.solve(information, design.T @ inverse @ outcome)
    return float(
        np.linalg.slogdet(covariance)[1]
        + np.linalg.slogdet(information)[1]
        + left @ inverse @ left
        + (len(outcome) - design.shape[1]) * np.log(2 * np.pi)
    )


def test_of_two_maxima_the_higher_is_found() -> None:
    # A few reports of six people: small random effects lead to one maximum, large ones to a higher one.
    rng = np.random.default_rng(679)
    person, time = np.repeat(np.arange(6), 3), np.tile(np.arange(3.0), 6)
    outcome = rng.normal(size=18).round(2)
    kept = rng.random(18) > 0.2
    person, time, outcome = person[kept], time[kept], outcome[kept]
    design = np.column_stack([np.ones(len(time)), time])

    found = fit_random_effects(outcome, person, design, [RandomTerm("person", person, design)])

    assert found.fit.deviance == pytest.approx(
        deviance_of(outcome, person, design, found.random_covariances[0], found.residual_variance)
    )
    grid = (0.0, 0.1, 0.5, 1.0, 2.0)
    for level in grid:
        for slope in grid:
            for correlation in (-1.0, -0.5, 0.0, 0.5, 1.0):
                for residual in (0.001, 0.01, 0.1, 0.5, 1.0):
                    both = correlation * np.sqrt(level * slope)
                    random = np.array([[level, both], [both, slope]])
                    elsewhere = deviance_of(outcome, person, design, random, residual)
                    assert found.fit.deviance <= elsewhere + 1e-6


def test_it_is_the_maximum_that_statsmodels_finds_where_reports_are_missing() -> None:
    from statsmodels.regression.mixed_linear_model import MixedLM

    rng = np.random.default_rng(8)
    person = np.repeat(np.arange(40), 6)
    time = np.tile(np.arange(6.0), 40)
    own = rng.normal(size=(40, 2)) * [1.0, 0.4]
    outcome = own[person, 0] + own[person, 1] * time + 0.3 * time + rng.normal(size=240)
    kept = rng.random(240) > 0.25
    person, time, outcome = person[kept], time[kept], outcome[kept]
    design = np.column_stack([np.ones(len(time)), time])

    found = fit_random_effects(outcome, person, design, [RandomTerm("person", person, design)])

    theirs = MixedLM(outcome, design, groups=person, exog_re=design).fit(reml=True, gtol=1e-8)
    assert found.fit.coefficients == pytest.approx(np.asarray(theirs.fe_params), rel=1e-5)
    assert found.random_covariances[0] == pytest.approx(np.asarray(theirs.cov_re), rel=1e-3, abs=1e-4)
    assert found.residual_variance == pytest.approx(theirs.scale, rel=1e-4)


def test_sessions_within_people_are_a_term_of_their_own() -> None:
    # The likelihood of both terms, written out person by person, at the fitted covariances.
    rng = np.random.default_rng(9)
    person = np.repeat(np.arange(30), 8)
    session = np.repeat(np.arange(60), 4)
    time = np.tile(np.arange(4.0), 60)
    design = np.column_stack([np.ones(240), time])
    outcome = (
        rng.normal(0, 1, 30)[person]
        + rng.normal(0, 0.6, 60)[session]
        + rng.normal(0, 0.3, 60)[session] * time
        + rng.normal(0, 0.7, 240)
    )
    ones = np.ones((240, 1))

    found = fit_random_effects(
        outcome, person, design, [RandomTerm("person", person, ones), RandomTerm("session", session, design)]
    )

    covariance = found.residual_variance * np.eye(240)
    covariance += found.random_covariances[0][0, 0] * np.equal.outer(person, person)
    covariance += np.equal.outer(session, session) * (design @ found.random_covariances[1] @ design.T)
    inverse = np.linalg.inv(covariance)
    information = design.T @ inverse @ design
    beta = np.linalg.solve(information, design.T @ inverse @ outcome)
    residual = outcome - design @ beta
    deviance = (
        np.linalg.slogdet(covariance)[1]
        + np.linalg.slogdet(information)[1]
        + residual @ inverse @ residual
        + 238 * np.log(2 * np.pi)
    )
    assert found.fit.deviance == pytest.approx(float(deviance), rel=1e-10)
    assert found.fit.coefficients == pytest.approx(beta)
    assert found.fit.covariance == pytest.approx(np.linalg.inv(information))


def test_two_outcomes_a_person_do_not_tell_an_intercept_and_a_slope_from_noise() -> None:
    person, time = np.repeat(np.arange(10), 2), np.tile([0.0, 1.0], 10)
    design = np.column_stack([np.ones(20), time])
    outcome = np.random.default_rng(1).normal(size=20)

    with pytest.raises(NotEstimable, match="nobody has enough outcomes to tell their random effects"):
        fit_random_effects(outcome, person, design, [RandomTerm("person", person, design)])


def test_the_unit_of_time_changes_the_slope_and_nothing_else() -> None:
    table = sleepstudy()
    days, minutes = growth(table, table.visit.astype(float)), growth(table, table.visit * 1440.0)

    assert minutes.fit.deviance - 2 * np.log(1440) == pytest.approx(days.fit.deviance, rel=1e-9)
    assert minutes.fit.coefficients[1] * 1440 == pytest.approx(days.fit.coefficients[1])
    assert minutes.random_covariances[0][1, 1] * 1440**2 == pytest.approx(days.random_covariances[0][1, 1])
