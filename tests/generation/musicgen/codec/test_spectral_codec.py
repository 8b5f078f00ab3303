"""What is encoded sounds like itself when it is decoded, by transformers' own calls."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModel

from generation.musicgen.codec.spectral_codec import SILENCE
from tests.generation.musicgen.codec.small_codec import chords, small_codec

pytestmark = pytest.mark.torch


def encoded(samples: np.ndarray) -> Tensor:
    found: Tensor = small_codec().encode(torch.from_numpy(samples)[None, None])[0]
    return found


def decoded(codes: Tensor) -> np.ndarray:
    found: Tensor = small_codec().decode(codes, [None])[0]
    return found[:, 0].numpy()


def level_db(samples: np.ndarray) -> float:
    return 20 * float(np.log10(np.sqrt(np.mean(samples.astype(np.float64) ** 2))))


def distance(samples: np.ndarray, n_codebooks: int) -> float:
    """Of the features of a sound to those of its tokens, the later codebooks without anything to add."""
    codec = small_codec()
    codes = encoded(samples)[0, 0]
    codes[n_codebooks:] = 0
    magnitudes = codec.spectra().of(torch.from_numpy(samples)).abs()
    return float((codec.features(codec.magnitudes(codes)) - codec.features(magnitudes)).norm())


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (640, 1), (641, 2), (32_000, 50)])
def test_a_begun_frame_is_a_frame_of_640_samples(n_samples: int, n_frames: int) -> None:
    codes = encoded(chords(1.0)[:n_samples])

    assert codes.shape == (1, 1, 4, n_frames)
    assert decoded(codes).shape == (1, n_frames * 640)


def test_every_codebook_brings_the_spectra_nearer() -> None:
    sound = chords(3.0, seed=9)

    distances = [distance(sound, n_codebooks) for n_codebooks in (1, 2, 3, 4)]

    assert distances == sorted(distances, reverse=True)
    # Measured: 0.72 of the first codebook's.
    assert distances[-1] < 0.85 * distances[0]


@pytest.mark.parametrize("level", [0.05, 0.1, 0.2])
def test_the_level_survives(level: float) -> None:
    sound = chords(4.0, seed=9, level=level)

    back = decoded(encoded(sound))[0]

    assert level_db(back) == pytest.approx(level_db(sound), abs=1.0)


def test_a_tone_keeps_its_pitch_among_the_chords() -> None:
    sound = chords(4.0, seed=9)

    back = decoded(encoded(sound))[0]

    strongest = [np.abs(np.fft.rfft(samples)).argmax() / 4.0 for samples in (sound, back)]
    assert strongest[1] == pytest.approx(strongest[0], abs=8.0)


def test_silence_stays_silence_and_does_not_spread() -> None:
    sound = np.concatenate([chords(1.0), np.zeros(32_000, dtype=np.float32), chords(1.0)])

    codes = encoded(sound)
    back = decoded(codes)[0]

    # A window reaches 704 samples beyond its frame.
    assert (codes[0, 0, :, 52:98] == SILENCE).all()
    assert not back[52 * 640 + 1024 : 98 * 640 - 1024].any()
    assert level_db(back[:32_000]) == pytest.approx(level_db(sound[:32_000]), abs=1.0)


def test_a_silent_first_token_is_silence_whatever_the_others_say() -> None:
    codes = torch.randint(0, 64, (1, 1, 4, 30), generator=torch.Generator().manual_seed(1))
    codes[:, :, 0] = SILENCE

    assert not decoded(codes).any()


def test_a_frame_beside_silence_is_as_loud_as_among_its_like() -> None:
    alike = torch.tensor([[5], [6], [7], [8]]).repeat(1, 5)
    alone = alike.clone()
    alone[:, [1, 3]] = SILENCE

    magnitudes = small_codec().magnitudes(alone)

    torch.testing.assert_close(magnitudes[2], small_codec().magnitudes(alike)[2])
    assert not magnitudes[[1, 3]].any()


def test_a_quiet_sound_is_not_taken_for_silence() -> None:
    # One step of 16-bit sound, up and down.
    sound = np.tile(np.array([1, 1, -1, -1], dtype=np.float32) / 32_768, 1600)

    assert (encoded(sound)[0, 0, 0] != SILENCE).all()


def test_a_sound_is_decoded_the_same_alone_and_among_others() -> None:
    codes = torch.cat([encoded(chords(1.0, seed)) for seed in (3, 4, 5)], dim=1)

    together = decoded(codes)

    for number in range(3):
        np.testing.assert_array_equal(decoded(codes[:, number : number + 1])[0], together[number])


def test_what_is_masked_is_silence_and_is_not_decoded() -> None:
    sound = torch.from_numpy(chords(1.0))[None, None]
    mask = torch.ones(1, 32_000)
    mask[:, 16_000:] = 0

    codes = small_codec().encode(sound, mask)[0]
    half = small_codec().decode(codes, [None], torch.ones(1, 16_000))[0]

    assert (codes[0, 0, 0, 27:] == SILENCE).all()
    assert half.shape == (1, 1, 16_000)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (1280, 1), (1281, 2), (32_000, 25)])
def test_two_spectra_a_frame_halve_the_frames(n_samples: int, n_frames: int) -> None:
    codec = small_codec(spectra_per_frame=2)

    codes: Tensor = codec.encode(torch.from_numpy(chords(1.0)[:n_samples])[None, None])[0]
    samples: Tensor = codec.decode(codes, [None])[0]

    assert codec.config.frame_rate == 25
    assert codes.shape == (1, 1, 4, n_frames)
    assert samples.shape == (1, 1, n_frames * 1280)


def test_an_attack_in_the_second_half_of_a_frame_stays_there() -> None:
    codec = small_codec(spectra_per_frame=2)
    # The first chord begins with spectrum 5, the second half of frame 2; windows reach 704 samples further.
    sound = np.concatenate([np.zeros(5 * 640, dtype=np.float32), chords(1.0, seed=9)])

    codes: Tensor = codec.encode(torch.from_numpy(sound)[None, None])[0]
    loud = codec.magnitudes(codes[0, 0]).sum(1)

    assert not loud[:2].any()
    # Smoothing gives each spectrum a share of its neighbours.
    assert loud[3] < 0.25 * loud[5]
    assert loud[5] > 1.5 * loud[4]


def test_transformers_saves_and_loads_it_by_its_type(tmp_path: Path) -> None:
    sound = torch.from_numpy(chords(1.0))[None, None]
    small_codec().save_pretrained(tmp_path)

    read = AutoModel.from_pretrained(tmp_path)

    assert torch.equal(read(sound).audio_values, small_codec()(sound).audio_values)
    assert read.config.hop_length == 640
    assert read.config.frame_rate == 50
    # 4 codebooks of 6 bits, 50 times a second.
    assert read.config.target_bandwidths == [1.2]
