"""The delay pattern: where a frame's tokens stand in the sequence that the decoder reads.

Position 0 holds only special tokens. Frame f of codebook c stands at position
1 + f + delay(c), with delay(c) = c for a mono model and c // 2 for a stereo
one, whose codebooks alternate left and right. Whatever position is left over
at either end holds the special token. Source: Copet et al. (2023), Simple and
Controllable Music Generation, arXiv:2306.05284, section 2.2.
"""

from __future__ import annotations

import torch
from torch import Tensor

from generation.musicgen.shape import DecoderShape

OPEN = -1
"""Stands where a token is yet to be drawn."""


def delays(shape: DecoderShape) -> list[int]:
    """How many positions each codebook lags behind the first, shape [codebooks]."""
    return [codebook // shape.audio_channels for codebook in range(shape.n_codebooks)]


def sequence_length(shape: DecoderShape, n_frames: int) -> int:
    """Positions that `n_frames` take; the decoder makes one step fewer: 1503 for 1500 frames of mono."""
    return n_frames + shape.n_delays


def delayed(shape: DecoderShape, prefix: Tensor, n_frames: int) -> Tensor:
    """The sequence as it is before anything is drawn.

    Frames of the prefix that the pattern moves beyond the first open position are kept there.

    Args:
        prefix: int64, shape [clips, codebooks, p], p from 0.
        n_frames: of the whole clip, at least p.

    Returns:
        int64, shape [positions, clips, codebooks]: the prefix, the special tokens, and `OPEN`.
    """
    clips, codebooks, n_prefix = prefix.shape
    sizes = (sequence_length(shape, n_frames), clips, codebooks)
    sequence = torch.full(sizes, shape.special_token, dtype=torch.int64, device=prefix.device)
    for codebook, delay in enumerate(delays(shape)):
        onset = 1 + delay
        sequence[onset : onset + n_frames, :, codebook] = OPEN
        sequence[onset : onset + n_prefix, :, codebook] = prefix[:, codebook].T
    return sequence


def undelayed(shape: DecoderShape, sequence: Tensor, n_frames: int) -> Tensor:
    """The frames of a sequence: [positions, clips, codebooks] to [clips, codebooks, n_frames]."""
    frames = [
        sequence[1 + delay : 1 + delay + n_frames, :, codebook].T
        for codebook, delay in enumerate(delays(shape))
    ]
    return torch.stack(frames, dim=1)
