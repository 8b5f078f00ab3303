"""Points of the circumplex, and the scales that lead there and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.affect import NAMED_STATES, NINE_POINT, SLIDER, UNIT, VAS, Affect, Scale, named_state
from study.errors import OutOfRange, UnknownName

SCALES = pytest.mark.parametrize("scale", [SLIDER, VAS, NINE_POINT, UNIT], ids=lambda scale: scale.name)

coordinates = st.floats(-1, 1)
points = st.builds(Affect, coordinates, coordinates)
shares = st.floats(0, 1)


@pytest.mark.parametrize("axis", ["valence", "arousal"])
@pytest.mark.parametrize("value", [-1.0000001, 1.4, math.nan, math.inf, -math.inf, 10**400])
def test_no_point_lies_outside_the_plane(axis: str, value: float) -> None:
    with pytest.raises(
        OutOfRange, match=rf"^{axis}: .* is outside \[-1, 1\]; write a value on the circumplex"
    ):
        Affect(**{"valence": 0.0, "arousal": 0.0, axis: value})


def test_a_coordinate_just_outside_is_shown_in_full() -> None:
    with pytest.raises(OutOfRange, match=r"1\.0000001 is outside"):
        Affect(1.0000001, 0.0)


@given(points, points)
def test_distance_is_symmetric_and_at_most_the_diagonal(a: Affect, b: Affect) -> None:
    assert a.distance_to(b) == b.distance_to(a)
    assert 0 <= a.distance_to(b) <= 2 * math.sqrt(2) + 1e-12
    assert a.distance_to(a) == 0


def test_distance_is_euclidean() -> None:
    assert Affect(-0.1, 0.5).distance_to(Affect(0.2, 0.1)) == pytest.approx(0.5)


@given(points, points, shares)
def test_a_point_on_the_way_lies_between_its_ends(a: Affect, b: Affect, share: float) -> None:
    between = a.toward(b, share)

    assert a.toward(b, 0.0) == a
    assert a.toward(b, 1.0) == b
    assert min(a.valence, b.valence) <= between.valence <= max(a.valence, b.valence)
    assert min(a.arousal, b.arousal) <= between.arousal <= max(a.arousal, b.arousal)
    assert a.distance_to(between) == pytest.approx(share * a.distance_to(b), abs=1e-12)


def test_named_states_lie_in_their_quadrants() -> None:
    assert named_state("calm").valence > 0 > named_state("calm").arousal
    assert named_state("anxious").arousal > 0 > named_state("anxious").valence
    assert named_state("neutral") == Affect(0.0, 0.0)
    assert all(abs(p.valence) < 1 and abs(p.arousal) < 1 for p in NAMED_STATES.values())


def test_an_unknown_state_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="'clam' is not a named state; write one of calm, relaxed"):
        named_state("clam")


@pytest.mark.parametrize(
    ("scale", "raw", "value"),
    [
        (NINE_POINT, 1, -1.0),
        (NINE_POINT, 5, 0.0),
        (NINE_POINT, 6, 0.25),
        (NINE_POINT, 9, 1.0),
        (SLIDER, 0, -1.0),
        (SLIDER, 0.5, 0.0),
        (SLIDER, 0.75, 0.5),
        (SLIDER, 1, 1.0),
        (VAS, 0, -1.0),
        (VAS, 37, -0.26),
        (VAS, 50, 0.0),
        (VAS, 100, 1.0),
    ],
)
def test_scales_meet_the_circumplex_at_these_points(scale: Scale, raw: float, value: float) -> None:
    assert scale.to_unit(raw) == pytest.approx(value, abs=1e-15)
    assert scale.from_unit(value) == pytest.approx(raw, abs=1e-13)


@SCALES
@given(value=coordinates)
def test_a_value_comes_back_from_every_scale(scale: Scale, value: float) -> None:
    assert scale.to_unit(scale.from_unit(value)) == pytest.approx(value, abs=1e-12)


@SCALES
@given(share=shares)
def test_a_response_comes_back_from_the_circumplex(scale: Scale, share: float) -> None:
    raw = scale.low + share * (scale.high - scale.low)

    assert scale.from_unit(scale.to_unit(raw)) == pytest.approx(raw, abs=1e-12 * scale.high)


@SCALES
@given(first=coordinates, second=coordinates)
def test_scales_keep_the_order_of_responses(scale: Scale, first: float, second: float) -> None:
    low, high = sorted((first, second))

    assert scale.low <= scale.from_unit(low) <= scale.from_unit(high) <= scale.high


@SCALES
@pytest.mark.parametrize("beyond", [-0.001, 0.001])
def test_a_response_beyond_the_scale_is_refused_and_not_clipped(scale: Scale, beyond: float) -> None:
    raw = scale.low + beyond if beyond < 0 else scale.high + beyond

    with pytest.raises(OutOfRange, match=f"is outside {scale.low:g} to {scale.high:g}"):
        scale.to_unit(raw)


odd_answers: list[Any] = [math.nan, math.inf, 10**400, "5", "five", None, True, [5]]


@pytest.mark.parametrize("raw", odd_answers)
def test_what_is_no_number_on_the_scale_is_refused(raw: Any) -> None:
    with pytest.raises(
        OutOfRange, match=r"^post\.valence: .*; write a value from 0 to 100, or leave the item out"
    ):
        VAS.check(raw, "post.valence")


@pytest.mark.parametrize("value", [-1.01, 1.01, math.nan])
def test_no_response_belongs_to_a_value_outside_the_circumplex(value: float) -> None:
    with pytest.raises(OutOfRange):
        SLIDER.from_unit(value)
