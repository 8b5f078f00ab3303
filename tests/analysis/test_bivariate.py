"""Both axes at once against Johnson & Wichern (2007), R and statsmodels.

- Example 6.4 (electrical consumption of homes with and without air conditioning, by its summary
  statistics): T² = 16.2.
- Example 6.9 (three groups): Wilks's lambda .0385, F = 8.19 on 4 and 8 degrees of freedom.
- Exercise 6.8: ``summary(manova(cbind(x1, x2) ~ Treatment), test = "Wilks")`` in R prints
  0.03619, approx F 17.027, num Df 4, den Df 16, Pr(>F) 1.283e-05.
- ``statsmodels.multivariate.manova.MANOVA`` is the oracle for covariates and Pillai's trace.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from analysis.effects.bivariate import compare_all_arms, estimate_both_axes, hotelling_contrast
from analysis.effects.endpoint import Outcome, outcomes_of
from analysis.result_row import NotEstimable, ResultRow
from analysis.tables.build import build_tables
from study.affect import Affect
from study.path import PathKind
from study.protocol import Design, StudyProtocol
from tests.analysis.made_study import make_protocol, simulate

Floats = NDArray[np.float64]
THREE = (PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)


def with_moments(mean: list[float], covariance: list[list[float]], n: int, seed: int) -> Floats:
    """Numbers of exactly this mean and covariance (n − 1), shape [n, 2]."""
    raw = np.random.default_rng(seed).normal(size=(n, 2))
    white = (raw - raw.mean(axis=0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(raw.T))).T
    return np.asarray(white @ np.linalg.cholesky(np.array(covariance)).T + mean)


def outcomes(protocol: StudyProtocol, n: int, effect: float = 0.4) -> tuple[Outcome, ...]:
    study = simulate(protocol, n, effect)
    return outcomes_of(protocol, build_tables(protocol, study.events, study.manifests, study.predictions))


def rows_of(protocol: StudyProtocol, people: tuple[Outcome, ...]) -> dict[str, ResultRow]:
    return {row.row_id: row for row in estimate_both_axes(protocol, people)}


def test_t_squared_of_two_groups_is_that_of_example_6_4() -> None:
    cooled = with_moments([204.4, 556.6], [[13825.3, 23823.4], [23823.4, 73107.4]], 45, 1)
    warm = with_moments([130.0, 355.0], [[8632.0, 19616.7], [19616.7, 55964.5]], 55, 2)

    found = hotelling_contrast(
        np.vstack([cooled, warm]), ["cooled"] * 45 + ["warm"] * 55, {}, ("cooled", "warm")
    )

    assert found.t_squared == pytest.approx(16.2, abs=0.15)
    assert (found.df_numerator, found.df_denominator) == (2, 97)
    # The book's critical value at .05 is 6.26.
    assert stats.f.isf(0.05, 2, 97) * 98 * 2 / 97 == pytest.approx(6.26, abs=0.02)


def test_hotelling_without_covariates_is_the_two_sample_test() -> None:
    """T² = n₁n₂/(n₁+n₂) d'S⁻¹d with the pooled covariance (Johnson & Wichern 2007, § 6.3)."""
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.3, 1, (9, 2)), rng.normal(0, 1, (12, 2))
    pooled = (np.cov(first.T) * 8 + np.cov(second.T) * 11) / 19
    d = first.mean(axis=0) - second.mean(axis=0)
    by_hand = 9 * 12 / 21 * d @ np.linalg.solve(pooled, d)

    found = hotelling_contrast(np.vstack([first, second]), ["a"] * 9 + ["b"] * 12, {}, ("a", "b"))

    assert found.t_squared == pytest.approx(by_hand)
    assert (found.df_numerator, found.df_denominator) == (2, 18)
    assert found.p_value == pytest.approx(stats.f.sf(by_hand * 18 / 38, 2, 18))


def test_wilks_of_three_groups_is_that_of_example_6_9() -> None:
    points = np.array([[9, 3], [6, 2], [9, 7], [0, 4], [2, 0], [3, 8], [1, 9], [2, 7]], dtype=float)

    found = compare_all_arms(points, list("aaabbccc"), {}, list("abc"))

    assert found.wilks == pytest.approx(0.0385, abs=5e-5)
    assert found.f_value == pytest.approx(8.19, abs=0.01)
    assert (found.df_numerator, found.df_denominator) == (4, 8)


def test_wilks_of_exercise_6_8_is_what_r_prints() -> None:
    points = np.array(
        [[6, 5, 8, 4, 7, 3, 1, 2, 2, 5, 3, 2], [7, 9, 6, 9, 9, 3, 6, 3, 3, 1, 1, 3]], dtype=float
    ).T

    found = compare_all_arms(points, list("aaaaabbbcccc"), {}, list("abc"))

    assert found.wilks == pytest.approx(0.03619, abs=5e-6)
    assert found.f_value == pytest.approx(17.027, abs=5e-4)
    assert (found.df_numerator, found.df_denominator) == (4, 16)
    assert found.p_value == pytest.approx(1.283e-05, abs=5e-9)


