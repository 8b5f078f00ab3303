"""Numbers as reports and pages print them, in a journal's style.

Estimates have a true minus sign; a percentage stands only beside its n/N. Two
styles in English: `APA` (APA Publication Manual, 7th ed., §§ 6.36, 6.40-6.44: no
zero before the point where a number cannot exceed 1, limits in brackets) and
`LANCET` (The Lancet's formatting guidelines: raised point, zero kept, limits
with "to"). German has the decimal comma and keeps the zero (DIN 1333).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NONE = "–"


@dataclass(frozen=True)
class NumberStyle:
    """How numbers are printed.

    Args:
        point: between whole and decimals.
        drops_zero: of p-values, correlations and whatever else cannot exceed 1.
        limits: two limits, with ``{low}`` and ``{high}``.
        level: name of an interval, with ``{percent}``.
        equals: between ``p`` and its value; `below` where the value is ``<.001``.
        percent: a percentage, with ``{value}``.
    """

    point: str
    drops_zero: bool
    limits: str
    level: str
    equals: str
    below: str
    percent: str


APA = NumberStyle(".", True, "[{low}, {high}]", "{percent}% CI", " = ", " ", "{value}%")
LANCET = NumberStyle("·", False, "{low} to {high}", "{percent}% CI", "=", "", "{value}%")
GERMAN_APA = NumberStyle(
    ",", False, "[{low}; {high}]", "{percent}\u2011%\u2011KI", " = ", " ", "{value}\u00a0%"
)
GERMAN_LANCET = NumberStyle(
    ",", False, "{low} bis {high}", "{percent}\u2011%\u2011KI", "=", "", "{value}\u00a0%"
)


def number(value: float | None, digits: int = 2, bounded: bool = False, style: NumberStyle = APA) -> str:
    """A number with that many decimals; a dash where there is none.

    Args:
        bounded: the number cannot exceed 1 in size (a correlation, a probability).
    """
    if value is None:
        return NONE
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.removeprefix("-")
    if bounded and style.drops_zero and text.lstrip("-").startswith("0."):
        text = text.replace("0.", ".", 1)
    return text.replace("-", "−").replace(".", style.point)


def p_text(value: float | None, style: NumberStyle = APA) -> str:
    """A p-value to three decimals: ``.032``, ``<.001``, ``>.999``."""
    if value is None:
        return NONE
    if value < 0.001:
        return "<" + number(0.001, 3, True, style)
    if value > 0.999:
        return ">" + number(0.999, 3, True, style)
    return number(value, 3, True, style)


def p_clause(value: float | None, style: NumberStyle = APA) -> str:
    """A p-value in a sentence: ``p = .032``, ``p < .001``; Lancet ``p=0·032``."""
    text = p_text(value, style)
    if text[0] in "<>":
        return f"p{style.below}{text[0]}{style.below}{text[1:]}"
    return f"p{style.equals}{text}"


def limits(
    low: float | None,
    high: float | None,
    digits: int = 2,
    bounded: bool = False,
    style: NumberStyle = APA,
) -> str:
    """Two limits: ``[0.10, 0.52]``; Lancet ``0·10 to 0·52``."""
    if low is None or high is None:
        return NONE
    return style.limits.format(
        low=number(low, digits, bounded, style), high=number(high, digits, bounded, style)
    )


def level_text(percent: float = 95, style: NumberStyle = APA) -> str:
    """The name of an interval: ``95% CI``."""
    return style.level.format(percent=f"{percent:g}".replace(".", style.point))


def interval(row: Mapping[str, Any], digits: int = 2) -> str:
    """``0.31, 95% CI [0.10, 0.52]``; the reason where there is no number."""
    if row["estimate"] is None:
        return f"not estimable: {row['reason']}" if row["reason"] else "not estimable"
    estimate = number(row["estimate"], digits)
    if row["ci_low"] is None:
        return f"{estimate} (no interval: {row['reason']})"
    return f"{estimate}, {level_text()} {limits(row['ci_low'], row['ci_high'], digits)}"


def share_text(cell: Mapping[str, int], style: NumberStyle = APA) -> str:
    """``12/40 (30%)``; ``0/0`` without a percentage."""
    n, of = cell["n"], cell["of"]
    return f"{n}/{of} ({style.percent.format(value=round(100 * n / of))})" if of else f"{n}/{of}"


def counted(n: int, noun: str) -> str:
    """``1 person``, ``2 people``."""
    plural = {"person": "people"}.get(noun, noun + "s")
    return f"{n} {noun if n == 1 else plural}"


def reasons_text(reasons: Mapping[str, int]) -> str:
    """``not yet given 3; withdrew 1``; a dash where there are none."""
    return "; ".join(f"{reason} {n}" for reason, n in reasons.items()) or NONE
