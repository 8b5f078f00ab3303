"""Which engines there are."""

from __future__ import annotations

from generation.engine import MusicEngine
from study.plugins import ENGINES, load_installed
from study.protocol import EngineSpec


def load_engine(spec: EngineSpec) -> MusicEngine:
    """The engine a protocol names, with its options.

    Raises:
        UnknownName: no such engine, or an option it does not have.
        OutOfRange: an option's value is off its range.
    """
    engine: MusicEngine = load_installed(ENGINES, spec.name, "engine.name")(spec.options)
    return engine
