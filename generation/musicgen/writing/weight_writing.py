"""safetensors written as transformers does: one file, or shards with an index."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from generation.musicgen.weights.weight_files import INDEX, WHOLE

LARGEST_SHARD_BYTES = 5 * 10**9
"""As transformers splits large models."""


def write_safetensors(folder: Path, n_bytes: Mapping[str, int], tensor_of: Callable[[str], Tensor]) -> None:
    """Write tensors by name, holding one shard in memory at a time.

    Args:
        n_bytes: size of each tensor, by name.
        tensor_of: gives the tensor of a name.
    """
    shards = list(_shards(n_bytes))
    weight_map: dict[str, str] = {}
    for number, names in enumerate(shards, start=1):
        file = WHOLE if len(shards) == 1 else f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file({name: _own(tensor_of(name)) for name in names}, folder / file, metadata={"format": "pt"})
        (folder / file).chmod(0o644)
        weight_map |= dict.fromkeys(names, file)
    if len(shards) > 1:
        total = sum(n_bytes.values())
        write_json(folder / INDEX, {"metadata": {"total_size": total}, "weight_map": weight_map})


def write_json(file: Path, value: Mapping[str, Any]) -> None:
    """Write indented JSON with sorted keys."""
    file.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _shards(n_bytes: Mapping[str, int]) -> Iterator[list[str]]:
    names: list[str] = []
    size = 0
    for name in sorted(n_bytes):
        if names and size + n_bytes[name] > LARGEST_SHARD_BYTES:
            yield names
            names, size = [], 0
        names.append(name)
        size += n_bytes[name]
    yield names


def _own(tensor: Tensor) -> Tensor:
    """The tensor in memory of its own: safetensors refuses views of one block."""
    is_view = tensor.untyped_storage().nbytes() != tensor.nbytes
    return tensor.clone() if is_view else tensor.contiguous()
