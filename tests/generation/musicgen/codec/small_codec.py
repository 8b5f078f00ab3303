"""A spectral codec fitted to a few chords, small enough for tests."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from generation.audio import SAMPLE_RATE_HZ, write_audio
from generation.musicgen.codec.spectral_codec import SpectralCodec, SpectralCodecConfig
from generation.training.codec_fit.fit import CodecSettings, fit_spectral_codec


def chords(duration_s: float, seed: int = 0, level: float = 0.2) -> NDArray[np.float32]:
    """Plucked chords, two a second, with a little noise; float32, shape [n_samples]."""
    rng = np.random.default_rng(seed)
    n_samples, length = round(duration_s * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ // 2
    times = np.arange(length) / SAMPLE_RATE_HZ
    sound = np.zeros(n_samples + length)
    for onset in range(0, n_samples, length):
        for key in rng.choice([0, 3, 4, 7, 9, 12], 3, replace=False):
            hertz = 220.0 * 2.0 ** (key / 12)
            partials = [np.sin(2 * np.pi * hertz * part * times) / part for part in range(1, 8)]
            sound[onset : onset + length] += np.exp(-4.0 * times) * np.sum(partials, axis=0) / 6
        sound[onset : onset + length] += 0.01 * rng.standard_normal(length)
    return (level * sound[:n_samples]).astype(np.float32)


def small_sizes(spectra_per_frame: int = 1) -> SpectralCodecConfig:
    """64 entries a codebook, a spectrum every 640 samples."""
    return SpectralCodecConfig(
        upsampling_ratios=(640 * spectra_per_frame,),
        spectra_per_frame=spectra_per_frame,
        codebook_size=64,
        n_components=24,
        n_iterations=8,
    )


@cache
def small_codec(spectra_per_frame: int = 1) -> SpectralCodec:
    """Fitted once a run."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"{seed}.wav" for seed in (1, 2)]
        for seed, file in enumerate(files, start=1):
            write_audio(file, chords(10.0, seed, level=0.1 * seed)[:, None], SAMPLE_RATE_HZ)
        settings = CodecSettings(small_sizes(spectra_per_frame), n_frames=900 // spectra_per_frame)
        return fit_spectral_codec(files, settings, lambda _: None).codec
