"""`isopath compose`: hear a path without a study."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Join this command to the application."""
