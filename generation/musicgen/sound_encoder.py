"""Sound as tokens: the codec of a MusicGen, the other way round.

What is longer than a window is encoded in windows, so that memory does not grow with length.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Codes
from generation.musicgen.codec.known_codecs import Codec
from generation.musicgen.shape import DecoderShape
from generation.musicgen.sound import check_codec
from generation.musicgen.weights.checkpoint import Checkpoint
from study.errors import AudioError

WINDOW_S = 30.0
"""Longest stretch encoded at once, context included."""

CONTEXT_S = 4.0
"""Encoded on either side of a window's own part and thrown away, as `generation.musicgen.sound` decodes."""


@dataclass(frozen=True)
class CodecCard:
    """What tells one codec's tokens from another's.

    Args:
        name: of the model that the codec belongs to.
        sha256: of the codec's configuration and tensors.
        n_codebooks: of one channel.
    """

    name: str
    sha256: str
    n_codebooks: int
    codebook_size: int
    frame_rate_hz: int
    sample_rate_hz: int


class SoundEncoder:
    """A codec's encoder.

    Args:
        model: of 32 kHz, one channel; moved to `device` and float32, for inference only.
        shape: of the decoder that will learn the tokens.
        name: of the model, for the card.

    Raises:
        ModelError: a codec of another rate, codebook size or number of codebooks.
    """

    def __init__(self, model: Codec, shape: DecoderShape, device: torch.device, name: str = "codec") -> None:
        check_codec(model.config, shape)
        self._model = model
        self._model.train(False)
        self._model.requires_grad_(False)
        nn.Module.to(self._model, device, torch.float32)
        self._shape, self._device = shape, device
        self._hop = int(model.config.hop_length)
        self.card = CodecCard(
            name, _digest(model), shape.n_delays, shape.codebook_size, shape.frame_rate_hz, SAMPLE_RATE_HZ
        )

    @classmethod
    def of_checkpoint(cls, checkpoint: Checkpoint, device: torch.device) -> SoundEncoder:
        """The encoder of a whole model."""
        return cls(checkpoint.audio_encoder(), checkpoint.shape, device, checkpoint.name)

    def encode(self, samples: NDArray[np.float32], sample_rate_hz: int = SAMPLE_RATE_HZ) -> Codes:
        """One sound of any length.

        Args:
            samples: float32, shape [n_samples, 1 or 2]. A mono model gets the mean of the channels; a
                stereo model left and right, or one channel twice.

        Returns:
            int16, shape [n_codebooks, ceil(n_samples / hop)]; of a stereo model the rows of left and right
            alternate, left first.

        Raises:
            AudioError: another rate, another number of channels, no samples, NaN or infinity.
        """
        _check(samples, sample_rate_hz)
        if self._shape.audio_channels == 1:
            return self._channel(samples.mean(axis=1, dtype=np.float32))
        left, right = self._channel(samples[:, 0]), self._channel(samples[:, -1])
        return np.stack([left, right], axis=1).reshape(2 * len(left), -1)

    def _channel(self, samples: NDArray[np.float32]) -> Codes:
        n_frames, hop = -(-samples.size // self._hop), self._hop
        window, context = (round(length * self._shape.frame_rate_hz) for length in (WINDOW_S, CONTEXT_S))
        if n_frames <= window:
            return self._encoded(samples)
        step = window - 2 * context
        parts = []
        for start in range(0, n_frames, step):
            first = max(0, start - context)
            codes = self._encoded(samples[first * hop : (start + step + context) * hop])
            parts.append(codes[:, start - first : start - first + step])
        return np.concatenate(parts, axis=1)

    @torch.inference_mode()
    def _encoded(self, samples: NDArray[np.float32]) -> Codes:
        values = torch.from_numpy(np.ascontiguousarray(samples))[None, None].to(self._device)
        # EnCodec's config may name several rates; the number of codebooks is that of the last, the highest.
        bandwidth = self._model.config.target_bandwidths[-1]
        codes: Tensor = self._model.encode(values, bandwidth=bandwidth, return_dict=False)[0]
        return codes[0, 0].cpu().numpy().astype(np.int16)


def _check(samples: NDArray[np.float32], sample_rate_hz: int) -> None:
    if sample_rate_hz != SAMPLE_RATE_HZ:
        raise AudioError(
            "sound to encode", f"its rate is {sample_rate_hz:,} Hz", f"resample it to {SAMPLE_RATE_HZ:,} Hz"
        )
    if samples.ndim != 2 or samples.shape[1] not in {1, 2} or not len(samples):
        raise AudioError(
            "sound to encode",
            f"shape {samples.shape} is not [n_samples, 1 or 2]",
            "give at least one sample of one or two channels",
        )
    bad = np.flatnonzero(~np.isfinite(samples).all(axis=1))
    if bad.size:
        raise AudioError(
            "sound to encode", f"not a number at {bad[0] / SAMPLE_RATE_HZ:.3f} s", "export the sound again"
        )


def _digest(model: Codec) -> str:
    """SHA-256 of the configuration that encoding depends on, and of every tensor in order of its name."""
    config = model.config
    sizes = (config.model_type, config.sampling_rate, *config.upsampling_ratios, *config.target_bandwidths)
    digest = hashlib.sha256(repr(sizes).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
