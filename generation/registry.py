"""Which engines there are."""

from __future__ import annotations

from generation.engine import MusicEngine, PlaceableEngine, Placement
from study.plugins import ENGINES, load_installed
from study.protocol import EngineSpec


def load_engine(spec: EngineSpec, placement: Placement | None = None) -> MusicEngine:
    """The engine a protocol names, with its options.

    Args:
        placement: where it runs; an engine that only knows the CPU stays there.

    Raises:
        UnknownName: no such engine, or an option it does not have.
        OutOfRange: an option's value is off its range.
    """
    engine: MusicEngine = load_installed(ENGINES, spec.name, "engine.name")(spec.options)
    if placement is not None and isinstance(engine, PlaceableEngine):
        return engine.placed(placement)
    return engine
