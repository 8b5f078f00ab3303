"""What is installed under a name: engines and predictors, ours and those that plug in.

Ours are declared in isopath's own metadata, another package's in its own, as
entry points of the two groups below. Names are read without loading anything.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from study.errors import UnknownName

ENGINES = "isopath.engines"
"""A callable that takes the protocol's options and returns a `generation.engine.MusicEngine`."""

PREDICTORS = "isopath.predictors"
"""A callable without arguments that returns an `analysis.mer.predictor.AffectPredictor`."""


def installed_names(group: str) -> tuple[str, ...]:
    """The names in a group, in alphabetical order."""
    return tuple(sorted({entry.name for entry in entry_points(group=group)}))


def load_installed(group: str, name: str, where: str) -> Any:
    """What is installed under `name`.

    Args:
        where: for the message, e.g. ``engine.name``.

    Raises:
        UnknownName: nothing is.
    """
    for entry in entry_points(group=group):
        if entry.name == name:
            return entry.load()
    raise UnknownName(
        where, f"{name!r} is not installed here", "write one of " + ", ".join(installed_names(group))
    )
