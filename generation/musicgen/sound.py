"""Tokens as sound: the codec's decoder, one clip at a time and one channel at a time.

A clip is decoded alone, so its samples do not depend on the clips beside it.
What is longer than MusicGen's 30 s is decoded in windows, so that memory does
not grow with length.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import PreTrainedConfig
from transformers.modeling_utils import PreTrainedAudioTokenizerBase

from generation.audio import SAMPLE_RATE_HZ
from generation.clips.clip import Codes, Stereo
from generation.musicgen.shape import DecoderShape
from study.errors import AudioError, ModelError

WINDOW_S = 30.0
"""Longest stretch decoded at once, context included."""

CONTEXT_S = 4.0
"""Decoded on either side of a window's own part and thrown away: the convolutions reach
less than 0.2 s, the recurrent layers forget over some seconds."""

FADE_FRAMES = 1
"""Length of the linear crossfade where two windows meet: 20 ms."""


def check_codec(config: PreTrainedConfig, shape: DecoderShape) -> None:
    """Refuse a codec whose tokens are not the decoder's.

    Raises:
        ModelError: another rate, codebook size or number of codebooks.
    """
    found = (config.sampling_rate, config.audio_channels, config.codebook_size, config.num_quantizers)
    needed = (SAMPLE_RATE_HZ, 1, shape.codebook_size, shape.n_delays)
    if found != needed:
        parts = "(rate, channels, codebook size, codebooks)"
        raise ModelError(
            "audio_encoder",
            f"the codec's {parts} are {found}, the decoder needs {needed}",
            "give the codec that came with the model",
        )


class SoundDecoder:
    """A codec's decoder.

    Args:
        model: of 32 kHz, one channel, with the signatures of transformers' EnCodec; moved to `device` and
            float32, for inference only.
        shape: of the decoder whose tokens it turns into sound.

    Raises:
        ModelError: a codec of another rate, codebook size or number of codebooks.
    """

    def __init__(
        self, model: PreTrainedAudioTokenizerBase, shape: DecoderShape, device: torch.device
    ) -> None:
        check_codec(model.config, shape)
        self._model = model
        self._model.train(False)
        self._model.requires_grad_(False)
        nn.Module.to(self._model, device, torch.float32)
        self._shape, self._device = shape, device
        self._samples_per_frame = int(model.config.hop_length)

    def sound(self, codes: Codes) -> Stereo:
        """One clip of any length; mono is the same on both sides.

        Args:
            codes: shape [n_codebooks, n_frames]; of a stereo model left and right alternate.

        Returns:
            float32, shape [n_frames × hop, 2]; MusicGen's hop is 640.

        Raises:
            AudioError: no frames, a wrong number of codebooks, or a token that is none.
        """
        self._check(codes)
        # As transformers' MusicGen: even rows are left, odd rows right.
        n_channels = self._shape.audio_channels
        channels = [self._channel(codes[channel::n_channels]) for channel in range(n_channels)]
        return np.stack([channels[0], channels[-1]], axis=1)

    def _channel(self, codes: Codes) -> NDArray[np.float32]:
        n_frames, frame = codes.shape[1], self._samples_per_frame
        window, context = (round(length * self._shape.frame_rate_hz) for length in (WINDOW_S, CONTEXT_S))
        if n_frames <= window:
            return self._decoded(codes)
        joined = np.zeros(n_frames * frame, dtype=np.float32)
        rising = np.linspace(0.0, 1.0, FADE_FRAMES * frame, endpoint=False, dtype=np.float32)
        step = window - 2 * context - FADE_FRAMES
        for start in range(0, n_frames - FADE_FRAMES, step):
            end = min(start + step + FADE_FRAMES, n_frames)
            first = max(0, start - context)
            decoded = self._decoded(codes[:, first : end + context])
            part = decoded[(start - first) * frame : (end - first) * frame]
            if start:
                fade = slice(start * frame, (start + FADE_FRAMES) * frame)
                part[: rising.size] = rising * part[: rising.size] + (1.0 - rising) * joined[fade]
            joined[start * frame : end * frame] = part
        return joined

    @torch.inference_mode()
    def _decoded(self, codes: Codes) -> NDArray[np.float32]:
        # [chunks, batch, codebooks, frames]; EnCodec of 32 kHz has one chunk and no scale.
        tokens = torch.from_numpy(codes.astype(np.int64))[None, None].to(self._device)
        samples: Tensor = self._model.decode(tokens, [None])[0]
        decoded: NDArray[np.float32] = samples[0, 0].cpu().numpy()
        expected = codes.shape[1] * self._samples_per_frame
        if decoded.shape != (expected,):
            raise ModelError(
                "audio_encoder",
                f"{codes.shape[1]} frames gave {decoded.size} samples, not {expected}",
                "give the codec that came with the model",
            )
        return decoded

    def _check(self, codes: Codes) -> None:
        shape = self._shape
        if codes.ndim != 2 or codes.shape[0] != shape.n_codebooks or codes.shape[1] == 0:
            raise AudioError(
                "codes",
                f"shape {codes.shape} is not [{shape.n_codebooks}, n_frames]",
                f"give {shape.n_codebooks} codebooks of at least one frame",
            )
        lowest, highest = int(codes.min()), int(codes.max())
        if lowest < 0 or highest >= shape.codebook_size:
            raise AudioError(
                "codes",
                f"tokens run from {lowest} to {highest}, the codec knows 0 to {shape.codebook_size - 1}",
                "undo the delay pattern first",
            )
