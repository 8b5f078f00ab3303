"""Instruments, scored by hand beside each publication."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.affect import Affect
from study.errors import OutOfRange, UnknownName
from study.instruments import KINDS, Instrument, Perspective, instrument_kind, score

FELT = Perspective.FELT


def _instrument(kind: str) -> Instrument:
    return Instrument("feeling", kind, FELT)


@pytest.mark.parametrize(
    ("kind", "valence", "arousal", "expected"),
    [
        # Affective Slider (Betella & Verschure, 2016): thumbs rest at 0.5.
        ("affective_slider", 0.5, 0.5, Affect(0.0, 0.0)),
        ("affective_slider", 0.9, 0.2, Affect(0.8, -0.6)),
        # Affect Grid (Russell et al., 1989): columns and rows 1 to 9, 5 is neutral.
        ("affect_grid", 7, 2, Affect(0.5, -0.75)),
        ("affect_grid", 1, 9, Affect(-1.0, 1.0)),
        ("vas", 25, 100, Affect(-0.5, 1.0)),
        # SAM (Bradley & Lang, 1994): nine points, 9 is pleasant and excited.
        ("sam", 9, 5, Affect(1.0, 0.0)),
        ("sam", 4, 8, Affect(-0.25, 0.75)),
    ],
)
def test_valence_and_arousal_by_hand(kind: str, valence: float, arousal: float, expected: Affect) -> None:
    scored = score(_instrument(kind), {"valence": valence, "arousal": arousal})

    assert scored.affect is not None
    assert scored.affect.valence == pytest.approx(expected.valence)
    assert scored.affect.arousal == pytest.approx(expected.arousal)
    assert scored.raw == {"valence": valence, "arousal": arousal}
    assert scored.perspective is FELT
    assert scored.missed_items == ()
    assert scored.scores == {}


def _stai(*answers: float) -> dict[str, float]:
    return dict(zip(("calm", "tense", "upset", "relaxed", "content", "worried"), answers, strict=True))


@pytest.mark.parametrize(
    ("answers", "total"),
    [
        # Least anxious: 4 on calm, relaxed, content (reversed to 1), 1 elsewhere: 6 × 20/6.
        ((4, 1, 1, 4, 4, 1), 20.0),
        # Most anxious: 24 × 20/6.
        ((1, 4, 4, 1, 1, 4), 80.0),
        # Mixed: 3 + 3 + 2 + 4 + 3 + 4 = 19, × 20/6.
        ((2, 3, 2, 1, 2, 4), 63.3333333),
        # All items "somewhat": 3 + 2 + 2 + 3 + 3 + 2 = 15, × 20/6.
        ((2, 2, 2, 2, 2, 2), 50.0),
    ],
)
def test_stai6_by_hand_after_marteau_and_bekker(answers: tuple[float, ...], total: float) -> None:
    scored = score(_instrument("stai6"), _stai(*answers))

    assert scored.scores == {"stai6_total": pytest.approx(total)}
    assert scored.affect is None


@given(st.lists(st.integers(1, 4), min_size=6, max_size=6))
def test_stai6_lies_on_the_range_of_the_full_form(answers: list[int]) -> None:
    total = score(_instrument("stai6"), _stai(*answers)).scores["stai6_total"]

    assert 20 - 1e-9 <= total <= 80 + 1e-9
    assert total * 6 / 20 == pytest.approx(round(total * 6 / 20))


def test_a_missed_item_leaves_no_score_and_is_named() -> None:
    scored = score(_instrument("stai6"), {"calm": 2, "worried": 3})

    assert scored.scores == {}
    assert scored.missed_items == ("tense", "upset", "relaxed", "content")
    assert scored.raw == {"calm": 2, "worried": 3}


def test_a_missed_coordinate_leaves_no_point() -> None:
    scored = score(_instrument("affective_slider"), {"arousal": 0.3})

    assert scored.affect is None
    assert scored.missed_items == ("valence",)


def test_an_item_the_instrument_does_not_have_is_refused() -> None:
    with pytest.raises(
        UnknownName, match=r"^feeling\.dominance: is not an item of sam; write valence, arousal"
    ):
        score(_instrument("sam"), {"valence": 5, "arousal": 5, "dominance": 5})


wrong_answers: list[tuple[str, dict[str, Any], str]] = [
    ("sam", {"valence": 10}, r"feeling\.valence: 10 is outside 1 to 9"),
    ("sam", {"valence": 5.5}, r"feeling\.valence: 5\.5 lies between two answers"),
    ("affect_grid", {"arousal": 0}, r"feeling\.arousal: 0 is outside 1 to 9"),
    ("affect_grid", {"arousal": 8.2}, r"8\.2 lies between two answers"),
    ("affective_slider", {"valence": 1.01}, "1.01 is outside 0 to 1"),
    ("affective_slider", {"valence": 75}, "75 is outside 0 to 1"),
    ("vas", {"valence": -1}, "-1 is outside 0 to 100"),
    ("vas", {"arousal": math.nan}, "nan is outside 0 to 100"),
    ("vas", {"arousal": "50"}, "'50' is not a number"),
    ("stai6", {"calm": 2.5}, "2.5 lies between two answers"),
    ("stai6", {"calm": 5}, "5 is outside 1 to 4"),
]


@pytest.mark.parametrize(("kind", "responses", "said"), wrong_answers)
def test_an_impossible_answer_is_refused_and_not_repaired(
    kind: str, responses: dict[str, Any], said: str
) -> None:
    with pytest.raises(OutOfRange, match=said):
        score(_instrument(kind), responses)


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_instrument_names_its_source(kind: str) -> None:
    assert instrument_kind(kind).source
    assert instrument_kind(kind).kind == kind


def test_an_unknown_kind_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match="'panas' is not a known instrument; write one of affective_slider"):
        instrument_kind("panas")
