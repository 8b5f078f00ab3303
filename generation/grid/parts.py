"""Which predictors took part in a system, as far as its options and the files they name tell.

A predictor that labelled the training, chose a checkpoint or chooses among candidates has been a part of
the system: it hears what it helped to make. The rule-based composer sets the very cues that the predictor
``cues`` reads, so what that one hears there is a manipulation check.
"""

from __future__ import annotations

from collections.abc import Mapping

from generation.clip_grid import Part
from generation.composer.cues import READERS_OF_CUES
from generation.grid.request import SystemSpec
from generation.musicgen.trained.part_taken import read_all_marks, trained_folders

COMPOSER = "composer"


def parts_of(system: SystemSpec) -> Mapping[str, tuple[Part, ...]]:
    """Predictor to the parts it had, in the order of `Part`.

    Raises:
        ModelError: the marks beside an adapter cannot be read.
    """
    found: dict[str, set[Part]] = {name: set(parts) for name, parts in system.took_part.items()}
    for name in READERS_OF_CUES.get(system.engine, ()):
        found.setdefault(name, set()).add(Part.SHARED_CUES)
    judge = system.options.get("judge")
    if isinstance(judge, str):
        found.setdefault(judge, set()).add(Part.CHOICE)
    taken = read_all_marks(folder for _, folder in trained_folders(system.options))
    for name, parts in taken.predictors.items():
        found.setdefault(name, set()).update(Part(part) for part in parts)
    return {name: tuple(part for part in Part if part in parts) for name, parts in sorted(found.items())}
