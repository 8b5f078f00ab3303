"""The ledger: every confirmatory test, in order, and what may be concluded.

- `none`: the primary contrast alone is confirmatory, at the full level.
- `holm`: all contrasts of the protocol on its endpoint form one family (Holm,
  1979, Scand. J. Stat. 6, 65-70).
- `gatekeeping`: a fixed sequence at the full level, each test opening the gate
  to the next: the primary contrast, the other contrasts in the protocol's
  order, then distance to the target for the primary contrast.

A test that could not be made closes the gate, and counts in Holm's family.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.result_row import ResultRow

REJECTED = "hypothesis of no difference rejected"
NOT_REJECTED = "hypothesis of no difference not rejected"
NOT_TESTED = "not tested: an earlier gate stayed closed"
NOT_ESTIMABLE = "not estimable"
EXPLORATORY = "exploratory: no confirmatory claim"


@dataclass(frozen=True)
class LedgerEntry:
    """One test.

    Args:
        order: from 1; the order of testing.
        test: endpoint and contrast in words.
        p_value: as computed; None where not estimable.
        adjusted_p: by the procedure; None where it was not tested.
        decision: one of the sentences of this module.
    """

    order: int
    row_id: str
    test: str
    p_value: float | None
    adjusted_p: float | None
    decision: str

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(vars(self))


def make_ledger(
    multiplicity: str, alpha: float, contrasts: Sequence[ResultRow], gated: Sequence[ResultRow]
) -> tuple[LedgerEntry, ...]:
    """Decide every test the protocol makes.

    Args:
        multiplicity: none, holm or gatekeeping.
        alpha: two-sided level of the family.
        contrasts: the endpoint's rows, one per contrast.
        gated: further rows that gatekeeping tests last.
    """
    ordered = sorted(contrasts, key=lambda row: not row.extra["is_primary"])
    match multiplicity:
        case "holm":
            return _holm_ledger(alpha, ordered)
        case "gatekeeping":
            return _gatekeeping_ledger(alpha, [*ordered, *gated])
        case _:
            return tuple(
                _entry(order, row, row.p_value, _verdict(row.p_value, alpha))
                if row.extra["is_primary"]
                else _entry(order, row, None, EXPLORATORY)
                for order, row in enumerate(ordered, start=1)
            )


def holm_adjusted(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's adjusted p-values, in the order given, shape [n]; none above 1."""
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p_values, method="holm")[1], dtype=float)


def _holm_ledger(alpha: float, rows: Sequence[ResultRow]) -> tuple[LedgerEntry, ...]:
    # What could not be tested still counts in the family, as if its p-value were 1.
    adjusted = holm_adjusted([1.0 if row.p_value is None else row.p_value for row in rows])
    return tuple(
        _entry(order, row, None, NOT_ESTIMABLE)
        if row.p_value is None
        else _entry(order, row, float(value), _verdict(float(value), alpha))
        for order, (row, value) in enumerate(zip(rows, adjusted, strict=True), start=1)
    )


def _gatekeeping_ledger(alpha: float, rows: Sequence[ResultRow]) -> tuple[LedgerEntry, ...]:
    entries, open_gate, reached = [], True, 0.0
    for order, row in enumerate(rows, start=1):
        if not open_gate:
            entries.append(_entry(order, row, None, NOT_TESTED))
            continue
        if row.p_value is not None:
            # The adjusted p of a fixed sequence is the largest so far.
            reached = max(reached, row.p_value)
        entries.append(
            _entry(order, row, None if row.p_value is None else reached, _verdict(row.p_value, alpha))
        )
        open_gate = row.p_value is not None and row.p_value <= alpha
    return tuple(entries)


def _entry(order: int, row: ResultRow, adjusted_p: float | None, decision: str) -> LedgerEntry:
    test = f"{row.extra['endpoint_label']}: {row.label}"
    return LedgerEntry(order, row.row_id, test, row.p_value, adjusted_p, decision)


def _verdict(p_value: float | None, alpha: float) -> str:
    if p_value is None:
        return NOT_ESTIMABLE
    return REJECTED if p_value <= alpha else NOT_REJECTED
