"""The hall: dies away evenly, is the same at every rate, and answers without block edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import fftconvolve

from generation.composer.sound.room import Room, room_power, room_response


def test_the_hall_answers_as_its_impulse_response_says_whatever_the_blocks() -> None:
    rng = np.random.default_rng(1)
    send = rng.standard_normal(5 * 65_536).astype(np.float32)
    room = Room(32_000)

    wet = np.concatenate([room.sound(block) for block in np.split(send, 5)], axis=1)

    expected = [fftconvolve(send.astype(float), side)[: len(send)] for side in room_response(32_000)]
    np.testing.assert_allclose(wet, expected, atol=2e-6)


def test_reverberation_lasts_a_second_and_a_half_and_high_notes_less() -> None:
    def reverberation_s(response: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        left = np.cumsum(response[::-1] ** 2)[::-1]
        fallen_db = -10.0 * np.log10(left / left[0])
        # ISO 3382-1: twice the time from 5 to 35 dB.
        return 2.0 * float(np.diff(np.interp([5.0, 35.0], fallen_db, np.arange(len(left)) / 32_000))[0])

    response = room_response(32_000)[0].astype(np.float64)

    assert 1.4 < reverberation_s(response) < 2.0
    assert reverberation_s(np.diff(np.diff(response))) < 0.8 * reverberation_s(response)


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_the_hall_is_the_same_at_every_rate(rate: int) -> None:
    usual, other = room_power(32_000, 32)[:28], room_power(rate, 32 * rate // 32_000)[:28]

    assert np.abs(10.0 * np.log10(other / usual)).max() < 1.0


def test_left_and_right_hear_other_reflections() -> None:
    left, right = room_response(32_000)

    assert abs(np.corrcoef(left, right)[0, 1]) < 0.05
