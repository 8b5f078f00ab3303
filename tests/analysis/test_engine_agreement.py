"""Whether the engine hits its target: generated beside planned, by arm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from analysis.agreement.resampling import PARTICIPANT, PARTICIPANT_AND_CLIP
from analysis.agreement.results import agreement_of
from analysis.tables.build import build_tables
from study.path import PathKind
from tests.analysis.made_study import MadeStudy, make_protocol, simulate
from tests.benchmarks.analysis_study import large_study


def engine(study: MadeStudy) -> dict[tuple[str, str, str], dict[str, Any]]:
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    rows = agreement_of(study.protocol, tables, study.manifests)["engine"]
    return {(row["arm"], row["axis"], row["statistic"]): row for row in rows}


def shifted(study: MadeStudy, by: float, scale: float = 1.0) -> MadeStudy:
    """The same study with every prediction of valence scaled and shifted."""
    changed = {
        key: {name: replace(one, valence_pred=scale * one.valence_pred + by) for name, one in heard.items()}
        for key, heard in study.predictions.items()
    }
    return MadeStudy(study.protocol, study.events, study.manifests, changed)


def test_a_planted_miss_is_the_bias_of_its_axis_and_no_other() -> None:
    study = simulate(make_protocol(), 12)
    before, after = engine(study), engine(shifted(study, 0.3))

    for statistic in ("bias",):
        gained = (
            after["iso", "valence", statistic]["estimate"] - before["iso", "valence", statistic]["estimate"]
        )
        assert gained == pytest.approx(0.3)
    assert after["iso", "arousal", "bias"] == before["iso", "arousal", "bias"]
    assert after["iso", "valence", "within"]["estimate"] < 0.3
    assert before["iso", "valence", "within"]["estimate"] == 1.0


def test_an_engine_that_goes_half_the_way_has_half_the_slope() -> None:
    study = simulate(make_protocol(), 12)
    before, after = engine(study), engine(shifted(study, 0.0, 0.5))

    whole = before["iso", "valence", "slope"]["estimate"]
    assert whole == pytest.approx(1.0, abs=0.06)
    assert after["iso", "valence", "slope"]["estimate"] == pytest.approx(whole / 2)


def test_an_arm_that_plans_one_point_has_an_error_but_no_slope() -> None:
    found = engine(simulate(make_protocol(), 12))

    assert found["target_only", "valence", "mae"]["estimate"] is not None
    assert found["target_only", "valence", "slope"]["reason"] == "one of the two measurements does not vary"


def test_an_arm_without_music_has_one_row_and_the_reason() -> None:
    found = engine(simulate(make_protocol((PathKind.ISO, PathKind.NOISE)), 8))

    mine = [row for (arm, axis, _), row in found.items() if arm == "noise" and axis == "valence"]
    assert [row["reason"] for row in mine] == ["the arm's sound is noise, not music"]


def test_shared_clips_are_drawn_too_and_the_row_says_so() -> None:
    own = engine(simulate(make_protocol(), 8))["iso", "valence", "bias"]
    study = large_study(8, 8)
    tables = build_tables(study.protocol, study.events, study.manifests, study.predictions)
    shared = next(
        row
        for row in agreement_of(study.protocol, tables, study.manifests)["engine"]
        if row["statistic"] == "bias"
    )

    assert own["resampled_unit"] == PARTICIPANT
    assert shared["resampled_unit"] == PARTICIPANT_AND_CLIP
    assert "clips were shared" in shared["method"]
    assert shared["unit"] == "circumplex unit"
    assert shared["n"] == 4 * 8


def test_every_estimate_lies_within_its_interval() -> None:
    rows = engine(simulate(make_protocol(), 20)).values()
    estimated = [row for row in rows if row["ci_low"] is not None]

    assert len(estimated) > 10
    assert all(row["ci_low"] - 1e-9 <= row["estimate"] <= row["ci_high"] + 1e-9 for row in estimated)
    assert all(np.isfinite(row["estimate"]) for row in estimated)
