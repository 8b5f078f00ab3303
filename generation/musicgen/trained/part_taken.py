"""Which predictors took part in a training: a mark beside what it made, so that they carry no claim about it.

A file of its own, since neither peft's configuration nor the metadata of a safetensors file is read by
everybody who moves an adapter; it lies in the folder of ``adapter_config.json`` or of the V/A module.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from study.errors import ModelError
from study.folder import write_whole

MARKS = "isopath_training.json"
IN_MANIFEST = "predictors_in_training"
VERSION = 1
PARTS = ("labels", "selection", "shared cues")
"""It placed the music that was learned from; it chose among the checkpoints; it reads the cues that the music
was composed with."""


@dataclass(frozen=True)
class PartTaken:
    """What predictors did in trainings.

    Args:
        predictors: predictor to its parts, of `PARTS`.
    """

    predictors: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def rendering(self) -> dict[str, Any]:
        """Its entry of a manifest's `rendering`, under `IN_MANIFEST`; empty where no predictor took part."""
        parts = {name: list(parts) for name, parts in sorted(self.predictors.items())}
        return {IN_MANIFEST: parts} if parts else {}

    def __or__(self, other: PartTaken) -> PartTaken:
        """What they did in either."""
        names = sorted({*self.predictors, *other.predictors})
        return PartTaken(
            {
                name: tuple(dict.fromkeys((*self.predictors.get(name, ()), *other.predictors.get(name, ()))))
                for name in names
            }
        )


def write_marks(folder: Path, taken: PartTaken, extra: Mapping[str, Any]) -> None:
    """Write the mark, whole or not at all.

    Args:
        extra: what else the training has to say (recipe, digests); read by people.

    Raises:
        StorageError: the folder cannot be written.
    """
    content = {"version": VERSION, "predictors": dict(taken.predictors), **extra}
    text = json.dumps(content, indent=1, sort_keys=True, allow_nan=False, ensure_ascii=False)
    write_whole(folder / MARKS, (text + "\n").encode())


def read_marks(folder: Path) -> PartTaken:
    """What took part in the training whose result lies in a folder; nothing where it has no mark.

    Raises:
        ModelError: there is a mark, and it cannot be read: who took part cannot be known.
    """
    path = folder / MARKS
    try:
        content = json.loads(path.read_bytes())
        if content["version"] != VERSION:
            raise _unreadable(path, f"is of version {content['version']}, not {VERSION}")
        return PartTaken({str(name): tuple(map(str, parts)) for name, parts in content["predictors"].items()})
    except (FileNotFoundError, NotADirectoryError):
        return PartTaken()
    except OSError as problem:
        raise _unreadable(path, f"cannot be read ({problem.strerror})") from problem
    except (AttributeError, KeyError, TypeError, ValueError) as problem:
        raise _unreadable(path, f"is no mark of a training ({type(problem).__name__} {problem})") from problem


def read_all_marks(folders: Iterable[Path]) -> PartTaken:
    """What took part in any of several trainings.

    Raises:
        ModelError: as `read_marks`.
    """
    taken = PartTaken()
    for folder in folders:
        taken = taken | read_marks(folder)
    return taken


def trained_folders(options: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Where the marks of what an engine's options name would lie, on whatever machine it is.

    Args:
        options: ``engine.options`` as a protocol writes them; what is no path in them is passed over.

    Returns:
        the option's place, e.g. ``adapters[0]``, and the folder.
    """
    if isinstance(options.get("model"), str):
        yield "model", Path(options["model"])
    adapters = options.get("adapters")
    for number, adapter in enumerate(adapters if isinstance(adapters, (list, tuple)) else ()):
        path = adapter.get("path") if isinstance(adapter, Mapping) else adapter
        if isinstance(path, str):
            yield f"adapters[{number}]", Path(path).expanduser()
    for option in ("affect_tokens", "steering"):
        if isinstance(options.get(option), str):
            yield option, Path(options[option]).parent


def _unreadable(path: Path, problem: str) -> ModelError:
    return ModelError(str(path), problem, "copy it again from where the training left it")
