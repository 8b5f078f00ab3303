"""Sessions that are repeated: the last is the endpoint, all of them are in the model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from analysis.chosen_model import estimate_endpoint
from analysis.effects.endpoint import Outcome, endpoint_values, visits_of
from analysis.effects.estimate import Effects
from analysis.effects.linear_model import fit_arm_model
from analysis.effects.repeated import estimate_repeated
from analysis.result_row import PRIMARY_ESTIMAND, json_ready
from analysis.tables.build import build_tables
from study.affect import Affect
from study.analysis_plan import Model
from study.path import PathKind
from study.protocol import AllocationGroup, AllocationSpec, StudyProtocol
from tests.analysis.made_study import make_protocol, simulate
from tests.analysis.published_data import dental_growth

ARMS = ("iso", "target_only")


def protocol_of(
    sessions: int = 3,
    model: Model = Model.MMRM,
    covariates: tuple[str, ...] = ("pre_valence", "site"),
    kinds: tuple[PathKind, ...] = (PathKind.ISO, PathKind.TARGET_ONLY),
) -> StudyProtocol:
    made = make_protocol(kinds, endpoint="valence", covariates=covariates)
    groups = tuple(AllocationGroup(g.group_id, g.arm_ids * sessions, 1) for g in made.allocation.groups)
    return replace(
        made,
        session_count=sessions,
        allocation=AllocationSpec(groups, made.allocation.strata, made.allocation.block_sizes),
        analysis=replace(made.analysis, model=model),
    )


def visits_with(
    post: np.ndarray, arms: Sequence[str] = ARMS, pre: np.ndarray | None = None, why: str = "withdrew"
) -> list[Outcome]:
    """Visits of people in turn in each arm; `post` has shape [people, sessions], NaN where missing."""
    found = []
    for number, row in enumerate(post):
        start = Affect(float(pre[number]) if pre is not None else -0.4, 0.5)
        arm = arms[number % len(arms)]
        for period, value in enumerate(row, start=1):
            there = Affect(float(value), 0.0) if np.isfinite(value) else None
            values = endpoint_values(None, Affect(0.6, -0.4), start, there)
            site = ("clinic", "home")[number // len(arms) % 2]
            found.append(
                Outcome(
                    f"sub-{number:03d}",
                    arm,
                    arm,
                    period,
                    {"site": site},
                    start,
                    there,
                    values,
                    None if there else why,
                )
            )
    return found


def drawn(people: int = 60, sessions: int = 3, seed: int = 1, effect: float = 0.2) -> np.ndarray:
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 0.1, (people, 1)) + 0.02 * np.arange(sessions)
    treated = (np.arange(people) % 2 == 0)[:, None] * effect * np.arange(1, sessions + 1) / sessions
    return np.asarray(own + treated + rng.normal(0, 0.1, (people, sessions)))


def reasons(effects: Effects) -> set[str | None]:
    return {row.reason for row in (*effects.contrasts, *effects.arms)}


def test_girls_and_boys_of_14_differ_as_their_means_with_25_degrees_of_freedom() -> None:
    # Potthoff & Roy (1964): means at 14 years 24.0909 (girls) and 27.46875 (boys).
    table = dental_growth()
    protocol = protocol_of(4, covariates=())
    visits = [
        Outcome(f"sub-{who:02d}", arm, arm, int(visit) + 1, {}, Affect(0, 0), None, {"valence": value}, None)
        for value, who, visit, girl in zip(table.outcome, table.person, table.visit, table.group, strict=True)
        for arm in [ARMS[int(girl)]]
    ]

    found = estimate_repeated(protocol, visits, "valence")

    row = found.contrasts[0]
    assert row.estimate == pytest.approx(27.46875 - 24.0909, abs=5e-5)
    assert row.extra["df"] == pytest.approx(25.0)
    assert [arm.estimate for arm in found.arms] == pytest.approx([27.46875, 24.0909], abs=5e-5)
    assert row.extra["n_by_arm"] == [16, 11]


def test_an_arms_mean_is_that_of_covariance_analysis_at_the_mean_of_all_who_were_analysed() -> None:
    # Complete visits, covariates crossed with session: each session is its own analysis of covariance.
    post = drawn()
    pre = np.random.default_rng(6).normal(0.2, 0.1, 60)
    protocol = protocol_of(covariates=("pre_valence",))
    found = estimate_repeated(protocol, visits_with(post + 0.5 * pre[:, None], pre=pre), "valence")
    arm = [ARMS[number % 2] for number in range(60)]
    alone = fit_arm_model(post[:, 2] + 0.5 * pre, arm, {"pre": pre}, "classical")

    for row in found.arms:
        expected = alone.mean_of(row.row_id)
        assert (row.estimate, row.ci_low, row.ci_high) == pytest.approx(
            (expected.value, expected.ci_low, expected.ci_high)
        )


def test_whoever_misses_the_last_session_still_counts_by_the_others() -> None:
    post = drawn()
    post[:10, 2] = np.nan
    found = estimate_repeated(protocol_of(), visits_with(post), "valence")
    row = found.contrasts[0]

    assert row.n == 60
    assert row.extra["n_by_arm"] == [25, 25]
    assert found.missing == {}


def test_drop_out_that_depends_on_what_was_reported_does_not_bias_the_last_session() -> None:
    # Missing at random: who felt better at session 1 stays away from session 2, in one arm only.
    rng = np.random.default_rng(8)
    people = 4000
    own = rng.normal(0, 0.15, (people, 1))
    post = own + rng.normal(0, 0.05, (people, 2))
    gone = (np.arange(people) % 2 == 0) & (post[:, 0] > 0.05)
    post[gone, 1] = np.nan
    protocol = protocol_of(2, covariates=())

    row = estimate_repeated(protocol, visits_with(post), "valence").contrasts[0]
    seen = [np.nanmean(post[index::2, 1]) for index in (0, 1)]

    assert row.ci_low is not None
    assert row.ci_high is not None
    assert row.ci_low < 0 < row.ci_high
    assert row.ci_high - row.ci_low < 0.03
    assert seen[0] - seen[1] < -0.06


def test_who_has_no_session_at_all_is_left_out_with_the_reason() -> None:
    post = drawn()
    post[3] = np.nan
    found = estimate_repeated(protocol_of(), visits_with(post, why="lost to follow up"), "valence")

    assert found.missing == {"lost to follow up": 1}
    assert found.contrasts[0].n == 59


@pytest.mark.parametrize("model", [Model.MMRM, Model.RANDOM_EFFECTS])
def test_a_planted_difference_is_recovered_at_each_session(model: Model) -> None:
    post = drawn(people=400, effect=0.3)
    post[np.random.default_rng(3).random(post.shape) < 0.15] = np.nan
    found = estimate_repeated(protocol_of(model=model), visits_with(post), "valence")
    differences = [row for row in found.by_session if row.extra["kind"] == "contrast"]

    assert [row.extra["session_id"] for row in differences] == ["ses-01", "ses-02", "ses-03"]
    for row, planted in zip(differences, (0.1, 0.2, 0.3), strict=True):
        assert row.ci_low is not None
        assert row.ci_high is not None
        assert row.ci_low < planted < row.ci_high
        assert row.ci_high - row.ci_low < 0.09
        assert row.extra["df"] > 200


def test_the_endpoint_is_the_last_session() -> None:
    found = estimate_repeated(protocol_of(), visits_with(drawn()), "valence")
    last = {row.row_id: row for row in found.by_session if row.extra["period"] == 3}

    assert found.contrasts[0].row_id == "valence:iso_vs_target_only"
    assert found.contrasts[0].label == "iso − target only"
    same = last["valence:iso_vs_target_only:ses-03"]
    assert (same.estimate, same.ci_low, same.p_value) == (
        found.contrasts[0].estimate,
        found.contrasts[0].ci_low,
        found.contrasts[0].p_value,
    )
    assert [row.row_id for row in found.arms] == list(ARMS)
    assert len({row.row_id for row in found.by_session}) == len(found.by_session) == 9


def test_only_the_last_session_of_the_endpoint_speaks_of_the_estimand() -> None:
    protocol, visits = protocol_of(), visits_with(drawn())

    primary = estimate_repeated(protocol, visits, "valence")
    other = estimate_repeated(protocol, visits, "distance")

    spoken = [row.estimand for row in primary.by_session if row.extra["kind"] == "contrast"]
    assert spoken == [None, None, PRIMARY_ESTIMAND]
    assert other.contrasts[0].estimand is None


def test_a_mean_of_an_arm_is_never_tested() -> None:
    found = estimate_repeated(protocol_of(), visits_with(drawn()), "valence")

    assert {row.p_value for row in found.by_session if row.extra["kind"] == "arm"} == {None}


def test_the_covariance_and_the_residuals_are_kept_for_the_picture() -> None:
    found = estimate_repeated(protocol_of(), visits_with(drawn(people=400)), "valence")
    covariance = np.array(found.diagnostics["covariance"])

    assert found.diagnostics["covariance_sessions"] == ["ses-01", "ses-02", "ses-03"]
    assert covariance == pytest.approx(np.full((3, 3), 0.01) + 0.01 * np.eye(3), abs=4e-3)
    assert len(found.diagnostics["residuals"]["fitted"]) == 1200
    assert np.mean(found.diagnostics["residuals"]["residual"]) == pytest.approx(0.0, abs=1e-3)
    assert json_ready(found.diagnostics)["note"] is None


def test_each_model_says_what_it_is() -> None:
    mmrm = estimate_repeated(protocol_of(), visits_with(drawn()), "valence").contrasts[0].method
    random = protocol_of(model=Model.RANDOM_EFFECTS)
    slopes = estimate_repeated(random, visits_with(drawn()), "valence").contrasts[0].method
    two = protocol_of(2, Model.RANDOM_EFFECTS)
    intercepts = estimate_repeated(two, visits_with(drawn(sessions=2)), "valence").contrasts[0].method

    assert "unstructured covariance, Satterthwaite" in mmrm
    assert "pre valence, site" in mmrm
    assert "random intercept and slope over sessions of each person" in slopes
    assert "random intercept of each person" in intercepts


def test_random_slopes_that_nobody_differs_in_are_said_and_kept() -> None:
    rng = np.random.default_rng(13)
    post = rng.normal(0, 0.1, (40, 3))
    row = estimate_repeated(protocol_of(model=Model.RANDOM_EFFECTS), visits_with(post), "valence").contrasts[
        0
    ]

    assert row.estimate is not None
    assert "singular fit: the variance of the random effects of person" in row.extra["note"]


def test_an_arm_without_anybody_is_a_reason_and_the_other_contrasts_stand() -> None:
    protocol = protocol_of(kinds=(PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    found = estimate_repeated(protocol, visits_with(drawn()), "valence")

    assert found.contrasts[0].estimate is not None
    assert found.contrasts[1].estimate is None
    assert found.contrasts[1].reason == "nobody in arm silence has the outcome of session 3"


def test_an_arm_that_all_left_before_the_last_session_has_no_difference_there() -> None:
    post = drawn()
    post[1::2, 2] = np.nan
    found = estimate_repeated(protocol_of(), visits_with(post), "valence")

    assert found.contrasts[0].reason == "nobody in arm target_only has the outcome of session 3"
    assert found.arms[0].estimate is not None
    assert [row.reason for row in found.by_session if row.extra["kind"] == "contrast"][:2] == [None, None]


@pytest.mark.parametrize("model", [Model.MMRM, Model.RANDOM_EFFECTS])
@pytest.mark.parametrize(
    ("post", "told"),
    [
        (np.empty((0, 3)), "nobody has the outcome yet"),
        (np.full((20, 3), np.nan), "nobody has the outcome yet"),
        (np.full((20, 3), 0.4), "the outcome does not vary within arms, so no interval can be given"),
        (drawn(people=2), "too few to estimate"),
    ],
)
def test_what_cannot_be_fitted_says_why_in_every_row(model: Model, post: np.ndarray, told: str) -> None:
    found = estimate_repeated(protocol_of(model=model), visits_with(post), "valence")

    assert len(found.contrasts) == 1
    assert len(found.by_session) == 9
    for reason in reasons(found):
        assert reason is not None
        assert told in reason
    assert found.diagnostics == {}


def test_a_covariate_that_repeats_the_arm_is_a_singular_design() -> None:
    post = drawn()
    pre = np.where(np.arange(60) % 2 == 0, 0.1, -0.1)
    found = estimate_repeated(protocol_of(), visits_with(post, pre=pre), "valence")

    assert reasons(found) == {"covariates repeat each other or the arms in this sample (singular design)"}


def test_a_covariate_without_variation_is_left_out_and_named() -> None:
    found = estimate_repeated(protocol_of(), visits_with(drawn()), "valence")

    assert found.left_out == ("pre_valence",)


@pytest.mark.parametrize("model", [Model.MMRM, Model.RANDOM_EFFECTS])
def test_a_study_of_several_sessions_comes_to_this_model_from_its_record(model: Model) -> None:
    protocol = protocol_of(3, model)
    study = simulate(protocol, 24, effect=0.6)
    tables = build_tables(protocol, study.events, study.manifests, study.predictions)
    visits = visits_of(protocol, tables)

    found = estimate_endpoint(protocol, (), visits, "valence")

    assert found.contrasts[0].n == 24
    assert found.contrasts[0].estimate is not None
    assert found.contrasts[0].estimate > 0.15
    assert found.contrasts[0].extra["hedges_g"] > 0.5
    assert 5 < found.contrasts[0].extra["df"] < 60
