"""Attention to the text, and the choice of a kernel for attention to the music so far."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention

from generation.musicgen.decoding.cache import DecodeAttention
from generation.musicgen.shape import DecoderShape
from study.errors import DeviceError, UnknownName

ATTENTIONS = ("auto", "plain", "triton")


class TextMemory:
    """Keys and values of the projected text, computed once for a whole clip.

    It covers the first rows of a batch. The rows after it have no text: their
    states would be zero, the projections have no bias, so their
    cross-attention is zero and is left out.

    Args:
        keys_values: shape [layers, 2, rows, heads, tokens, head_dim].
        mask: added to the scores, shape [rows, 1, 1, tokens]: 0 where there is a token, at least once a
            row, and -inf elsewhere.
    """

    def __init__(self, keys_values: Tensor, mask: Tensor) -> None:
        self.keys_values = keys_values
        self.mask = mask

    @classmethod
    def empty(
        cls, shape: DecoderShape, n_rows: int, n_tokens: int, device: torch.device, dtype: torch.dtype
    ) -> TextMemory:
        """Room for the text of `n_rows` rows; `Decoder.hear` fills it."""
        sizes = (shape.n_layers, 2, n_rows, shape.n_heads, n_tokens, shape.head_dim)
        mask = torch.zeros((n_rows, 1, 1, n_tokens), device=device, dtype=dtype)
        return cls(torch.zeros(sizes, device=device, dtype=dtype), mask)

    @property
    def n_rows(self) -> int:
        """How many rows have text."""
        return self.keys_values.shape[2]

    def attend(self, layer: int, query: Tensor) -> Tensor:
        """Cross-attention of one layer; `query` and the result have shape [rows, heads, n, head_dim]."""
        keys, values = self.keys_values[layer]
        return scaled_dot_product_attention(query, keys, values, attn_mask=self.mask)


def plain_attention(query: Tensor, keys: Tensor, values: Tensor, length: Tensor) -> Tensor:
    """What a `DecodeAttention` must compute, by torch alone."""
    visible = torch.arange(keys.shape[2], device=keys.device)[None, None, None, :] < length
    return scaled_dot_product_attention(query[:, :, None], keys, values, attn_mask=visible)[:, :, 0]


def choose_attention(
    asked: str, shape: DecoderShape, device: torch.device, dtype: torch.dtype
) -> DecodeAttention | None:
    """The kernel that a step attends with; None for torch's own attention.

    ``auto`` takes the Triton kernel on a GPU where it agrees with `plain_attention`, and nothing
    else anywhere else.

    Raises:
        UnknownName: not one of `ATTENTIONS`.
        DeviceError: ``triton`` was asked for by name, and cannot be had or is wrong on this device.
    """
    if asked not in ATTENTIONS:
        raise UnknownName("attention", f"{asked!r} is unknown", f"write one of {', '.join(ATTENTIONS)}")
    if asked == "plain" or (asked == "auto" and device.type != "cuda"):
        return None
    kernel, problem = _checked_kernel(shape, device, dtype)
    if kernel is None and asked == "triton":
        raise DeviceError("attention", f"the Triton kernel {problem}", "use attention='plain'")
    return kernel


def _checked_kernel(
    shape: DecoderShape, device: torch.device, dtype: torch.dtype
) -> tuple[DecodeAttention | None, str]:
    """The kernel, or why it will not do."""
    if device.type != "cuda":
        return None, f"does not run on {device.type}"
    try:
        from generation.musicgen.decoding.attention_kernel import decode_attention
    except ImportError as problem:
        return None, f"cannot be loaded ({problem})"
    try:
        error = _largest_error(decode_attention, shape, device, dtype)
    # A compiler's or driver's own errors have no common class narrower than this one.
    except Exception as problem:
        return None, f"does not run on this device ({problem})"
    bound = max(8 * torch.finfo(dtype).eps, 1e-5)
    if not error <= bound:
        return None, f"is wrong by {error:.2g}, over {bound:.2g}, on this device"
    return decode_attention, ""


def _largest_error(
    kernel: DecodeAttention, shape: DecoderShape, device: torch.device, dtype: torch.dtype
) -> float:
    """Against `plain_attention` in float64, over lengths on both sides of a block."""
    generator = torch.Generator().manual_seed(0)
    numbers = torch.randn((3, 3, shape.n_heads, 640, shape.head_dim), generator=generator)
    query, keys, values = numbers.to(device=device, dtype=dtype)
    errors = []
    for length in (1, 2, 127, 128, 129, 640):
        filled = torch.tensor([length], dtype=torch.int32, device=device)
        expected = plain_attention(query[:, :, 0].double(), keys.double(), values.double(), filled)
        found = kernel(query[:, :, 0], keys, values, filled).double()
        errors.append(float((found - expected).abs().max()))
    return float("nan") if any(map(math.isnan, errors)) else max(errors)
