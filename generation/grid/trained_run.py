"""A training's folder, as far as an evaluation needs it: what was made, on which base, told what.

The recipe is read for these fields alone: its music need not be on this machine any more.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generation.training.labelled_file import CROPS_FILE, read_labelled
from generation.training.recipe import ConditioningRecipe
from generation.training.run_folder import RunFolder
from generation.training.tracks import Split
from study.canonical import canonical_sha256
from study.errors import StorageError

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
        """The labelled windows it learned from and was validated on; not every run keeps them."""
        return RunFolder(self.root).data / CROPS_FILE

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


def ceiling_names(runs: Sequence[TrainedRun]) -> tuple[str | None, ...]:
    """Name of the ceiling of each training's music, in order: one for all that were validated on the same.

    Returns:
        ``music-of-`` and the name of the first of them; None where a training keeps no labelled windows.

    Raises:
        StorageError: what a training keeps is damaged.
    """
    by_music: dict[str, str] = {}
    found: list[str | None] = []
    for run in runs:
        if not run.crops.is_file():
            found.append(None)
            continue
        music = _validation_sha256(run)
        if music not in by_music:
            name = f"music-of-{slug(run.name)}"
            by_music[music] = name if name not in by_music.values() else f"{name}-{len(by_music) + 1}"
        found.append(by_music[music])
    return tuple(found)


def slug(name: str) -> str:
    """A name of letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-") or "trained"


def _validation_sha256(run: TrainedRun) -> str:
    """Of windows and places; the words that went with them do not count."""
    windows = [
        [str(sound.path), sound.labelled.crop.onset_s, sound.labelled.crop.duration_s, sound.labelled.affect]
        for sound in read_labelled(run.crops).of(Split.VALIDATION)
    ]
    return canonical_sha256(windows)
