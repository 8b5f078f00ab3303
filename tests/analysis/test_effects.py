"""Differences between arms: recovered when planted, absent when not, said in words when not estimable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from analysis.effects.diagnostics import diagnostics_of
from analysis.effects.endpoint import (
    AT_TARGET,
    ENDPOINTS,
    Outcome,
    endpoint_values,
    outcomes_of,
    projected_progress,
)
from analysis.effects.estimate import complete_cases, estimate_effects
from analysis.effects.linear_model import fit_arm_model
from analysis.result_row import PRIMARY_ESTIMAND
from analysis.tables.build import build_tables
from study.affect import Affect
from study.errors import UnknownName
from study.events import EndReason, ParticipantDiscontinued, SelfReportMissed
from study.path import PathKind
from study.protocol import Design, Phase, StudyProtocol
from tests.analysis.made_study import MadeStudy, make_protocol, simulate

TARGET = Affect(0.6, -0.4)
START = Affect(-0.4, 0.6)

coordinates = st.floats(-1, 1)
affects = st.builds(Affect, coordinates, coordinates)


def outcomes(study: MadeStudy) -> tuple[Outcome, ...]:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    return outcomes_of(study.protocol, tables)


def made(arm: str, number: int, pre: Affect, post: Affect | None, missing: str | None = None) -> Outcome:
    values = endpoint_values(None, TARGET, pre, post)
    site = ("clinic", "home")[number % 2]
    return Outcome(f"sub-{arm}-{number}", arm, arm, 1, {"site": site}, pre, post, values, missing)


def test_progress_is_zero_at_the_target_and_minus_the_distance_at_the_start() -> None:
    assert projected_progress(START, TARGET, TARGET) == 0.0
    assert projected_progress(START, TARGET, START) == pytest.approx(-np.sqrt(2))


def test_progress_beyond_the_target_is_above_zero_and_sideways_moves_do_not_count() -> None:
    assert projected_progress(START, TARGET, Affect(0.7, -0.5)) == pytest.approx(0.1 * np.sqrt(2))
    assert projected_progress(START, TARGET, Affect(0.2, -0.8)) == pytest.approx(-0.0, abs=1e-12)


@given(affects, affects, affects)
def test_progress_never_exceeds_the_distance_to_the_target(
    start: Affect, target: Affect, post: Affect
) -> None:
    progress = projected_progress(start, target, post)

    if progress is None:
        assert start.distance_to(target) <= 1e-9
    else:
        assert abs(progress) <= post.distance_to(target) + 1e-9


def test_a_fixed_start_gives_everyone_the_same_direction() -> None:
    post = Affect(0.1, 0.1)

    one = endpoint_values(START, TARGET, Affect(-0.9, 0.1), post)
    other = endpoint_values(START, TARGET, Affect(0.2, 0.9), post)

    assert one["projected_progress"] == other["projected_progress"]


def test_without_a_fixed_start_the_direction_is_from_each_persons_own_report() -> None:
    found = endpoint_values(None, TARGET, Affect(0.6, 0.6), Affect(0.0, 0.1))

    assert found["projected_progress"] == pytest.approx(-0.5)


def test_who_starts_at_the_target_is_left_out_of_progress_counted_and_kept_in_distance() -> None:
    protocol = make_protocol()
    people = [made(arm, i, START, Affect(0.05 * i, 0.1)) for arm in ("iso", "target_only") for i in range(6)]
    people.append(made("iso", 9, TARGET, Affect(0.5, -0.3)))

    assert estimate_effects(protocol, people, "projected_progress").missing == {AT_TARGET: 1}
    assert estimate_effects(protocol, people, "distance").missing == {}


def test_a_planted_difference_is_recovered_and_its_sign_is_arm_minus_comparator() -> None:
    protocol = make_protocol()
    row = estimate_effects(
        protocol, outcomes(simulate(protocol, 60, effect=0.5)), "projected_progress"
    ).contrasts[0]

    # The first arm is pulled 0.25 of a way of about 1.42 units further.
    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_low < 0.25 * 1.42 < row.ci_high
    assert row.n == 60
    assert row.extra["n_by_arm"] == [30, 30]
    assert row.extra["hedges_g"] > 0


def test_nothing_is_found_where_nothing_was_planted() -> None:
    protocol = make_protocol()
    row = estimate_effects(
        protocol, outcomes(simulate(protocol, 60, effect=0.0)), "projected_progress"
    ).contrasts[0]

    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_low < 0 < row.ci_high


def test_under_unequal_spread_progress_keeps_its_level_and_distance_does_not() -> None:
    """Same means, post SD .45 and .325 of the plane's half width, 40 an arm: facts give .042 and .103."""
    rng = np.random.default_rng(20260302)
    repetitions, per_arm = 500, 40
    arm = ["a"] * per_arm + ["b"] * per_arm
    spread = np.repeat([0.45, 0.325], per_arm)[:, None]
    rejected = {"progress": 0, "distance": 0}
    for _ in range(repetitions):
        pre = np.array([-0.5, 0.5]) + rng.normal(0, 0.3, (2 * per_arm, 2))
        post = 0.3 * (pre - [-0.5, 0.5]) + [0.3, -0.1] + rng.normal(0, 1, (2 * per_arm, 2)) * spread
        gap = post - np.array([0.6, -0.4])
        covariates = {"v": pre[:, 0], "a": pre[:, 1]}
        for name, values in (
            ("progress", gap @ np.array([1.1, -0.9]) / np.hypot(1.1, 0.9)),
            ("distance", np.hypot(*gap.T)),
        ):
            rejected[name] += fit_arm_model(values, arm, covariates).difference("a", "b").p_value < 0.05

    assert 0.025 <= rejected["progress"] / repetitions <= 0.08
    assert rejected["distance"] / repetitions > 0.08


