"""Loudness and its range by the standards' own examples."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.mer.cues.loudness import SILENCE_LUFS, loudness_lufs, range_lu
from generation.audio import integrated_loudness
from tests.analysis.mer.controlled_audio import Knobs
from tests.analysis.mer.cues.one_window import RATE_HZ, sine, window_of, window_with


def test_a_full_scale_sine_has_the_loudness_that_the_standard_gives_it() -> None:
    # ITU-R BS.1770-4, annex 1: 0 dB FS, 997 Hz, one channel: -3.01 LKFS.
    assert loudness_lufs(window_of(sine(997.0, 1.0))) == pytest.approx(-3.01, abs=0.02)


@pytest.mark.parametrize(
    ("instrument", "held", "tolerance_lu"), [("piano", 1.0, 0.1), ("strings", 1.0, 0.1), ("piano", 0.4, 0.4)]
)
def test_it_is_the_integrated_loudness_of_the_samples(
    instrument: str, held: float, tolerance_lu: float
) -> None:
    window = window_with(Knobs(instrument=instrument, articulation=held))

    expected = integrated_loudness(window.samples[:, None], RATE_HZ)

    # Where there are pauses, the gate cuts frames of 64 ms elsewhere than samples.
    assert loudness_lufs(window) == pytest.approx(expected, abs=tolerance_lu)


def test_ten_decibels_are_ten_units() -> None:
    softer, louder = (loudness_lufs(window_with(Knobs(gain_db=gain))) for gain in (-10.0, 0.0))

    assert louder - softer == pytest.approx(10.0, abs=0.02)


def test_pauses_do_not_make_it_softer() -> None:
    half = np.concatenate([sine(997.0, 0.1, 6.0), np.zeros(6 * RATE_HZ, dtype=np.float32)])

    # Blocks across the edge weigh a little: three of sixty-two that pass the gate.
    assert loudness_lufs(window_of(half)) == pytest.approx(-23.0, abs=0.15)


def test_two_levels_ten_decibels_apart_have_a_range_of_ten() -> None:
    # EBU Tech 3342, minimum requirements, case 1: -20 dB FS, then -30: 10 LU, within 1.
    sound = np.concatenate([sine(1000.0, 0.1, 6.0), sine(1000.0, 10.0**-1.5, 6.0)])

    assert range_lu(window_of(sound)) == pytest.approx(10.0, abs=0.2)


def test_the_range_does_not_follow_the_gain_and_is_none_for_a_level_sound() -> None:
    swell = sine(500.0, 0.3) * np.linspace(0.1, 1.0, 12 * RATE_HZ, dtype=np.float32)

    assert range_lu(window_of(sine(500.0, 0.1))) == pytest.approx(0.0, abs=0.01)
    assert range_lu(window_of(swell * np.float32(0.1))) == pytest.approx(range_lu(window_of(swell)), abs=0.01)


def test_silence_is_at_the_gate_and_has_no_range() -> None:
    silent = window_of(sine(500.0, 0.0))

    assert (loudness_lufs(silent), range_lu(silent)) == (SILENCE_LUFS, 0.0)
