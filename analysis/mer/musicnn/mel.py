"""The mel frames musicnn hears, piece by piece, as Essentia makes them.

Any sound in, frames of 96 bands out: mono (mean of the
channels), 16 kHz by linear interpolation (libsamplerate's SRC_LINEAR, as
Essentia's MonoLoader with resampleQuality 4), frames of 512 samples every 256,
symmetric Hann window, power spectrum, 96 Slaney mels of unit area from 0 to
8 kHz, log10(1 + 10000 x), in float32 throughout. Memory does not grow with
the length of the sound.
"""

from __future__ import annotations

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
_PIECE_S = 10.0

Float32 = NDArray[np.float32]
_NO_FRAMES: Float32 = np.empty((0, BANDS), dtype=np.float32)


class MelFrames:
    """Log mel power of one sound, frame by frame, as its pieces arrive.

    Frames are centred on every 256th sample, the first on sample 0, with zeros beyond both ends.

    Args:
        sample_rate_hz: of the sound.
    """

    def __init__(self, sample_rate_hz: int) -> None:
        self._resampler = None if sample_rate_hz == RATE_HZ else samplerate.Resampler("linear", channels=1)
        self._ratio = RATE_HZ / sample_rate_hz
        self._piece = max(round(_PIECE_S * sample_rate_hz), 1)
        self._waiting = np.zeros(HOP, dtype=np.float32)
        self._n_samples = 0

    def hear(self, block: Float32) -> Float32:
        """The frames that the next piece completes, shape [n_frames, 96].

        Args:
            block: float32, shape [n, n_channels], full scale 1.

        Raises:
            AudioError: NaN, infinity or samples that are not on a full scale of 1.
        """
        pieces = [block[first : first + self._piece] for first in range(0, len(block), self._piece)]
        return np.concatenate(
            [_NO_FRAMES, *(self._frames(self._resampled(_mono(piece))) for piece in pieces)]
        )

    def finish(self) -> Float32:
        """The frames that only the end completes, shape [n_frames, 96]."""
        ended = self._frames(self._resampled(np.empty(0, dtype=np.float32), end=True))
        # Essentia's count: frames until the centre of one has passed the last sample.
        begun = (self._n_samples + HOP - len(self._waiting)) // HOP
        n_frames = -(-self._n_samples // HOP) + 1 - begun
        if not self._n_samples or n_frames <= 0:
            return ended
        padded = np.zeros((n_frames - 1) * HOP + FRAME, dtype=np.float32)
        padded[: len(self._waiting)] = self._waiting
        return np.concatenate([ended, _log_mel(padded)])

    def _resampled(self, mono: Float32, end: bool = False) -> Float32:
        if self._resampler is None:
            return mono
        return np.asarray(self._resampler.process(mono, self._ratio, end_of_input=end))

    def _frames(self, mono: Float32) -> Float32:
        waiting = np.concatenate([self._waiting, mono])
        self._n_samples += len(mono)
        n_frames = max((len(waiting) - FRAME) // HOP + 1, 0)
        self._waiting = waiting[n_frames * HOP :]
        return _log_mel(waiting[: (n_frames - 1) * HOP + FRAME]) if n_frames else _NO_FRAMES


def _mono(block: Float32) -> Float32:
    peak = float(np.abs(block).max(initial=0.0))
    if not np.isfinite(peak):
        raise AudioError("sound", "NaN or infinity in the samples", "export the sound again")
    if peak > _LARGEST_SAMPLE:
        raise AudioError("sound", f"a sample of {peak:g}", "scale the samples to [-1, 1]")
    return np.asarray(block.mean(axis=1, dtype=np.float32))


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
