"""Random tensors that behave: states keep their size through the layers, sound is heard and not clipped."""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

_LOGIT_STD = 1.5
_EMBEDDING_STD = 0.5
_CODEC_OUTPUT_GAIN = 0.08


def random_tensor(name: str, shape: tuple[int, ...], seed: int) -> NDArray[np.float32]:
    """The tensor of that name, float32; it depends on its name, its shape and the seed alone.

    Weights have variance 1 / fan-in, so that a state of unit variance stays one (LeCun et al.
    1998, Efficient BackProp); logits have a standard deviation of about 1.5.
    """
    # A codebook's running mean is its entries: both tensors are drawn as one.
    rng = np.random.default_rng([seed, zlib.crc32(name.removesuffix("_avg").encode())])
    kind = name.rsplit(".", 1)[-1]
    if name.startswith("audio_encoder.quantizer."):
        return _codebook(name, kind, shape, rng)
    if ".lstm." in name:
        return _normal(rng, shape, 0.3 / math.sqrt(shape[-1]) if len(shape) > 1 else 0.05)
    if kind == "original0":
        return _codec_gain(name, shape, rng)
    if kind == "original1":
        return _normal(rng, shape, 1.0)
    if "layer_norm" in name:
        spread = _normal(rng, shape, 0.1)
        return spread + np.float32(1.0) if kind == "weight" else spread
    if kind == "bias":
        return _normal(rng, shape, 0.02 if name.startswith("audio_encoder.") else 0.1)
    return _normal(rng, shape, _weight_std(name, shape))


def _normal(rng: np.random.Generator, shape: tuple[int, ...], std: float) -> NDArray[np.float32]:
    drawn = rng.standard_normal(shape, dtype=np.float32)
    drawn *= np.float32(std)
    return drawn


def _weight_std(name: str, shape: tuple[int, ...]) -> float:
    if ".embed_tokens." in name:
        return _EMBEDDING_STD
    if name.endswith("shared.weight"):
        return 1.0
    if "relative_attention_bias" in name:
        return 0.5
    if ".lm_heads." in name:
        return _LOGIT_STD / math.sqrt(shape[-1])
    if ".SelfAttention.q." in name:
        # T5 does not divide by the root of the head's width; its query weights are that much smaller.
        return 1.0 / (math.sqrt(shape[-1]) * 8.0)
    return 1.0 / math.sqrt(shape[-1])


def _codebook(name: str, kind: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    if kind in {"inited", "cluster_size"}:
        return np.ones(shape, np.float32)
    # Each quantizer codes what the ones before it left over, so its entries are smaller.
    quantizer = int(name.removeprefix("audio_encoder.quantizer.layers.").partition(".")[0])
    return _normal(rng, shape, 0.5**quantizer)


def _codec_gain(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """The length of each filter; found by listening to the variance after each layer."""
    gain = 1.2
    if name.startswith("audio_encoder.decoder.layers.") and ".block." not in name:
        is_output = math.prod(shape) == 1
        is_input = name.startswith("audio_encoder.decoder.layers.0.")
        gain = _CODEC_OUTPUT_GAIN if is_output else 1.2 if is_input else 1.7
    return _normal(rng, shape, 0.1 * gain) + np.float32(gain)
