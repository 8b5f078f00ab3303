"""How far each cue follows its own cause, as measured on controlled audio."""

from __future__ import annotations

from typing import Any


def cue_slopes() -> list[dict[str, Any]]:
    """One row a cue."""
    return []
