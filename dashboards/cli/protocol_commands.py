"""Commands about a protocol file: check, show, new."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Join this group's commands to the application."""
