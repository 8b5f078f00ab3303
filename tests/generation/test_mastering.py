"""Mastering block by block gives the samples of mastering in one piece, and keeps peaks down in anger."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import minimum_filter1d, uniform_filter1d
from scipy.signal import resample_poly

import generation.peaks
from generation.audio import SAMPLE_RATE_HZ
from generation.loudness import integrated_loudness
from generation.mastering import Mastered, master
from generation.peaks import _INTERPOLATOR, PeakMeter, limit, true_peak
from generation.sound_blocks import BLOCK, Samples, SoundOnDisk

SECONDS = 12


def music() -> Samples:
    """Swelling chords over a little noise, the two sides different."""
    rng = np.random.default_rng(4)
    time_s = np.arange(SECONDS * SAMPLE_RATE_HZ)[:, None] / SAMPLE_RATE_HZ
    sound = 0.002 * rng.standard_normal((len(time_s), 2))
    for hertz, swell_hertz in ((110.0, 0.2), (220.0, 0.31), (331.0, 0.7), (1_480.0, 1.1)):
        phase = rng.uniform(0.0, 6.0, 2)
        sound += (
            0.04
            * np.sin(2 * np.pi * hertz * time_s + phase)
            * (1 + 0.6 * np.sin(2 * np.pi * swell_hertz * time_s))
        )
    return sound.astype(np.float32)


def within(begin_s: float, length_s: float, every_s: float = SECONDS) -> NDArray[np.bool_]:
    """The samples of a part of the sound, or of parts that come again, shape [n_samples, 1]."""
    time_s = np.arange(SECONDS * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    is_within: NDArray[np.bool_] = (time_s - begin_s) % every_s < length_s
    return is_within[:, None]


def tone(hertz: float, phase: float = 0.0) -> NDArray[np.float64]:
    """A sine on both sides, shape [n_samples, 2]."""
    time_s = np.arange(SECONDS * SAMPLE_RATE_HZ)[:, None] / SAMPLE_RATE_HZ
    return np.repeat(np.sin(2 * np.pi * hertz * time_s + phase), 2, axis=1)


def clicks() -> Samples:
    """Music with 120 single samples far beyond full scale, on either side, the first and last among them."""
    rng, sound = np.random.default_rng(8), music()
    at = np.concatenate([[0, len(sound) - 1], rng.integers(0, len(sound), 118)])
    sound[at, rng.integers(0, 2, 120)] += 4.0 * rng.choice([-1.0, 1.0], 120).astype(np.float32)
    return sound


def across_edges() -> Samples:
    """Music with short bursts between samples on both sides of every 8192nd sample."""
    rng, sound = np.random.default_rng(9), music()
    for edge in range(8_192, len(sound) - 200, 8_192):
        first, last = edge - rng.integers(1, 90), edge + rng.integers(0, 90)
        sound[first:last] += 2.0 * tone(SAMPLE_RATE_HZ / 4, np.pi / 4)[first:last].astype(np.float32)
    return sound


IN_ANGER = {
    "12 dB over": music() * (1 + 12 * within(0.5, 0.05, 3.0)),
    "between samples": music() + 0.6 * tone(SAMPLE_RATE_HZ / 4, np.pi / 4) * within(0.0, 0.01, 2.0),
    "clicks": clicks(),
    "square waves": music() + 0.8 * np.sign(tone(100.0)) * within(1.0, 0.02, 4.0),
    "one loud block": music() * (1 + 20 * within(6.0, 0.1)),
    "across edges": across_edges(),
    "one side": music() * np.array([1.0, 0.0]),
    "direct current": music() + 0.2,
    "noise": np.random.default_rng(1).standard_normal((SECONDS * SAMPLE_RATE_HZ, 2)) * 3.0,
}


def anger(name: str) -> Samples:
    return np.ascontiguousarray(IN_ANGER[name], dtype=np.float32)


def witnessed_peak_dbtp(samples: Samples) -> float:
    """Eight times oversampled by scipy's own filter."""
    return float(
        20 * np.log10(np.abs(resample_poly(samples.astype(np.float64), 8, 1, padtype="constant")).max())
    )


