"""Data: the protocol schema, the data dictionary and example protocols."""

from __future__ import annotations

from pathlib import Path


def example_path(name: str) -> Path:
    """The file of an example protocol, such as ``crossover_2x2``."""
    return Path(__file__).parent / "examples" / f"{name}.json"


def example_names() -> tuple[str, ...]:
    """The example protocols, in order."""
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "examples").glob("*.json")))
