"""Attention of one new position a row over a cache that is only partly full, for CUDA graphs.

A captured graph replays the same launches at every step, so it cannot be told
how full the cache is. Masking a full-length cache reads 1.8 times too many
bytes over a clip. Here the length is read on the device: the grid covers the
whole capacity, and what lies beyond the length returns at once.

The cache is cut along time into parts of `PART` positions, each with its own
softmax; a second launch puts the parts together. Two rows of one clip then
still occupy a whole GPU. How a row is cut depends on the capacity alone, so a
row's result does not depend on the rows beside it.

Source: Milakov & Gimelshein (2018), Online normalizer calculation for softmax,
arXiv 1805.02867; the cut along time: Dao et al. (2023), Flash-Decoding.

Importing this module where Triton is not installed raises ImportError.
"""

from __future__ import annotations

import math
from contextlib import nullcontext

import torch
import triton
import triton.language as tl
from torch import Tensor

from study.errors import DeviceError

PART = 128
"""Positions a program reads: 32 kB of keys and values at 64 wide in two bytes."""


# Stated, because Triton's own default is about to change, and with it the last bits of a sound.
_COMPILING = {"enable_fp_fusion": True}


def decode_attention(queries: Tensor, keys: Tensor, values: Tensor, length: Tensor) -> Tensor:
    """Softmax(q·kᵀ / √head_dim)·v over the first `length` positions, accumulated in float32.

    Nothing is read on the host and every shape is fixed, so the call can be
    captured in a CUDA graph and replayed while `length` grows.

    Args:
        queries: shape [rows, heads, head_dim], not yet scaled; contiguous along head_dim.
        keys, values: shape [rows, heads, capacity, head_dim], of one dtype; any strides but the last.
        length: int32, shape [1], on the same device; from 1 to capacity. What lies behind it is not read.

    Returns:
        Shape [rows, heads, head_dim], of the queries' dtype.

    Raises:
        DeviceError: tensors on the CPU, outside Triton's interpreter (TRITON_INTERPRET=1).
    """
    if not queries.is_cuda and isinstance(_PART_KERNEL, triton.JITFunction):
        raise DeviceError(
            "attention", f"Triton has no kernel for {queries.device.type}", "use plain attention there"
        )
    rows, heads, head_dim = queries.shape
    n_parts = triton.cdiv(keys.shape[2], PART)
    width = triton.next_power_of_2(head_dim)
    warps = 8 if width > 64 else 4
    out = torch.empty_like(queries, memory_format=torch.contiguous_format)
    mixed = torch.empty((rows * heads, n_parts, head_dim), dtype=torch.float32, device=queries.device)
    scales = torch.empty((rows * heads, n_parts, 2), dtype=torch.float32, device=queries.device)
    # Triton launches on the current device, which need not be the tensors'.
    with torch.cuda.device(queries.device) if queries.is_cuda else nullcontext():
        _PART_KERNEL[(rows * heads, n_parts)](
            *(queries, keys, values, length, mixed, scales),
            # Powers of two: exp2 is the GPU's own instruction.
            math.log2(math.e) / math.sqrt(head_dim),
            *queries.stride()[:2],
            *keys.stride()[:3],
            *values.stride()[:3],
            n_parts,
            HEADS=heads,
            HEAD_DIM=head_dim,
            WIDTH=width,
            POSITIONS=PART,
            num_warps=warps,
            **_COMPILING,
        )
        _JOIN_KERNEL[(rows * heads,)](
            *(mixed, scales, length, out, n_parts),
            HEAD_DIM=head_dim,
            WIDTH=width,
            POSITIONS=PART,
            PARTS=triton.next_power_of_2(n_parts),
            num_warps=warps,
            **_COMPILING,
        )
    return out


def _attend_to_part(
    queries: tl.tensor,
    keys: tl.tensor,
    values: tl.tensor,
    length: tl.tensor,
    mixed: tl.tensor,
    scales: tl.tensor,
    scale: tl.tensor,
    query_row: tl.tensor,
    query_head: tl.tensor,
    key_row: tl.tensor,
    key_head: tl.tensor,
    key_position: tl.tensor,
    value_row: tl.tensor,
    value_head: tl.tensor,
    value_position: tl.tensor,
    n_parts: tl.tensor,
    HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    WIDTH: tl.constexpr,
    POSITIONS: tl.constexpr,
) -> None:
    end = tl.load(length)
    part = tl.program_id(1)
    if part * POSITIONS >= end:
        return
    # A row's offset in a large cache passes 2^31.
    pair = tl.program_id(0).to(tl.int64)
    row, head = pair // HEADS, pair % HEADS
    positions = part * POSITIONS + tl.arange(0, POSITIONS)
    columns = tl.arange(0, WIDTH)
    filled, within = positions < end, columns < HEAD_DIM
    cells = filled[:, None] & within[None, :]
    along = columns[None, :]

    key_at = keys + row * key_row + head * key_head
    value_at = values + row * value_row + head * value_head
    # Both loads before any arithmetic: the second does not wait for the first's sums.
    key = tl.load(key_at + positions[:, None] * key_position + along, mask=cells, other=0.0)
    value = tl.load(value_at + positions[:, None] * value_position + along, mask=cells, other=0.0)
    query = tl.load(queries + row * query_row + head * query_head + columns, mask=within, other=0.0)

    scores = tl.sum(key.to(tl.float32) * (query.to(tl.float32) * scale)[None, :], axis=1)
    scores = tl.where(filled, scores, float("-inf"))
    largest = tl.max(scores, axis=0)
    weights = tl.exp2(scores - largest)

    place = pair * n_parts + part
    tl.store(scales + place * 2, largest)
    tl.store(scales + place * 2 + 1, tl.sum(weights, axis=0))
    sums = tl.sum(weights[:, None] * value.to(tl.float32), axis=0)
    tl.store(mixed + place * HEAD_DIM + columns, sums, mask=within)


def _join_parts(
    mixed: tl.tensor,
    scales: tl.tensor,
    length: tl.tensor,
    out: tl.tensor,
    n_parts: tl.tensor,
    HEAD_DIM: tl.constexpr,
    WIDTH: tl.constexpr,
    POSITIONS: tl.constexpr,
    PARTS: tl.constexpr,
) -> None:
    pair = tl.program_id(0).to(tl.int64)
    parts = tl.arange(0, PARTS)
    columns = tl.arange(0, WIDTH)
    # What no part wrote at this step holds whatever was in memory.
    written = parts * POSITIONS < tl.load(length)
    within = columns < HEAD_DIM
    place = pair * n_parts + parts
    largest = tl.load(scales + place * 2, mask=written, other=float("-inf"))
    total = tl.load(scales + place * 2 + 1, mask=written, other=0.0)
    sums = tl.load(
        mixed + place[:, None] * HEAD_DIM + columns[None, :],
        mask=written[:, None] & within[None, :],
        other=0.0,
    )
    share = tl.exp2(largest - tl.max(largest, axis=0))
    joined = tl.sum(share[:, None] * sums, axis=0) / tl.sum(share * total, axis=0)
    tl.store(out + pair * HEAD_DIM + columns, joined.to(out.dtype.element_ty), mask=within)


_PART_KERNEL = triton.jit(_attend_to_part)
_JOIN_KERNEL = triton.jit(_join_parts)
