"""Checkpoints: everything that a training needs to go on as if it had not stopped.

Each is a folder that is there whole or not at all, with the SHA-256 of every file in it. Random numbers
are a function of the step, so no generator's state is among them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from study.errors import StorageError
from study.folder import file_sha256, folder_made_whole, sweep, sync_folder

CHECKPOINTS = "checkpoints"
_STATE, _DIGESTS = "state.json", "digests.json"
_WEIGHTS, _AVERAGE, _OPTIMISER = "trained.safetensors", "average.safetensors", "optimiser.pt"
_NAME = re.compile(r"step-(\d{8})")
_KEPT = 2


@dataclass(frozen=True)
class Best:
    """A checkpoint that is kept as the best by one measure.

    Args:
        step: its step.
        value: its validation loss, or the error of its sampled clips.
        measure: which of the two.
    """

    step: int
    value: float
    measure: str


@dataclass(frozen=True)
class State:
    """How far a training is.

    Args:
        step: updates made.
        identity: SHA-256 of recipe, base and data: what makes two trainings one.
        best: so far, this one included: what the training will come to.
        best_by_loss: the one of the lowest validation loss; the same where nothing else measures.
        losses: of each codebook at this step.
        validation_loss: at this step.
        first_validation_loss: of the base.
        windows: seen by all processes.
        seconds: spent, over all runs.
        n_processes: that learnt together.
    """

    step: int
    identity: str
    best: Best
    best_by_loss: Best
    losses: tuple[float, ...]
    validation_loss: float
    first_validation_loss: float
    windows: int
    seconds: float
    n_processes: int


@dataclass(frozen=True)
class Saved:
    """A checkpoint as read.

    Args:
        weights: trained weights by name.
        average: their moving average; None where the recipe has none.
        optimiser: AdamW's state.
    """

    state: State
    weights: Mapping[str, Tensor]
    average: Mapping[str, Tensor] | None
    optimiser: Mapping[str, Any]

    @property
    def best_weights(self) -> Mapping[str, Tensor]:
        """What is saved of it: the average where there is one."""
        return self.weights if self.average is None else self.average


class Checkpoints:
    """The checkpoints of one training: the last two, and the best by each measure.

    Args:
        folder: of the training; they lie in ``checkpoints`` in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / CHECKPOINTS

    def path(self, step: int) -> Path:
        """Where the checkpoint of a step lies."""
        return self._folder / f"step-{step:08d}"

    def save(self, saved: Saved) -> Path:
        """Write a checkpoint, whole or not at all; then remove those that are no longer needed.

        Raises:
            StorageError: the folder cannot be written or the disk is full.
        """
        path = self.path(saved.state.step)
        sweep(path)
        self._set_aside(path)
        try:
            with folder_made_whole(path) as partial:
                _write(partial, saved)
        # torch tells a full disk as a RuntimeError.
        except (OSError, RuntimeError, SafetensorError) as problem:
            raise StorageError(
                str(path),
                f"the checkpoint cannot be written ({problem})",
                "make room and run the command again: it goes on from the checkpoint before",
            ) from problem
        needed = {*self._steps()[-_KEPT:], saved.state.best.step, saved.state.best_by_loss.step}
        for step in self._steps():
            if step not in needed:
                shutil.rmtree(self.path(step), ignore_errors=True)
        return path

    def last(self, identity: str) -> tuple[Saved | None, tuple[str, ...]]:
        """The last checkpoint that is whole, and a sentence for each later one that is not.

        Raises:
            StorageError: there are checkpoints and none is whole, or they are of another training.
        """
        problems: list[str] = []
        for step in reversed(self._steps()):
            try:
                saved = self.load(step)
            except StorageError as problem:
                problems.append(f"{problem.where}: {problem.problem}")
                continue
            if saved.state.identity != identity:
                raise StorageError(
                    str(self.path(step)),
                    "is of a training with another recipe, base or data",
                    "name another folder, or train with what this one was begun with",
                )
            if problems:
                told = f"{'; '.join(problems)}; goes on from step {step}, the last checkpoint that is whole"
                return saved, (told,)
            return saved, ()
        if problems:
            raise StorageError(
                str(self._folder),
                f"none of its checkpoints is whole ({'; '.join(problems)})",
                "delete this folder to begin anew, or copy the checkpoints again",
            )
        return None, ()

    def load(self, step: int) -> Saved:
        """One checkpoint, checked against its digests.

        Raises:
            StorageError: it is missing, damaged or of another version.
        """
        path = self.path(step)
        try:
            digests = json.loads((path / _DIGESTS).read_text(encoding="utf-8"))
            damaged = [name for name, digest in digests.items() if file_sha256(path / name) != digest]
            if damaged:
                raise ValueError(f"{', '.join(damaged)} changed since it was written")
            fields = json.loads((path / _STATE).read_text(encoding="utf-8"))
            bests = {name: Best(**fields[name]) for name in ("best", "best_by_loss")}
            read = {**bests, "losses": tuple(fields["losses"])}
            average = path / _AVERAGE
            return Saved(
                State(**{**fields, **read}),
                safetensors.torch.load_file(path / _WEIGHTS),
                safetensors.torch.load_file(average) if average.is_file() else None,
                torch.load(path / _OPTIMISER, weights_only=True, map_location="cpu"),
            )
        except (
            AttributeError,
            KeyError,
            OSError,
            RuntimeError,
            SafetensorError,
            TypeError,
            ValueError,
        ) as problem:
            raise StorageError(
                str(path),
                f"is damaged ({problem})",
                "copy it again, or delete it and go on from the one before",
            ) from problem

    def _steps(self) -> list[int]:
        """Of the checkpoints there are, rising."""
        if not self._folder.is_dir():
            return []
        found = (_NAME.fullmatch(path.name) for path in self._folder.iterdir())
        return sorted(int(matched[1]) for matched in found if matched)

    def _set_aside(self, path: Path) -> None:
        """Make room where a damaged checkpoint of the same step lies; it stays, under another name."""
        if path.exists():
            aside = path.with_name(f"damaged-{path.name}")
            shutil.rmtree(aside, ignore_errors=True)
            path.rename(aside)


def _write(folder: Path, saved: Saved) -> None:
    safetensors.torch.save_file(_plain(saved.weights), folder / _WEIGHTS)
    if saved.average is not None:
        safetensors.torch.save_file(_plain(saved.average), folder / _AVERAGE)
    torch.save(dict(saved.optimiser), folder / _OPTIMISER)
    (folder / _STATE).write_text(json.dumps(asdict(saved.state), indent=1, sort_keys=True), encoding="utf-8")
    digests = {path.name: file_sha256(path) for path in sorted(folder.iterdir())}
    (folder / _DIGESTS).write_text(json.dumps(digests, indent=1), encoding="utf-8")
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(folder)


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