def test_the_per_person_direction_keeps_its_level_too() -> None:
    rng = np.random.default_rng(7)
    repetitions, per_arm = 200, 30
    rejected = 0
    for _ in range(repetitions):
        pre = np.clip(np.array([-0.3, 0.3]) + rng.normal(0, 0.35, (2 * per_arm, 2)), -1, 1)
        post = np.clip(
            [0.3, -0.1] + rng.normal(0, 1, (2 * per_arm, 2)) * np.repeat([0.35, 0.2], per_arm)[:, None], -1, 1
        )
        values = [projected_progress(Affect(*p), TARGET, Affect(*q)) for p, q in zip(pre, post, strict=True)]
        fit = fit_arm_model(
            np.array(values, dtype=float), ["a"] * per_arm + ["b"] * per_arm, {"v": pre[:, 0], "a": pre[:, 1]}
        )
        rejected += fit.difference("a", "b").p_value < 0.05

    assert 0.01 <= rejected / repetitions <= 0.095


def test_a_missing_outcome_is_counted_with_its_reason_and_not_filled_in() -> None:
    protocol = make_protocol()
    study = simulate(protocol, 12)
    for who, event in (
        ("sub-900", SelfReportMissed(Phase.POST, "slider", "felt unwell")),
        ("sub-901", ParticipantDiscontinued(EndReason.WITHDREW, "")),
        ("sub-902", None),
    ):
        study.enrol(who)
        study.report(who, "ses-01", Phase.PRE, START)
        study.allocate(who, "iso")
        if isinstance(event, SelfReportMissed):
            study.add(event, who, "ses-01")
        elif event is not None:
            study.add(event, who)
    found = estimate_effects(protocol, outcomes(study), "projected_progress")

    assert found.missing == {"post report missed: felt unwell": 1, "withdrew": 1, "not yet given": 1}
    assert found.contrasts[0].n == 12


def test_one_person_in_an_arm_gives_a_reason_and_not_a_number() -> None:
    protocol = make_protocol(covariates=())
    people = [made("iso", i, START, Affect(0.1 * i, 0.0)) for i in range(5)]
    people.append(made("target_only", 0, START, Affect(0.3, 0.0)))
    row = estimate_effects(protocol, people, "projected_progress").contrasts[0]

    assert row.estimate is None
    assert row.p_value is None
    assert row.reason is not None
    assert "one participant alone" in row.reason


def test_an_empty_study_gives_reasons_for_every_contrast_and_arm() -> None:
    protocol = make_protocol()
    found = estimate_effects(protocol, [], "projected_progress")

    assert [row.reason for row in (*found.contrasts, *found.arms)] == ["nobody has the outcome yet"] * 3


def test_the_mean_of_an_arm_is_never_tested() -> None:
    protocol = make_protocol()
    found = estimate_effects(protocol, outcomes(simulate(protocol, 20)), "projected_progress")

    assert all(row.estimate is not None and row.p_value is None for row in found.arms)


def test_each_arm_of_three_is_compared_as_the_protocol_says() -> None:
    protocol = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    found = estimate_effects(protocol, outcomes(simulate(protocol, 30)), "projected_progress")
    means = {row.row_id: row.estimate for row in found.arms}

    assert [row.label for row in found.contrasts] == ["iso − target only", "iso − silence"]
    for row in found.contrasts:
        first, second = (means[arm] for arm in row.extra["arms"])
        assert first is not None
        assert second is not None
        assert row.estimate == pytest.approx(first - second)


def test_an_unknown_covariate_is_refused() -> None:
    protocol = make_protocol(covariates=("shoe_size",))

    with pytest.raises(UnknownName, match="shoe_size"):
        estimate_effects(protocol, [made("iso", 1, START, TARGET)], "valence")


