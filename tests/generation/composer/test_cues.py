"""The cues: continuous in valence and arousal, each moved by its own axis."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generation.composer.cues import CUE_NAMES, CueCurves, Cues, cues_of
from study.errors import OutOfRange, UnknownName
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
    "brightness": 0.03,
    "density": 0.006,
    "harmonic_rate": 0.02,
    "dissonance": 0.006,
    "percussion": 0.02,
    "groove": 0.012,
    "sustain": 0.01,
    "arch": 0.007,
    "contrast": 0.009,
    "swing": 0.001,
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
        "density": {"density", "sustain", "gain_db"},
        "dissonance": {"dissonance"},
        "groove": {"groove", "swing"},
        "harmony": {"harmonic_rate"},
        "percussion": {"percussion"},
        "expression": {"arch", "contrast"},
    }[cue]

    full, held = cues_of(v, a), cues_of(v, a, {cue: 0.0})

    for field in fields(Cues):
        if field.name not in driven:
            np.testing.assert_array_equal(getattr(held, field.name), getattr(full, field.name))
        elif field.name != "gain_db":
            assert np.ptp(getattr(held, field.name)) == 0.0


def test_with_one_cue_let_go_and_all_others_held_only_that_cue_moves() -> None:
    path = make_plan([(-0.8, -0.8), (0.8, 0.8)], 120.0).path
    held = {name: 0.0 for name in CUE_NAMES if name != "tempo"}

    curves = CueCurves(path, held)

    moving = {field.name for field in fields(Cues) if np.ptp(getattr(curves.cues, field.name)) > 0}
    assert moving == {"tempo_bpm"}


def test_a_session_in_which_nothing_follows_the_path_is_refused() -> None:
    path = make_plan([(-0.8, -0.8), (0.8, 0.8)], 120.0).path

    with pytest.raises(OutOfRange, match="follow no path at all"):
        CueCurves(path, dict.fromkeys(CUE_NAMES, 0.0))
    CueCurves(path, dict.fromkeys(CUE_NAMES, 0.01))


def test_a_palette_shifts_a_cue_alike_everywhere_and_no_other() -> None:
    v, a = np.array([-0.9, 0.2, 0.9]), np.array([0.8, -0.9, 0.1])

    plain, slow = cues_of(v, a), cues_of(v, a, None, {"tempo_bpm": -5.0})

    np.testing.assert_allclose(slow.tempo_bpm, plain.tempo_bpm - 5.0)
    np.testing.assert_array_equal(slow.density, plain.density)
    with pytest.raises(UnknownName, match="tempi"):
        cues_of(v, a, None, {"tempi": 1.0})


def test_one_cue_at_one_moment_is_what_all_cues_are_there() -> None:
    curves = CueCurves(make_plan([(-0.9, 0.9), (0.9, -0.9)], 47.3).path)
    moments_s = np.concatenate([[-1.0, 0.0, 47.3, 60.0], np.linspace(0.1, 47.2, 33)])

    together = curves.at(moments_s)

    for field in fields(Cues):
        alone = [curves.one(field.name, moment_s) for moment_s in moments_s.tolist()]
        np.testing.assert_allclose(alone, getattr(together, field.name), rtol=0, atol=2e-9)
        assert alone == np.round(alone, 9).tolist()


def test_a_sudden_step_of_the_path_takes_ten_seconds_and_lies_around_it() -> None:
    path = make_plan([(-0.5, -0.5)] * 60 + [(0.5, 0.5)] * 60, 60.0).path

    arousal = CueCurves(path).arousal
    times_s = CueCurves(path).times_s
    low, high = (float(np.interp(share, (arousal + 0.5), times_s)) for share in (0.1, 0.9))

    assert 9.0 < high - low < 12.0
    assert (low + high) / 2 == pytest.approx(30.0, abs=0.2)


def test_a_jump_between_waypoints_is_spread_over_seconds() -> None:
    curves = CueCurves(make_plan([(-0.9, 0.9), (0.9, -0.9)] * 30, 120.0).path)

    per_second = np.abs(np.diff(curves.cues.tempo_bpm)) / np.diff(curves.times_s)

    assert per_second.max() < 12.0


def test_ten_thousand_waypoints_are_read_in_one_pass() -> None:
    rng = np.random.default_rng(1)
    points = [(float(v), float(a)) for v, a in rng.uniform(-1, 1, (10_000, 2))]

    curves = CueCurves(make_plan(points, 900.0).path)

    assert np.isfinite(curves.cues.tempo_bpm).all()
