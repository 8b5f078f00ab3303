"""What a simulation found: shares with their Monte-Carlo error, held against bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

TYPE_I = "type-I error"
POWER = "power"
COVERAGE = "coverage"
BIAS = "bias"

AT_5 = (0.04, 0.06)
AT_2_5 = (0.02, 0.03)
OF_95 = (0.94, 0.96)
AT_MOST_5 = (0.0, 0.06)

MET, MISSED, NO_BAR = "met", "missed", "no bar"


@dataclass(frozen=True)
class Finding:
    """One figure.

    Args:
        quantity: what it is a share (or, for bias, a mean) of.
        under: which truth it was simulated under.
        value, error: with its Monte-Carlo standard error.
        replicates: simulated studies it rests on.
        bar: lowest and highest value that is as it should be; None where nothing is promised.
    """

    quantity: str
    under: str
    value: float
    error: float
    replicates: int
    bar: tuple[float, float] | None = None

    @property
    def verdict(self) -> str:
        """`MET`, `MISSED` or `NO_BAR`, as the figure came out."""
        if self.bar is None:
            return NO_BAR
        return MET if self.bar[0] <= self.value <= self.bar[1] else MISSED

    @property
    def within_error(self) -> bool:
        """Whether a missed bar lies within two Monte-Carlo standard errors."""
        if self.bar is None:
            return True
        return self.bar[0] - 2 * self.error <= self.value <= self.bar[1] + 2 * self.error

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        bar = None if self.bar is None else list(self.bar)
        return {**vars(self), "bar": bar, "verdict": self.verdict, "within_error": self.within_error}


@dataclass(frozen=True)
class Case:
    """One method in one scenario.

    Args:
        case_id: unique; names the file its findings are kept in.
        method: whose figures these are.
        scenario: in words.
        replicates: simulated studies at full size.
        run: number of replicates and seed to findings.
        modules: whose text decides whether kept findings are still those of this software.
        is_warning: shown because it fails; its misses are expected.
    """

    case_id: str
    method: str
    scenario: str
    replicates: int
    run: Callable[[int, int], Sequence[Finding]]
    modules: tuple[str, ...]
    is_warning: bool = False


@dataclass
class Tally:
    """Shares gathered study by study or stack by stack."""

    parts: dict[tuple[str, str], list[Floats]] = field(default_factory=dict)

    def add(self, quantity: str, under: str, values: Sequence[float] | Flags | Floats | float) -> None:
        """More studies' values (1 and 0 for shares); what is not finite is left out."""
        found = np.atleast_1d(np.asarray(values, dtype=float))
        self.parts.setdefault((quantity, under), []).append(found[np.isfinite(found)])

    def findings(self, bars: dict[str, tuple[float, float]]) -> list[Finding]:
        """The figures, in the order first added.

        Args:
            bars: quantity to its bar.
        """
        return [
            share(quantity, under, np.concatenate(parts), bars.get(quantity))
            for (quantity, under), parts in self.parts.items()
        ]


def share(quantity: str, under: str, values: Floats, bar: tuple[float, float] | None) -> Finding:
    """The mean of values with its Monte-Carlo standard error."""
    n = len(values)
    if not n:
        return Finding(quantity, under, math.nan, math.nan, 0, bar)
    spread = float(values.std(ddof=1)) if n > 1 else math.nan
    # All or none: the error of one study more that differs.
    error = max(spread, 1 / math.sqrt(n)) / math.sqrt(n) if quantity != BIAS else spread / math.sqrt(n)
    return Finding(quantity, under, float(values.mean()), error, n, bar)
