"""Sound as overlapping spectra and back: one spectrum a codec frame, centred on the frame.

Frame k stands for samples [k × hop, (k + 1) × hop); its window of `n_fft` samples has the same centre and
reaches beyond on either side, where a sound's ends are followed by zeros. A spectrum depends on the samples
under its window alone.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


class Spectra:
    """A short-time Fourier transform of fixed hop, and its least-squares inverse.

    Magnitudes are scaled so that a sinusoid of full scale peaks at 1.

    Source of the inverse: Griffin & Lim (1984), Signal estimation from modified short-time Fourier
    transform, IEEE TASSP 32, 236-243, equation 6.

    Args:
        hop: samples a frame.
        n_fft: samples under the window (periodic Hann), at least two hops; even.
        device: where it computes, in float32.
    """

    def __init__(self, hop: int, n_fft: int, device: torch.device) -> None:
        self._hop, self._n_fft = hop, n_fft
        self._window = torch.hann_window(n_fft, device=device)
        self._scale = 2.0 / float(self._window.sum())
        self._before = (n_fft - hop) // 2

    def n_frames(self, n_samples: int) -> int:
        """Frames of a sound, the last one begun only."""
        return -(-n_samples // self._hop)

    def of(self, samples: Tensor, frames: Tensor | None = None) -> Tensor:
        """The spectra of a sound.

        Args:
            samples: float32, shape [n_samples], at least one.
            frames: numbers of the frames that are wanted, int64; None: all of them.

        Returns:
            complex64, shape [n_frames, n_fft / 2 + 1].
        """
        length = (self.n_frames(samples.shape[-1]) - 1) * self._hop + self._n_fft
        framed = pad(samples, (self._before, length - self._before - samples.shape[-1]))
        windows = framed.unfold(-1, self._n_fft, self._hop)
        wanted = windows if frames is None else windows[frames]
        spectra: Tensor = torch.fft.rfft(wanted * self._window) * self._scale
        return spectra

    def sound(self, spectra: Tensor) -> Tensor:
        """The sound whose spectra are nearest to these.

        Args:
            spectra: complex64, shape [n_frames, n_fft / 2 + 1].

        Returns:
            float32, shape [n_frames × hop].
        """
        frames = torch.fft.irfft(spectra / self._scale, n=self._n_fft) * self._window
        squares = (self._window**2).expand(frames.shape)
        n_samples = spectra.shape[0] * self._hop
        inside = slice(self._before, self._before + n_samples)
        # Every sample lies under at least two windows' inner parts: their squares never sum to nearly 0.
        return self._overlapped(frames)[inside] / self._overlapped(squares)[inside]

    def _overlapped(self, frames: Tensor) -> Tensor:
        """The frames added where they overlap."""
        n_frames, parts = frames.shape[0], -(-self._n_fft // self._hop)
        whole = pad(frames, (0, parts * self._hop - self._n_fft)).view(n_frames, parts, self._hop)
        added = frames.new_zeros(n_frames + parts - 1, self._hop)
        for part in range(parts):
            added[part : part + n_frames] += whole[:, part]
        return added.view(-1)
