"""Weight files on disk: read whole, hashed, and refused where they are damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from study.errors import ModelError

WHOLE = "model.safetensors"
INDEX = "model.safetensors.index.json"


def read_safetensors(folder: Path) -> tuple[dict[str, Tensor], tuple[Path, ...]]:
    """Every tensor of a folder's ``model.safetensors``, or of its shards, and the files they are in.

    Raises:
        ModelError: a file is missing or damaged, or two shards hold one tensor.
    """
    files = _weight_files(folder)
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            found = load_file(file)
        except (OSError, SafetensorError) as problem:
            raise ModelError(
                str(file), f"it cannot be read ({problem})", "fetch or copy it again"
            ) from problem
        twice = sorted(tensors.keys() & found.keys())
        if twice:
            raise ModelError(
                str(file), f"{twice[0]} is also in another shard", "fetch or copy the shards again"
            )
        tensors |= found
    return tensors, files


def read_json(file: Path) -> dict[str, Any]:
    """A JSON object from a model's folder.

    Raises:
        ModelError: it is missing, or not a JSON object.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(str(file), "the file is missing", "fetch or copy the whole model folder") from None
    except (OSError, UnicodeDecodeError, ValueError) as problem:
        raise ModelError(str(file), f"it is not JSON ({problem})", "fetch or copy it again") from problem
    if not isinstance(value, dict):
        raise ModelError(str(file), "it is not a JSON object", "fetch or copy it again")
    return value


def _weight_files(folder: Path) -> tuple[Path, ...]:
    if (folder / WHOLE).is_file():
        return (folder / WHOLE,)
    if (folder / INDEX).is_file():
        return _shards(folder, read_json(folder / INDEX))
    if (folder / "pytorch_model.bin").is_file():
        raise ModelError(
            str(folder / "pytorch_model.bin"),
            "weights in this format can carry code, and are not loaded",
            f"put the same model's {WHOLE} beside it",
        )
    raise ModelError(
        str(folder),
        f"there are no weights: neither {WHOLE} nor {INDEX} nor state_dict.bin",
        "fetch or copy the whole model folder",
    )


def _shards(folder: Path, index: Mapping[str, Any]) -> tuple[Path, ...]:
    listed = index.get("weight_map")
    names = sorted({str(name) for name in listed.values()}) if isinstance(listed, dict) else []
    files = tuple(folder / name for name in names)
    if not files or any(Path(name).name != name for name in names):
        raise ModelError(str(folder / INDEX), "it lists no shards of this folder", "fetch or copy it again")
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise ModelError(str(folder), "missing shards: " + ", ".join(missing), f"put them beside {INDEX}")
    return files
