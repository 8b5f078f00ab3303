"""Which engines there are: the embedded one, and those that plug in.

Others join through the entry-point group ``isopath.engines``: a callable that
takes the protocol's options and returns a `MusicEngine`.
"""

from __future__ import annotations

from importlib.metadata import entry_points

from generation.composer.engine import ComposerEngine
from generation.engine import MusicEngine
from study.errors import UnknownName
from study.protocol import EngineSpec

ENTRY_POINTS = "isopath.engines"


def load_engine(spec: EngineSpec) -> MusicEngine:
    """The engine a protocol names, with its options.

    Raises:
        UnknownName: no such engine, or an option it does not have.
    """
    if spec.name == "composer":
        return ComposerEngine.from_options(spec.options)
    for entry in entry_points(group=ENTRY_POINTS):
        if entry.name == spec.name:
            engine: MusicEngine = entry.load()(spec.options)
            return engine
    raise UnknownName(
        "engine.name", f"{spec.name!r} is not an engine", "write one of " + ", ".join(engine_names())
    )


def engine_names() -> tuple[str, ...]:
    """The embedded engine and every plugged-in one."""
    return ("composer", *sorted(entry.name for entry in entry_points(group=ENTRY_POINTS)))