@pytest.mark.parametrize("target", [-23.0, -14.0])
@pytest.mark.parametrize("name", IN_ANGER)
def test_no_peak_passes_the_ceiling_and_loudness_is_kept(name: str, target: float) -> None:
    mastered = master(anger(name), SAMPLE_RATE_HZ, target)

    assert witnessed_peak_dbtp(mastered.samples) <= -1.0
    assert integrated_loudness(mastered.samples, SAMPLE_RATE_HZ) == pytest.approx(target, abs=0.1)


def test_these_signals_do_make_the_limiter_work() -> None:
    deepest = {name: master(anger(name), SAMPLE_RATE_HZ, -14.0).limited_db for name in IN_ANGER}

    assert deepest["12 dB over"] > 12.0
    assert deepest["clicks"] > 12.0
    assert min(deepest["between samples"], deepest["square waves"], deepest["one loud block"]) > 5.0
    assert deepest["noise"] == 0.0


@pytest.mark.parametrize("name", ["12 dB over", "clicks", "one loud block"])
def test_the_limiter_moves_both_sides_alike_without_a_step_and_lets_go_within_its_look_ahead(
    name: str,
) -> None:
    samples = anger(name)

    mastered = master(samples, SAMPLE_RATE_HZ, -14.0)

    loud = samples * np.float32(10 ** (mastered.gain_db / 20))
    is_heard = np.abs(loud) > 1e-3
    gain = mastered.samples[is_heard.all(axis=1)] / loud[is_heard.all(axis=1)]
    assert np.abs(gain[:, 0] - gain[:, 1]).max() < 1e-5
    # From full gain to a fifteenth takes 5 ms, 160 samples: nowhere more than 0.6 % from one to the next.
    each = np.where(is_heard, mastered.samples / np.where(is_heard, loud, 1.0), np.nan)
    assert np.nanmax(np.abs(np.diff(each, axis=0))) < 0.0075
    passing = np.flatnonzero(np.abs(loud).max(axis=1) > 0.87)
    moved = np.flatnonzero(np.nan_to_num(each, nan=1.0).min(axis=1) < 0.999)
    after = np.searchsorted(passing, moved).clip(1, len(passing) - 1)
    nearest = np.minimum(np.abs(passing[after] - moved), np.abs(passing[after - 1] - moved))
    assert nearest.max() <= 0.011 * SAMPLE_RATE_HZ


def on_disk(samples: Samples, folder: Path) -> SoundOnDisk:
    sound = SoundOnDisk(folder, *samples.shape)
    sound[:] = samples
    return sound


def figures(mastered: Mastered) -> tuple[float | None, ...]:
    return mastered.gain_db, mastered.loudness_lufs, mastered.true_peak_dbtp, mastered.limited_db


@pytest.mark.parametrize("name", ["clicks", "12 dB over", "noise"])
@pytest.mark.parametrize("rate_hz", [32_000, 44_100, 48_000])
def test_a_sound_on_disk_gets_the_very_samples_of_an_array(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, rate_hz: int
) -> None:
    monkeypatch.setattr(generation.peaks, "_CHUNK", 1 << 15)
    samples = anger(name)

    in_blocks = master(on_disk(samples, tmp_path), rate_hz, -14.0)
    in_one = master(samples, rate_hz, -14.0)

    assert isinstance(in_one.sound, np.ndarray)
    assert not isinstance(in_blocks.sound, np.ndarray)
    assert np.array_equal(in_blocks.samples, in_one.samples)
    assert figures(in_blocks) == figures(in_one)
    assert np.array_equal(samples, anger(name))


