"""The cues' map says what its data file says, and the file says what was published."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.mer.cues.transfer import FEATURES, CueTransfer, features_of
from analysis.mer.cues.window_cues import WindowCues

TEXT = (files("analysis.mer.cues") / "weights" / "cue_affect.json").read_text()
CONTENT: dict[str, Any] = json.loads(TEXT)
TRANSFER = CueTransfer.from_json(TEXT)

PLAIN = WindowCues(
    onset_s=0.0,
    majorness=0.0,
    clarity=1.0,
    tonic=0,
    mean_pitch=65.0,
    note_rate_hz=2.0,
    flux=0.03,
    tempo_bpm=120.0,
    loudness_lufs=-20.0,
    range_lu=2.0,
    articulation_ratio=0.9,
    brightness_db=-15.0,
    roughness=0.2,
)


def _affect(cues: WindowCues) -> tuple[float, float]:
    valence, arousal = TRANSFER.affect(features_of([cues]))[0]
    return float(valence), float(arousal)


def test_the_coefficients_are_those_of_the_published_stimuli(test_data: Path) -> None:
    tables = test_data / "tables"
    stimuli = pd.read_csv(tables / "eerola2013_design.csv").merge(
        pd.read_csv(tables / "eerola2013_ratings.csv"), on="Nro"
    )
    # The table codes major as 1 and minor as 2.
    stimuli["Mode"] *= -1
    cues = stimuli[["Mode", "Register", "Tempo", "Soundlevel", "Articulation", "Timbre"]]
    melodies = np.stack([stimuli["Melody"] == number for number in (1, 2, 3)], axis=1)
    design = np.column_stack([(cues - cues.mean()) / cues.std(), melodies, np.ones(len(stimuli))])
    axes = {
        "valence": (stimuli["Happy"] + stimuli["Peaceful"] - stimuli["Sad"] - stimuli["Scary"]) / 2,
        "arousal": (stimuli["Happy"] + stimuli["Scary"] - stimuli["Sad"] - stimuli["Peaceful"]) / 2,
    }
    for axis, rating in axes.items():
        y = ((rating - rating.mean()) / rating.std()).to_numpy()

        fitted, *_ = np.linalg.lstsq(design, y, rcond=None)

        written = [entry[axis] for entry in CONTENT["cues"][:6]]
        assert written == pytest.approx(fitted[:6], abs=0.0051)
        r2 = 1.0 - np.sum((y - design @ fitted) ** 2) / np.sum(y**2)
        assert CONTENT["fit"]["r2"][axis] == pytest.approx(r2, abs=0.0051)


def test_every_coefficient_has_a_source_and_every_cue_without_one_says_why() -> None:
    for entry in CONTENT["cues"]:
        if entry["valence"] or entry["arousal"]:
            assert entry["source"], entry["cue"]
            assert entry["licence"], entry["cue"]
            assert entry["design_levels"], entry["cue"]
        else:
            assert entry["reason"], entry["cue"]


def test_every_feature_belongs_to_one_cue() -> None:
    used = [feature for entry in CONTENT["cues"] for feature in entry["features"]]

    assert sorted(used) == sorted(FEATURES)


def test_affect_is_the_formula_of_the_file() -> None:
    calibration = CONTENT["calibration"]
    features = features_of([PLAIN, replace(PLAIN, majorness=0.6, clarity=0.5, note_rate_hz=5.0, flux=0.05)])

    affect = TRANSFER.affect(features)

    names = list(FEATURES)
    for row, values in zip(affect, features, strict=True):
        z = {
            name: (value - calibration["features"][name]["mean"]) / calibration["features"][name]["sd"]
            for name, value in zip(names, values, strict=True)
        }
        z = {name: min(max(value, -2.0), 2.0) for name, value in z.items()}
        cues = [
            sum(z[feature] for feature in entry["features"]) / sd
            for entry, sd in zip(CONTENT["cues"], calibration["cue_sd"], strict=True)
        ]
        score = [
            sum(
                entry.get("applied", entry)[axis] * cue
                for entry, cue in zip(CONTENT["cues"], cues, strict=True)
            )
            for axis in ("valence", "arousal")
        ]
        mixed = np.array(calibration["mix"]) @ score
        expected = np.tanh(np.array(calibration["offset"]) + np.array(calibration["gain"]) * mixed)
        assert row == pytest.approx(expected, abs=1e-9)


def test_what_is_published_and_not_applied_says_why() -> None:
    changed = {
        (entry["cue"], axis)
        for entry in CONTENT["cues"]
        for axis in ("valence", "arousal")
        if entry.get("applied", entry)[axis] != entry[axis]
    }

    assert changed == {("mode", "arousal"), ("timbre", "valence"), ("timbre", "arousal")}
    reasons = {entry["cue"]: entry.get("reason") for entry in CONTENT["cues"]}
    assert "Husain" in reasons["mode"]
    assert "no order of brightness" in reasons["timbre"]


def test_beyond_what_was_rated_nothing_counts_for_more() -> None:
    loud, louder = (replace(PLAIN, loudness_lufs=level) for level in (-9.0, -3.0))

    assert _affect(louder) == _affect(loud)


def test_contributions_add_up_to_the_scores() -> None:
    features = features_of([PLAIN, replace(PLAIN, mean_pitch=75.0)])

    assert TRANSFER.contributions(features).sum(axis=2) == pytest.approx(TRANSFER.scores(features))


def test_a_mode_that_is_not_clear_says_nothing() -> None:
    unclear = replace(PLAIN, clarity=0.0)

    assert _affect(replace(unclear, majorness=1.0)) == _affect(replace(unclear, majorness=-1.0))
    assert _affect(replace(PLAIN, majorness=0.5))[0] > _affect(replace(PLAIN, majorness=-0.5))[0] + 0.2


@pytest.mark.parametrize(
    ("change", "axis", "sign"),
    [
        ({"majorness": 0.5}, 0, 1),
        ({"mean_pitch": 72.0}, 0, 1),
        ({"note_rate_hz": 5.0}, 1, 1),
        ({"loudness_lufs": -12.0}, 1, 1),
        ({"loudness_lufs": -12.0}, 0, -1),
        ({"flux": 0.06}, 1, 1),
        ({"articulation_ratio": 0.4}, 1, 1),
    ],
)
def test_each_cue_moves_affect_as_listeners_say(change: dict[str, Any], axis: int, sign: int) -> None:
    assert sign * (_affect(replace(PLAIN, **change))[axis] - _affect(PLAIN)[axis]) > 0.01


@pytest.mark.parametrize(
    "change", [{"tempo_bpm": 60.0}, {"range_lu": 9.0}, {"roughness": 0.9}, {"brightness_db": -5.0}]
)
def test_what_is_reported_only_does_not_move_affect(change: dict[str, Any]) -> None:
    assert _affect(replace(PLAIN, **change)) == _affect(PLAIN)


@settings(max_examples=50)
@given(
    st.lists(
        st.floats(min_value=-1e3, max_value=1e3, allow_nan=False),
        min_size=len(FEATURES),
        max_size=len(FEATURES),
    )
)
def test_affect_stays_on_the_plane(values: list[float]) -> None:
    affect = TRANSFER.affect(np.array([values]))

    assert np.isfinite(affect).all()
    assert (np.abs(affect) <= 1.0).all()
