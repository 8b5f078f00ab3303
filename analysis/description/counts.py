"""Counts as reports print them: never a percentage without n and N."""

from __future__ import annotations

from typing import Any

import pandas as pd


def share(n: int, of: int) -> dict[str, int]:
    """A count with what it is a share of."""
    return {"n": int(n), "of": int(of)}


def how_many(values: pd.Series[Any]) -> int:
    """How many are true; missing counts as no."""
    return int(values.fillna(False).astype(bool).sum())
