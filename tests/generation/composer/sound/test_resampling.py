"""Recordings at other speeds: in tune, clean, and longer readings begin like shorter ones."""

from __future__ import annotations

import numpy as np
import pytest

from generation.composer.sound.resampling import Shade, read_at_speed, speed_fraction

RATE = 32_000


@pytest.mark.parametrize("speed", [0.31, 0.5437, 0.7256, 0.913, 1.0, 1.47, 2.2])
def test_a_sine_stays_a_sine_at_any_speed(speed: float) -> None:
    p, q = speed_fraction(speed)
    source = np.sin(2 * np.pi * 0.01 * np.arange(60_000)).astype(np.float32)

    read = read_at_speed(source, speed, RATE, (Shade(),), 12_000)[0]

    # Within 0.9 cents of what was asked for, and exactly at the fraction's own speed.
    assert abs(1200 * np.log2(p / q / speed)) < 0.9
    expected = np.sin(2 * np.pi * 0.01 * q / p * np.arange(12_000))
    np.testing.assert_allclose(read[2_000:], expected[2_000:], atol=1e-5)


def test_what_lies_above_half_the_sample_rate_is_gone() -> None:
    source = np.sin(2 * np.pi * 0.45 * np.arange(60_000)).astype(np.float32)

    read = read_at_speed(source, 0.7256, RATE, (Shade(),), 30_000)[0]

    assert np.abs(read[2_000:]).max() < 1e-5


def test_a_shade_is_darker_and_in_phase() -> None:
    at = np.arange(60_000)
    source = (np.sin(2 * np.pi * 300 / RATE * at) + np.sin(2 * np.pi * 4_200 / RATE * at)).astype(np.float32)

    dark, bright = read_at_speed(source, 1.0, RATE, (Shade(1_400.0), Shade()), 32_000)[:, 2_000:]

    def strength(sound: np.ndarray[tuple[int], np.dtype[np.float32]], hertz: float) -> complex:
        turn = np.exp(-2j * np.pi * hertz / RATE * np.arange(len(sound)))
        return complex(2 * np.mean(sound * turn))

    low, high = (strength(dark, hertz) / strength(bright, hertz) for hertz in (300.0, 4_200.0))
    assert low == pytest.approx(1.0, abs=0.01)
    # A second-order Butterworth filter, three times over its corner.
    assert high == pytest.approx(1.0 / np.sqrt(1.0 + 3.0**4), abs=0.002)


def test_a_longer_reading_begins_with_the_samples_of_a_shorter_one_and_can_go_on_from_it() -> None:
    source = np.random.default_rng(2).standard_normal(150_000).astype(np.float32)
    shades = (Shade(900.0), Shade())

    whole = read_at_speed(source, 0.7317, RATE, shades, 90_000)

    np.testing.assert_array_equal(read_at_speed(source, 0.7317, RATE, shades, 16_000), whole[:, :16_000])
    np.testing.assert_array_equal(
        read_at_speed(source, 0.7317, RATE, shades, 90_000, begin=16_000), whole[:, 16_000:]
    )
