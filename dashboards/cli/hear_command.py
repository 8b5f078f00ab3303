"""`isopath hear`: the predicted path of any audio file."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
