"""From logits to tokens: guidance, top-k, and a draw that depends on the clip's seed alone.

Every token that can be drawn gets a noise of its own, a function of the clip's
seed, the position, the codebook and the token; the largest sum of logit and
noise is drawn (the Gumbel-max trick; Maddison, Tarlow & Minka 2014, A* Sampling,
arXiv:1411.0030). Rounding then matters only where the two largest sums, or the
last token that top-k admits and the first that it does not, are almost equal.
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

#: SplitMix64's constants, as signed numbers of 64 bits.
_GOLDEN, _FIRST, _SECOND = (
    constant - 2**64 for constant in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
)


@dataclass(frozen=True)
class Draw:
    """How tokens are drawn from the decoder's logits.

    Args:
        guidance_scale: weight of the words over no words; 1 needs no second row.
        affect_guidance_scale: weight of the affect tokens over the words alone; None: they are
            guided together with the words.
        top_k: how many of the likeliest tokens can be drawn, from 1.
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


def noise_keys(seed: int, n_positions: int, n_codebooks: int) -> NDArray[np.int64]:
    """What a clip's noise is made from, shape [n_positions, n_codebooks].

    Key (position, codebook) is word position × n_codebooks + codebook of Philox-4×64 with the seed
    as its key (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3), so that it depends
    neither on how many there are nor on other clips.
    """
    words = np.random.Philox(key=seed).random_raw(n_positions * n_codebooks)
    return words.view(np.int64).reshape(n_positions, n_codebooks)


def gumbel_noise(keys: Tensor, tokens: Tensor) -> Tensor:
    """Standard Gumbel noise of each token: number `token` of the SplitMix64 that a key begins.

    Source: Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators.

    Args:
        keys: int64, shape [clips, codebooks]: rows of `noise_keys`.
        tokens: int64, shape [clips, codebooks, n].

    Returns:
        float64, shape [clips, codebooks, n].
    """
    # 52 bits and a half: exact in float64, and neither 0 nor 1.
    uniform = (_shifted(splitmix64(keys[..., None], tokens), 12).double() + 0.5) * 2.0**-52
    return -torch.log(-torch.log(uniform))


def splitmix64(keys: Tensor, numbers: Tensor) -> Tensor:
    """Number `numbers`, from 0, of the sequence that begins at `keys`; int64 holds the 64 bits."""
    state = keys + (numbers + 1) * _GOLDEN
    state = (state ^ _shifted(state, 30)) * _FIRST
    state = (state ^ _shifted(state, 27)) * _SECOND
    return state ^ _shifted(state, 31)


def _shifted(bits: Tensor, n: int) -> Tensor:
    """Shifted right by n, zeros coming in: torch brings in the sign."""
    return (bits >> n) & ((1 << (64 - n)) - 1)


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


ROUNDING: Mapping[torch.dtype, float] = MappingProxyType(
    {torch.float32: 1e-4, torch.float16: 0.1, torch.bfloat16: 1.0}
)
"""How far the size of a batch may move a guided logit, generously, by precision of the decoder.

Measured between 1 and 30 clips in a batch, guidance 3, a random decoder of 8 layers of width 512, logits
of standard deviation 0.9, on a CPU: at most 1.2e-5 in float32, 0.012 in float16, 0.13 in bfloat16. In
half precision many draws lie so near to another that they count.
"""


def choose(logits: Tensor, keys: Tensor, draw: Draw, rounding: float) -> Drawn:
    """Draw one token for every clip and codebook.

    A near tie is a draw that logits moved by less than `rounding` could have decided otherwise: the
    second largest sum is that close to the largest; or the last token that top_k admits and the first
    that it does not are that close to each other, and one of the two wins or would win.

    Args:
        logits: float32, shape [clips, codebooks, codebook_size], after `guided`.
        keys: int64, shape [clips, codebooks]: rows of `noise_keys`.
        rounding: one of `ROUNDING`.
    """
    if draw.greedy or draw.top_k == 1:
        first, second = logits.topk(2).values.unbind(-1)
        return Drawn(logits.argmax(-1), first - second < rounding, first.isfinite())
    admitted = min(draw.top_k, logits.shape[-1])
    # One more than can be drawn, where there is one: the first that is left out.
    values, tokens = logits.topk(min(admitted + 1, logits.shape[-1]))
    sums = values.double() / draw.temperature + gumbel_noise(keys, tokens)
    largest, places = sums[..., :admitted].topk(2)
    is_near = largest[..., 0] - largest[..., 1] < rounding / draw.temperature
    if values.shape[-1] > admitted:
        is_doubtful = values[..., admitted - 1] - values[..., admitted] < rounding
        wins = (places[..., 0] == admitted - 1) | (sums[..., admitted] > largest[..., 0])
        is_near = is_near | (is_doubtful & wins)
    drawn = tokens.gather(-1, places[..., :1])[..., 0]
    return Drawn(drawn, is_near, values[..., 0].isfinite())
