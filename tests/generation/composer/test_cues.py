"""The cues: continuous in valence and arousal, each moved by its own axis."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.composer.cues import CUE_NAMES, CueCurves, Cues, cues_of
from tests.generation.composer.plans import make_plan

UNIT = st.floats(-1.0, 1.0)
#: The largest change a step of 0.01 in the plane may make, per cue.
LARGEST_STEP = {
    "tempo_bpm": 0.7,
    "mode": 0.05,
    "melody_key": 0.1,
    "velocity": 0.005,
    "gain_db": 0.06,
    "level_db": 0.05,
    "articulation": 0.005,
    "brightness": 0.006,
    "density": 0.006,
    "harmonic_rate": 0.02,
    "dissonance": 0.006,
    "percussion": 0.02,
    "groove": 0.012,
    "sustain": 0.01,
}


@given(v=UNIT, a=UNIT, angle=st.floats(0.0, 2 * np.pi))
def test_no_cue_steps_anywhere_in_the_plane(v: float, a: float, angle: float) -> None:
    v2, a2 = np.clip([v + 0.01 * np.cos(angle), a + 0.01 * np.sin(angle)], -1.0, 1.0)

    cues = cues_of(np.array([v, v2]), np.array([a, a2]))

    for field in fields(Cues):
        first, second = getattr(cues, field.name)
        assert abs(second - first) <= LARGEST_STEP[field.name], field.name


@pytest.mark.parametrize(
    ("cue", "axis"),
    [
        ("tempo_bpm", "a"),
        ("velocity", "a"),
        ("brightness", "a"),
        ("density", "a"),
        ("mode", "v"),
        ("melody_key", "v"),
    ],
)
def test_each_cue_rises_with_its_axis_and_hardly_moves_with_the_other(cue: str, axis: str) -> None:
    line = np.linspace(-1.0, 1.0, 41)
    along = cues_of(line, 0 * line) if axis == "v" else cues_of(0 * line, line)
    across = cues_of(0 * line, line) if axis == "v" else cues_of(line, 0 * line)

    own, other = getattr(along, cue), getattr(across, cue)

    assert (np.diff(own) >= 0).all()
    assert np.ptp(other) < 0.15 * np.ptp(own)


def test_dissonance_falls_with_valence_and_rises_with_arousal() -> None:
    corners = cues_of(np.array([-0.8, 0.8, 0.0, 0.0]), np.array([0.0, 0.0, -0.8, 0.8])).dissonance

    assert corners[0] > corners[1] + 0.4
    assert corners[3] > corners[2]


@pytest.mark.parametrize("cue", CUE_NAMES)
def test_a_cue_of_weight_zero_stays_neutral_and_the_others_stay_as_they_were(cue: str) -> None:
    v, a = np.array([-0.9, 0.2, 0.9]), np.array([0.8, -0.9, 0.1])
    driven = {
        "mode": {"mode"},
        "register": {"melody_key"},
        "tempo": {"tempo_bpm"},
        "dynamics": {"velocity", "gain_db", "level_db"},
        "articulation": {"articulation"},
        "brightness": {"brightness"},
        "density": {"density", "harmonic_rate", "percussion", "sustain", "gain_db"},
        "dissonance": {"dissonance"},
        "groove": {"groove"},
    }[cue]

    full, held = cues_of(v, a), cues_of(v, a, {cue: 0.0})

    for field in fields(Cues):
        if field.name not in driven:
            np.testing.assert_array_equal(getattr(held, field.name), getattr(full, field.name))
        elif field.name != "gain_db":
            assert np.ptp(getattr(held, field.name)) == 0.0


def test_a_jump_between_waypoints_is_spread_over_seconds() -> None:
    curves = CueCurves(make_plan([(-0.9, 0.9), (0.9, -0.9)] * 30, 120.0).path)

    per_second = np.abs(np.diff(curves.cues.tempo_bpm)) / np.diff(curves.times_s)

    assert per_second.max() < 12.0


def test_ten_thousand_waypoints_are_read_in_one_pass() -> None:
    rng = np.random.default_rng(1)
    points = [(float(v), float(a)) for v, a in rng.uniform(-1, 1, (10_000, 2))]

    curves = CueCurves(make_plan(points, 900.0).path)

    assert np.isfinite(curves.cues.tempo_bpm).all()
