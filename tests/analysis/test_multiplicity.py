"""The ledger of tests."""

from __future__ import annotations

import pytest

from analysis.effects import multiplicity
from analysis.effects.multiplicity import LedgerEntry, holm_adjusted, make_ledger
from analysis.result_row import ResultRow


def row(name: str, p_value: float | None, is_primary: bool = False) -> ResultRow:
    extra = {"is_primary": is_primary, "endpoint_label": "Progress"}
    return ResultRow(name, name, 0.1, None, None, p_value, 20, "", None, extra)


def decisions(entries: tuple[LedgerEntry, ...]) -> list[tuple[str, str]]:
    return [(entry.row_id, entry.decision) for entry in entries]


def test_holm_adjusts_as_statsmodels_multipletests_prints() -> None:
    adjusted = holm_adjusted([0.01, 0.02, 0.03, 0.04, 0.005])

    assert adjusted == pytest.approx([0.04, 0.06, 0.06, 0.06, 0.025])


def test_holm_never_exceeds_one() -> None:
    assert holm_adjusted([0.6, 0.7]) == pytest.approx([1.0, 1.0])


def test_holm_takes_every_contrast_of_the_protocol_as_one_family() -> None:
    ledger = make_ledger("holm", 0.05, [row("b", 0.02), row("a", 0.03, True), row("c", 0.001)], [])

    assert [entry.row_id for entry in ledger] == ["a", "b", "c"]
    assert [entry.adjusted_p for entry in ledger] == pytest.approx([0.04, 0.04, 0.003])


def test_a_contrast_that_could_not_be_estimated_still_counts_in_holms_family() -> None:
    ledger = make_ledger("holm", 0.05, [row("a", 0.03, True), row("b", None)], [])

    assert ledger[0].adjusted_p == pytest.approx(0.06)
    assert ledger[1].decision == multiplicity.NOT_ESTIMABLE


def test_gatekeeping_stops_at_the_first_gate_that_stays_closed() -> None:
    ledger = make_ledger(
        "gatekeeping", 0.05, [row("b", 0.2), row("a", 0.01, True)], [row("distance", 0.001, True)]
    )

    assert decisions(ledger) == [
        ("a", multiplicity.REJECTED),
        ("b", multiplicity.NOT_REJECTED),
        ("distance", multiplicity.NOT_TESTED),
    ]
    assert ledger[2].adjusted_p is None


def test_gatekeeping_adjusts_to_the_largest_p_so_far() -> None:
    ledger = make_ledger("gatekeeping", 0.05, [row("a", 0.04, True), row("b", 0.01)], [])

    assert [entry.adjusted_p for entry in ledger] == [0.04, 0.04]


def test_a_gate_that_could_not_be_tested_stays_closed() -> None:
    ledger = make_ledger("gatekeeping", 0.05, [row("a", None, True), row("b", 0.01)], [])

    assert decisions(ledger) == [("a", multiplicity.NOT_ESTIMABLE), ("b", multiplicity.NOT_TESTED)]


def test_without_a_procedure_only_the_primary_contrast_is_confirmatory() -> None:
    ledger = make_ledger("none", 0.05, [row("a", 0.01, True), row("b", 0.001)], [])

    assert decisions(ledger) == [("a", multiplicity.REJECTED), ("b", multiplicity.EXPLORATORY)]
