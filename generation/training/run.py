"""A training from its recipe to an adapter with its card: every stage resumable, everything in one folder."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from generation.engine import AffectJudge, Progress
from generation.training.labels.independence import check_independence
from generation.training.prepared import prepare
from generation.training.processes import Processes
from generation.training.recipe import Recipe
from generation.training.run_folder import RunFolder, fault_counts
from generation.training.stages import Stages
from study.errors import ModelError, StorageError

NEEDS = ("torch", "transformers", "peft", "safetensors", "accelerate", "tensorboard")
"""What learning needs beyond the core; the data card needs none of it."""

JudgeOf = Callable[[str], AffectJudge]
Ingredients = Callable[[str], frozenset[str]]


@dataclass(frozen=True)
class Outcome:
    """What a run left.

    Args:
        folder: of the run.
        made: adapter or model; None where the run stopped after the data card.
        summary: what is said of it: ``training.json``, or the data card.
        fault_counts: kind of fault to how many.
    """

    folder: RunFolder
    made: Path | None
    summary: Mapping[str, Any]
    fault_counts: Mapping[str, int]


def run_training(
    recipe: Recipe,
    root: Path,
    judge_of: JudgeOf,
    ingredients: Ingredients,
    device: str = "cpu",
    models_dir: Path | None = None,
    progress_of: Callable[[str], Progress] = lambda _: lambda _: None,
    data_only: bool = False,
) -> Outcome:
    """Train as a recipe says, or go on where an earlier run of it was stopped.

    Where Accelerate launched several processes, each calls this; the first one prepares for all.

    Args:
        root: of the run; new, or of the same recipe. The recipe is frozen there when learning begins.
        judge_of: gives a predictor as a judge, by name; `analysis.mer.judge.load_judge`.
        ingredients: what a predictor hears with, by name; `analysis.mer.registry.ingredients`.
        progress_of: gives the progress of a stage by its name.
        data_only: stop after the data card, which needs no torch.

    Raises:
        IsopathError: recipe, data, weights, device, memory or disk will not do; nothing half-written stays.
    """
    folder = RunFolder(root)
    folder.check(recipe)
    check_independence(recipe, ingredients)
    if not data_only:
        if folder.is_done(recipe):
            return _ended(recipe, folder)
        check_installed()
        from generation.training.on_tokens import check_base

        check_base(recipe, models_dir, ingredients)
    processes = Processes(device)
    stages = Stages(progress_of if processes.is_first else lambda _: lambda _: None)
    with folder.held() if processes.is_first else nullcontext():
        if processes.is_first:
            folder.data.mkdir(exist_ok=True)
        prepared = processes.once(lambda: prepare(recipe, folder, judge_of, stages))
        if data_only:
            return Outcome(folder, None, prepared.card.to_json(), fault_counts(prepared.faults))
        if processes.is_first:
            folder.freeze(recipe)
        from generation.training.on_tokens import train_on

        summary, faults = train_on(prepared, recipe, folder, judge_of, models_dir, stages, processes)
        return Outcome(folder, folder.made(recipe), summary, fault_counts(faults))


def _ended(recipe: Recipe, folder: RunFolder) -> Outcome:
    """What an earlier run left."""
    try:
        summary: dict[str, Any] = json.loads(folder.summary.read_text(encoding="utf-8"))
        return Outcome(folder, folder.made(recipe), summary, summary["faults"])
    except (OSError, KeyError, ValueError) as problem:
        raise StorageError(
            str(folder.summary), f"cannot be read ({problem})", "delete it and run the command again"
        ) from problem


def check_installed() -> None:
    """Refuse where the extra ``training`` is missing.

    Raises:
        ModelError: names what is missing and how to install it.
    """
    missing = [name for name in NEEDS if find_spec(name) is None]
    if missing:
        raise ModelError(
            "isopath train",
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            "pip install 'isopath[training]'",
        )
