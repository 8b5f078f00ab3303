"""Iso paths and their comparators, for every start, target and shape."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.affect import Affect
from study.errors import OutOfRange
from study.path import AffectPath, PathKind, PathSpec, largest_step_of, make_path

START, TARGET = Affect(-0.6, 0.5), Affect(0.6, -0.4)
ISO = PathSpec(PathKind.ISO, steps=30, step_s=30.0, dwell_start_steps=2, dwell_end_steps=4)
WITHOUT_AFFECT = [kind for kind in PathKind if not kind.is_composed]

points = st.builds(Affect, st.floats(-1, 1), st.floats(-1, 1))


@st.composite
def shapes(draw: st.DrawFn, kind: PathKind = PathKind.ISO) -> PathSpec:
    """Any shape a protocol may ask for, from two steps."""
    steps = draw(st.integers(2, 60))
    first = draw(st.integers(0, steps - 1))
    last = draw(st.integers(0, steps - max(first, 1)))
    return PathSpec(kind, steps, draw(st.floats(0.1, 600)), first, last)


def _points(path: AffectPath) -> list[Affect]:
    return [waypoint.affect for waypoint in path.waypoints if waypoint.affect is not None]


@given(shapes(), points, points)
def test_an_iso_path_starts_at_the_start_and_ends_at_the_target(
    spec: PathSpec, start: Affect, target: Affect
) -> None:
    path = _points(make_path(spec, start, target, seed=0))

    assert path[: max(spec.dwell_start_steps, 1)] == [start] * max(spec.dwell_start_steps, 1)
    assert path[-max(spec.dwell_end_steps, 1) :] == [target] * max(spec.dwell_end_steps, 1)


@pytest.mark.parametrize("kind", list(PathKind))
@given(spec=shapes(), start=points, target=points, seed=st.integers(0, 2**63 - 1))
def test_every_path_fills_its_time_without_gaps(
    kind: PathKind, spec: PathSpec, start: Affect, target: Affect, seed: int
) -> None:
    path = make_path(replace(spec, kind=kind), start, target, seed)

    assert len(path.waypoints) == spec.steps
    assert path.waypoints[0].onset_s == 0
    assert path.duration_s == pytest.approx(spec.duration_s, rel=1e-12)
    for before, after in itertools.pairwise(path.waypoints):
        assert before.onset_s + before.duration_s == pytest.approx(after.onset_s, rel=1e-12)
        assert before.duration_s == spec.step_s


@given(shapes(), points, points)
def test_an_iso_path_comes_nearer_with_every_move_and_moves_equally(
    spec: PathSpec, start: Affect, target: Affect
) -> None:
    path = make_path(spec, start, target, seed=0)
    moves = spec.steps - max(spec.dwell_start_steps, 1) - max(spec.dwell_end_steps, 1) + 1
    move = start.distance_to(target) / moves

    away = [point.distance_to(target) for point in _points(path)]
    assert all(after <= before + 1e-12 for before, after in itertools.pairwise(away))
    assert path.largest_step == pytest.approx(move, abs=1e-12)
    moved = [a.distance_to(b) for a, b in itertools.pairwise(_points(path))]
    first = max(spec.dwell_start_steps, 1) - 1
    assert moved[first : first + moves] == pytest.approx([move] * moves, abs=1e-12)
    assert largest_step_of(replace(spec, kind=PathKind.SILENCE), start, target) == path.largest_step


@pytest.mark.parametrize("kind", [PathKind.REVERSE, PathKind.RANDOM_ORDER])
@given(spec=shapes(), start=points, target=points, seed=st.integers(0, 2**63 - 1))
def test_comparators_hold_the_iso_paths_waypoints_in_another_order(
    kind: PathKind, spec: PathSpec, start: Affect, target: Affect, seed: int
) -> None:
    iso = make_path(spec, start, target, seed)
    other = make_path(replace(spec, kind=kind), start, target, seed)

    assert Counter(_points(other)) == Counter(_points(iso))
    assert other.duration_s == iso.duration_s


@given(shapes(), points, points)
def test_a_reverse_path_is_the_iso_path_backwards(spec: PathSpec, start: Affect, target: Affect) -> None:
    reverse = make_path(replace(spec, kind=PathKind.REVERSE), start, target, seed=0)

    assert _points(reverse) == _points(make_path(spec, start, target, seed=0))[::-1]


def test_a_random_order_depends_on_its_seed_and_on_nothing_else() -> None:
    spec = replace(ISO, kind=PathKind.RANDOM_ORDER)

    orders = [_points(make_path(spec, START, TARGET, seed)) for seed in (1, 1, 2)]

    assert orders[0] == orders[1] != orders[2]
    assert orders[0] != _points(make_path(ISO, START, TARGET, 1))


def test_a_random_order_is_the_same_in_every_version_of_python() -> None:
    spec = PathSpec(PathKind.RANDOM_ORDER, 5, 1.0)

    order = _points(make_path(spec, Affect(0.0, 0.0), Affect(1.0, 0.0), seed=7))

    # random.Random(7).random(): .3238, .1508, .6509, .0724, .5359, ranked.
    assert [point.valence for point in order] == [0.75, 0.25, 0.0, 1.0, 0.5]


def test_every_place_of_a_random_order_is_equally_likely() -> None:
    spec = PathSpec(PathKind.RANDOM_ORDER, 4, 1.0)

    firsts = Counter(make_path(spec, START, TARGET, seed).waypoints[0].affect for seed in range(4000))

    # Chi-square with 3 degrees of freedom: 16.27 is its .999 quantile.
    assert sum((count - 1000) ** 2 / 1000 for count in firsts.values()) < 16.27


@given(shapes(PathKind.TARGET_ONLY), points, points)
def test_a_target_only_path_is_the_target_throughout(spec: PathSpec, start: Affect, target: Affect) -> None:
    path = make_path(spec, start, target, seed=0)

    assert set(_points(path)) == {target}
    assert path.largest_step == 0


def test_a_constant_path_holds_its_point_or_the_start() -> None:
    spec = replace(ISO, kind=PathKind.CONSTANT)
    sad = Affect(-0.7, -0.4)

    assert set(_points(make_path(spec, START, TARGET, 0))) == {START}
    assert set(_points(make_path(replace(spec, hold=sad), START, TARGET, 0))) == {sad}


@pytest.mark.parametrize("kind", WITHOUT_AFFECT)
def test_what_is_not_composed_has_no_planned_affect(kind: PathKind) -> None:
    path = make_path(replace(ISO, kind=kind), START, TARGET, 0)

    assert not path.has_affect
    assert path.largest_step == 0
    with pytest.raises(OutOfRange, match="has no planned affect"):
        path.affect_at(np.array([0.0]))


def test_a_path_by_hand() -> None:
    spec = PathSpec(PathKind.ISO, steps=6, step_s=10.0, dwell_start_steps=2, dwell_end_steps=1)

    path = make_path(spec, Affect(-0.8, 0.4), Affect(0.8, 0.0), seed=0)

    assert [w.onset_s for w in path.waypoints] == [0, 10, 20, 30, 40, 50]
    assert [p.valence for p in _points(path)] == pytest.approx([-0.8, -0.8, -0.4, 0.0, 0.4, 0.8])
    assert [p.arousal for p in _points(path)] == pytest.approx([0.4, 0.4, 0.3, 0.2, 0.1, 0.0])
    assert path.largest_step == pytest.approx(math.hypot(0.4, 0.1))


def test_the_continuous_path_is_linear_between_the_middles_of_its_steps() -> None:
    spec = PathSpec(PathKind.ISO, steps=3, step_s=10.0)

    points = make_path(spec, Affect(-1.0, 0.5), Affect(1.0, -0.5), 0).affect_at(
        np.array([0.0, 5.0, 10.0, 15.0, 22.5, 25.0, 30.0])
    )

    assert points[:, 0] == pytest.approx([-1, -1, -0.5, 0, 0.75, 1, 1])
    assert points[:, 1] == pytest.approx([0.5, 0.5, 0.25, 0, -0.375, -0.5, -0.5])


@given(shapes(), points, points, st.lists(st.floats(-10, 40000), min_size=1, max_size=20))
def test_the_continuous_path_never_leaves_the_plane(
    spec: PathSpec, start: Affect, target: Affect, times: list[float]
) -> None:
    points = make_path(spec, start, target, 0).affect_at(np.array(times))

    assert points.shape == (len(times), 2)
    assert np.abs(points).max() <= 1


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"steps": 0}, "steps: 0 is below 1"),
        ({"step_s": 0.0}, "step_s: 0 is not a time above 0"),
        ({"step_s": math.nan}, "step_s: nan is not a time above 0"),
        ({"step_s": math.inf}, "step_s: inf is not a time above 0"),
        ({"dwell_start_steps": -1}, "a dwell is below 0"),
        ({"dwell_start_steps": 20, "dwell_end_steps": 11}, r"20 \+ 11 dwell steps do not fit 30 steps"),
    ],
)
def test_a_shape_that_cannot_be_played_is_refused(change: dict[str, float], said: str) -> None:
    fields = {"steps": 30, "step_s": 30.0, "dwell_start_steps": 2, "dwell_end_steps": 4} | change

    with pytest.raises(OutOfRange, match=said):
        PathSpec(
            PathKind.ISO,
            int(fields["steps"]),
            fields["step_s"],
            int(fields["dwell_start_steps"]),
            int(fields["dwell_end_steps"]),
        )
