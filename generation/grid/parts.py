"""Which predictors took part in a system, as far as its options and the files they name tell.

A predictor that labelled the training, chose a checkpoint or chooses among candidates has been a part of
the system: it hears what it helped to make. The rule-based composer sets the very cues that the predictor
``cues`` reads, so what that one hears there is a manipulation check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from generation.clip_grid import Part
from generation.grid.request import SystemSpec

COMPOSER = "composer"
CUES = "cues"


def parts_of(system: SystemSpec) -> Mapping[str, tuple[Part, ...]]:
    """Predictor to the parts it had, in the order of `Part`.

    Raises:
        ModelError: the marks beside an adapter cannot be read.
    """
    found: dict[str, set[Part]] = {name: set(parts) for name, parts in system.took_part.items()}
    if system.engine == COMPOSER:
        found.setdefault(CUES, set()).add(Part.SHARED_CUES)
    judge = system.options.get("judge")
    if isinstance(judge, str):
        found.setdefault(judge, set()).add(Part.CHOICE)
    for folder in trained_folders(system.options):
        from generation.musicgen.trained.part_taken import read_marks

        for name, parts in read_marks(folder).predictors.items():
            found.setdefault(name, set()).update(Part(part) for part in parts)
    return {name: tuple(part for part in Part if part in parts) for name, parts in sorted(found.items())}


def trained_folders(options: Mapping[str, Any]) -> tuple[Path, ...]:
    """The folders of this machine that hold what the options name: model, adapters, tokens, steering."""
    return tuple(dict.fromkeys(path for path in _places(options) if path.is_dir()))


def _places(options: Mapping[str, Any]) -> Iterator[Path]:
    model = options.get("model")
    if isinstance(model, str):
        yield Path(model)
    for adapter in options.get("adapters") or ():
        path = adapter.get("path") if isinstance(adapter, Mapping) else adapter
        if isinstance(path, str):
            yield Path(path)
    for option in ("affect_tokens", "steering"):
        path = options.get(option)
        if isinstance(path, str):
            yield Path(path).parent
