"""Bands of half an octave: what the tint and the level plan reckon with, against the sound itself."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ
from generation.composer.cues import CueCurves
from generation.composer.sound.desk import Desk
from generation.composer.sound.spectrum import (
    BANDS_HZ,
    band_amplitudes,
    centroid_hz,
    k_weight,
    room_by_band,
    shelf_power,
)
from tests.generation.composer.plans import make_plan


def sine(hertz: float, rate_hz: int = SAMPLE_RATE_HZ) -> NDArray[np.float32]:
    return np.sin(2.0 * np.pi * hertz * np.arange(rate_hz) / rate_hz, dtype=np.float32)


@pytest.mark.parametrize("rate_hz", [32_000, 48_000])
@pytest.mark.parametrize("hertz", [40.0, 440.0, 1_200.0, 9_000.0, 14_000.0])
def test_a_sine_lies_in_the_band_around_it_at_any_rate(hertz: float, rate_hz: int) -> None:
    power = band_amplitudes(sine(hertz, rate_hz)[None], rate_hz)[0][0] ** 2

    assert power.argmax() == np.abs(np.log(BANDS_HZ / hertz)).argmin()
    assert power.max() > 0.95 * power.sum()


def test_a_tone_that_is_cut_while_it_sounds_seems_to_hold_no_highs() -> None:
    _, magnitudes = band_amplitudes(sine(441.3)[None], SAMPLE_RATE_HZ)

    assert magnitudes[0, -4:].sum() < 1e-3 * magnitudes.sum()


def test_the_centre_of_two_equal_sines_lies_between_them_and_moves_to_the_louder_one() -> None:
    def centre(low: float, high: float) -> float:
        sound = np.float32(low) * sine(250.0) + np.float32(high) * sine(2_000.0)
        return centroid_hz(band_amplitudes(sound[None], SAMPLE_RATE_HZ)[1][0])

    assert 250.0 < centre(1.0, 0.5) < centre(1.0, 1.0) < centre(0.5, 1.0) < 2_100.0


def test_a_chord_of_partials_has_its_centre_where_the_sounds_own_centroid_is() -> None:
    partials = [sine(220.0 * k) / np.float32(k) for k in range(1, 30)]
    sound = np.stack(partials).sum(axis=0)
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    own = np.fft.rfftfreq(len(sound), 1.0 / SAMPLE_RATE_HZ) @ spectrum / spectrum.sum()

    reckoned = centroid_hz(band_amplitudes(sound[None], SAMPLE_RATE_HZ)[1][0])

    assert reckoned == pytest.approx(own, rel=0.1)


@pytest.mark.parametrize("factor", [0.2, 1.0, 2.0])
def test_the_shelf_is_reckoned_as_the_desk_turns_it(factor: float) -> None:
    desk = Desk(CueCurves(make_plan([(0.0, 0.0)], 10.0).path), SAMPLE_RATE_HZ, 10 * SAMPLE_RATE_HZ, 0.0)
    noise = np.random.default_rng(1).standard_normal((1, 4 * SAMPLE_RATE_HZ)).astype(np.float32)
    turned = np.repeat(noise, 2, axis=0)
    desk._shelve(turned, np.array([factor, factor]))

    before, after = (np.abs(np.fft.rfft(sound[0])) ** 2 for sound in (noise, turned))

    hertz = np.fft.rfftfreq(noise.shape[1], 1.0 / SAMPLE_RATE_HZ)
    expected = shelf_power(factor)
    for number in (2, 6, 8, 10, 12, 14):
        near = np.abs(np.log2(hertz[1:] / BANDS_HZ[number])) < 0.1
        measured = after[1:][near].sum() / before[1:][near].sum()
        assert 10.0 * np.log10(measured / expected[number]) == pytest.approx(0.0, abs=0.5)


def test_the_k_weighting_is_that_of_the_recommendation() -> None:
    # ITU-R BS.1770-4: 0 dB (0.7 with the offset of -0.691) at 997 Hz, 4 dB above 4 kHz, -3 dB near 52 Hz.
    decibels = 10.0 * np.log10(k_weight(np.array([997.0, 10_000.0, 38.0])))

    assert decibels == pytest.approx([0.69, 4.0, -5.9], abs=0.15)


def test_the_hall_adds_nothing_at_the_very_bottom_and_less_at_the_top_than_in_the_middle() -> None:
    added = room_by_band()

    assert added[0] < 0.1 * added.max()
    assert added[-1] < added[7]
