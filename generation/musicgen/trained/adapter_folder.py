"""A LoRA adapter as peft leaves it on disk, read whole and checked before it is used."""

from __future__ import annotations

import dataclasses
import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import safetensors.torch
from peft import LoraConfig
from safetensors import SafetensorError
from torch import Tensor

from generation.musicgen.trained.trained_file import check_made_for
from generation.musicgen.weights.checkpoint import stated_licence
from generation.musicgen.weights.layout import Shapes
from generation.musicgen.weights.tensor_check import check_finite
from generation.musicgen.weights.weight_files import read_json
from study.errors import ModelError

CONFIG = "adapter_config.json"
WEIGHTS = "adapter_model.safetensors"

LEAVE_BASE = (True, False, "gaussian", "orthogonal", "eva")
CHANGE_BASE = ("pissa", "olora")
"""Initializations that take their beginning out of the base weights, as a function of these alone."""

_SHOWN = 5
_RANK_AXES = {"lora_A.weight": 0, "lora_B.weight": 1, "lora_embedding_A": 0, "lora_embedding_B": 1}


@dataclass(frozen=True)
class AdapterFolder:
    """An adapter as read.

    Args:
        name: of its folder.
        tensors: under peft's names, as stored; unchecked.
        sha256: of the configuration's bytes followed by the weights'.
        licence: as its README states it, else "not stated".
    """

    name: str
    path: Path
    config: LoraConfig
    tensors: Mapping[str, Tensor]
    sha256: str
    licence: str

    @property
    def changes_base(self) -> bool:
        """Whether peft takes something out of the base weights before it adds the adapter."""
        return self.config.init_lora_weights in CHANGE_BASE


def read_adapter(path: str, model: str) -> AdapterFolder:
    """Read an adapter's folder, with everything checked that needs no model.

    Args:
        path: of the folder.
        model: name of the base model in use.

    Raises:
        ModelError: a file is missing or damaged; it is no LoRA, was made for another model, trains
            biases, began from weights that only its training knew, or uses what this peft does
            not know; a tensor is not finite.
    """
    folder = Path(path).expanduser()
    name = folder.resolve().name
    for file in (CONFIG, WEIGHTS):
        if not (folder / file).is_file():
            raise ModelError(
                f"engine.options.adapters::{path}",
                f"there is no {file} in it",
                "name a folder that peft's save_pretrained wrote",
            )
    where = str(folder / CONFIG)
    fields = read_json(folder / CONFIG)
    if fields.get("peft_type") != "LORA":
        raise ModelError(
            where, f"its peft_type is {fields.get('peft_type')!r}, not 'LORA'", "name a LoRA adapter"
        )
    check_made_for(f"adapter {name}", str(fields.get("base_model_name_or_path") or ""), model, where)
    config = _config(fields, where)
    if config.bias != "none":
        raise ModelError(
            where,
            f"adapter {name} also trains biases (bias = {config.bias!r}), which cannot be weighted",
            "train it with bias = 'none'",
        )
    if config.init_lora_weights not in (*LEAVE_BASE, *CHANGE_BASE):
        raise ModelError(
            where,
            f"adapter {name} began from weights that cannot be made again"
            f" (init_lora_weights = {config.init_lora_weights!r})",
            "convert it to a plain LoRA with peft (path_initial_model_for_weight_conversion)",
        )
    content = (folder / WEIGHTS).read_bytes()
    try:
        tensors = safetensors.torch.load(content)
    except SafetensorError as problem:
        raise ModelError(
            str(folder / WEIGHTS), f"it cannot be read ({problem})", "copy it again"
        ) from problem
    check_finite(tensors, str(folder / WEIGHTS))
    digest = hashlib.sha256((folder / CONFIG).read_bytes() + content).hexdigest()
    return AdapterFolder(name, folder, config, tensors, digest, stated_licence(folder) or "not stated")


def check_adapter_tensors(folder: AdapterFolder, expected: Shapes) -> None:
    """Hold an adapter's tensors against those its configuration asks for in the model.

    Raises:
        ModelError: ranks other than the configuration's; tensors the model has no place for, that are
            missing, or of another shape.
    """
    where = str(folder.path / WEIGHTS)
    shared = [name for name in sorted(folder.tensors) if name in expected]
    problems = [
        told
        for name in shared
        if (told := _rank_problem(name, folder.tensors[name], expected[name])) is not None
    ]
    if problems:
        raise ModelError(
            where,
            f"adapter {folder.name} does not have the rank its {CONFIG} says: {_told(problems)}",
            f"put the {CONFIG} beside it that was written with these weights",
        )
    problems = [
        f"the model has no place for {name}" for name in sorted(folder.tensors) if name not in expected
    ]
    problems += [f"{name} is missing" for name in expected if name not in folder.tensors]
    problems += [
        f"{name} has shape {tuple(folder.tensors[name].shape)}, the model needs {expected[name]}"
        for name in shared
        if tuple(folder.tensors[name].shape) != expected[name]
    ]
    if problems:
        raise ModelError(
            where,
            f"adapter {folder.name} does not fit: {_told(problems)}",
            "use an adapter of this model's decoder, with the configuration written beside it",
        )


def _config(fields: Mapping[str, Any], where: str) -> LoraConfig:
    known = {field.name for field in dataclasses.fields(LoraConfig)} | {"peft_version"}
    # A field that is off changes nothing, whatever it would mean.
    unknown = sorted(name for name, value in fields.items() if name not in known and value)
    if unknown:
        raise ModelError(
            where,
            f"it asks for {', '.join(unknown)}, which peft {version('peft')} does not know",
            "upgrade peft to the version that wrote it",
        )
    given = {name: value for name, value in fields.items() if name in known and name != "peft_version"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return LoraConfig(**{**given, "inference_mode": True})
    except (TypeError, ValueError) as problem:
        raise ModelError(
            where, f"peft cannot read it ({problem})", "use the file that peft wrote"
        ) from problem


def _rank_problem(name: str, tensor: Tensor, expected: tuple[int, ...]) -> str | None:
    for ending, axis in _RANK_AXES.items():
        if name.endswith(ending) and tensor.dim() == 2 and tensor.shape[axis] != expected[axis]:
            return f"{name} has rank {tensor.shape[axis]}, not {expected[axis]}"
    return None


def _told(problems: list[str]) -> str:
    left = len(problems) - _SHOWN
    return ", ".join(problems[:_SHOWN]) + (f", and {left} more" if left > 0 else "")
