"""The engines of a grid's systems, named and optioned as a protocol does it."""

from __future__ import annotations

from collections.abc import Sequence

from generation.engine import MusicEngine, Placement
from generation.grid.request import SystemSpec, each_at
from generation.registry import load_engine
from study.errors import IsopathError, Refusals, refuse
from study.protocol import EngineSpec


def load_engines(systems: Sequence[SystemSpec], placement: Placement) -> tuple[MusicEngine, ...]:
    """Each system's engine; no weights are read.

    Raises:
        UnknownName, OutOfRange, Refusals: all that is wrong with engines and options, each by its system.
    """
    found: list[MusicEngine] = []
    refused: list[IsopathError] = []
    for index, system in enumerate(systems):
        try:
            found.append(load_system(system, f"systems[{index}].", placement))
        except IsopathError as refusal:
            refused += each_at("", refusal)
    refuse(refused)
    return tuple(found)


def load_system(system: SystemSpec, place: str, placement: Placement) -> MusicEngine:
    """One system's engine.

    Args:
        place: of the system in the request, for messages.

    Raises:
        UnknownName, OutOfRange, Refusals: as `load_engines`.
    """
    try:
        return load_engine(EngineSpec(system.engine, dict(system.options)), placement)
    except IsopathError as refusal:
        raise Refusals(list(each_at(place, refusal))) from refusal
