"""The losses of a training, drawn from its log."""

from __future__ import annotations

from pathlib import Path


def draw_losses(log: Path, picture: Path) -> bool:
    return False
