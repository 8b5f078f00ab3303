"""A `SpectralCodec` fitted to sound files: principal components, then one codebook after the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from generation.engine import Progress
from generation.musicgen.codec.spectral_codec import SILENCE, SpectralCodec, SpectralCodecConfig
from generation.training.codec_fit.frames import sample_frames
from generation.training.codec_fit.kmeans import k_means, nearest_entries
from study.errors import OutOfRange

_NO_POWER = 1e-20


@dataclass(frozen=True)
class CodecSettings:
    """How a codec is fitted.

    Args:
        sizes: of the codec.
        n_frames: frames it is fitted to, at most; 60,000 are 20 minutes.
        n_steps: of k-means, for each codebook.
        seed: the only source of chance.
    """

    sizes: SpectralCodecConfig
    n_frames: int = 60_000
    n_steps: int = 15
    seed: int = 0


@dataclass(frozen=True)
class CodecFit:
    """What was fitted, and how well.

    Args:
        explained: share of the features' variance that the principal components hold.
        left_over: share of their variance that is left after each codebook.
        perplexity: of each codebook's entries: 2 to the power of their entropy in bits; at most
            the codebook's size.
        n_used: entries of each codebook that stand for at least one frame.
        n_frames: frames it was fitted to.
    """

    codec: SpectralCodec
    explained: float
    left_over: tuple[float, ...]
    perplexity: tuple[float, ...]
    n_used: tuple[int, ...]
    n_frames: int


@torch.no_grad()
def fit_spectral_codec(files: Sequence[Path], settings: CodecSettings, progress: Progress) -> CodecFit:
    """Fit a codec; the same files, settings and number of threads give the same codec.

    Raises:
        AudioError: a file that cannot be read, or nothing but silence.
        OutOfRange: fewer frames than a codebook has entries.
    """
    sizes = settings.sizes
    codec = SpectralCodec(sizes)
    reading, fitting = 0.4, 0.4
    sample = sample_frames(
        files,
        codec.spectra(),
        sizes.spectra_per_frame,
        settings.n_frames,
        settings.seed,
        lambda share: progress(reading * share),
    )
    magnitudes = sample.magnitudes
    if len(magnitudes) < max(sizes.codebook_size, sizes.n_components):
        raise OutOfRange(
            "codec",
            f"{len(magnitudes)} frames of sound for codebooks of {sizes.codebook_size}"
            f" and {sizes.n_components} components",
            "give more music, or smaller sizes",
        )
    features = codec.features(magnitudes)
    codec.mean.copy_(features.mean(0))
    codec.components.copy_(_principal_components(features - codec.mean, sizes.n_components))
    reduced = (features - codec.mean) @ codec.components
    variance = float(features.var(0, correction=0).sum())
    generator = torch.Generator().manual_seed(settings.seed)
    residual, left_over, perplexity, n_used = reduced, [], [], []
    unseen = 1.0 - float(reduced.var(0, correction=0).sum()) / variance
    for number, book in enumerate(codec.codebooks):
        # Entry 0 is kept: silence in the first codebook, "nothing to add" in the others.
        book[SILENCE + 1 :] = k_means(residual, sizes.codebook_size - 1, settings.n_steps, generator)
        entries = book[1:] if number == 0 else book
        nearest, distances = nearest_entries(residual, entries)
        residual = residual - entries[nearest]
        counts = torch.bincount(nearest, minlength=len(entries))
        left_over.append(unseen + float(distances.mean()) / variance)
        perplexity.append(_perplexity(counts))
        n_used.append(int((counts > 0).sum()))
        progress(reading + fitting * (number + 1) / sizes.num_quantizers)
    codec.gains.copy_(_gains(codec, sample.stretches))
    codec.train(False)
    progress(1.0)
    return CodecFit(codec, 1.0 - unseen, tuple(left_over), tuple(perplexity), tuple(n_used), len(magnitudes))


def _principal_components(centred: Tensor, n_components: int) -> Tensor:
    """The directions of largest variance, shape [n_features, n_components], largest first."""
    vectors: Tensor = torch.linalg.eigh(centred.T @ centred / len(centred)).eigenvectors
    return vectors[:, -n_components:].flip(1)


def _perplexity(counts: Tensor) -> float:
    shares = counts[counts > 0] / counts.sum()
    return float(2.0 ** -(shares * shares.log2()).sum())


def _gains(codec: SpectralCodec, stretches: Sequence[Tensor]) -> Tensor:
    """What restores each bin's mean power in sound that went through the whole codec, shape [n_bins].

    Means of logarithms lie below means of powers, and the synthesis loses a little more.
    """
    before, after = torch.zeros_like(codec.gains), torch.zeros_like(codec.gains)
    for samples in stretches:
        codes: Tensor = codec.encode(samples[None, None])[0]
        sound: Tensor = codec.decode(codes)[0][0, 0]
        before += (codec.spectra().of(samples).abs() ** 2).sum(0)
        after += (codec.spectra().of(sound).abs() ** 2).sum(0)
    return (before / after.clamp_min(_NO_POWER)).sqrt().clamp(0.5, 4.0)
