"""Noise, silence and the study's own files become sessions of exactly the planned length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import welch

from generation.audio import SAMPLE_RATE_HZ
from generation.stimuli import crossfaded, make_stimulus, pink_noise, stereo_at_rate
from study.affect import Affect
from study.errors import AudioError
from study.path import PathKind, PathSpec, make_path
from study.session import SessionPlan


def plan_of(kind: PathKind, duration_s: float, files: Sequence[str] = (), seed: int = 5) -> SessionPlan:
    start, target = Affect(-0.6, 0.5), Affect(0.6, -0.4)
    path = make_path(PathSpec(kind, 1, duration_s), start, target, seed)
    return SessionPlan("sub-01", "ses-01", "arm", path, start, target, 30.0, seed, -23.0, files=tuple(files))


def tone(hz: float, seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    wave = 0.2 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def rms(samples: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples.astype(np.float64) ** 2)))


def test_silence_lasts_as_long_as_the_session() -> None:
    sound = make_stimulus(plan_of(PathKind.SILENCE, 7.5), Path())

    assert sound.samples.shape == (240_000, 2)
    assert not sound.samples.any()


def test_noise_falls_by_three_decibels_an_octave_up_to_the_band_edge() -> None:
    noise = pink_noise(60 * SAMPLE_RATE_HZ, seed=1)

    frequency, power = welch(noise[:, 0], SAMPLE_RATE_HZ, nperseg=8192)
    inside = (frequency > 50) & (frequency < 15_500)
    slope, _ = np.polyfit(np.log2(frequency[inside]), 10 * np.log10(power[inside]), 1)

    assert slope == pytest.approx(-3.01, abs=0.1)


def test_noise_repeats_with_its_seed_and_its_channels_are_independent() -> None:
    first, same, other = (pink_noise(SAMPLE_RATE_HZ * 20, seed) for seed in (1, 1, 2))

    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    assert np.abs(np.corrcoef(first.T) - np.eye(2)).max() < 0.1


def test_noise_fades_in_and_out() -> None:
    noise = pink_noise(20 * SAMPLE_RATE_HZ, seed=1)

    tenth = SAMPLE_RATE_HZ // 10
    assert rms(noise[:tenth]) < 0.01
    assert rms(noise[-tenth:]) < 0.01
    assert rms(noise[5 * SAMPLE_RATE_HZ : -5 * SAMPLE_RATE_HZ]) == pytest.approx(0.1, rel=0.1)


def test_files_of_any_kind_are_joined_into_exactly_the_session(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono8.wav", tone(200, 20, 8000), 8000)
    soundfile.write(tmp_path / "stereo44.flac", tone(300, 20, 44100, 2), 44100)
    soundfile.write(tmp_path / "surround48.wav", tone(400, 20, 48000, 6), 48000)
    plan = plan_of(PathKind.FILES, 50, ["mono8.wav", "stereo44.flac", "surround48.wav"])

    sound = make_stimulus(plan, tmp_path)

    assert sound.samples.shape == (50 * SAMPLE_RATE_HZ, 2)
    assert list(sound.models) == list(plan.files)
    assert sound.notes == (
        "3 file(s) joined with equal-power crossfades of up to 3 s",
        "cut from 54.0 s to 50 s with a fade of 3 s",
    )
    for second, hz in ((10, 200), (27, 300), (42, 400)):
        spectrum = np.abs(np.fft.rfft(sound.samples[second * SAMPLE_RATE_HZ :][:SAMPLE_RATE_HZ, 1]))
        assert spectrum.argmax() == hz
    assert rms(sound.samples[-320:]) < 0.01


def test_too_little_material_is_refused_with_the_seconds_that_are_missing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", tone(200, 20, 32000), 32000)

    with pytest.raises(AudioError, match=r"sub-01 ses-01.*37\.0 s of the 40 s session, 3\.0 s are missing"):
        make_stimulus(plan_of(PathKind.SPEECH, 40, ["a.wav", "a.wav"]), tmp_path)


def test_an_arm_of_files_without_files_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="has no sound files"):
        make_stimulus(plan_of(PathKind.SELF_SELECTED, 40), tmp_path)
    with pytest.raises(AudioError, match=r"gone\.wav: there is no such file"):
        make_stimulus(plan_of(PathKind.FILES, 40, ["gone.wav"]), tmp_path)


def test_a_crossfade_keeps_the_power_of_unrelated_sounds() -> None:
    rng = np.random.default_rng(1)
    pieces = [rng.standard_normal((64_000, 2)).astype(np.float32) * np.float32(0.1) for _ in range(2)]

    joined = crossfaded(pieces, [32_000])

    assert joined.shape == (96_000, 2)
    powers = [rms(joined[at : at + 8000]) for at in range(0, 96_000, 8000)]
    assert powers == pytest.approx([0.1] * 12, rel=0.03)


def test_resampling_keeps_pitch_and_level_and_lets_no_alias_through() -> None:
    kept = stereo_at_rate(tone(1000, 4, 44100), 44100)
    gone = stereo_at_rate(tone(19_000, 4, 44100), 44100)

    middle = slice(SAMPLE_RATE_HZ, 3 * SAMPLE_RATE_HZ)
    assert abs(len(kept) - 4 * SAMPLE_RATE_HZ) <= 1
    assert rms(kept[middle]) == pytest.approx(0.2 / np.sqrt(2), rel=1e-3)
    assert rms(gone[middle]) < 1e-5
