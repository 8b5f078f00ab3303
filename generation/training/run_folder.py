"""Where a training's files are, and which recipe they are of."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from generation.training.recipe import Recipe
from generation.training.recipe_file import differences, read_recipe, recipe_json
from generation.training.tracks import Fault
from study.errors import StorageError
from study.folder import write_whole
from study.held import held

_SHOWN = 8
_REUSED = {"data", "tokens", "faults.csv"}
"""What a look at the data leaves, or a copy from another run: data and tokens know what they are of."""


@dataclass(frozen=True)
class RunFolder:
    """A training on disk.

    Args:
        root: the folder that ``--out`` names.
    """

    root: Path

    @property
    def recipe(self) -> Path:
        """The frozen copy of the recipe, its paths whole."""
        return self.root / "recipe.json"

    @property
    def data(self) -> Path:
        """The data card, and what was found out about tracks and windows."""
        return self.root / "data"

    @property
    def tokens(self) -> Path:
        """The codec's tokens; may be deleted and made anew."""
        return self.root / "tokens"

    @property
    def checkpoints(self) -> Path:
        """What learning goes on from."""
        return self.root / "checkpoints"

    @property
    def log(self) -> Path:
        """Losses and rates by step."""
        return self.root / "log.csv"

    @property
    def faults(self) -> Path:
        """Everything that could not be used, or only in part."""
        return self.root / "faults.csv"

    @property
    def summary(self) -> Path:
        """What was made of what, with digests, seeds, versions and times."""
        return self.root / "training.json"

    @property
    def adapter(self) -> Path:
        """What method lora makes: adapter, affect tokens, marks and model card."""
        return self.root / "adapter"

    @property
    def model(self) -> Path:
        """What method full makes: a whole model with its card."""
        return self.root / "model"

    def made(self, recipe: Recipe) -> Path:
        """The folder that a recipe ends in."""
        return self.adapter if recipe.method == "lora" else self.model

    def is_done(self, recipe: Recipe) -> bool:
        """Whether a training of this very recipe has ended here."""
        whole = self.recipe.is_file() and self.summary.is_file() and self.made(recipe).is_dir()
        return whole and not differences(read_recipe(self.recipe), recipe)

    def check(self, recipe: Recipe) -> None:
        """Refuse a folder that another recipe's training, or something else, lies in; writes nothing.

        Music that was only looked at (``--data-only``) does not bind the folder to a recipe.

        Raises:
            StorageError: names the fields in which the recipes differ, or what lies there.
        """
        # Where a recipe was frozen, its music was looked at before; a recipe alone is somebody's own file.
        if self.recipe.exists() and self.data.is_dir():
            differing = differences(read_recipe(self.recipe), recipe)
            if differing:
                left = len(differing) - _SHOWN
                told = ", ".join(differing[:_SHOWN]) + (f", and {left} more" if left > 0 else "")
                raise StorageError(
                    str(self.root),
                    f"holds a training of another recipe ({told})",
                    "name another folder, or go on with the recipe that is frozen there",
                )
            return
        if self.root.exists() and not self.root.is_dir():
            raise StorageError(str(self.root), "is a file", "name a folder")
        names = sorted(file.name for file in self.root.iterdir()) if self.root.exists() else []
        foreign = [name for name in names if not name.startswith(".") and name not in _REUSED]
        if foreign:
            raise StorageError(
                str(self.root), f"is not empty and holds no training ({foreign[0]})", "name a new folder"
            )

    def freeze(self, recipe: Recipe) -> None:
        """Bind the folder to this recipe.

        Raises:
            StorageError: as `check`, or the folder cannot be written.
        """
        self.check(recipe)
        if not self.recipe.exists():
            write_whole(self.recipe, recipe_json(recipe).encode())

    def held(self) -> AbstractContextManager[None]:
        """Hold the folder for this process.

        Raises:
            StorageError: another process trains in it, or it cannot be written.
        """

        def refusal(holder: str) -> StorageError:
            return StorageError(
                str(self.root), f"process {holder} trains in it", "wait for that one, or name another folder"
            )

        return held(self.root / ".training.lock", refusal)

    def check_room(self, needed: int, what: str) -> None:
        """Refuse to begin what this disk cannot hold.

        Args:
            needed: bytes.
            what: for the message.

        Raises:
            StorageError: less is free.
        """
        free = shutil.disk_usage(self.root).free
        if needed > free:
            raise StorageError(
                str(self.root),
                f"{what} will take about {needed / 1e9:.1f} GB, and {free / 1e9:.1f} GB are free",
                "make room, or name a folder on another disk",
            )


def write_faults(path: Path, faults: Sequence[Fault]) -> None:
    """Write every fault as a line of a CSV file.

    Raises:
        StorageError: the folder cannot be written.
    """
    lines = io.StringIO(newline="")
    table = csv.writer(lines, lineterminator="\n")
    table.writerow(("track_id", "path", "kind", "problem", "is_kept"))
    for fault in faults:
        kept = "yes" if fault.is_kept else "no"
        table.writerow((fault.track_id, fault.path, fault.kind.value, fault.problem, kept))
    write_whole(path, lines.getvalue().encode())


def fault_counts(faults: Sequence[Fault]) -> dict[str, int]:
    """How often each kind of fault was found, in the order they were met."""
    counts: dict[str, int] = {}
    for fault in faults:
        counts[fault.kind.value] = counts.get(fault.kind.value, 0) + 1
    return counts
