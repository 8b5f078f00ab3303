"""audiocraft's names for the tensors that transformers names otherwise, both ways.

audiocraft stacks the weights of query, key and value in one tensor, in that order.
Source of the correspondence: transformers' conversion scripts for MusicGen and EnCodec (2023).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

import torch
from torch import Tensor

_T = TypeVar("_T")
_Pairs = tuple[tuple[str, str], ...]

_LM_PREFIXES: _Pairs = (
    ("emb.", "decoder.model.decoder.embed_tokens."),
    ("linears.", "decoder.lm_heads."),
    ("out_norm.", "decoder.model.decoder.layer_norm."),
    ("transformer.layers.", "decoder.model.decoder.layers."),
    ("condition_provider.conditioners.description.output_proj.", "enc_to_dec_proj."),
)
_LAYER_PARTS: _Pairs = (
    (".cross_attention.", ".encoder_attn."),
    (".linear1.", ".fc1."),
    (".linear2.", ".fc2."),
    (".norm1.", ".self_attn_layer_norm."),
    (".norm_cross.", ".encoder_attn_layer_norm."),
    (".norm2.", ".final_layer_norm."),
)
_STACK = ".in_proj_weight"
_STACKED = (".q_proj.weight", ".k_proj.weight", ".v_proj.weight")

_CODEC_PARTS: _Pairs = (
    ("encoder.model.", "encoder.layers."),
    ("decoder.model.", "decoder.layers."),
    ("quantizer.vq.layers.", "quantizer.layers."),
    ("._codebook.", ".codebook."),
    (".convtr.convtr.", ".conv."),
    (".conv.conv.", ".conv."),
    (".weight_g", ".parametrizations.weight.original0"),
    (".weight_v", ".parametrizations.weight.original1"),
)


def lm_from_audiocraft(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The decoder's tensors under transformers' names; stacks are split without copying."""
    tensors: dict[str, Tensor] = {}
    for theirs, tensor in state.items():
        name = _renamed(theirs, _LM_PREFIXES, _LAYER_PARTS)
        if name.endswith(_STACK):
            pieces = tensor.chunk(len(_STACKED))
            owner = name.removesuffix(_STACK)
            tensors |= {owner + part: piece for part, piece in zip(_STACKED, pieces, strict=True)}
        else:
            tensors[name] = tensor
    return tensors


def lm_to_audiocraft(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The inverse of `lm_from_audiocraft`; of meta tensors it gives the names and shapes alone."""
    state: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        theirs = _renamed(name, _inverse(_LM_PREFIXES), _inverse(_LAYER_PARTS))
        if not theirs.endswith(_STACKED):
            state[theirs] = tensor
        elif theirs.endswith(_STACKED[0]):
            owner = name.removesuffix(_STACKED[0])
            stacked = torch.cat([tensors[owner + part] for part in _STACKED])
            state[theirs.removesuffix(_STACKED[0]) + _STACK] = stacked
    return state


def codec_from_audiocraft(state: Mapping[str, _T]) -> dict[str, _T]:
    """EnCodec's tensors under the names of transformers' `EncodecModel`."""
    return {_renamed(name, (), _CODEC_PARTS): value for name, value in state.items()}


def codec_to_audiocraft(tensors: Mapping[str, _T]) -> dict[str, _T]:
    """The inverse of `codec_from_audiocraft`."""
    transposed = _transposed_layers(tensors)
    others = tuple(pair for pair in _CODEC_PARTS if pair[1] != ".conv.")
    state: dict[str, _T] = {}
    for name, value in tensors.items():
        convolution = ".convtr.convtr." if name.startswith(transposed) else ".conv.conv."
        state[_renamed(name.replace(".conv.", convolution), (), _inverse(others))] = value
    return state


def _transposed_layers(names: Iterable[str]) -> tuple[str, ...]:
    """Of the codec's decoder, every convolution outside a block upsamples, but the first and the last."""
    found = (re.match(r"decoder\.layers\.(\d+)\.conv\.", name) for name in names)
    layers = {int(match[1]) for match in found if match}
    return tuple(f"decoder.layers.{layer}.conv." for layer in sorted(layers)[1:-1])


def _renamed(name: str, prefixes: _Pairs, parts: _Pairs) -> str:
    for old, new in prefixes:
        if name.startswith(old):
            name = new + name.removeprefix(old)
            break
    for old, new in parts:
        name = name.replace(old, new)
    return name


def _inverse(pairs: _Pairs) -> _Pairs:
    return tuple((new, old) for old, new in pairs)
