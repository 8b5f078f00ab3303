"""One estimate with its interval, or the reason there is none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CI_LEVEL = 0.95

CIRCUMPLEX_UNIT = "circumplex unit"
"""Of valence, arousal, distance and progress: each axis runs from −1 to 1."""
PRIMARY_ESTIMAND = "primary"
"""The protocol's estimand, as rows name it."""

PURE_NUMBER = "1"
"""Of correlations, shares, test statistics and slopes."""


class NotEstimable(Exception):
    """Why a model or contrast gives no number, in words. Becomes a result row's `reason`."""


@dataclass(frozen=True)
class ResultRow:
    """A row of the results, as every table, figure and sentence reads it.

    Args:
        row_id: unique within its section.
        label: for people.
        estimate: None where nothing could be estimated; `reason` then says why.
        ci_low, ci_high: 95 % limits.
        n: participants (or pairs, where `method` says so) the estimate rests on.
        method: how it was estimated, with its source.
        reason: in words, where a number is missing.
        unit: of estimate and limits.
        estimand: which of the results' estimands the row speaks of; None for a description.
        extra: further numbers and names of this kind of row.
    """

    row_id: str
    label: str
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    n: int
    method: str
    reason: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)
    unit: str = CIRCUMPLEX_UNIT
    estimand: str | None = None

    def to_plain(self) -> dict[str, Any]:
        """As JSON values; a number that is not finite becomes null. No name of `extra` hides a field."""
        return {
            **json_ready(self.extra),
            "row_id": self.row_id,
            "label": self.label,
            "estimate": finite(self.estimate),
            "ci_low": finite(self.ci_low),
            "ci_high": finite(self.ci_high),
            "p_value": finite(self.p_value),
            "unit": self.unit,
            "n": self.n,
            "estimand": self.estimand,
            "method": self.method,
            "reason": self.reason,
        }


def not_estimated(
    row_id: str,
    label: str,
    n: int,
    method: str,
    reason: str,
    extra: Mapping[str, Any] | None = None,
    unit: str = CIRCUMPLEX_UNIT,
    estimand: str | None = None,
) -> ResultRow:
    """A row without a number."""
    return ResultRow(row_id, label, None, None, None, None, n, method, reason, extra or {}, unit, estimand)


def finite(value: float | None) -> float | None:
    """The value as a plain float; None for None, NaN and infinities."""
    return float(value) if value is not None and math.isfinite(value) else None


def json_ready(value: Any) -> Any:
    """Plain JSON values, with null for every number that is not finite."""
    if isinstance(value, Mapping):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [json_ready(item) for item in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return finite(float(value))
