"""Multiple imputation: proper draws, the model of every completed data set, and what is not drawn.

Witness of the regression draws: sizes of 18 crops of apples and the percentage
of wormy fruits of 12 of them (Snedecor & Cochran 1967, table 6.9.1; the data of
R's ``mvnmle::apple``). Little & Rubin (Statistical Analysis with Missing Data,
2002, example 7.1) give the maximum-likelihood mean of all 18 as 49.33, against
45 of the 12, by Anderson (1957, J. Am. Stat. Assoc. 52, 200-203).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.description.reported_plan import study_of
from analysis.effects.endpoint import AT_TARGET, ENDPOINTS, Outcome, endpoint_values
from analysis.effects.estimate import estimate_effects
from analysis.effects.linear_model import fit_arm_model
from analysis.missing.imputation import endpoint_array, impute
from analysis.missing.imputed_effects import estimate_imputed
from analysis.missing.regression_draws import draw_regressions
from analysis.missing.rubin import pool
from analysis.result_row import NotEstimable
from study.affect import Affect
from study.errors import UnknownName
from tests.analysis.incomplete_study import ARMS, TARGET, made_protocol, people, person
from tests.analysis.made_study import make_protocol, other_sha

SIZE = np.array([8, 6, 11, 22, 14, 17, 18, 24, 19, 23, 26, 40, 4, 4, 5, 6, 8, 10], dtype=float)
WORMY = np.array([59, 58, 56, 53, 50, 45, 43, 42, 39, 38, 30, 27], dtype=float)


def test_the_mean_of_incomplete_crops_is_little_and_rubins() -> None:
    rng = np.random.default_rng(2)
    design = np.column_stack([np.ones(18), SIZE])
    values = np.column_stack([WORMY, WORMY])

    draws = draw_regressions(rng, design[:12], values, 4000, "crops")
    wormy = draws.simulate(design[12:], rng)[:, :, 0]
    means = (WORMY.sum() + wormy.sum(axis=1)) / 18

    # The Monte-Carlo error of the mean of 4000 draws is 0.05.
    assert float(means.mean()) == pytest.approx(49.33, abs=0.15)
    assert WORMY.mean() == 45


def test_drawn_coefficients_have_the_posterior_mean_and_covariance() -> None:
    rng = np.random.default_rng(3)
    n, q, d = 24, 3, 2
    design = np.column_stack([np.ones(n), rng.normal(size=(n, q - 1))])
    values = design @ np.array([[1.0, 0.0], [0.5, -0.5], [0.0, 2.0]]) + rng.normal(size=(n, d))
    found = draw_regressions(rng, design, values, 40_000, "made")
    inverse = np.linalg.inv(design.T @ design)
    fitted = inverse @ design.T @ values
    scatter = (values - design @ fitted).T @ (values - design @ fitted)

    # Inverse Wishart of n - q + d - 1 degrees of freedom: mean scatter / (n - q - 2), and each
    # variance a sum of squares over a χ² of n - q.
    covariance = found.root @ np.swapaxes(found.root, 1, 2)
    assert covariance.mean(axis=0) == pytest.approx(scatter / (n - q - 2), abs=0.02)
    assert stats.kstest(scatter[0, 0] / covariance[:, 0, 0], "chi2", args=(n - q,)).pvalue > 0.01
    assert found.coefficients.mean(axis=0) == pytest.approx(fitted, abs=0.006)
    expected = np.kron(inverse, scatter / (n - q - 2))
    assert np.cov(found.coefficients.reshape(-1, q * d).T) == pytest.approx(expected, abs=0.003)


def test_every_completed_data_set_has_the_numbers_of_the_model_fitted_alone() -> None:
    protocol = made_protocol(covariates=("pre_valence", "pre_arousal", "site"), imputations=8)
    imputed = impute(protocol, people(40), "valence")
    fits = imputed.design(protocol).fit(imputed.values)

    sites = np.array([p.stratum["site"] == "home" for p in imputed.people], dtype=float)
    covariates = {"v": imputed.pre[0, :, 0], "a": imputed.pre[0, :, 1], "site": sites}
    for index, values in enumerate(imputed.values):
        alone = fit_arm_model(values, [p.arm for p in imputed.people], covariates)
        assert fits.coefficients[index] == pytest.approx(alone.coefficients, abs=1e-12)
        assert fits.covariance[index] == pytest.approx(alone.covariance, abs=1e-12)
        assert fits.df == alone.df


def test_the_pooled_row_is_rubins_pool_of_the_single_analyses() -> None:
    protocol = made_protocol(imputations=20)
    outcomes = people(60)
    imputed = impute(protocol, outcomes, "valence")
    covariates = {"v": imputed.pre[0, :, 0], "a": imputed.pre[0, :, 1]}
    singles = [
        fit_arm_model(values, [p.arm for p in imputed.people], covariates).difference(*ARMS)
        for values in imputed.values
    ]
    expected = pool(np.array([s.value for s in singles]), np.array([s.se for s in singles]), singles[0].df)

    row = estimate_imputed(protocol, outcomes, "valence").contrasts[0]

    assert (row.estimate, row.ci_low) == pytest.approx((expected.value, expected.ci_low))
    assert row.p_value == pytest.approx(expected.p_value)
    assert row.extra["fraction_missing"] == pytest.approx(expected.fraction_missing)
    assert row.n == 60
    assert estimate_imputed(protocol, outcomes, "valence").diagnostics["imputed"] == {
        "withdrew": sum(row.extra["n_imputed_by_arm"])
    }
    assert sum(row.extra["n_imputed_by_arm"]) == sum(o.post is None for o in outcomes) > 5


def test_imputation_is_unbiased_at_random_where_complete_cases_are_biased() -> None:
    # Who felt better before drops out of the first arm more: at random given the report before.
    protocol = made_protocol(covariates=(), imputations=10)
    complete: list[float | None] = []
    imputed: list[float | None] = []
    for seed in range(60):
        outcomes = people(160, seed, effect=0.2, drop_out=(0.4, 0.1), by_pre=12.0)
        complete.append(estimate_effects(protocol, outcomes, "valence").contrasts[0].estimate)
        imputed.append(estimate_imputed(protocol, outcomes, "valence").contrasts[0].estimate)
    error = float(np.array(imputed, dtype=float).std(ddof=1)) / np.sqrt(60)

    assert error < 0.008
    assert np.mean(np.array(imputed, dtype=float)) == pytest.approx(0.2, abs=3 * error)
    assert np.mean(np.array(complete, dtype=float)) < 0.2 - 5 * error


def test_without_missing_outcomes_the_analysis_is_the_plain_one() -> None:
    protocol = made_protocol(covariates=("pre_valence", "site"))
    outcomes = people(40, drop_out=(0, 0))

    assert estimate_imputed(protocol, outcomes, "valence") == estimate_effects(protocol, outcomes, "valence")


def test_the_study_names_imputation_as_its_method_where_the_protocol_asks_for_it() -> None:
    protocol = made_protocol(imputations=20)

    assert "20 imputed data sets, missing at random" in study_of(protocol)["method"]
    assert "complete cases" in study_of(make_protocol())["method"]


def test_the_same_study_gives_the_same_draws_and_another_protocol_others() -> None:
    protocol, outcomes = made_protocol(), people(40)
    first, again = (impute(protocol, outcomes, "valence").values for _ in range(2))
    other = impute(other_sha(protocol), outcomes, "valence").values

    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_all_endpoints_of_a_person_rest_on_the_same_draw() -> None:
    protocol, outcomes = made_protocol(), people(40)
    valence, arousal, distance, progress = (
        impute(protocol, outcomes, name).values
        for name in ("valence", "arousal", "distance", "projected_progress")
    )
    pre = impute(protocol, outcomes, "valence").pre

    assert distance == pytest.approx(np.hypot(valence - TARGET.valence, arousal - TARGET.arousal))
    post = np.stack([valence, arousal], axis=-1)
    assert progress == pytest.approx(endpoint_array(protocol, "projected_progress", pre, post))


def test_endpoints_of_arrays_are_those_of_single_reports() -> None:
    rng = np.random.default_rng(5)
    pre, post = rng.uniform(-1, 1, (2, 30, 2))
    for protocol in (made_protocol(), replace(made_protocol(), start=Affect(-0.6, 0.5))):
        for endpoint in ENDPOINTS:
            found = endpoint_array(protocol, endpoint, pre, post)
            single = [
                endpoint_values(protocol.start, protocol.target, Affect(*a), Affect(*b))[endpoint]
                for a, b in zip(pre.tolist(), post.tolist(), strict=True)
            ]
            assert found == pytest.approx(np.array(single, dtype=float))


def test_a_draw_may_lie_outside_the_square_and_is_not_clipped() -> None:
    outcomes = people(200, effect=0.9, slope=0.2, spread=0.3)

    values = impute(made_protocol(), outcomes, "valence").values

    assert float(values.max()) > 1.0
    row = estimate_imputed(made_protocol(), outcomes, "projected_progress").contrasts[0]
    assert row.reason is None


def test_known_outcomes_are_never_touched() -> None:
    outcomes = people(40)
    imputed = impute(made_protocol(), outcomes, "projected_progress")

    for index, one in enumerate(imputed.people):
        if one.values["projected_progress"] is not None:
            assert set(imputed.values[:, index]) == {one.values["projected_progress"]}
        else:
            assert len(set(imputed.values[:, index])) == 50


def test_a_missing_report_before_is_drawn_from_the_one_after() -> None:
    # Nearly the same on both occasions, so that the one tells the other.
    outcomes = people(120, drop_out=(0, 0), effect=0.0, slope=1.0, spread=0.05, without_pre=0.15)
    truth = people(120, drop_out=(0, 0), effect=0.0, slope=1.0, spread=0.05)
    imputed = impute(made_protocol(), outcomes, "valence")
    at = [i for i, one in enumerate(imputed.people) if one.pre is None]
    expected = [(truth[i].pre or TARGET).valence for i in at]

    assert len(at) > 8
    assert imputed.pre.shape == (50, 120, 2)
    error = imputed.pre[:, at, 0].mean(axis=0) - np.array(expected)
    assert float(np.sqrt((error**2).mean())) < 0.07
    spread = float(imputed.pre[:, at, 0].std(axis=0).mean())
    assert 0.04 < spread < 0.07


def test_people_without_either_report_are_drawn_and_add_no_information() -> None:
    protocol = made_protocol(imputations=200)
    outcomes = people(100, drop_out=(0, 0))
    empty = tuple(person(1000 + i, ARMS[i % 2], None, None) for i in range(20))

    without = estimate_effects(protocol, outcomes, "valence").contrasts[0]
    found = estimate_imputed(protocol, (*outcomes, *empty), "valence").contrasts[0]

    assert found.n == 120
    assert found.estimate == pytest.approx(without.estimate, abs=0.01)
    assert found.extra["se"] == pytest.approx(without.extra["se"], rel=0.08)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (person(900, "iso", Affect(0, 0), None, "not yet given"), "not yet given"),
        (person(900, "iso", None, None, "data erased"), "data erased"),
        (person(900, "iso", Affect(0, 0), None, site=None), "stratification data erased"),
        (person(900, "iso", TARGET, None), AT_TARGET),
        (
            person(900, "iso", Affect(0, 0), None, site="abroad"),
            "nobody with the same site has the outcome in arm iso",
        ),
    ],
)
def test_who_is_neither_known_nor_drawn_is_counted_with_the_reason(one: Outcome, reason: str) -> None:
    imputed = impute(made_protocol(), (*people(40), one), "projected_progress")

    assert imputed.left_out == {reason: 1}
    assert len(imputed.people) == 40


def test_an_arm_with_too_few_outcomes_is_not_drawn_and_its_contrasts_say_why() -> None:
    few = [person(i, "iso", Affect(-0.1 * i, 0.1), Affect(0.1, 0.02 * i)) for i in range(5)]
    gone = person(20, "iso", Affect(0, 0), None)
    others = [o for o in people(60) if o.arm == "target_only"]

    found = estimate_imputed(made_protocol(), (*few, gone, *others), "valence")

    assert found.contrasts[0].estimate is None
    assert found.contrasts[0].reason == "arm iso: 5 outcome(s) for 2 coefficients are too few to impute from"
    assert [arm.reason is None for arm in found.arms] == [False, True]


def test_a_composite_value_is_no_report_to_draw_from() -> None:
    protocol = made_protocol("projected_progress")
    estimand = replace(
        protocol.analysis.estimand,
        intercurrent_events={"stopped_early": "composite"},
        composite_value=-3.0,
    )
    composite = replace(protocol, analysis=replace(protocol.analysis, estimand=estimand))
    outcomes = people(60)
    failed = [
        replace(o, events=("stopped_early",), values={**o.values, "projected_progress": -3.0})
        for o in people(20, seed=9, drop_out=(0, 0))
    ]

    plain = impute(protocol, outcomes, "projected_progress")
    mixed = impute(composite, (*outcomes, *failed), "projected_progress")

    assert np.array_equal(mixed.values[:, : len(outcomes)], plain.values)
    assert set(mixed.values[:, -1]) == {-3.0}


def test_a_covariate_there_is_no_column_for_is_refused() -> None:
    with pytest.raises(UnknownName, match="shoe_size"):
        estimate_imputed(made_protocol(covariates=("shoe_size",)), people(40), "valence")


def test_constant_answers_give_a_reason() -> None:
    same = [person(i, ARMS[i % 2], Affect(0.0, 0.0), Affect(0.1, 0.1)) for i in range(30)]
    gone = [person(50 + i, ARMS[i % 2], Affect(0.0, 0.0), None) for i in range(4)]

    row = estimate_imputed(made_protocol(), (*same, *gone), "valence").contrasts[0]

    assert row.estimate is None
    assert row.reason == "the outcome does not vary within arms, so no interval can be given"


def test_equal_columns_are_a_singular_design() -> None:
    rng = np.random.default_rng(1)
    design = np.column_stack([np.ones(20), np.arange(20.0), np.arange(20.0)])

    with pytest.raises(NotEstimable, match="singular design"):
        draw_regressions(rng, design, rng.normal(size=(20, 2)), 5, "made")
