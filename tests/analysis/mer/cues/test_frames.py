"""Windows and spectra of sound, however it is cut, at whatever rate it comes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.mer.cues.frames import (
    LONG_FRAME,
    LONG_HOP,
    RATE_HZ,
    WINDOW_HOP_S,
    WINDOW_S,
    CueFrames,
    CueWindow,
)
from study.errors import AudioError


def _windows(sound: NDArray[np.float32], rate_hz: int, cuts: Sequence[int] = ()) -> list[CueWindow]:
    frames = CueFrames(rate_hz)
    edges = [0, *sorted(cuts), len(sound)]
    found = [window for first, last in pairwise(edges) for window in frames.hear(sound[first:last])]
    return found + frames.finish()


def _noise(duration_s: float, rate_hz: int, n_channels: int = 2) -> NDArray[np.float32]:
    rng = np.random.default_rng(5)
    return (0.1 * rng.standard_normal((round(duration_s * rate_hz), n_channels))).astype(np.float32)


def _sine(frequency_hz: float, duration_s: float, rate_hz: int) -> NDArray[np.float32]:
    times = np.arange(round(duration_s * rate_hz)) / rate_hz
    return np.sin(2 * np.pi * frequency_hz * times).astype(np.float32)[:, None]


@given(
    cuts=st.lists(st.integers(0, 22 * 11_025), max_size=8),
    n_channels=st.sampled_from([1, 2, 6]),
)
@settings(max_examples=4, deadline=None, derandomize=True)
def test_windows_are_the_same_however_the_sound_is_cut(cuts: list[int], n_channels: int) -> None:
    sound = _noise(22.0, 11_025, n_channels)

    whole, cut = _windows(sound, 11_025), _windows(sound, 11_025, cuts)

    assert [w.onset_s for w in whole] == [w.onset_s for w in cut] == [0.0, 3.0, 6.0, 9.0]
    for one, other in zip(whole, cut, strict=True):
        assert np.array_equal(one.samples, other.samples)
        assert np.array_equal(one.fine, other.fine)
        assert np.array_equal(one.long, other.long)


@pytest.mark.parametrize("rate_hz", [8_000, 11_025, 16_000, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_a_full_scale_tone_has_magnitude_one_in_its_bin_at_any_rate(rate_hz: int) -> None:
    window = _windows(_sine(1000.0, 12.0, rate_hz), rate_hz)[0]

    inner = window.long[5:-5]
    assert np.all(inner.argmax(axis=1) == 1000 * LONG_FRAME // RATE_HZ)
    assert inner.max(axis=1) == pytest.approx(1.0, abs=2e-3)
    assert window.fine[5:-5].max(axis=1) == pytest.approx(1.0, abs=2e-3)


def test_tones_above_the_band_do_not_fold_into_it() -> None:
    window = _windows(_sine(9_000.0, 12.0, 44_100), 44_100)[0]

    # Linear interpolation would leave the image at 7 kHz only some 10 dB below the tone.
    assert window.long[5:-5].max() < 1e-4


def test_windows_begin_every_three_seconds_and_hold_only_frames_that_lie_inside() -> None:
    click = np.zeros((30 * RATE_HZ, 1), dtype=np.float32)
    click[14 * RATE_HZ] = 1.0

    windows = _windows(click, RATE_HZ)

    assert [w.onset_s for w in windows] == [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert [bool(w.samples.any()) for w in windows] == [w.onset_s in (3.0, 6.0, 9.0, 12.0) for w in windows]
    assert [bool(w.long.any()) for w in windows] == [w.onset_s in (3.0, 6.0, 9.0, 12.0) for w in windows]
    assert all(len(w.samples) == WINDOW_S * RATE_HZ for w in windows)
    assert {len(w.fine) for w in windows} <= {746, 747}
    assert {len(w.long) for w in windows} <= {89, 90}


def test_spectra_are_those_of_the_windows_own_samples() -> None:
    window = _windows(_noise(20.0, RATE_HZ, 1), RATE_HZ)[2]

    # Onset 6 s is sample 96 000: its first whole frame begins 256 samples later, at 47 × 2048.
    start = 47 * LONG_HOP - 6 * RATE_HZ
    expected = np.abs(
        np.fft.rfft(window.samples[start : start + LONG_FRAME] * np.hanning(LONG_FRAME + 1)[:-1])
    )
    assert window.long[0] == pytest.approx(expected / (LONG_FRAME / 4), rel=1e-3, abs=1e-6)


def test_a_short_sound_is_one_window_of_its_own_length() -> None:
    (window,) = _windows(_noise(3.0, 44_100), 44_100)

    assert (window.onset_s, window.duration_s) == (0.0, 3.0)
    assert len(window.samples) == 3 * RATE_HZ
    assert len(window.long) == 20


def test_a_window_of_exactly_its_length_is_not_lost_to_the_resampler() -> None:
    assert [w.duration_s for w in _windows(_noise(12.0, 44_100), 44_100)] == [12.0]
    assert len(_windows(_noise(24.0, 44_100), 44_100)) == 5


@pytest.mark.parametrize("duration_s", [0.0, 0.01, 2.99])
def test_less_than_three_seconds_is_refused_with_the_length_that_is_needed(duration_s: float) -> None:
    with pytest.raises(AudioError, match="3 s"):
        _windows(_noise(duration_s, 16_000), 16_000)


@pytest.mark.parametrize("rate_hz", [0, 7_999, 192_001])
def test_a_rate_that_no_recording_has_is_refused(rate_hz: int) -> None:
    with pytest.raises(AudioError, match="8000 Hz to 192000 Hz"):
        CueFrames(rate_hz)


def test_a_sample_that_is_no_number_is_refused() -> None:
    sound = _noise(5.0, 16_000)
    sound[40_000] = np.nan

    with pytest.raises(AudioError, match="NaN"):
        CueFrames(16_000).hear(sound)


def test_memory_does_not_grow_with_the_sound() -> None:
    block = _noise(WINDOW_HOP_S, RATE_HZ, 1)
    peaks: list[int] = []

    for n_blocks in (8, 80):
        tracemalloc.start()
        frames = CueFrames(RATE_HZ)
        for _ in range(n_blocks):
            frames.hear(block)
        frames.finish()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()

    assert peaks[1] < 1.05 * peaks[0] < 40e6
