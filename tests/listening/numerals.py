"""Numbers as the card writes them: no zero before the point, a true minus, an interval in brackets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "–"


def number(value: float | None, digits: int = 2, signed: bool = False) -> str:
    """One number; a dash for none."""
    if value is None:
        return NONE
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0.0:
        # Neither sign is known of what is rounded away.
        text = text.lstrip("+-")
    if abs(float(text)) < 1:
        text = text.replace("0.", ".", 1)
    return text.replace("-", "−")


def interval(low: float | None, high: float | None, digits: int = 2) -> str:
    """Both ends in brackets; empty for none."""
    return "" if low is None else f"[{number(low, digits)}, {number(high, digits)}]"


def estimate(row: Mapping[str, Any], digits: int = 2, signed: bool = False) -> str:
    """Estimate and interval of a row that has ``estimate``, ``ci_low`` and ``ci_high``."""
    return f"{number(row['estimate'], digits, signed)} {interval(row['ci_low'], row['ci_high'], digits)}"


def percent(share: float | None) -> str:
    """A share as a whole percentage."""
    return NONE if share is None else f"{100 * share:.0f} %"
