"""What the decoder learns: the next position of every codebook, in the delay pattern.

Inputs are the delayed sequence without its last position, targets the same sequence one position on.
Every code of every frame is a target once, those of the last frames included, which the pattern moves
beyond the last frame's own position; special tokens are none. Source: Copet et al. (2023), Simple and
Controllable Music Generation, arXiv:2306.05284, section 2; the mean over codebooks of each codebook's mean
is audiocraft's ``MusicGenSolver._compute_cross_entropy``.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy

from generation.musicgen.decoding.delay import delayed
from generation.musicgen.shape import DecoderShape


def delay_inputs(codes: Tensor, shape: DecoderShape) -> Tensor:
    """What the decoder reads to predict all of `codes`.

    Args:
        codes: int64, shape [rows, codebooks, frames]; the special token pads shorter rows at their end.

    Returns:
        int64, shape [rows, codebooks, frames + n_delays - 1].
    """
    return delayed(shape, codes, codes.shape[2])[:-1].permute(1, 2, 0).contiguous()


def delay_targets(codes: Tensor, shape: DecoderShape) -> Tensor:
    """What the decoder is to predict at each position of `delay_inputs`; same shape."""
    return delayed(shape, codes, codes.shape[2])[1:].permute(1, 2, 0).contiguous()


def delay_loss(logits: Tensor, codes: Tensor, shape: DecoderShape) -> Tensor:
    """Mean cross-entropy of each codebook, in nats a code.

    Args:
        logits: shape [rows, codebooks, frames + n_delays - 1, codebook_size], at `delay_inputs`.
        codes: as for `delay_inputs`; at least one frame.

    Returns:
        float32, shape [codebooks]. Its mean is the loss; every codebook has as many codes.
    """
    targets = delay_targets(codes, shape)
    losses = cross_entropy(
        logits.flatten(0, 2), targets.flatten(), ignore_index=shape.special_token, reduction="none"
    )
    counts = (targets != shape.special_token).sum((0, 2))
    return losses.view_as(targets).sum((0, 2)) / counts
