"""Brightness: a ratio of energies, in decibels."""

from __future__ import annotations

import pytest

from analysis.mer.cues.brightness import FLOOR_DB, brightness_db
from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_window import sine, window_of, window_with


@pytest.mark.parametrize(("high", "expected_db"), [(0.1, 0.0), (0.01, -20.0), (0.2, 6.02)])
def test_it_is_the_ratio_of_what_is_above_to_what_is_below(high: float, expected_db: float) -> None:
    window = window_of(sine(500.0, 0.1) + sine(3000.0, high))

    assert brightness_db(window) == pytest.approx(expected_db, abs=0.01)


def test_it_does_not_follow_the_gain() -> None:
    softer, louder = (brightness_db(window_with(Knobs(gain_db=gain))) for gain in (-20.0, 0.0))

    assert softer == pytest.approx(louder, abs=0.01)


def test_instruments_stand_in_the_order_of_their_partials() -> None:
    strings, guitar, pad = (
        brightness_db(window_with(Knobs(instrument=name))) for name in ("strings", "guitar", "warm pad")
    )

    assert strings > guitar > pad + 10.0


def test_it_stays_within_its_bounds() -> None:
    assert brightness_db(window_of(sine(100.0, 0.5))) == FLOOR_DB
    assert brightness_db(window_of(sine(7000.0, 0.5))) == -FLOOR_DB
    assert brightness_db(window_of(sine(100.0, 0.0))) == 0.0
