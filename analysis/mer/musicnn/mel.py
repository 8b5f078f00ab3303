"""The mel frames musicnn hears, piece by piece, as Essentia makes them.

Any sound in, frames of 96 bands out: one channel, 16 kHz by linear interpolation
(libsamplerate's SRC_LINEAR, as Essentia's MonoLoader with resampleQuality 4),
frames of 512 samples every 256, symmetric Hann window, power spectrum, 96 Slaney
mels of unit area from 0 to 8 kHz, log10(1 + 10000 x), in float32 throughout.
Memory does not grow with the length of the sound.
"""

from __future__ import annotations

import numpy as np
import samplerate
import scipy.fft
import scipy.sparse
from numpy.typing import NDArray

from analysis.mer.sound import checked_mono

RATE_HZ = 16_000
FRAME = 512
HOP = 256
BANDS = 96
PATCH_FRAMES = 187
PATCH_HOP_FRAMES = 93
PATCH_S = PATCH_FRAMES * HOP / RATE_HZ
PATCH_HOP_S = PATCH_HOP_FRAMES * HOP / RATE_HZ

#: Sound that is worked on at once: its spectra stay in a processor's cache.
_PIECE_S = 4.0

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
        # In single precision, as Essentia has it: with more, its samples at 44.1 kHz are missed by up to .01.
        self._ratio = float(np.float32(RATE_HZ) / np.float32(sample_rate_hz))
        self._piece = max(round(_PIECE_S * sample_rate_hz), 1)
        self._waiting = np.zeros(HOP, dtype=np.float32)
        self._n_samples = 0

    def hear(self, block: Float32) -> Float32:
        """The frames that the next piece completes, shape [n_frames, 96].

        Args:
            block: float32, shape [n, n_channels], full scale 1.

        Raises:
            AudioError: as `checked_mono`.
        """
        pieces = [block[first : first + self._piece] for first in range(0, len(block), self._piece)]
        return np.concatenate(
            [_NO_FRAMES, *(self._frames(self._resampled(checked_mono(piece))) for piece in pieces)]
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


def _log_mel(samples: Float32) -> Float32:
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]
    spectrum = scipy.fft.rfft(frames * _WINDOW)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(np.log10(1.0 + np.float32(10_000.0) * (power @ _FILTERS), dtype=np.float32))


def _edges_hz() -> Float32:
    """Edges of the bands: equal steps on Slaney's mel scale from 0 to 8 kHz, shape [98].

    The scale (Slaney, 1998, Auditory Toolbox) is linear to 1 kHz (mel 15), then logarithmic.
    Essentia adds the steps up in single precision (MelBands::calculateFilterFrequencies); at the
    foot of a narrow triangle that is felt: without it embeddings differ by 2e-4, with it by 2e-5.
    """
    logarithm = np.log(6.4) / 27.0
    step = np.float32(15.0 + np.log(RATE_HZ / 2 / 1000.0) / logarithm) / np.float32(BANDS + 1)
    mels = np.cumsum(np.append(np.float32(0.0), np.full(BANDS + 1, step)), dtype=np.float32)
    above = np.float32(1000.0) * np.exp((mels - np.float32(15.0)) * np.float32(logarithm))
    return np.asarray(np.where(mels < 15.0, mels / np.float32(3.0 / 200.0), above))


def _filters() -> Float32:
    """Triangles of unit area over the bins of the power spectrum, shape [257, 96]."""
    edges = _edges_hz()
    bins = np.linspace(0.0, RATE_HZ / 2, FRAME // 2 + 1, dtype=np.float32)[:, None]
    low, middle, high = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (bins - low) / (middle - low), (high - bins) / (high - middle)
    return np.asarray(np.maximum(np.minimum(rising, falling), 0.0) * np.float32(2.0) / (high - low))


_WINDOW = np.hanning(FRAME).astype(np.float32)
#: Sparse: a bin lies in two triangles at most.
_FILTERS = scipy.sparse.csc_array(_filters())
