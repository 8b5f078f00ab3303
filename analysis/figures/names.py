"""What the results name in English, in the reader's language: endpoints, axes, arms, estimates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis.results import Results
from analysis.words import Words


def endpoint_name(words: Words, endpoint: str) -> str:
    """An endpoint in words."""
    return words.text(f"figure.endpoint.{endpoint}")


def axis_name(words: Words, axis: str) -> str:
    """``Valence`` or ``Arousal``, as a label begins."""
    return words.text(f"figure.axis.{axis}")


def arm_names(results: Results) -> dict[str, str]:
    """Arm to its short name, in the protocol's order."""
    return {arm["arm"]: arm["name"] for arm in results.study["arms"]}


def arm_order(results: Results) -> dict[str, int]:
    """Arm to its place in the protocol, which is its style."""
    return {arm["arm"]: place for place, arm in enumerate(results.study["arms"])}


def reported(words: Words, row: Mapping[str, Any], digits: int = 2) -> str:
    """Estimate and limits of a row, as an alt text gives them; tables give the reason there is none."""
    if row["estimate"] is None:
        return words.text("figure.not_estimated")
    if row["ci_low"] is None or row["ci_high"] is None:
        return words.number(row["estimate"], digits)
    return words.interval(row, digits)


def beside(words: Words, row: Mapping[str, Any], digits: int = 2) -> str:
    """Estimate and limits as short as they can stand beside a line."""
    if row["estimate"] is None:
        return words.text("figure.not_estimated")
    estimate = words.number(row["estimate"], digits)
    if row["ci_low"] is None or row["ci_high"] is None:
        return estimate
    limits = words.limits(row["ci_low"], row["ci_high"], digits)
    return f"{estimate} {limits}" if limits.startswith("[") else f"{estimate} ({limits})"


def row_title(text: str, n: int | None = None) -> str:
    """A name with its count."""
    return text if n is None else f"{text} (n\u00a0=\u00a0{n})"
