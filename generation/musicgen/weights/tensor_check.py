"""Tensors held against the names and shapes a model must have, and old spellings understood."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from generation.musicgen.weights.layout import AUDIO_PREFIX, TEXT_EMBEDDING, TIED_TEXT_EMBEDDING, Shapes
from study.errors import ModelError

SAVED_POSITIONS = "decoder.model.decoder.embed_positions.weights"
_POSITION_TOLERANCE = 2e-3
"""Angles reach 2048 rad: in float32 they are off by 1e-4, in a float16 file by 5e-4 more."""

_SHOWN = 10
_REMEDY = "use the files of one model, unchanged, or fetch them again"
_DTYPES = (torch.float32, torch.float16, torch.bfloat16)


def with_todays_names(tensors: Mapping[str, Tensor], where: str) -> dict[str, Tensor]:
    """The tensors under the names of today's transformers.

    Known from checkpoints of 2023: sinusoidal positions saved with the weights, weight
    normalization as ``weight_g`` and ``weight_v``, the text embedding under either of its names.

    Raises:
        ModelError: saved positions are not the sinusoids the decoder computes; two copies of
            the text embedding differ.
    """
    renamed = {_todays_name(name): tensor for name, tensor in tensors.items()}
    positions = renamed.pop(SAVED_POSITIONS, None)
    if positions is not None and not _are_sinusoids(positions):
        raise ModelError(
            f"{where}::{SAVED_POSITIONS}", "these are not the sinusoids of a MusicGen decoder", _REMEDY
        )
    tied = renamed.pop(TIED_TEXT_EMBEDDING, None)
    if tied is not None and not torch.equal(tied, renamed.setdefault(TEXT_EMBEDDING, tied)):
        raise ModelError(f"{where}::{TIED_TEXT_EMBEDDING}", f"it differs from {TEXT_EMBEDDING}", _REMEDY)
    return renamed


def check_tensors(tensors: Mapping[str, Tensor], expected: Shapes, where: str) -> None:
    """Refuse tensors that are missing, extra, misshapen, of a strange type, or not finite.

    Raises:
        ModelError: names the first ten, and says how many there are.
    """
    problems = [f"{name} is missing" for name in expected if name not in tensors]
    problems += [f"{name} does not belong here" for name in tensors if name not in expected]
    for name, tensor in tensors.items():
        if name not in expected:
            continue
        if tuple(tensor.shape) != expected[name]:
            problems.append(f"{name} has shape {_sized(tensor.shape)}, not {_sized(expected[name])}")
        elif tensor.dtype not in _DTYPES:
            problems.append(f"{name} is of type {tensor.dtype}, not floating point")
    if problems:
        raise ModelError(where, _told(problems), _REMEDY)
    check_finite(tensors, where)


def check_finite(tensors: Mapping[str, Tensor], where: str) -> None:
    """Refuse NaN and infinity.

    Raises:
        ModelError: names the first ten tensors that hold some, with how many.
    """
    problems = []
    for name, tensor in tensors.items():
        finite = torch.isfinite(tensor)
        if not bool(finite.all()):
            count = tensor.numel() - int(finite.sum())
            problems.append(f"{name} holds {count} value(s) that are NaN or infinite")
    if problems:
        raise ModelError(where, _told(problems), _REMEDY)


def _todays_name(name: str) -> str:
    if name.startswith(AUDIO_PREFIX):
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            if name.endswith(f".{old}"):
                return f"{name.removesuffix(old)}parametrizations.weight.{new}"
    return name


def _are_sinusoids(positions: Tensor) -> bool:
    """Vaswani et al. (2017), section 3.5, with all cosines before all sines."""
    if positions.dim() != 2 or positions.shape[1] % 2 or positions.shape[1] < 4:
        return False
    half = positions.shape[1] // 2
    exponents = torch.arange(half, dtype=torch.float64) / (half - 1)
    angles = torch.arange(positions.shape[0], dtype=torch.float64)[:, None] * 10000.0**-exponents
    computed = torch.cat([angles.cos(), angles.sin()], dim=1)
    return torch.allclose(positions.double(), computed, rtol=0.0, atol=_POSITION_TOLERANCE)


def _told(problems: Sequence[str]) -> str:
    shown = ", ".join(problems[:_SHOWN])
    left = len(problems) - _SHOWN
    return shown if left <= 0 else f"{shown}, and {left} more (of {len(problems)})"


def _sized(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape)) or "scalar"