def test_a_crossover_of_two_periods_is_the_t_test_of_the_period_differences() -> None:
    """Hills & Armitage (1979): half the difference of the sequences' mean period differences, df n − 2."""
    protocol = make_protocol(design=Design.CROSSOVER, covariates=())
    people = outcomes(simulate(protocol, 14, effect=0.3))
    row = estimate_effects(protocol, people, "valence").contrasts[0]
    by_sequence: dict[str, list[float]] = {"ab": [], "ba": []}
    for first, second in zip(people[::2], people[1::2], strict=True):
        assert first.participant_id == second.participant_id
        assert first.values["valence"] is not None
        assert second.values["valence"] is not None
        by_sequence[first.group].append(first.values["valence"] - second.values["valence"])
    test = stats.ttest_ind(by_sequence["ab"], by_sequence["ba"])

    assert row.estimate == pytest.approx((np.mean(by_sequence["ab"]) - np.mean(by_sequence["ba"])) / 2)
    assert row.p_value == pytest.approx(test.pvalue)
    assert row.extra["df"] == 12
    assert row.n == 14


def test_a_crossover_person_with_one_period_says_nothing_about_the_difference_and_is_counted() -> None:
    protocol = make_protocol(design=Design.CROSSOVER)
    people = list(outcomes(simulate(protocol, 8)))
    complete, missing = complete_cases(protocol, people[:-1], "valence")

    assert missing == {"only one period has an outcome": 1}
    assert len(complete) == 14


def test_several_sessions_in_parallel_go_from_the_first_pre_to_the_last_post() -> None:
    protocol = _two_sessions(make_protocol())
    study = MadeStudy(protocol)
    study.enrol("sub-1")
    for session, pre, post in (("ses-01", -0.5, 0.1), ("ses-02", -0.2, 0.4)):
        study.report("sub-1", session, Phase.PRE, Affect(pre, 0.5))
        if session == "ses-01":
            study.allocate("sub-1", "iso")
        study.report("sub-1", session, Phase.POST, Affect(post, 0.0))
    (found,) = outcomes(study)

    assert found.pre == Affect(-0.5, 0.5)
    assert found.post == Affect(0.4, 0.0)


def test_every_endpoint_of_the_protocol_has_a_name() -> None:
    assert set(ENDPOINTS) == {"projected_progress", "distance", "valence", "arousal"}


def _two_sessions(protocol: StudyProtocol) -> StudyProtocol:
    groups = tuple(replace(group, arm_ids=group.arm_ids * 2) for group in protocol.allocation.groups)
    return replace(protocol, session_count=2, allocation=replace(protocol.allocation, groups=groups))


def test_only_rows_of_the_protocols_endpoint_speak_of_its_estimand() -> None:
    protocol = make_protocol()
    people = outcomes(simulate(protocol, 20))

    assert estimate_effects(protocol, people, "projected_progress").contrasts[0].estimand == PRIMARY_ESTIMAND
    assert estimate_effects(protocol, people, "distance").contrasts[0].estimand is None
    assert estimate_effects(protocol, [], "projected_progress").contrasts[0].estimand == PRIMARY_ESTIMAND


def test_diagnostics_describe_the_residuals_of_the_model_and_decide_nothing() -> None:
    protocol = make_protocol()
    found = estimate_effects(protocol, outcomes(simulate(protocol, 40)), "projected_progress")
    residuals = found.diagnostics["residuals"]

    assert len(residuals["fitted"]) == len(residuals["residual"]) == 40
    assert sum(residuals["residual"]) == pytest.approx(0, abs=1e-9)
    # Two arms, two covariates and a site: five coefficients on forty people.
    assert found.diagnostics["mean_leverage"] == pytest.approx(5 / 40)
    assert found.diagnostics["mean_leverage"] < found.diagnostics["largest_leverage"] < 1
    assert found.diagnostics["shapiro_p"] == pytest.approx(stats.shapiro(residuals["residual"]).pvalue)


def test_a_picture_of_residuals_has_no_more_than_two_thousand_points() -> None:
    rng = np.random.default_rng(4)
    fit = fit_arm_model(rng.normal(size=6001), ["a", "b", "c"] * 2000 + ["a"], {})
    found = diagnostics_of(fit)

    assert len(found["residuals"]["residual"]) == 2000
    assert found["residuals"]["residual"][0] == fit.residuals[0]
    assert found["residuals"]["residual"][-1] == fit.residuals[-1]
    # Shapiro and Wilk's p-value is not known to be right for more than 5 000.
    assert found["shapiro_p"] is None


def test_equal_answers_have_no_test_of_their_residuals_and_no_model_has_no_diagnostics() -> None:
    protocol = make_protocol(covariates=())
    same = [made(arm, i, START, Affect(0.2, 0.1)) for arm in ("iso", "target_only") for i in range(5)]

    assert estimate_effects(protocol, same, "valence").diagnostics["shapiro_p"] is None
    assert estimate_effects(protocol, [], "valence").diagnostics == {}
