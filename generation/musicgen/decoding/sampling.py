"""From logits to tokens: guidance, top-k, and a draw that depends on the clip's seed alone.

One uniform number is fixed for every clip, position and codebook before the
first step. A token is the place where that number falls in the cumulative
distribution over token numbers (inverse-transform sampling; Devroye 1986,
Non-Uniform Random Variate Generation, section II.2). The order is that of the
tokens, not of their probabilities: two tokens that rounding makes change ranks
leave the cumulative distribution as it was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from study.errors import OutOfRange


@dataclass(frozen=True)
class Draw:
    """How tokens are drawn from the decoder's logits.

    Args:
        guidance_scale: weight of the words over no words; 1 needs no second row.
        affect_guidance_scale: weight of the affect tokens over the words alone; None: they are
            guided together with the words.
        top_k: how many of the likeliest tokens can be drawn, from 1; ties with the last are kept.
        temperature: divides the logits, above 0.
        greedy: the likeliest token instead of a draw.

    Raises:
        OutOfRange: a number off its range.
    """

    guidance_scale: float = 3.0
    affect_guidance_scale: float | None = None
    top_k: int = 250
    temperature: float = 1.0
    greedy: bool = False

    def __post_init__(self) -> None:
        scales = {"guidance_scale": self.guidance_scale, "affect_guidance_scale": self.affect_guidance_scale}
        for name, scale in scales.items():
            if scale is not None and not (math.isfinite(scale) and scale >= 0):
                raise OutOfRange(name, f"{scale} is not a weight", "write a number from 0; 3.0 is usual")
        if self.top_k < 1:
            raise OutOfRange("top_k", f"{self.top_k} is below 1", "write how many tokens can be drawn")
        if not (math.isfinite(self.temperature) and self.temperature > 0):
            raise OutOfRange("temperature", f"{self.temperature} is not above 0", "write 1.0, or greedy")

    def rows_per_clip(self, has_affect_tokens: bool) -> int:
        """1: the clip alone; 2: with a null row; 3: with a row of words only between them."""
        if self.affect_guidance_scale is not None and has_affect_tokens:
            return 3
        return 1 if self.guidance_scale == 1 else 2


def uniforms(seed: int, n_positions: int, n_codebooks: int) -> NDArray[np.float32]:
    """The clip's numbers in [0, 1), shape [n_positions, n_codebooks].

    Number (position, codebook) is the top 24 bits of word position × n_codebooks + codebook of
    Philox-4×64 with the seed as its key (Salmon et al. 2011, Parallel random numbers: as easy as
    1, 2, 3), so that it depends neither on how many there are nor on other clips.
    """
    words = np.random.Philox(key=seed).random_raw(n_positions * n_codebooks)
    numbers = (words >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    return numbers.reshape(n_positions, n_codebooks)


def guided(logits: Tensor, draw: Draw) -> Tensor:
    """One row a clip from `Draw.rows_per_clip` of them, float32.

    Args:
        logits: shape [rows_per_clip, clips, codebooks, codebook_size]: full, (words only,) null.

    Returns:
        Shape [clips, codebooks, codebook_size]: null + guidance_scale × (words − null)
        + affect_guidance_scale × (full − words).
        Sources: Ho and Salimans (2022), arXiv:2207.12598; for two weights Brooks et al. (2023),
        InstructPix2Pix, section 3.2.
    """
    logits = logits.float()
    if len(logits) == 1:
        return logits[0]
    words, null = logits[-2], logits[-1]
    mixed = null + (words - null) * draw.guidance_scale
    if len(logits) == 3 and draw.affect_guidance_scale is not None:
        mixed = mixed + (logits[0] - words) * draw.affect_guidance_scale
    return mixed


@dataclass(frozen=True)
class Drawn:
    """What one step drew.

    Args:
        tokens: int64, shape [clips, codebooks].
        is_near_tie: bool, the same shape.
        is_finite: bool, the same shape: the logits were numbers.
    """

    tokens: Tensor
    is_near_tie: Tensor
    is_finite: Tensor


@dataclass(frozen=True)
class Rounding:
    """How far the size of a batch may move a clip's numbers, generously.

    Args:
        logit: a guided logit.
        cumulative: a cumulative probability.
    """

    logit: float
    cumulative: float


ROUNDING: Mapping[torch.dtype, Rounding] = MappingProxyType(
    {
        torch.float32: Rounding(logit=1e-4, cumulative=5e-6),
        torch.float16: Rounding(logit=0.1, cumulative=1e-3),
        torch.bfloat16: Rounding(logit=1.0, cumulative=1e-2),
    }
)
"""By precision of the decoder.

Measured between 1 and 30 clips in a batch, guidance 3, a random decoder of 8 layers of width 512, logits
of standard deviation 0.9, on a CPU: at most 1.2e-5 and 2.6e-7 in float32, 0.012 and 1.6e-4 in float16,
0.13 and 1.6e-3 in bfloat16. In half precision most draws lie so near to an edge that they count.
"""


def choose(logits: Tensor, numbers: Tensor, draw: Draw, rounding: Rounding) -> Drawn:
    """Draw one token for every clip and codebook.

    A near tie is a draw within `rounding` of either end of the token's share of the cumulative
    distribution. Where the last token that top_k admits and the first that it does not are within
    `rounding` of each other, either may be in: the cumulative distribution then moves by that
    token's probability, which is added. A greedy choice is a near tie where the second logit is
    within `rounding` of the first.

    Args:
        logits: float32, shape [clips, codebooks, codebook_size], after `guided`.
        numbers: float32 in [0, 1), shape [clips, codebooks].
        rounding: one of `ROUNDING`.
    """
    if draw.greedy:
        first, second = logits.topk(2).values.unbind(-1)
        return Drawn(logits.argmax(-1), first - second < rounding.logit, first.isfinite())
    logits = logits / draw.temperature
    margin: Tensor | float = rounding.cumulative
    if draw.top_k < logits.shape[-1]:
        admitted = logits.topk(draw.top_k + 1, sorted=False).values
        out, last = admitted.topk(2, largest=False).values.unbind(-1)
        logits = logits.masked_fill(logits < last[..., None], -math.inf)
        probabilities = logits.softmax(-1)
        share = (last - logits.amax(-1)).exp() * probabilities.amax(-1)
        margin = rounding.cumulative + share * (last - out < rounding.logit)
    else:
        probabilities = logits.softmax(-1)
    cumulative = probabilities.cumsum(-1, dtype=torch.float64)
    total = cumulative[..., -1]
    # In float64 a number below 1 stays below the total: the token exists, and has a probability.
    target = numbers.double() * total
    tokens = (cumulative <= target[..., None]).sum(-1)
    above = cumulative.gather(-1, tokens[..., None])[..., 0]
    below = above - probabilities.gather(-1, tokens[..., None])[..., 0]
    is_near = (target - below < margin) | (above - target < margin)
    return Drawn(tokens, is_near, total.isfinite())
