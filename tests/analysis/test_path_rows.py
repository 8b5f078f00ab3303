"""Planned against generated as results hold it: by arm and predictor, with intervals and nulls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.agreement.pair_sets import engine_set
from analysis.agreement.path_null_rows import NO_CLAIM, NO_CLAIM_TRAINED
from analysis.agreement.path_rows import SHARED
from analysis.agreement.results import agreement_of
from analysis.agreement.trajectories import Trajectories
from analysis.mer.predictor import AffectSeries
from analysis.tables.blinded import blinded_tables
from analysis.tables.build import StudyTables, build_tables
from analysis.tables.shuffled import shuffle_arms
from study.path import PathKind, PathSpec
from study.protocol import StudyProtocol
from tests.analysis.made_study import CARD, MadeStudy, make_protocol, simulate
from tests.benchmarks.analysis_study import LargeStudy, large_study

CUES = replace(CARD, name="cues", limits=("It reads the cues that the composer writes.",))


def bending_protocol() -> StudyProtocol:
    """Sixteen clips that stay three at each end, so that the plan is no straight line."""
    made = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE))
    arms = tuple(
        replace(arm, path=PathSpec(arm.path.kind, 16, 30.0, dwell_start_steps=3, dwell_end_steps=3))
        for arm in made.arms
    )
    return replace(made, duration_s=480.0, arms=arms)


def heard_otherwise(series: AffectSeries, rng: np.random.Generator) -> AffectSeries:
    """A second predictor: half the valence, and an arousal that wavers about nothing."""
    n = len(series.onset_s)
    return replace(
        series,
        valence_pred=0.5 * series.valence_pred,
        arousal_pred=np.clip(0.1 * rng.normal(size=n), -1, 1),
        card=CUES,
        domain_distance=np.where(np.arange(n) % 4 == 0, 1.5, 0.5),
    )


@pytest.fixture(scope="module")
def study() -> MadeStudy:
    made = simulate(bending_protocol(), 24)
    rng = np.random.default_rng(5)
    for heard in made.predictions.values():
        heard["cues"] = heard_otherwise(heard["musicnn"], rng)
    return made


@pytest.fixture(scope="module")
def tables(study: MadeStudy) -> StudyTables:
    return tables_of(study)


@pytest.fixture(scope="module")
def agreement(study: MadeStudy, tables: StudyTables) -> dict[str, Any]:
    return agreement_of(study.protocol, tables, study.manifests)


def tables_of(study: MadeStudy | LargeStudy) -> StudyTables:
    return build_tables(study.protocol, study.events, study.manifests, study.predictions)


def rows_by(rows: list[dict[str, Any]], *keys: str) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(row[key] for key in keys): row for row in rows}


def figures(agreement: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return rows_by(agreement["path_following"]["rows"], "arm", "predictor", "axis", "statistic")


def nulls(agreement: dict[str, Any]) -> dict[tuple[Any, ...], dict[str, Any]]:
    return rows_by(agreement["path_following"]["nulls"], "arm", "predictor", "axis", "statistic", "null")


def test_the_table_has_a_row_for_each_clip_and_predictor(study: MadeStudy, tables: StudyTables) -> None:
    who, session_id = next(iter(study.predictions))
    table = tables.predictions
    mine = table[(table["participant_id"] == who) & (table["session_id"] == session_id)]
    cues = mine[mine["predictor"] == "cues"]
    series = study.predictions[who, session_id]["cues"]

    assert list(mine["predictor"].unique()) == ["musicnn", "cues"]
    assert len(mine) == 2 * 16
    assert (cues["valence_pred"].iloc[2], cues["arousal_pred"].iloc[2]) == series.mean_over(60.0, 90.0)
    assert cues["n_windows"].iloc[2] == 20
    assert cues["foreign_share"].iloc[2] == 0.25
    assert mine["foreign_share"][mine["predictor"] == "musicnn"].isna().all()
    inside = (series.onset_s + 1.5 >= 60) & (series.onset_s + 1.5 < 90)
    assert cues["arousal_spread"].iloc[2] == pytest.approx(series.spread[inside, 1].mean())


def test_clips_hold_the_reporters_prediction_and_how_far_the_predictors_are_apart(
    tables: StudyTables,
) -> None:
    first, second = (
        tables.predictions[tables.predictions["predictor"] == name].reset_index()
        for name in ("musicnn", "cues")
    )
    clips = tables.clips[tables.clips["valence_pred"].notna()].reset_index()

    assert clips["valence_pred"].tolist() == first["valence_pred"].tolist()
    apart = (first["arousal_pred"] - second["arousal_pred"]).abs()
    assert clips["arousal_disagreement"].tolist() == pytest.approx(apart.tolist())
    displaced = clips["valence_pred"] - clips["valence_target"]
    assert first["valence_displacement"].tolist() == pytest.approx(displaced.tolist())


def test_one_predictor_disagrees_with_nobody() -> None:
    tables = tables_of(simulate(make_protocol(), 2))

    assert tables.clips["valence_disagreement"].isna().all()
    assert set(tables.predictions["predictor"]) == {"musicnn"}


def test_what_blinded_staff_may_see_holds_no_prediction(study: MadeStudy, tables: StudyTables) -> None:
    shown = blinded_tables(study.protocol, study.events, tables)

    assert "predictions" not in shown
    assert not any(
        "pred" in column or "disagreement" in column for t in shown.values() for column in t.columns
    )


def test_arms_dealt_anew_are_the_same_in_the_table_of_predictions(
    study: MadeStudy, tables: StudyTables
) -> None:
    shuffled = shuffle_arms(study.protocol, tables, "a" * 64)
    groups = shuffled.participants.set_index("participant_id")["group"]
    table = shuffled.predictions

    assert (table["participant_id"].map(groups) == table["arm"]).all()
    assert (table["arm"] != tables.predictions["arm"]).any()
    # Every arm now mixes the sounds of all, and the analysis runs on them as on any.
    assert agreement_of(study.protocol, shuffled, study.manifests)["path_following"]["rows"]


def test_displacement_error_and_correlation_are_those_of_the_clips(
    study: MadeStudy, tables: StudyTables, agreement: dict[str, Any]
) -> None:
    found, one = figures(agreement), engine_set(tables, "iso")
    engine = rows_by(agreement["engine"], "arm", "axis", "statistic")
    for axis in ("valence", "arousal"):
        mine = found["iso", "musicnn", axis, "displacement"]
        assert mine["estimate"] == pytest.approx(engine["iso", axis, "bias"]["estimate"])
        assert found["iso", "musicnn", axis, "mae"]["estimate"] == pytest.approx(
            engine["iso", axis, "mae"]["estimate"]
        )
        # The pooled correlation is that of reports within sessions, written another way.
        pairs = one.pairs(axis)
        courses = Trajectories(
            pairs.x, pairs.y, one.frame["time_s"].to_numpy(dtype=float), one.sessions, one.design
        )
        raw, rest = courses.r(np.ones((one.design.n_people, 1)), None)
        assert found["iso", "musicnn", axis, "path_r"]["estimate"] == pytest.approx(raw[0])
        assert found["iso", "musicnn", axis, "path_r_detrended"]["estimate"] == pytest.approx(rest[0])
    assert mine["n"] == 8
    assert mine["ci_low"] < mine["estimate"] < mine["ci_high"]


def test_a_planted_half_response_is_half_the_slope_and_one_that_wavers_follows_nothing(
    agreement: dict[str, Any],
) -> None:
    found, tests = figures(agreement), nulls(agreement)

    whole = found["iso", "musicnn", "valence", "path_slope"]["estimate"]
    assert whole == pytest.approx(1.0, abs=0.05)
    assert found["iso", "cues", "valence", "path_slope"]["estimate"] == pytest.approx(whole / 2)
    assert found["iso", "musicnn", "valence", "skill_plan_mean"]["estimate"] > 0.7
    assert found["iso", "cues", "arousal", "skill_own_mean"]["estimate"] < 0.05
    for statistic, null in (("path_r", "shuffled"), ("path_r", "reversed"), ("path_r_detrended", "reversed")):
        assert tests["iso", "musicnn", "valence", statistic, null]["p_value"] < 0.01
        assert tests["iso", "cues", "arousal", statistic, null]["p_value"] > 0.01
    assert tests["iso", "musicnn", "valence", "own_plan", "swapped"]["p_value"] < 0.01
    assert tests["iso", "cues", "arousal", "own_plan", "swapped"]["p_value"] > 0.05


def test_a_plan_that_stands_still_is_not_followed_and_silence_is_not_asked(agreement: dict[str, Any]) -> None:
    found = figures(agreement)

    assert {arm for arm, *_ in found} == {"iso", "target_only"}
    assert found["target_only", "musicnn", "valence", "mae"]["estimate"] is not None
    for statistic in ("path_r", "path_slope", "skill_plan_mean"):
        row = found["target_only", "musicnn", "valence", statistic]
        assert row["estimate"] is None
        assert row["reason"]
    assert nulls(agreement)["target_only", "musicnn", "valence", "own_plan", "swapped"]["reason"] == (
        "every session has the same plan"
    )


def test_the_reporter_stands_first_and_the_composers_cues_are_marked(
    study: MadeStudy, agreement: dict[str, Any]
) -> None:
    parts = agreement["path_following"]["parts"]

    assert [part["predictor"] for part in parts] == ["musicnn", "cues"]
    assert [part["is_reporter"] for part in parts] == [True, False]
    assert [part["manipulation_check"] for part in parts] == [[], ["iso", "target_only"]]
    assert parts[1]["foreign_share"] == pytest.approx(0.25, abs=0.01)
    assert all(
        row["is_manipulation_check"] == (row["predictor"] == "cues")
        for row in agreement["path_following"]["rows"]
    )


def test_a_predictor_that_chose_among_candidates_carries_no_claim(
    study: MadeStudy, tables: StudyTables
) -> None:
    judged = {key: replace(one, rendering={"judge": "musicnn"}) for key, one in study.manifests.items()}
    found = agreement_of(study.protocol, tables, judged)

    for row in found["path_following"]["nulls"]:
        if row["predictor"] == "musicnn":
            assert row["p_value"] is None
            assert row["estimate"] is None or row["reason"] == NO_CLAIM
    mine = [point for point in found["path_following"]["points"] if point["predictor"] == "musicnn"]
    assert all(point["p_shuffled"] == [None, None] for point in mine)
    assert found["path_following"]["parts"][0]["took_part"] == ["iso", "target_only"]
    assert nulls(found)["iso", "cues", "valence", "path_r", "shuffled"]["p_value"] is not None


@pytest.mark.parametrize(("helper", "silenced"), [("essentia", "musicnn"), ("cues", "cues")])
def test_a_predictor_that_helped_to_train_or_hears_with_the_same_carries_no_claim(
    study: MadeStudy, tables: StudyTables, helper: str, silenced: str
) -> None:
    # essentia's head hears with musicnn's very network.
    other = {"musicnn": "cues", "cues": "musicnn"}[silenced]
    marked = {"predictors_in_training": {helper: ["labels"]}}
    trained = {key: replace(one, rendering=marked) for key, one in study.manifests.items()}
    found = agreement_of(study.protocol, tables, trained)

    rows = [row for row in found["path_following"]["nulls"] if row["estimate"] is not None]
    assert {row["reason"] for row in rows if row["predictor"] == silenced} == {NO_CLAIM_TRAINED}
    assert any(row["p_value"] is not None for row in rows if row["predictor"] == other)
    assert all(row["took_part"] == (row["predictor"] == silenced) for row in rows)
    parts = {part["predictor"]: part for part in found["path_following"]["parts"]}
    assert parts[silenced]["trained"] == ["iso", "target_only"]
    assert parts[other]["trained"] == parts[silenced]["took_part"] == []


def test_labels_by_both_embedded_predictors_leave_neither_a_claim(
    study: MadeStudy, tables: StudyTables
) -> None:
    marked = {"predictors_in_training": {"musicnn-cues": ["labels"]}}
    trained = {key: replace(one, rendering=marked) for key, one in study.manifests.items()}
    found = agreement_of(study.protocol, tables, trained)

    assert all(row["p_value"] is None for row in found["path_following"]["nulls"])


def test_a_choice_by_a_predictor_with_the_same_network_is_no_evidence_either(
    study: MadeStudy, tables: StudyTables
) -> None:
    judged = {key: replace(one, rendering={"judge": "essentia"}) for key, one in study.manifests.items()}
    found = agreement_of(study.protocol, tables, judged)

    parts = {part["predictor"]: part["took_part"] for part in found["path_following"]["parts"]}
    assert parts == {"musicnn": ["iso", "target_only"], "cues": []}


def test_a_sound_that_two_people_heard_counts_once_in_a_null_and_twice_in_a_figure(
    study: MadeStudy, tables: StudyTables, agreement: dict[str, Any]
) -> None:
    mine = tables.clips[tables.clips["arm"] == "iso"]
    (one, _), (other, _), *_ = mine.groupby("participant_id")
    before = tables.clips["participant_id"] == one
    clips = tables.clips.copy()
    clips.loc[clips["participant_id"] == other, "clip_sha256"] = clips.loc[before, "clip_sha256"].tolist()
    predictions = tables.predictions.copy()
    for name in ("musicnn", "cues"):
        to, of = (
            (predictions["participant_id"] == who) & (predictions["predictor"] == name)
            for who in (other, one)
        )
        predictions.loc[to, "clip_sha256"] = predictions.loc[of, "clip_sha256"].tolist()
    found = agreement_of(
        study.protocol, replace(tables, clips=clips, predictions=predictions), study.manifests
    )

    row, test = ("iso", "musicnn", "valence", "path_r"), ("iso", "musicnn", "valence", "path_r", "shuffled")
    assert (figures(agreement)[row]["n"], nulls(agreement)[test]["n"]) == (8, 8)
    assert (figures(found)[row]["n"], nulls(found)[test]["n"]) == (8, 7)
    assert "unit participant × sound" in figures(found)[row]["method"]


def test_single_clips_that_are_shared_give_neither_interval_nor_p() -> None:
    study = large_study(12, 8)
    found = agreement_of(study.protocol, tables_of(study), study.manifests)

    following = found["path_following"]
    rows, tests = (
        [row for row in following[name] if row["arm"] == "iso" and row["estimate"] is not None]
        for name in ("rows", "nulls")
    )
    assert {(row["ci_low"], row["reason"]) for row in rows} == {(None, SHARED)}
    assert {row["p_value"] for row in tests} == {None}


def test_every_sessions_own_figures_are_there_without_a_name(
    study: MadeStudy, agreement: dict[str, Any]
) -> None:
    points = agreement["path_following"]["points"]
    one = next(point for point in points if point["arm"] == "iso" and point["predictor"] == "cues")

    assert len(points) == 2 * 16
    assert not any("sub-" in str(point) for point in points)
    assert one["clips"] == 16
    assert -1 <= one["path_cosine"] <= 1
    assert one["p_shuffled"][0] == pytest.approx(1 / 2000)


def test_predictors_are_compared_over_clips(agreement: dict[str, Any]) -> None:
    found = rows_by(agreement["predictors"], "arm", "axis", "statistic")

    assert found["iso", "valence", "r"]["estimate"] == pytest.approx(1.0)
    assert abs(found["iso", "arousal", "r"]["estimate"]) < 0.4
    assert found["iso", "valence", "mae"]["estimate"] > 0.1
    assert (found["iso", "valence", "mae"]["first"], found["iso", "valence", "mae"]["second"]) == (
        "musicnn",
        "cues",
    )
