"""Spectra stand where they should, are what the definition says, and give the sound back."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generation.musicgen.codec.spectra import Spectra

pytestmark = pytest.mark.torch

SPECTRA = Spectra(640, 2048, torch.device("cpu"))


def noise(n_samples: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(n_samples).astype(np.float32))


def test_a_frame_is_the_transform_of_the_samples_under_its_window() -> None:
    samples = noise(10 * 640)

    found = SPECTRA.of(samples)[4]

    # Frame 4 is samples 2560 to 3200; a window of 2048 with the same centre begins at 2880 - 1024.
    under = samples.double().numpy()[1856 : 1856 + 2048]
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(2048) / 2048)
    expected = np.fft.rfft(under * hann) * 2 / hann.sum()
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-6)


def test_a_sinusoid_of_full_scale_peaks_at_one() -> None:
    # 100 whole periods in 2048 samples: exactly on bin 100.
    samples = torch.sin(2 * torch.pi * 100 / 2048 * torch.arange(6400, dtype=torch.float64)).float()

    magnitudes = SPECTRA.of(samples)[5].abs()

    assert int(magnitudes.argmax()) == 100
    assert float(magnitudes.max()) == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(("n_samples", "n_frames"), [(1, 1), (640, 1), (641, 2), (6400, 10)])
def test_a_begun_frame_is_a_frame(n_samples: int, n_frames: int) -> None:
    assert SPECTRA.of(noise(n_samples)).shape == (n_frames, 1025)
    assert SPECTRA.n_frames(n_samples) == n_frames


@pytest.mark.parametrize("hop", [640, 1024, 320])
def test_the_sound_comes_back_whole_ends_included(hop: int) -> None:
    spectra = Spectra(hop, 2048, torch.device("cpu"))
    samples = noise(12 * hop)

    back = spectra.sound(spectra.of(samples))

    torch.testing.assert_close(back, samples, atol=1e-5, rtol=0)


def test_wanted_frames_are_those_of_the_whole() -> None:
    samples = noise(5000)

    found = SPECTRA.of(samples, torch.tensor([1, 6]))

    torch.testing.assert_close(found, SPECTRA.of(samples)[[1, 6]])