@pytest.mark.parametrize("arms", ["ab", "abc", "abcd"])
def test_mancova_is_that_of_statsmodels(arms: str) -> None:
    from statsmodels.multivariate.manova import MANOVA

    rng = np.random.default_rng(len(arms))
    arm = list(arms) * 9
    pre = rng.normal(size=len(arm))
    points = (
        rng.normal(size=(len(arm), 2)) + 0.5 * pre[:, None] + np.array([[ord(a) - 97, 0] for a in arm]) * 0.4
    )
    table = pd.DataFrame({"v": points[:, 0], "a": points[:, 1], "arm": arm, "pre": pre})
    oracle = MANOVA.from_formula("v + a ~ arm + pre", table).mv_test().results["arm"]["stat"]

    found = compare_all_arms(points, arm, {"pre": pre}, list(arms))

    wilks, pillai = oracle.loc["Wilks' lambda"], oracle.loc["Pillai's trace"]
    assert [
        found.wilks,
        found.f_value,
        found.df_numerator,
        found.df_denominator,
        found.p_value,
    ] == pytest.approx([float(wilks[name]) for name in ("Value", "F Value", "Num DF", "Den DF", "Pr > F")])
    assert [
        found.pillai,
        found.pillai_f,
        found.pillai_df_numerator,
        found.pillai_df_denominator,
    ] == pytest.approx([float(pillai[name]) for name in ("Value", "F Value", "Num DF", "Den DF")])
    assert found.pillai_p == pytest.approx(float(pillai["Pr > F"]))


def test_two_arms_alone_are_hotellings_test() -> None:
    protocol = make_protocol()
    rows = rows_of(protocol, outcomes(protocol, 30))

    assert rows["both_axes:all_arms"].p_value == pytest.approx(rows["both_axes:iso_vs_target_only"].p_value)


def test_a_crossover_of_two_periods_is_hotellings_test_of_the_period_differences() -> None:
    protocol = make_protocol(design=Design.CROSSOVER, covariates=())
    people = outcomes(protocol, 14)
    differences: dict[str, list[list[float]]] = {"ab": [], "ba": []}
    for first, second in zip(people[::2], people[1::2], strict=True):
        differences[first.group].append(
            [(first.values[axis] or 0.0) - (second.values[axis] or 0.0) for axis in ("valence", "arousal")]
        )
    by_hand = hotelling_contrast(
        np.array(differences["ab"] + differences["ba"]), ["ab"] * 7 + ["ba"] * 7, {}, ("ab", "ba")
    )
    row = rows_of(protocol, people)["both_axes:iso_vs_target_only"]

    assert row.p_value == pytest.approx(by_hand.p_value)
    assert row.extra["t_squared"] == pytest.approx(by_hand.t_squared)
    assert row.n == 14
    assert "within persons" in row.method


def test_every_contrast_and_all_arms_have_a_row() -> None:
    protocol = make_protocol(THREE)

    assert list(rows_of(protocol, outcomes(protocol, 30))) == [
        "both_axes:iso_vs_target_only",
        "both_axes:iso_vs_silence",
        "both_axes:all_arms",
    ]


def test_an_empty_arm_leaves_the_other_contrast_and_no_test_of_all_arms() -> None:
    protocol = make_protocol(THREE)
    people = tuple(o for o in outcomes(protocol, 30) if o.arm != "silence")
    rows = rows_of(protocol, people)

    assert rows["both_axes:iso_vs_target_only"].p_value is not None
    for name in ("both_axes:iso_vs_silence", "both_axes:all_arms"):
        assert rows[name].reason == "nobody in arm silence has the outcome"
        assert rows[name].p_value is None


def test_one_arm_alone_is_compared_with_nothing() -> None:
    with pytest.raises(NotEstimable, match="one arm alone"):
        compare_all_arms(np.random.default_rng(1).normal(size=(8, 2)), ["a"] * 8, {}, ["a"])


@pytest.mark.parametrize("n", [0, 2, 4])
def test_too_few_people_give_reasons(n: int) -> None:
    protocol = make_protocol()

    for row in rows_of(protocol, outcomes(protocol, 30)[:n]).values():
        assert row.p_value is None
        assert row.reason


def test_answers_that_are_all_equal_or_on_one_line_give_reasons() -> None:
    protocol = make_protocol()
    same = tuple(
        replace(o, values=dict.fromkeys(o.values, 0.1), post=Affect(0.1, 0.1)) for o in outcomes(protocol, 20)
    )
    line = tuple(
        replace(o, values={**o.values, "arousal": 1 - 2 * (o.values["valence"] or 0.0)})
        for o in outcomes(protocol, 20)
    )

    for people in (same, line):
        for row in rows_of(protocol, people).values():
            assert row.reason == "valence and arousal do not vary apart from each other"


def test_a_covariate_that_repeats_the_arms_is_refused() -> None:
    points = np.random.default_rng(1).normal(size=(8, 2))
    arm = ["a"] * 4 + ["b"] * 4

    with pytest.raises(NotEstimable, match="singular"):
        compare_all_arms(points, arm, {"x": np.array([0.0] * 4 + [1.0] * 4)}, ["a", "b"])
