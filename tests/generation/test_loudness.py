"""Loudness is measured as the sound goes by, and is the reference meter's."""

from __future__ import annotations

import itertools

import numpy as np
import pyloudnorm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.loudness import LoudnessMeter, block_loudness
from generation.sound_blocks import Samples


def swelling(seconds: float, rate_hz: int, n_channels: int = 2) -> Samples:
    """Noise over low tones, whose level changes every tenth of a second by up to 60 dB."""
    rng = np.random.default_rng(rate_hz)
    n_samples = round(seconds * rate_hz)
    time_s = np.arange(n_samples)[:, None] / rate_hz
    tones = np.sin(2 * np.pi * np.array([[45.0, 82.0, 220.0, 997.0, 60.0]])[:, :n_channels] * time_s)
    level = 10.0 ** rng.uniform(-3.0, 0.0, round(seconds * 10) + 1)[(time_s[:, 0] * 10).astype(int)]
    noise = rng.standard_normal((n_samples, n_channels))
    sound: Samples = ((0.3 * tones + 0.05 * noise) * level[:, None]).astype(np.float32)
    return sound


# pyloudnorm rounds a block's edges down twice: at 11,025 Hz they lie up to a sample elsewhere.
@pytest.mark.parametrize(
    ("rate_hz", "n_channels", "tolerance_lu"),
    [(8_000, 1, 1e-7), (11_025, 2, 0.02), (32_000, 2, 1e-7), (44_100, 2, 1e-7), (48_000, 5, 1e-7)],
)
def test_gating_blocks_are_the_reference_meters(rate_hz: int, n_channels: int, tolerance_lu: float) -> None:
    samples = swelling(7.33, rate_hz, n_channels)
    meter = pyloudnorm.Meter(rate_hz, block_size=0.4)
    meter.integrated_loudness(samples.astype(np.float64))

    blocks = block_loudness(samples, rate_hz)

    assert len(blocks) == len(meter.blockwise_loudness)
    assert blocks == pytest.approx(meter.blockwise_loudness, abs=tolerance_lu)


SOUND = swelling(3.21, 8_000)


@given(st.lists(st.integers(0, len(SOUND)), max_size=9))
@settings(max_examples=60, deadline=None)
def test_it_is_the_same_to_the_bit_wherever_the_sound_is_cut(cuts: list[int]) -> None:
    meter = LoudnessMeter(8_000, 2)

    for first, last in itertools.pairwise([0, *sorted(cuts), len(SOUND)]):
        meter.add(SOUND[first:last])

    assert np.array_equal(meter.blocks(), block_loudness(SOUND, 8_000))


def test_silence_after_sound_leaves_no_numbers_too_small_to_reckon_with() -> None:
    meter = LoudnessMeter(32_000, 2)
    meter.add(swelling(1.0, 32_000))

    for _ in range(10):
        meter.add(np.zeros((16_000, 2), dtype=np.float32))

    assert not meter._state.any()
    assert meter.blocks()[-1] == -np.inf
