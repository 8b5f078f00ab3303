"""The whole pipeline finds what a rehearsal planted, and finds nothing where nothing was.

The predictor here is told the planned path, so that the planted agreement of
reports with the path can be read off; the reports themselves know no predictor.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from analysis.mer.predictor import AffectSeries, PredictorCard
from analysis.results import Results, analyse
from analysis.tables.build import build_tables
from protocols import example_path
from study.cohort import SimulatedClock
from study.events import RehearsalStarted
from study.founding import initialise_study
from study.manifest import ManifestClip, RenderManifest
from study.rehearsal import begin_rehearsal, rehearse
from study.session import SessionPlan
from study.simulation import RESPONSE_SD
from tests.study.walking import manifest_of

PARTICIPANTS = 150
WINDOW_S = 3.0
TOLD = PredictorCard("told", "1", {}, {}, ("It is told the planned path.",))


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def own_sound(plan: SessionPlan) -> RenderManifest:
    """A manifest of sound that nobody else hears."""
    own = plan.sha256
    clips = tuple(
        ManifestClip("session.flac", w.onset_s, w.duration_s, w.affect, sha256(f"{own}{w.onset_s}"), -23.0)
        for w in plan.path.waypoints
    )
    return replace(manifest_of(plan), audio_sha256=sha256(own), clips=clips)


def told_the_path(plan: SessionPlan) -> AffectSeries:
    onset_s = np.arange(0.0, plan.duration_s - WINDOW_S, WINDOW_S)
    planned = plan.path.affect_at(onset_s + WINDOW_S / 2)
    return AffectSeries(onset_s, WINDOW_S, planned[:, 0], planned[:, 1], TOLD)


def rehearsed_results(effect: float, agreement: float, seed: int) -> Results:
    spec = RehearsalStarted(PARTICIPANTS, effect, agreement, seed, 900.0)
    plans: list[SessionPlan] = []

    def render(asked: Sequence[SessionPlan]) -> dict[tuple[str, str], RenderManifest]:
        plans.extend(asked)
        return {(plan.participant_id, plan.session_id): own_sound(plan) for plan in asked}

    # In memory where there is such a place: thousands of durable appends are not what is tested here.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        clock = SimulatedClock(datetime(2026, 3, 1, tzinfo=UTC))
        path = example_path("iso_vs_target_only")
        study = begin_rehearsal(initialise_study(Path(folder) / "study", path, "test", "test", clock), spec)
        rehearse(study, spec, render, lambda *_: None)
        events = study.record.events()
        study.record.close()
    manifests = {(plan.participant_id, plan.session_id): own_sound(plan) for plan in plans}
    predictions = {(plan.participant_id, plan.session_id): {"musicnn": told_the_path(plan)} for plan in plans}
    tables = build_tables(study.protocol, events, manifests, predictions)
    return analyse(study.protocol, tables, manifests, predictions)


@pytest.fixture(scope="module")
def planted() -> Results:
    return rehearsed_results(effect=0.8, agreement=0.6, seed=11)


@pytest.fixture(scope="module")
def nothing_planted() -> Results:
    return rehearsed_results(effect=0.0, agreement=0.0, seed=12)


def concordance(results: Results, axis: str) -> dict[str, Any]:
    found: dict[str, Any] = next(
        row
        for group in results.agreement["sets"]
        if group["set_id"] == "felt_vs_generated:probe:feeling"
        for row in group["rows"]
        if row["axis"] == axis and row["statistic"] == "ccc"
    )
    return found


def test_the_planted_effect_is_found(planted: Results) -> None:
    row = planted.primary["row"]

    # Almost everyone hears the whole session; the few early stops cost under 5 % of the dose.
    expected = 0.8 * RESPONSE_SD
    assert row["ci_low"] > 0
    assert row["ci_low"] < expected * 0.97 < row["ci_high"]
    assert row["estimate"] == pytest.approx(expected, abs=0.07)


@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_the_planted_agreement_is_found(planted: Results, axis: str) -> None:
    row = concordance(planted, axis)

    assert row["resampled_unit"] == "participant"
    assert row["ci_low"] < 0.6 < row["ci_high"]
    assert row["estimate"] == pytest.approx(0.6, abs=0.1)


def test_no_effect_is_found_where_none_was_planted(nothing_planted: Results) -> None:
    row = nothing_planted.primary["row"]

    assert row["ci_low"] < 0 < row["ci_high"]


@pytest.mark.parametrize("axis", ["valence", "arousal"])
def test_no_agreement_is_found_where_none_was_planted(nothing_planted: Results, axis: str) -> None:
    row = concordance(nothing_planted, axis)

    assert row["ci_low"] < 0 < row["ci_high"]
    assert abs(row["estimate"]) < 0.1


def test_results_of_a_rehearsal_say_that_nobody_was_a_person(planted: Results) -> None:
    assert planted.simulated
