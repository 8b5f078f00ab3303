"""Numbers and sentences as the report prints them.

Estimates keep their leading zero and a true minus sign; p-values have three
decimals without one (``.032``, ``<.001``); a percentage stands only beside its
n/N.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "–"


def number(value: float | None, digits: int = 2) -> str:
    """A number with that many decimals; a dash where there is none."""
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    return text.replace("-", "−")


def p_text(value: float | None) -> str:
    """A p-value: ``.032``, ``<.001``, ``>.999``."""
    if value is None:
        return NONE
    if value < 0.001:
        return "<.001"
    if value > 0.999:
        return ">.999"
    return f"{value:.3f}".removeprefix("0")


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """``0.31 (95 % CI 0.10 to 0.52)``; the reason where there is no number."""
    if row["estimate"] is None:
        return f"not estimated ({row['reason']})" if row["reason"] else "not estimated"
    estimate = number(row["estimate"], digits)
    if row["ci_low"] is None:
        return f"{estimate} (no interval: {row['reason']})"
    return f"{estimate} (95 % CI {number(row['ci_low'], digits)} to {number(row['ci_high'], digits)})"


def limits(low: float | None, high: float | None, digits: int = 2) -> str:
    """``0.10 to 0.52``."""
    return NONE if low is None or high is None else f"{number(low, digits)} to {number(high, digits)}"


def share_text(cell: Mapping[str, int]) -> str:
    """``12/40 (30 %)``; ``0/0`` without a percentage."""
    n, of = cell["n"], cell["of"]
    return f"{n}/{of} ({round(100 * n / of)} %)" if of else f"{n}/{of}"


def counted(n: int, noun: str) -> str:
    """``1 person``, ``2 people``."""
    plural = {"person": "people", "participant": "participants"}.get(noun, noun + "s")
    return f"{n} {noun if n == 1 else plural}"


def reasons_text(reasons: Mapping[str, int]) -> str:
    """``not yet given 3; withdrew 1``; a dash where there are none."""
    return "; ".join(f"{reason} {n}" for reason, n in reasons.items()) or NONE
