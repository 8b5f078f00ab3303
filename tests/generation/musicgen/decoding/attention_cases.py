"""The kernel's cases, run where Triton interprets: a process that sets TRITON_INTERPRET before it starts.

    TRITON_INTERPRET=1 python -m tests.generation.musicgen.decoding.attention_cases

Writes one JSON object: name of the case to its largest difference from plain
attention in float64.
"""

from __future__ import annotations

import json
import sys

import torch
from torch import Tensor

from generation.musicgen.decoding.attention_kernel import decode_attention
from generation.musicgen.decoding.cache import FilledReader, KernelReader

ROWS, HEADS, CAPACITY = 2, 2, 1_536
LENGTHS = (1, 127, 128, 129, 1_000, 1_536)
DTYPES = ("float32", "bfloat16", "float16")


def main() -> None:
    """Run every case."""
    torch.set_num_threads(1)
    cases = {
        f"{dtype}-{length}": _difference(*_drawn(getattr(torch, dtype)), length)
        for dtype in DTYPES
        for length in LENGTHS
    }
    for width in (16, 24, 128):
        cases[f"width-{width}"] = _difference(*_drawn(torch.float32, width), 300)
    cases["strided"] = _difference(*_strided(), 300)
    cases["stale-memory"] = _difference(*_with_rubbish_behind(130), 130)
    cases["large-scores"] = _difference(*_large_scores(), 1_000)
    cases["neighbours"] = _neighbours()
    cases["grown"] = _grown()
    cases["reader"] = _reader()
    sys.stdout.write(json.dumps(cases))


def _drawn(dtype: torch.dtype, width: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(1)
    cache = (ROWS, HEADS, CAPACITY, width)
    return (
        torch.randn(ROWS, HEADS, width).to(dtype),
        torch.randn(cache).to(dtype),
        torch.randn(cache).to(dtype),
    )


def _strided() -> tuple[Tensor, Tensor, Tensor]:
    """Queries cut from a fused projection, keys laid out by position, values by head."""
    torch.manual_seed(2)
    fused = torch.randn(ROWS, 3, HEADS, 32)
    keys = torch.randn(ROWS, CAPACITY, HEADS, 32).transpose(1, 2)
    values = torch.randn(HEADS, ROWS, CAPACITY, 32).transpose(0, 1)
    return fused[:, 1], keys, values


def _with_rubbish_behind(length: int) -> tuple[Tensor, Tensor, Tensor]:
    queries, keys, values = _drawn(torch.float32)
    keys[:, :, length:] = float("nan")
    values[:, :, length:] = float("nan")
    return queries, keys, values


def _large_scores() -> tuple[Tensor, Tensor, Tensor]:
    """Scores of several thousand: exp alone would overflow."""
    queries, keys, values = _drawn(torch.float32)
    return queries * 300.0, keys * 3.0, values


def _difference(queries: Tensor, keys: Tensor, values: Tensor, length: int) -> float:
    ours = decode_attention(queries, keys, values, torch.tensor([length], dtype=torch.int32))
    assert ours.dtype == queries.dtype
    plain = _plain(queries, keys[:, :, :length], values[:, :, :length])
    return float((ours.double() - plain).abs().max())


def _plain(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    scores = torch.einsum("rhd,rhpd->rhp", queries.double(), keys.double()) / queries.shape[-1] ** 0.5
    return torch.einsum("rhp,rhpd->rhd", torch.softmax(scores, -1), values.double())


def _neighbours() -> float:
    """How far a row moves when the row beside it is another."""
    queries, keys, values = _drawn(torch.float32)
    length = torch.tensor([700], dtype=torch.int32)
    together = decode_attention(queries, keys, values, length)
    alone = decode_attention(queries[:1], keys[:1], values[:1], length)
    return float((together[0] - alone[0]).abs().max())


def _grown() -> float:
    """The same launch while the length grows in place, as a replayed graph sees it."""
    queries, keys, values = _drawn(torch.float32)
    length = torch.tensor([255], dtype=torch.int32)
    decode_attention(queries, keys, values, length)
    length += 2
    ours = decode_attention(queries, keys, values, length)
    return float((ours.double() - _plain(queries, keys[:, :, :257], values[:, :, :257])).abs().max())


def _reader() -> float:
    """How far steps of the decode loop's cache move when the kernel reads it."""
    torch.manual_seed(3)
    by_kernel, plain = torch.zeros(2, 1, 2, 3, HEADS, 256, 16)
    difference = 0.0
    for position in (0, 1, 127, 128, 200):
        query, keys, values = torch.randn(3, 3, HEADS, 1, 16)
        keys_values = torch.stack((keys, values))
        now = torch.tensor([position])
        ours = KernelReader(by_kernel, now, decode_attention).attend(0, query, keys_values)
        theirs = FilledReader(plain, position).attend(0, query, keys_values)
        difference = max(difference, float((ours - theirs).abs().max()))
    return difference


if __name__ == "__main__":
    main()