def interpolated_peaks(samples: Samples) -> Samples:
    """Magnitudes on samples and at each quarter of the way on, by the limiter's filter, shape [n, 4].

    Sample n is the first of row n + 32: 32 silent ones stand before and after.
    """
    padded = np.pad(samples, ((64, 64 + -len(samples) % 32), (0, 0)))
    peaks = np.zeros((len(padded) - 64, 4), dtype=np.float32)
    for channel in padded.T:
        blocks = channel.reshape(-1, 32)
        around = np.concatenate([blocks[:-2], blocks[1:-1], blocks[2:]], axis=1)
        between = np.abs(around @ _INTERPOLATOR).reshape(-1, 3, 32).transpose(0, 2, 1).reshape(-1, 3)
        np.maximum(peaks, np.column_stack([np.abs(channel[32:-32]), between]), out=peaks)
    return peaks


def limited_in_one_piece(samples: Samples, ceiling: float) -> Samples:
    """The limiter without blocks, chunks or shortcuts."""
    hold = round(0.005 * SAMPLE_RATE_HZ)
    for _ in range(4):
        peaks = interpolated_peaks(samples).max(axis=1)
        if peaks.max() <= np.float32(ceiling):
            break
        need = np.ones(len(samples), dtype=np.float32)
        at = np.clip(np.arange(len(peaks)) - 32, 0, len(samples) - 1)
        np.minimum.at(need, at, np.minimum(np.float32(ceiling) / np.maximum(peaks, np.float32(1e-9)), 1.0))
        gain = minimum_filter1d(need, 2 * hold + 1, mode="nearest").astype(np.float64)
        for _ in range(2):
            gain = uniform_filter1d(gain, hold, mode="nearest")
        samples = samples * gain.astype(np.float32)[:, None]
    return samples


@pytest.mark.parametrize("name", ["clicks", "12 dB over", "between samples", "square waves", "across edges"])
@pytest.mark.parametrize("chunk", [1 << 13, 1 << 20])
def test_the_limiter_in_chunks_is_the_limiter_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, name: str, chunk: int
) -> None:
    monkeypatch.setattr(generation.peaks, "_CHUNK", chunk)
    samples = anger(name)[: 4 * SAMPLE_RATE_HZ + 17]

    limited, limited_db = limit(samples, SAMPLE_RATE_HZ, 0.5)

    expected = limited_in_one_piece(samples, 0.5)
    assert limited_db > 3.0
    # Running sums that begin elsewhere round elsewhere: one unit in the last place of float32.
    assert np.abs(limited[:] - expected).max() <= (6e-8 if chunk < len(samples) else 0.0)


@given(st.integers(0, 9), st.lists(st.integers(0, BLOCK), max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_true_peak_is_that_of_every_point_between_samples_wherever_the_sound_is_cut(
    seed: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    smooth = np.cumsum(rng.standard_normal((BLOCK // 4, 2)), axis=0) / 300
    rough = rng.standard_normal(smooth.shape) * rng.uniform(0, 1, (len(smooth), 1)) ** 8
    samples = (smooth + rng.choice([0.0, 0.1, 3.0]) * rough).astype(np.float32)
    meter = PeakMeter(2)

    for first, last in itertools.pairwise([0, *sorted(cuts), BLOCK]):
        meter.add(samples[first:last])

    assert meter.peak() == interpolated_peaks(samples).max()
    assert meter.peak() == true_peak(samples)


@pytest.mark.parametrize("share_of_rate", [0.2, 0.25, 0.3, 0.4, 0.45])
@pytest.mark.parametrize("louder", [0.99, 0.9])
def test_a_peak_between_quiet_samples_is_found_though_samples_elsewhere_are_nearly_as_loud(
    share_of_rate: float, louder: float
) -> None:
    n = np.arange(20_000)
    burst = np.sin(2 * np.pi * share_of_rate * (n - 15_000.5)) * np.exp(-(((n - 15_000.5) / 60) ** 2))
    slow = np.sin(2 * np.pi * n / 2_000) * (n < 10_000)
    found = interpolated_peaks(burst[:, None].astype(np.float32)).max()
    samples = (burst + louder * found * slow)[:, None].astype(np.float32)

    assert true_peak(samples) == pytest.approx(found, rel=1e-6)
