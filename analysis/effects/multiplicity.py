"""The ledger: every confirmatory test, in order, and what may be concluded.

- `none`: the primary contrast alone is confirmatory, at the full level.
- `holm`: all contrasts of the protocol on its endpoint form one family (Holm,
  1979, Scand. J. Stat. 6, 65-70).
- `gatekeeping`: a fixed sequence at the full level, each test opening the gate
  to the next: the primary contrast, the other contrasts in the protocol's
  order, then distance to the target for the primary contrast.

A test that could not be made closes the gate, and counts in Holm's family.

Each contrast enters by the p-value of its aim: superiority by the two-sided test against 0,
equivalence by the larger of its two one-sided tests, non-inferiority by twice its one-sided test,
so that all are held against one two-sided level. Where the protocol plans looks before the end,
the p-values honour them (Maurer & Bretz, 2013, Stat. Biopharm. Res. 5, 311-320); the contrasts
that were not looked at are held against the same last boundary, which is valid whichever look
ended the study (Glimm, Maurer & Bretz, 2010, Stat. Med. 29, 219-228).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analysis.effects.looks.sequential_test import SequentialTest
from analysis.result_row import ResultRow
from study.analysis_plan import Aim

REJECTED = "hypothesis of no difference rejected"
NOT_REJECTED = "hypothesis of no difference not rejected"
EQUIVALENT = "equivalence shown: the difference lies within the margins"
NOT_EQUIVALENT = "equivalence not shown"
NOT_INFERIOR = "non-inferiority shown: worse by less than the margin"
NOT_SHOWN_NOT_INFERIOR = "non-inferiority not shown"
NOT_TESTED = "not tested: an earlier gate stayed closed"
NOT_ESTIMABLE = "not estimable"
EXPLORATORY = "exploratory: no confirmatory claim"

_VERDICTS: Mapping[Aim, tuple[str, str]] = {
    Aim.SUPERIORITY: (REJECTED, NOT_REJECTED),
    Aim.EQUIVALENCE: (EQUIVALENT, NOT_EQUIVALENT),
    Aim.NON_INFERIORITY: (NOT_INFERIOR, NOT_SHOWN_NOT_INFERIOR),
}


@dataclass(frozen=True)
class LedgerEntry:
    """One test.

    Args:
        order: from 1; the order of testing.
        row_id: of the contrast's row among the effects.
        test: endpoint, contrast and aim in words.
        aim: a value of `Aim`.
        p_value: as computed; None where not estimable. One-sided for non-inferiority.
        adjusted_p: by the looks and the procedure, on the two-sided scale; None where it was not tested.
        decision: one of the sentences of this module.
    """

    order: int
    row_id: str
    test: str
    aim: str
    p_value: float | None
    adjusted_p: float | None
    decision: str

    def to_plain(self) -> dict[str, Any]:
        """As JSON values."""
        return dict(vars(self))


@dataclass(frozen=True)
class _Test:
    """A hypothesis before the procedure: `p` is on the two-sided scale, the looks honoured."""

    row: ResultRow
    aim: Aim
    words: str
    shown_p: float | None
    p: float | None
    is_primary: bool


def make_ledger(
    multiplicity: str,
    alpha: float,
    contrasts: Sequence[ResultRow],
    gated: Sequence[ResultRow],
    equivalence: Sequence[ResultRow] = (),
    sequential: SequentialTest | None = None,
) -> tuple[LedgerEntry, ...]:
    """Decide every test the protocol makes.

    Args:
        multiplicity: none, holm or gatekeeping.
        alpha: two-sided level of the family.
        contrasts: the endpoint's rows, one per contrast.
        gated: further rows that gatekeeping tests last.
        equivalence: rows of the contrasts whose aim is not superiority.
        sequential: the last test where the protocol plans looks before it.
    """
    by_contrast = {row.extra["contrast_id"]: row for row in equivalence}
    ordered = [
        _test(
            row,
            by_contrast.get(row.extra.get("contrast_id")),
            sequential,
            looks_count=row.extra["is_primary"],
        )
        for row in sorted(contrasts, key=lambda row: not row.extra["is_primary"])
    ]
    match multiplicity:
        case "holm":
            return _holm_ledger(alpha, ordered)
        case "gatekeeping":
            last = [_test(row, None, sequential, looks_count=False) for row in gated]
            return _gatekeeping_ledger(alpha, [*ordered, *last])
        case _:
            return tuple(
                _entry(order, test, test.p, _verdict(test, test.p, alpha))
                if test.is_primary
                else _entry(order, test, None, EXPLORATORY)
                for order, test in enumerate(ordered, start=1)
            )


def holm_adjusted(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Holm's adjusted p-values, in the order given, shape [n]; none above 1."""
    from statsmodels.stats.multitest import multipletests

    return np.asarray(multipletests(p_values, method="holm")[1], dtype=float)


def _test(
    row: ResultRow, margin_row: ResultRow | None, sequential: SequentialTest | None, looks_count: bool
) -> _Test:
    """A contrast's hypothesis by its aim."""
    aim, shown = Aim.SUPERIORITY, row.p_value
    words = f"{row.extra['endpoint_label']}: {row.label}"
    if margin_row is not None:
        aim, shown = Aim(margin_row.extra["aim"]), margin_row.p_value
        words += f", {aim.replace('_', '-')} (margin {margin_row.extra['margin']:g})"
    p = None if shown is None else min(1.0, 2 * shown) if aim is Aim.NON_INFERIORITY else shown
    if sequential is not None:
        p = sequential.p_value(p, looks_count=looks_count)
    return _Test(row, aim, words, shown, p, bool(row.extra["is_primary"]))


def _holm_ledger(alpha: float, tests: Sequence[_Test]) -> tuple[LedgerEntry, ...]:
    # What could not be tested still counts in the family, as if its p-value were 1.
    adjusted = holm_adjusted([1.0 if test.p is None else test.p for test in tests])
    return tuple(
        _entry(order, test, None, NOT_ESTIMABLE)
        if test.p is None
        else _entry(order, test, float(value), _verdict(test, float(value), alpha))
        for order, (test, value) in enumerate(zip(tests, adjusted, strict=True), start=1)
    )


def _gatekeeping_ledger(alpha: float, tests: Sequence[_Test]) -> tuple[LedgerEntry, ...]:
    entries, open_gate, reached = [], True, 0.0
    for order, test in enumerate(tests, start=1):
        if not open_gate:
            entries.append(_entry(order, test, None, NOT_TESTED))
            continue
        if test.p is not None:
            # The adjusted p of a fixed sequence is the largest so far.
            reached = max(reached, test.p)
        adjusted = None if test.p is None else reached
        entries.append(_entry(order, test, adjusted, _verdict(test, test.p, alpha)))
        open_gate = test.p is not None and test.p <= alpha
    return tuple(entries)


def _entry(order: int, test: _Test, adjusted_p: float | None, decision: str) -> LedgerEntry:
    return LedgerEntry(order, test.row.row_id, test.words, str(test.aim), test.shown_p, adjusted_p, decision)


def _verdict(test: _Test, p_value: float | None, alpha: float) -> str:
    if p_value is None:
        return NOT_ESTIMABLE
    shown, not_shown = _VERDICTS[test.aim]
    return shown if p_value <= alpha else not_shown
