"""One recipe for a small MusicGen that audiocraft and isopath can both follow; numpy is all it needs.

Each tensor depends on its name alone, under audiocraft's names, so that neither side
hands the other anything but this file.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]

HIDDEN_SIZE = 64
LAYERS = 3
HEADS = 4
FFN_DIM = 256
TEXT_DIM = 48
TEXT_TOKENS = 7
CODEBOOK_SIZE = 256
CONDITIONER = "condition_provider.conditioners.description.output_proj"


def lm_weights(n_codebooks: int) -> Weights:
    """Every tensor of the language model, as audiocraft names them in ``state_dict.bin``."""
    return {name: _tensor(name, shape) for name, shape in _shapes(n_codebooks).items()}


def text_states(n_clips: int) -> NDArray[np.float32]:
    """What T5 would say of each clip's words, shape [n_clips, TEXT_TOKENS, TEXT_DIM].

    A clip's states do not depend on how many clips there are; nor do its `prefix_codes`.
    """
    clips = [_rng(f"text {clip}").standard_normal((TEXT_TOKENS, TEXT_DIM)) for clip in range(n_clips)]
    return np.stack(clips).astype(np.float32)


def prefix_codes(n_clips: int, n_codebooks: int, n_frames: int) -> NDArray[np.int64]:
    """Frames to continue from, shape [n_clips, n_codebooks, n_frames]."""
    return _rng("prefix").integers(0, CODEBOOK_SIZE, (n_clips, n_codebooks, n_frames))


def _shapes(n_codebooks: int) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        f"{CONDITIONER}.weight": (HIDDEN_SIZE, TEXT_DIM),
        f"{CONDITIONER}.bias": (HIDDEN_SIZE,),
        "out_norm.weight": (HIDDEN_SIZE,),
        "out_norm.bias": (HIDDEN_SIZE,),
    }
    for codebook in range(n_codebooks):
        shapes[f"emb.{codebook}.weight"] = (CODEBOOK_SIZE + 1, HIDDEN_SIZE)
        shapes[f"linears.{codebook}.weight"] = (CODEBOOK_SIZE, HIDDEN_SIZE)
    for number in range(LAYERS):
        layer = f"transformer.layers.{number}"
        shapes[f"{layer}.linear1.weight"] = (FFN_DIM, HIDDEN_SIZE)
        shapes[f"{layer}.linear2.weight"] = (HIDDEN_SIZE, FFN_DIM)
        for attention in ("self_attn", "cross_attention"):
            shapes[f"{layer}.{attention}.in_proj_weight"] = (3 * HIDDEN_SIZE, HIDDEN_SIZE)
            shapes[f"{layer}.{attention}.out_proj.weight"] = (HIDDEN_SIZE, HIDDEN_SIZE)
        for norm in ("norm1", "norm_cross", "norm2"):
            shapes[f"{layer}.{norm}.weight"] = (HIDDEN_SIZE,)
            shapes[f"{layer}.{norm}.bias"] = (HIDDEN_SIZE,)
    return shapes


def _tensor(name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    drawn = _rng(name).standard_normal(shape)
    if "norm" in name:
        return (0.1 * drawn + name.endswith("weight")).astype(np.float32)
    if name.endswith("bias"):
        return (0.2 * drawn).astype(np.float32)
    if name.startswith("emb."):
        return (1.2 * drawn).astype(np.float32)
    # Twice the variance that keeps a state's size, so that attention has something to prefer.
    return (drawn * math.sqrt(2 / shape[-1])).astype(np.float32)


def _rng(name: str) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))
