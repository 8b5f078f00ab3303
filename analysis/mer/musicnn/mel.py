"""The mel patches musicnn hears, block by block, as Essentia makes them.

Any sound in, patches of 187 frames × 96 bands out: mono (mean of the
channels), 16 kHz by linear interpolation (libsamplerate's SRC_LINEAR, as
Essentia's MonoLoader with resampleQuality 4), frames of 512 samples every 256,
symmetric Hann window, power spectrum, 96 Slaney mels of unit area from 0 to
8 kHz, log10(1 + 10000 x), in float32 throughout. Memory does not grow with
the length of the sound.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import samplerate
from numpy.typing import NDArray

from study.errors import AudioError

RATE_HZ = 16_000
FRAME = 512
HOP = 256
BANDS = 96
PATCH_FRAMES = 187
PATCH_HOP_FRAMES = 93
PATCH_S = PATCH_FRAMES * HOP / RATE_HZ
PATCH_HOP_S = PATCH_HOP_FRAMES * HOP / RATE_HZ

#: Beyond this a sound cannot have been scaled to 1: 40 dB over full scale.
_LARGEST_SAMPLE = 100.0
_BLOCK_S = 10.0

Float32 = NDArray[np.float32]


def blocks_of(samples: Float32, sample_rate_hz: int) -> Iterator[Float32]:
    """A sound in memory, ten seconds at a time."""
    step = max(round(_BLOCK_S * sample_rate_hz), 1)
    for first in range(0, len(samples), step):
        yield samples[first : first + step]


def mel_patches(blocks: Iterable[Float32], sample_rate_hz: int) -> Iterator[Float32]:
    """Patches of log mel power, one each 93 frames (1.488 s).

    Args:
        blocks: float32, shape [n, n_channels] each, full scale 1, one after another.
        sample_rate_hz: of the blocks.

    Yields:
        float32, shape [187, 96]. What is left at the end and fills no patch is dropped.

    Raises:
        AudioError: NaN, infinity or samples that are not on a full scale of 1.
    """
    frames = np.empty((0, BANDS), dtype=np.float32)
    for more in _log_mels(_mono_16k(blocks, sample_rate_hz)):
        frames = np.concatenate([frames, more])
        while len(frames) >= PATCH_FRAMES:
            yield frames[:PATCH_FRAMES]
            frames = frames[PATCH_HOP_FRAMES:]


def _mono_16k(blocks: Iterable[Float32], sample_rate_hz: int) -> Iterator[Float32]:
    resampler = samplerate.Resampler("linear", channels=1)
    ratio = RATE_HZ / sample_rate_hz
    for block in blocks:
        peak = float(np.abs(block).max(initial=0.0))
        if not np.isfinite(peak):
            raise AudioError("sound", "NaN or infinity in the samples", "export the sound again")
        if peak > _LARGEST_SAMPLE:
            raise AudioError("sound", f"a sample of {peak:g}", "scale the samples to [-1, 1]")
        mono = block.mean(axis=1, dtype=np.float32)
        yield mono if sample_rate_hz == RATE_HZ else resampler.process(mono, ratio)
    if sample_rate_hz != RATE_HZ:
        yield resampler.process(np.empty(0, dtype=np.float32), ratio, end_of_input=True)


def _log_mels(mono: Iterable[Float32]) -> Iterator[Float32]:
    """Frames centred on every 256th sample, the first on sample 0; zeros beyond both ends."""
    waiting = np.zeros(HOP, dtype=np.float32)
    n_samples = 0
    for some in mono:
        waiting = np.concatenate([waiting, some])
        n_samples += len(some)
        n_frames = (len(waiting) - FRAME) // HOP + 1
        if n_frames > 0:
            yield _log_mel(waiting[: (n_frames - 1) * HOP + FRAME])
            waiting = waiting[n_frames * HOP :]
    # Essentia's count: frames until the centre of one has passed the last sample.
    n_frames = -(-n_samples // HOP) + 1 - (n_samples + HOP - len(waiting)) // HOP
    if n_samples and n_frames > 0:
        padded = np.zeros((n_frames - 1) * HOP + FRAME, dtype=np.float32)
        padded[: len(waiting)] = waiting
        yield _log_mel(padded)


def _log_mel(samples: Float32) -> Float32:
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    spectrum = np.fft.rfft(frames * _WINDOW)
    power = spectrum.real**2 + spectrum.imag**2
    return np.log10(1.0 + np.float32(10_000.0) * (power @ _FILTERS), dtype=np.float32)


def _slaney_hz(mels: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slaney's (1998, Auditory Toolbox) mel scale: linear to 1 kHz (mel 15), then logarithmic."""
    return np.where(mels < 15.0, mels * 200.0 / 3.0, 1000.0 * np.exp((mels - 15.0) * np.log(6.4) / 27.0))


def _filters() -> Float32:
    """Triangles of unit area over the bins of the power spectrum, shape [257, 96]."""
    top = 15.0 + 27.0 * np.log(RATE_HZ / 2 / 1000.0) / np.log(6.4)
    edges = _slaney_hz(np.linspace(0.0, top, BANDS + 2))
    bins = np.linspace(0.0, RATE_HZ / 2, FRAME // 2 + 1)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0) * 2.0 / (high - low), dtype=np.float32)


_WINDOW = np.hanning(FRAME).astype(np.float32)
_FILTERS = _filters()
