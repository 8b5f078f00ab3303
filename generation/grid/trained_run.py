"""A training's folder, as far as an evaluation needs it: what was made, on which base, told what.

The recipe is read for these fields alone: its music need not be on this machine any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.training.labelled_file import CROPS_FILE
from generation.training.recipe import ConditioningRecipe
from generation.training.run_folder import RunFolder
from study.errors import StorageError
from study.folder import file_sha256

AFFECT_TOKENS = "affect_tokens.safetensors"
DEFAULT_PROMPTS = "default"
_ADAPTER = "adapter_config.json"
_REMEDY = "name the folder that isopath train --out wrote, when its training is done"


@dataclass(frozen=True)
class TrainedRun:
    """What `isopath train` left.

    Args:
        root: of the run, whole.
        made: ``adapter`` or ``model`` in it.
        name: the recipe's.
        model, revision: the base.
        method: ``lora`` or ``full``.
        prompts: the table of its words; the default one where it learned a data set's own words.
        hears_words, hears_affect: what it was told.
    """

    root: Path
    made: Path
    name: str
    model: str
    revision: str | None
    method: str
    prompts: str
    hears_words: bool
    hears_affect: bool

    @property
    def title(self) -> str:
        """For tables: what was trained."""
        return "LoRA" if self.method == "lora" else "full training"

    @property
    def crops(self) -> Path:
        """The labelled windows it learned from and was validated on."""
        return RunFolder(self.root).data / CROPS_FILE

    @property
    def ceiling(self) -> str | None:
        """Name of the ceiling of its music: the same for trainings on the same windows; None without them."""
        return f"corpus-{file_sha256(self.crops)[:8]}" if self.crops.is_file() else None

    def options(self) -> dict[str, Any]:
        """Engine options of the model as trained, told what it was trained with."""
        options: dict[str, Any] = self.base_options() if self.method == "lora" else {"model": str(self.made)}
        if self.method == "lora":
            options["adapters"] = [str(self.made)]
        told = [*(["prompt"] * self.hears_words), *(["tokens"] * self.hears_affect)]
        conditioning = told or ["prompt"]
        options["conditioning"] = conditioning
        if "prompt" in conditioning:
            options["prompts"] = self.prompts
        if self.hears_affect:
            options["affect_tokens"] = str(self.made / AFFECT_TOKENS)
        return options

    def base_options(self) -> dict[str, Any]:
        """Engine options of the base."""
        return {"model": self.model, **({"revision": self.revision} if self.revision is not None else {})}


def read_run(root: Path) -> TrainedRun:
    """Read what a training left.

    Raises:
        StorageError: no recipe there, or nothing trained yet.
    """
    folder = RunFolder(root.resolve())
    try:
        recipe = json.loads(folder.recipe.read_text(encoding="utf-8"))
        method, told = recipe.get("method", "lora"), recipe.get("conditioning") or {}
        words = told.get("words", ConditioningRecipe.words)
        made = folder.adapter if method == "lora" else folder.model
        run = TrainedRun(
            root=folder.root,
            made=made,
            name=str(recipe["name"]),
            model=str(recipe["model"]),
            revision=recipe.get("revision"),
            method=method,
            prompts=told.get("prompts", ConditioningRecipe.prompts) if words == "table" else DEFAULT_PROMPTS,
            hears_words=words != "none",
            hears_affect=bool(told.get("affect", ConditioningRecipe.affect)),
        )
    except OSError as problem:
        raise StorageError(str(root), f"is no training: {_told(problem)}", _REMEDY) from problem
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise StorageError(str(folder.recipe), f"is no recipe ({problem})", _REMEDY) from problem
    needed = made / (_ADAPTER if method == "lora" else "config.json")
    missing = [file for file in (needed, made / AFFECT_TOKENS) if not file.is_file()]
    if needed in missing or (run.hears_affect and missing):
        raise StorageError(str(missing[0]), "is not there: nothing was trained to its end", _REMEDY)
    return run


def _told(problem: OSError) -> str:
    return f"{Path(problem.filename or '').name or 'it'} cannot be read ({problem.strerror})"
