"""The frames are Essentia's: same count, same frames, whatever pieces the sound comes in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from analysis.mer.musicnn.mel import BANDS, PATCH_FRAMES, PATCH_HOP_FRAMES, RATE_HZ, MelFrames
from study.errors import AudioError

Samples = NDArray[np.float32]


def noise(n_samples: int, channels: int = 1) -> Samples:
    rng = np.random.default_rng(4)
    return (rng.standard_normal((n_samples, channels)) * 0.1).astype(np.float32)


def tone(hz: float, seconds: float, rate: int) -> Samples:
    return np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)[:, None].astype(np.float32)


def frames_of(pieces: list[Samples], rate: int = RATE_HZ) -> Samples:
    frames = MelFrames(rate)
    heard = [frames.hear(piece) for piece in pieces]
    return np.concatenate([*heard, frames.finish()])


@pytest.mark.parametrize(
    ("n_samples", "n_patches"),
    # As counted with essentia-tensorflow 2.1b6.dev1389, TensorflowPredictMusiCNN.
    [(47_360, 0), (47_361, 1), (47_616, 1), (71_168, 1), (71_169, 2), (71_553, 2), (480_000, 19)],
)
def test_there_are_as_many_patches_as_essentia_gives(n_samples: int, n_patches: int) -> None:
    frames = frames_of([noise(n_samples)])

    assert (len(frames) - PATCH_FRAMES) // PATCH_HOP_FRAMES + 1 == n_patches
    assert frames.shape[1] == BANDS
    assert frames.dtype == np.float32


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=12))
@settings(max_examples=25, deadline=None)
def test_the_pieces_a_sound_arrives_in_do_not_matter(sizes: list[int]) -> None:
    samples = noise(100_000, channels=2)
    cuts = np.cumsum(sizes)

    pieces = np.split(samples, cuts[cuts < len(samples)])
    in_pieces = frames_of(pieces)

    assert np.abs(in_pieces - frames_of([samples])).max() < 1e-6


def test_resampling_in_pieces_equals_resampling_at_once() -> None:
    samples = noise(5 * 44_100, channels=2)

    in_pieces = frames_of(np.array_split(samples, 37), 44_100)

    assert np.abs(in_pieces - frames_of([samples], 44_100)).max() < 1e-4


def test_a_tone_sounds_in_its_own_band() -> None:
    # Slaney's mel of 1 kHz is 15; of 98 edges from 0 to 8 kHz (mel 45.245), band b is centred on edge b + 1.
    frames = frames_of([tone(1000.0, 4, RATE_HZ)])

    assert (frames[20:160].argmax(axis=1) == round(15 / (45.245 / 97)) - 1).all()


@pytest.mark.parametrize("rate", [8_000, 32_000, 44_100, 48_000])
def test_the_rate_of_the_file_does_not_move_a_tone(rate: int) -> None:
    resampled = frames_of([tone(500.0, 4, rate)], rate)
    original = frames_of([tone(500.0, 4, RATE_HZ)])

    assert resampled.mean(axis=0).argmax() == original.mean(axis=0).argmax()
    assert resampled.max() == pytest.approx(original.max(), abs=0.05)


def test_channels_are_averaged() -> None:
    left = noise(60_000)

    both = np.concatenate([left, np.zeros_like(left)], axis=1)

    assert np.array_equal(frames_of([both]), frames_of([left * np.float32(0.5)]))


def test_silence_is_zero_everywhere() -> None:
    assert not frames_of([np.zeros((60_000, 2), dtype=np.float32)]).any()


@pytest.mark.parametrize(
    ("value", "problem"), [(np.nan, "NaN"), (np.inf, "NaN"), (20_000.0, "a sample of 20000")]
)
def test_what_is_no_sound_on_a_full_scale_of_one_is_refused(value: float, problem: str) -> None:
    samples = noise(60_000)
    samples[59_000] = value

    with pytest.raises(AudioError, match=problem):
        frames_of([samples])
