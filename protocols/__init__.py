"""Data: the protocol schema, the data dictionary and example protocols."""

from __future__ import annotations

from pathlib import Path


def example_path(name: str) -> Path:
    """The file of an example protocol, such as ``crossover_2x2``."""
    return Path(__file__).parent / "examples" / f"{name}.json"
