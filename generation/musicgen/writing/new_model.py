"""A MusicGen of any size that has learned nothing yet, ready for training from the beginning.

Its codec is given; its decoder is drawn as audiocraft draws one before training; its text encoder is a small
T5 of random weights that keeps different words apart and is never trained.
"""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from generation.musicgen.codec.spectral_codec import SpectralCodec, SpectralCodecConfig
from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.layout import AUDIO_PREFIX, LM_PREFIXES, expected_shapes
from generation.musicgen.writing.model_config import ModelSizes, model_config
from generation.musicgen.writing.new_folder import new_folder
from generation.musicgen.writing.random_tokenizer import write_tokenizer
from generation.musicgen.writing.random_weights import random_tensor
from generation.musicgen.writing.transformers_files import generation_config, preprocessor_config
from generation.musicgen.writing.weight_writing import write_json, write_safetensors
from study.errors import OutOfRange

_LAYER = re.compile(r"decoder\.model\.decoder\.layers\.(\d+)\.")


@dataclass(frozen=True)
class NewModelSizes:
    """Sizes of a new model; the codec brings its own.

    Args:
        hidden_size: of the decoder, divisible by `n_heads`.
        text_width: of the T5's states; divisible by 4.
        text_layers: of the T5.
        audio_channels: 1, or 2 for left and right alternating.
    """

    hidden_size: int = 256
    n_layers: int = 6
    n_heads: int = 4
    text_width: int = 128
    text_layers: int = 2
    audio_channels: int = 1


def write_new_model(folder: Path, name: str, codec: SpectralCodec, sizes: NewModelSizes, seed: int) -> None:
    """Write a model folder as transformers leaves it, float32.

    The same codec, sizes and seed give the same bytes.

    Args:
        folder: new or empty; it appears only when it is whole.
        name: for the configuration and the README, e.g. ``isopath/nano``.
        seed: from 0.

    Raises:
        OutOfRange: a negative seed.
        ModelError: the sizes do not go together.
        StorageError: the folder holds something.
    """
    if seed < 0:
        raise OutOfRange("seed", f"{seed} is negative", "write a whole number from 0")
    codec_sizes = codec.config
    config = model_config(
        name,
        _model_sizes(sizes),
        {key: getattr(codec_sizes, key) for key in ("model_type", *SpectralCodecConfig.__annotations__)},
        codec_sizes.num_quantizers,
        codec_sizes.codebook_size,
    )
    shape = DecoderShape.from_config(config, name)
    shapes = expected_shapes(config, name)
    fitted: dict[str, Tensor] = {
        AUDIO_PREFIX + part: tensor.cpu() for part, tensor in codec.state_dict().items()
    }

    def tensor_of(tensor_name: str) -> Tensor:
        if tensor_name.startswith(AUDIO_PREFIX):
            return fitted[tensor_name]
        if tensor_name.startswith(LM_PREFIXES):
            return untrained_tensor(tensor_name, shapes[tensor_name], seed)
        return torch.from_numpy(random_tensor(tensor_name, shapes[tensor_name], seed))

    with new_folder(folder) as building:
        write_json(building / "config.json", config)
        write_json(building / "generation_config.json", generation_config(shape))
        rate_hz = codec_sizes.sampling_rate
        write_json(building / "preprocessor_config.json", preprocessor_config(shape, rate_hz))
        write_tokenizer(building)
        n_bytes = {part: 4 * math.prod(size) for part, size in shapes.items()}
        write_safetensors(building, n_bytes, tensor_of)
        (building / "README.md").write_text(_readme(name, shape, seed), encoding="utf-8")


def untrained_tensor(name: str, shape: tuple[int, ...], seed: int) -> Tensor:
    """A tensor of the decoder or of the projection into it, as training begins with it.

    Weights are normal, cut at three standard deviations of 1 / √(width read); inside layer k, counted from
    1, of 1 / √(2 k × width read). Biases are 0, the gains of normalisations 1.

    Source: audiocraft's ``get_init_fn`` and ``init_layer`` (audiocraft/models/lm.py) with MusicGen's
    settings ``weight_init: gaussian``, ``depthwise_init: current``, ``zero_bias_init: true``.
    """
    tensor = torch.zeros(shape)
    if name.endswith("bias"):
        return tensor
    if "layer_norm" in name:
        return tensor + 1.0
    layer = _LAYER.match(name)
    std = 1.0 / math.sqrt(shape[-1] * (2 * (int(layer[1]) + 1) if layer else 1))
    generator = torch.Generator().manual_seed(zlib.crc32(f"{seed} {name}".encode()))
    torch.nn.init.trunc_normal_(tensor, 0.0, std, -3.0 * std, 3.0 * std, generator=generator)
    return tensor


def _model_sizes(sizes: NewModelSizes) -> ModelSizes:
    n_heads = 4
    text = {
        "d_model": sizes.text_width,
        "d_kv": sizes.text_width // n_heads,
        "d_ff": 2 * sizes.text_width,
        "num_layers": sizes.text_layers,
        "num_heads": n_heads,
        "vocab_size": 512,
    }
    return ModelSizes(
        sizes.hidden_size,
        sizes.n_layers,
        sizes.n_heads,
        4 * sizes.hidden_size,
        text,
        sizes.audio_channels,
    )


def _readme(name: str, shape: DecoderShape, seed: int) -> str:
    return f"""---
license: cc0-1.0
tags: [musicgen, untrained]
---
# {name}

A MusicGen that has not been trained (seed {seed}) and makes noise until it is: {shape.n_layers}
layers of width {shape.hidden_size} and {shape.n_codebooks} codebooks of {shape.codebook_size} tokens.

Its codec is isopath's spectral codec, fitted to recordings: means, principal components and codebooks of
spectra, no sound. Its text encoder is a T5 of random weights, meant to stay as it is.
"""
