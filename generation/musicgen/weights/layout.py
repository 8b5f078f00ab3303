"""Which tensors a MusicGen of given sizes has: transformers' own answer, without memory for any."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor
from transformers import EncodecConfig, MusicgenConfig, MusicgenForConditionalGeneration, T5Config

from generation.musicgen.codec.known_codecs import CodecConfig
from generation.musicgen.codec.spectral_codec import SpectralCodecConfig
from study.errors import ModelError

LM_PREFIXES = ("decoder.", "enc_to_dec_proj.")
TEXT_PREFIX = "text_encoder."
AUDIO_PREFIX = "audio_encoder."
TEXT_EMBEDDING = "text_encoder.shared.weight"
TIED_TEXT_EMBEDDING = "text_encoder.encoder.embed_tokens.weight"
"""The same tensor as `TEXT_EMBEDDING`; files may hold either or both."""

_T = TypeVar("_T")
Shapes = dict[str, tuple[int, ...]]


def expected_shapes(config: Mapping[str, Any], where: str) -> Shapes:
    """Name to shape of every tensor that a checkpoint of this configuration must hold.

    Args:
        config: transformers' ``config.json``.

    Raises:
        ModelError: transformers cannot build a model of it.
    """
    try:
        with quiet_transformers(), torch.device("meta"):
            model = MusicgenForConditionalGeneration(parsed_config(config))
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise ModelError(
            where, f"no MusicGen can be built of its configuration ({problem})", "give a MusicGen's folder"
        ) from problem
    text_config(config, where)
    audio_config(config, where)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    del shapes[TIED_TEXT_EMBEDDING]
    return shapes


def parsed_config(config: Mapping[str, Any]) -> MusicgenConfig:
    """The configuration as transformers' own class."""
    return MusicgenConfig(**copy.deepcopy(dict(config)))


def text_config(config: Mapping[str, Any], where: str) -> T5Config:
    """The text encoder's configuration.

    Raises:
        ModelError: it is not a T5.
    """
    found = parsed_config(config).text_encoder
    if not isinstance(found, T5Config):
        raise ModelError(where, "its text encoder is not a T5", "give a MusicGen's folder")
    return found


def audio_config(config: Mapping[str, Any], where: str) -> CodecConfig:
    """The audio codec's configuration.

    Raises:
        ModelError: it is no codec that is known here.
    """
    found = parsed_config(config).audio_encoder
    if not isinstance(found, EncodecConfig | SpectralCodecConfig):
        raise ModelError(
            where, "its audio codec is neither an EnCodec nor a spectral one", "give a MusicGen's folder"
        )
    return found


def of_lm(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of the decoder and of the projection into it."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith(LM_PREFIXES)}


def of_part(tensors: Mapping[str, _T], prefix: str) -> dict[str, _T]:
    """The tensors (or shapes) under a prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from remarking on what MusicGen is meant to be.

    It finds the special token 2048 outside a vocabulary of 2048, which every MusicGen has.
    """
    library = logging.getLogger("transformers")
    level = library.level
    library.setLevel(logging.ERROR)
    try:
        yield
    finally:
        library.setLevel(level)
