"""A MusicGen of random weights: every file of a real one, no music in it.

It serves tests, timings (speed does not depend on the weights' values) and trying
commands out where no weights can be had.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from generation.musicgen.shape import DecoderShape
from generation.musicgen.weights.layout import Shapes, expected_shapes
from generation.musicgen.writing.model_config import ModelSizes, model_config
from generation.musicgen.writing.new_folder import new_folder
from generation.musicgen.writing.random_tokenizer import write_tokenizer
from generation.musicgen.writing.random_weights import random_tensor
from generation.musicgen.writing.transformers_files import generation_config, preprocessor_config
from generation.musicgen.writing.weight_writing import write_json, write_safetensors
from study.errors import OutOfRange, UnknownName

_CODEBOOK_SIZE = 2048
_RATE_HZ = 32000


@dataclass(frozen=True)
class _Size:
    hidden_size: int
    n_layers: int
    n_heads: int
    text: Mapping[str, int]
    codec_filters: int
    codec_width: int


_T5_BASE = {"d_model": 768, "d_kv": 64, "d_ff": 3072, "num_layers": 12, "num_heads": 12, "vocab_size": 32128}
_T5_TINY = {"d_model": 48, "d_kv": 12, "d_ff": 96, "num_layers": 2, "num_heads": 4, "vocab_size": 512}

SIZES: Mapping[str, _Size] = {
    "tiny": _Size(64, 2, 4, _T5_TINY, 4, 16),
    "small": _Size(1024, 24, 16, _T5_BASE, 64, 128),
    "medium": _Size(1536, 48, 24, _T5_BASE, 64, 128),
    "large": _Size(2048, 48, 32, _T5_BASE, 64, 128),
}
"""Source of all but tiny: Copet et al. (2023), Simple and controllable music generation, section 3.1."""


def write_random_model(size: str, folder: Path, seed: int = 0, stereo: bool = False) -> None:
    """Write a model folder as transformers leaves it, with random float32 weights.

    The same size, seed and stereo give the same bytes.

    Args:
        size: one of `SIZES`.
        folder: new or empty; it appears only when it is whole.
        seed: from 0.
        stereo: 8 codebooks, left and right alternating, as in facebook/musicgen-stereo-*.

    Raises:
        UnknownName: no such size.
        OutOfRange: a negative seed.
        StorageError: the folder holds something.
    """
    if size not in SIZES:
        raise UnknownName("size", f"{size!r} is not a size", "write " + ", ".join(SIZES))
    if seed < 0:
        raise OutOfRange("seed", f"{seed} is negative", "write a whole number from 0")
    config = random_config(size, stereo)
    shape = DecoderShape.from_config(config, size)
    with new_folder(folder) as building:
        write_json(building / "config.json", config)
        write_json(building / "generation_config.json", generation_config(shape))
        write_json(building / "preprocessor_config.json", preprocessor_config(shape, _RATE_HZ))
        write_tokenizer(building)
        _write_weights(building, expected_shapes(config, size), seed)
        (building / "README.md").write_text(_readme(size, seed, stereo), encoding="utf-8")


def random_config(size: str, stereo: bool) -> dict[str, Any]:
    """The configuration of a random model, as in ``config.json``."""
    random = SIZES[size]
    ffn_dim = (2 if size == "tiny" else 4) * random.hidden_size
    sizes = ModelSizes(
        random.hidden_size, random.n_layers, random.n_heads, ffn_dim, random.text, 2 if stereo else 1
    )
    codec = {
        "model_type": "encodec",
        "sampling_rate": _RATE_HZ,
        "audio_channels": 1,
        "upsampling_ratios": [8, 5, 4, 4],
        "target_bandwidths": [2.2],
        "codebook_size": _CODEBOOK_SIZE,
        "codebook_dim": random.codec_width,
        "hidden_size": random.codec_width,
        "num_filters": random.codec_filters,
        "norm_type": "weight_norm",
        "normalize": False,
        "use_causal_conv": False,
        "use_conv_shortcut": False,
    }
    return model_config(_name(size, stereo), sizes, codec, 4, _CODEBOOK_SIZE)


def _write_weights(folder: Path, shapes: Shapes, seed: int) -> None:
    write_safetensors(
        folder,
        {name: 4 * math.prod(shape) for name, shape in shapes.items()},
        lambda name: torch.from_numpy(random_tensor(name, shapes[name], seed)),
    )


def _name(size: str, stereo: bool) -> str:
    return f"isopath/random-{'stereo-' if stereo else ''}{size}"


def _readme(size: str, seed: int, stereo: bool) -> str:
    return f"""---
license: cc0-1.0
tags: [musicgen, random-weights]
---
# {_name(size, stereo)}

A MusicGen whose weights are random (seed {seed}): it makes noise, not music. It has every
file, name and shape of a real one, for tests and timings.
"""
