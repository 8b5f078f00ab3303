"""A codec is fitted to whole files, the same one every time, and tells how well."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

from generation.audio import write_audio
from generation.musicgen.codec.spectra import Spectra
from generation.training.codec_fit.fit import CodecFit, CodecSettings, fit_spectral_codec
from generation.training.codec_fit.frames import sample_frames
from study.errors import AudioError, OutOfRange
from tests.generation.musicgen.codec.small_codec import chords, small_sizes

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("music")
    paths = [folder / f"{seed}.wav" for seed in (1, 2)]
    for seed, path in enumerate(paths, start=1):
        write_audio(path, chords(10.0, seed)[:, None], 32_000)
    return paths


def quiet(share: float) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def found(files: list[Path]) -> CodecFit:
    return fit(files)


def fit(files: list[Path], seed: int = 0) -> CodecFit:
    return fit_spectral_codec(files, CodecSettings(small_sizes(), 800, n_steps=4, seed=seed), quiet)


def test_the_same_files_and_seed_give_the_same_codec_and_another_seed_another(
    files: list[Path], found: CodecFit
) -> None:
    first, again, other = (each.codec.state_dict() for each in (found, fit(files), fit(files, seed=1)))

    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["codebooks"], other["codebooks"])


def test_the_report_says_how_much_is_kept(found: CodecFit) -> None:
    assert found.n_frames == 800
    assert 1.0 - found.explained < found.left_over[-1]
    assert list(found.left_over) == sorted(found.left_over, reverse=True)
    assert found.left_over[0] < 0.5
    assert all(
        1.0 < perplexity <= used for perplexity, used in zip(found.perplexity, found.n_used, strict=True)
    )
    assert all(32 < used <= 64 for used in found.n_used)


def test_components_are_orthonormal_and_the_first_entries_are_kept_free(found: CodecFit) -> None:
    codec = found.codec

    products = codec.components.T @ codec.components
    torch.testing.assert_close(products, torch.eye(24), atol=1e-4, rtol=0)
    assert not codec.codebooks[:, 0].any()
    assert codec.codebooks[:, 1:].abs().sum(2).min() > 0


def test_every_file_is_heard_at_the_codecs_rate_and_silence_is_not(tmp_path: Path) -> None:
    # A tone of 1 kHz at 44.1 kHz, one of 4 kHz at 32 kHz, and silence.
    for name, hertz, rate_hz in (("a", 1000, 44_100), ("b", 4000, 32_000), ("c", 0, 32_000)):
        tone = 0.3 * np.sin(2 * np.pi * hertz * np.arange(rate_hz * 4) / rate_hz)
        write_audio(tmp_path / f"{name}.wav", tone[:, None].astype(np.float32), rate_hz)
    spectra = Spectra(640, 2048, torch.device("cpu"))

    found = sample_frames(sorted(tmp_path.iterdir()), spectra, 2, 100, 0, quiet).magnitudes

    # Bins are 15.625 Hz apart: 64 and 256. The two spectra of a frame are neighbours, of one file.
    peaks = found.argmax(2)
    assert found.shape == (100, 2, 1025)
    assert torch.equal(peaks[:, 0], peaks[:, 1])
    peaks = peaks[:, 0]
    assert set(peaks.tolist()) == {64, 256}
    # Binomial with n = 100 and p = 0.5 lies within 30 to 70 with probability 0.99994.
    assert 30 <= int((peaks == 64).sum()) <= 70


def test_music_too_short_for_its_codebooks_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "short.wav", chords(1.0)[:, None], 32_000)

    with pytest.raises(
        OutOfRange, match="50 frames of sound for codebooks of 64 and 24 components; give more"
    ):
        fit([tmp_path / "short.wav"])


def test_nothing_but_silence_is_refused(tmp_path: Path) -> None:
    write_audio(tmp_path / "silent.wav", np.zeros((32_000, 1), dtype=np.float32), 32_000)

    with pytest.raises(AudioError, match=r"1 file\(s\) hold no sound"):
        fit([tmp_path / "silent.wav"])


def test_a_file_that_is_no_sound_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("do re mi")

    with pytest.raises(AudioError, match=r"notes\.wav"):
        fit([tmp_path / "notes.wav"])
