"""The bytes a decoder cannot help reading, and the time they take at the memory's speed.

Every step reads the weights once and, for every row, all keys and values so
far. Both grow with nothing an engine could choose; an engine's time beside this
floor says what is left to gain.
"""

from __future__ import annotations

import torch

from generation.musicgen.memory import cache_bytes_per_position
from generation.musicgen.shape import DecoderShape


def meta_shape(hidden_size: int, n_layers: int, n_heads: int | None = None) -> DecoderShape:
    """A mono MusicGen: heads of 64 unless told, four codebooks of 2048, T5-base.

    Source: Copet et al. (2023), Simple and controllable music generation, section 3.1.
    """
    return DecoderShape(
        hidden_size=hidden_size,
        n_layers=n_layers,
        n_heads=n_heads or hidden_size // 64,
        ffn_dim=4 * hidden_size,
        n_codebooks=4,
        audio_channels=1,
        codebook_size=2_048,
        text_dim=768,
        frame_rate_hz=50,
        max_positions=2_048,
    )


SHAPES = {"small": meta_shape(1_024, 24), "medium": meta_shape(1_536, 48), "large": meta_shape(2_048, 48)}


def weights_read_bytes(shape: DecoderShape, dtype: torch.dtype) -> int:
    """Bytes of weights a step reads: not the embeddings, nor the keys and values of the text."""
    width = shape.hidden_size
    # Self-attention reads four projections, cross-attention two.
    layer = 6 * width * width + 2 * width * shape.ffn_dim + 3 * 2 * width
    heads = shape.n_codebooks * shape.codebook_size * width
    return (shape.n_layers * layer + heads + 2 * width) * dtype.itemsize


def mean_bytes_a_step(
    shape: DecoderShape, rows: int, rows_with_text: int, text_tokens: int, steps: int, dtype: torch.dtype
) -> float:
    """Bytes an average step of a clip reads: weights, the cache so far, the text's keys and values.

    Args:
        rows: of the batch; `rows_with_text` of them attend to `text_tokens` each.
        steps: step n reads n positions.
    """
    positions = rows * (steps + 1) / 2 + rows_with_text * text_tokens
    return weights_read_bytes(shape, dtype) + positions * cache_bytes_per_position(shape, dtype)


def floor_s(mean_bytes: float, steps: int, bytes_per_s: float) -> float:
    """Seconds those bytes take at that speed."""
    return mean_bytes * steps / bytes_per_s
