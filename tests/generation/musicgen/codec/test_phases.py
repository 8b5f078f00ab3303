"""Magnitudes alone give a sound of those magnitudes, and always the same one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from generation.musicgen.codec.phases import sound_of_magnitudes
from generation.musicgen.codec.spectra import Spectra
from tests.generation.musicgen.codec.small_codec import chords

pytestmark = pytest.mark.torch

SPECTRA = Spectra(640, 2048, torch.device("cpu"))


def convergence(magnitudes: torch.Tensor, n_iterations: int) -> float:
    """Spectral convergence, Sturmel & Daudet (2011): relative distance of the magnitudes."""
    found = SPECTRA.of(sound_of_magnitudes(magnitudes, SPECTRA, 640, n_iterations)).abs()
    return float((found - magnitudes).norm() / magnitudes.norm())


@pytest.mark.parametrize("n_iterations", [0, 8])
def test_a_steady_tone_keeps_its_pitch_and_its_level(n_iterations: int) -> None:
    # 443.7 Hz lies between two bins of 15.6 Hz.
    tone = (0.5 * np.sin(2 * np.pi * 443.7 * np.arange(64_000) / 32_000)).astype(np.float32)

    magnitudes = SPECTRA.of(torch.from_numpy(tone)).abs()
    sound = sound_of_magnitudes(magnitudes, SPECTRA, 640, n_iterations).numpy()

    middle = sound[16_000:48_000] * np.hanning(32_000)
    assert np.abs(np.fft.rfft(middle, 320_000)).argmax() / 10 == pytest.approx(443.7, abs=0.3)
    assert sound[16_000:48_000].std() == pytest.approx(0.5 / np.sqrt(2), rel=0.05)


def test_corrections_bring_the_magnitudes_nearer() -> None:
    magnitudes = SPECTRA.of(torch.from_numpy(chords(2.0))).abs()

    first, corrected = convergence(magnitudes, 0), convergence(magnitudes, 16)

    # Measured: 0.36 and 0.12.
    assert corrected < 0.5 * first
    assert corrected < 0.2


def test_the_same_magnitudes_give_the_same_sound() -> None:
    magnitudes = SPECTRA.of(torch.from_numpy(chords(1.0))).abs()

    first, second = (sound_of_magnitudes(magnitudes, SPECTRA, 640, 4) for _ in range(2))

    assert torch.equal(first, second)
    assert first.shape == (32_000,)


def test_no_magnitudes_are_silence() -> None:
    assert not sound_of_magnitudes(torch.zeros(7, 1025), SPECTRA, 640, 4).any()
