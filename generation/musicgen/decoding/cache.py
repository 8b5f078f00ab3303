"""Keys and values of the positions read so far, and the ways a step can read them.

All of it is allocated once. A reader writes the keys and values of the
position (or positions) at hand, then attends to everything up to there;
readers differ only in how they know how far the cache is filled.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from generation.musicgen.shape import DecoderShape

BUCKET = 128
"""Capacities are whole multiples of this; a captured step reads a whole number of buckets."""

DecodeAttention = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""``(query [rows, heads, head_dim], keys [rows, heads, capacity, head_dim], values, length [1])``,
length an int32 on the device, to [rows, heads, head_dim]; all contiguous along head_dim."""


def in_buckets(n_positions: int) -> int:
    """`n_positions`, rounded up to whole buckets."""
    return -(-n_positions // BUCKET) * BUCKET


def new_cache(
    shape: DecoderShape, n_rows: int, capacity: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """An empty cache, shape [layers, 2 (keys, values), rows, heads, capacity, head_dim]."""
    return torch.zeros(
        (shape.n_layers, 2, n_rows, shape.n_heads, capacity, shape.head_dim), device=device, dtype=dtype
    )


class Reader(Protocol):
    """Attends to the positions up to the present ones."""

    def attend(self, layer: int, query: Tensor, keys_values: Tensor) -> Tensor:
        """Causal self-attention of one layer.

        Args:
            query: shape [rows, heads, n, head_dim], of the n positions at hand.
            keys_values: shape [2, rows, heads, n, head_dim], of the same.

        Returns:
            Shape [rows, heads, n, head_dim].
        """


class WholeReader:
    """Reads a sequence from its first position in one pass; fills `cache` where there is one."""

    def __init__(self, cache: Tensor | None = None) -> None:
        self._cache = cache

    def attend(self, layer: int, query: Tensor, keys_values: Tensor) -> Tensor:
        """As `Reader.attend`; n positions from 0."""
        if self._cache is not None:
            self._cache[layer, :, :, :, : query.shape[2]] = keys_values
        return scaled_dot_product_attention(query, keys_values[0], keys_values[1], is_causal=True)


class FilledReader:
    """Knows the position on the host, and reads exactly what is filled."""

    def __init__(self, cache: Tensor, position: int) -> None:
        self._cache = cache
        self._position = position

    def attend(self, layer: int, query: Tensor, keys_values: Tensor) -> Tensor:
        """As `Reader.attend`, n = 1."""
        filled = self._cache[layer, :, :, :, : self._position + 1]
        filled[:, :, :, -1:] = keys_values
        return scaled_dot_product_attention(query, filled[0], filled[1])


class BucketReader:
    """Knows the position on the device only: reads whole buckets and masks what lies ahead.

    Args:
        position: int64, shape [1], below `length`.
        length: how much is read, the same at every use of a captured step.
    """

    def __init__(self, cache: Tensor, position: Tensor, length: int) -> None:
        self._cache = cache
        self._position = position
        ahead = torch.arange(length, device=cache.device)[None, None, None, :] > position
        # Once for all layers: torch would make the same of a boolean mask in each of them.
        self._mask = torch.zeros_like(ahead, dtype=cache.dtype).masked_fill(ahead, -math.inf)
        self._length = length

    def attend(self, layer: int, query: Tensor, keys_values: Tensor) -> Tensor:
        """As `Reader.attend`, n = 1."""
        self._cache[layer].index_copy_(3, self._position, keys_values)
        read = self._cache[layer, :, :, :, : self._length]
        return scaled_dot_product_attention(query, read[0], read[1], attn_mask=self._mask)


class KernelReader:
    """Knows the position on the device only, and leaves it to a kernel to read what is filled."""

    def __init__(self, cache: Tensor, position: Tensor, kernel: DecodeAttention) -> None:
        self._cache = cache
        self._position = position
        self._length = (position + 1).to(torch.int32)
        self._kernel = kernel

    def attend(self, layer: int, query: Tensor, keys_values: Tensor) -> Tensor:
        """As `Reader.attend`, n = 1."""
        self._cache[layer].index_copy_(3, self._position, keys_values)
        keys, values = self._cache[layer]
        return self._kernel(query[:, :, 0], keys, values, self._length)[:, :, None]
