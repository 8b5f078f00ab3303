"""LoRA adapters in peft's format, merged into a checkpoint's decoder.

peft itself does each adapter's arithmetic, in float32, so whatever variant it
can merge can be used (rank and alpha patterns, rank-stabilized scaling, DoRA,
saved modules, embeddings and heads). Several adapters add up:
W + Σ weight_i × (merged_i − W), after Hu et al. (2022, LoRA: low-rank adaptation of
large language models, ICLR), where one adapter of weight 1 is peft's own merge bit for bit.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import torch
from peft import LoraModel, PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from torch import Tensor

from generation.clips.option_values import AdapterOption
from generation.musicgen.trained.adapter_folder import AdapterFolder, check_adapter_tensors, read_adapter
from generation.musicgen.trained.language_model import LanguageModel
from generation.musicgen.trained.part_taken import PartTaken, read_all_marks
from generation.musicgen.weights.checkpoint import Checkpoint
from generation.musicgen.weights.layout import quiet_transformers
from study.errors import ModelError

_ADAPTER = "adapter"


@dataclass(frozen=True)
class Merged:
    """A decoder's tensors with its adapters in them.

    Args:
        tensors: float32, on the CPU, under transformers' names; those no adapter changes are
            the checkpoint's own.
        sha256: adapter's folder name to the digest of its configuration and weights.
        licences: adapter's folder name to its licence, "not stated" where its README is silent.
        part_taken: the predictors that took part in training the model itself or any of its adapters.
    """

    tensors: Mapping[str, Tensor]
    sha256: Mapping[str, str]
    licences: Mapping[str, str]
    part_taken: PartTaken


def merged(checkpoint: Checkpoint, adapters: Sequence[AdapterOption]) -> Merged:
    """The checkpoint's decoder with the adapters' weighted changes added, in order.

    The order changes the sum by rounding only. The checkpoint's tensors stay as they are.

    Raises:
        ModelError: an adapter's folder is not whole, holds no LoRA, was made for another model or
            rank, has tensors that the model has no place for, or cannot be merged; or two have one name; or
            the mark of a training cannot be read.
    """
    base = {name: tensor.float() for name, tensor in checkpoint.tensors.items()}
    folders = [read_adapter(option.path, checkpoint.name) for option in adapters]
    names = [folder.name for folder in folders]
    for name in names:
        if names.count(name) > 1:
            raise ModelError(
                "engine.options.adapters",
                f"two adapters are named {name}, and the manifest could not tell them apart",
                "rename one of the folders",
            )
    total = dict(base)
    for option, folder in zip(adapters, folders, strict=True):
        for name, changed in _changed(checkpoint, base, folder):
            total[name] = _added(total[name], changed, base[name], option.weight)
    return Merged(
        total,
        {folder.name: folder.sha256 for folder in folders},
        {folder.name: folder.licence for folder in folders},
        read_all_marks([checkpoint.folder, *(folder.path for folder in folders)]),
    )


def _added(total: Tensor, changed: Tensor, base: Tensor, weight: float) -> Tensor:
    if total is base and weight == 1.0:
        return changed
    # One rounding an adapter: the difference of two float32 is all but exact in float64.
    return changed.double().sub_(base).mul_(weight).add_(total).float()


def _changed(
    checkpoint: Checkpoint, base: Mapping[str, Tensor], folder: AdapterFolder
) -> Iterator[tuple[str, Tensor]]:
    """Name and value of every tensor that one adapter changes, with it merged whole."""
    with _quiet_peft(folder):
        with torch.device("meta"):
            model = LanguageModel(checkpoint)
        # Some initializations subtract from the base in place.
        own = {name: tensor.clone() for name, tensor in base.items()} if folder.changes_base else base
        model.load_state_dict(own, assign=True)
        adapted = PeftModel(model, folder.config, adapter_name=_ADAPTER)
        expected = get_peft_model_state_dict(adapted, adapter_name=_ADAPTER, save_embedding_layers=False)
    shapes = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    check_adapter_tensors(folder, shapes)
    with _quiet_peft(folder):
        set_peft_model_state_dict(adapted, dict(folder.tensors), adapter_name=_ADAPTER)
        # The safe merge makes new tensors and leaves the base's alone.
        state = cast(LoraModel, adapted.base_model).merge_and_unload(safe_merge=True).state_dict()
        # peft's models refer to themselves in circles; without this their memory stays.
        model.to("meta")
    del own
    for name in base:
        tensor = state.pop(name)
        if tensor.data_ptr() != base[name].data_ptr():
            yield name, tensor


@contextmanager
def _quiet_peft(folder: AdapterFolder) -> Iterator[None]:
    """Keep peft's remarks and random numbers to itself, and tell its refusals as ours.

    What it remarks on and does not refuse (unknown fields, missing tensors) is refused before.
    """
    try:
        with warnings.catch_warnings(), quiet_transformers(), torch.random.fork_rng(devices=[]):
            warnings.simplefilter("ignore")
            with torch.no_grad():
                yield
    except (
        ArithmeticError,
        AttributeError,
        ImportError,
        LookupError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as problem:
        raise ModelError(
            str(folder.path),
            f"peft cannot merge adapter {folder.name} ({problem})",
            "use an adapter that can be merged",
        ) from problem
