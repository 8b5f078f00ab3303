"""The ledger of tests.

Holm's adjustment: ``padjust([0.319, 0.201, 0.4, 0.374, 0.113], "holm")`` of stdlib prints
0.957, 0.804, …, 0.957, 0.565 (as R's ``p.adjust`` does), and statsmodels the values of the other.
"""

from __future__ import annotations

import pytest

from analysis.effects import multiplicity
from analysis.effects.looks.sequential_test import SequentialTest
from analysis.effects.multiplicity import LedgerEntry, holm_adjusted, make_ledger
from analysis.result_row import ResultRow
from study.analysis_plan import Aim, InterimSpec


def row(name: str, p_value: float | None, is_primary: bool = False) -> ResultRow:
    extra = {"is_primary": is_primary, "endpoint_label": "Progress", "contrast_id": name}
    return ResultRow(name, name, 0.1, None, None, p_value, 20, "", None, extra)


def margin_row(name: str, p_value: float | None, aim: Aim) -> ResultRow:
    extra = {"contrast_id": name, "aim": str(aim), "margin": 0.2}
    return ResultRow(f"equivalence:{name}", name, 0.1, None, None, p_value, 20, "", None, extra)


def with_looks(*taken: tuple[float, float | None], spending: str = "obrien_fleming") -> SequentialTest:
    return SequentialTest(InterimSpec((0.5, 1.0), spending), 0.05, taken, 1.0)


def decisions(entries: tuple[LedgerEntry, ...]) -> list[tuple[str, str]]:
    return [(entry.row_id, entry.decision) for entry in entries]


def test_holm_adjusts_as_statsmodels_multipletests_prints() -> None:
    adjusted = holm_adjusted([0.01, 0.02, 0.03, 0.04, 0.005])

    assert adjusted == pytest.approx([0.04, 0.06, 0.06, 0.06, 0.025])


def test_holm_adjusts_as_stdlib_and_r_print() -> None:
    adjusted = holm_adjusted([0.319, 0.201, 0.4, 0.374, 0.113])

    assert [adjusted[index] for index in (0, 1, 3, 4)] == pytest.approx([0.957, 0.804, 0.957, 0.565])


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


def test_equivalence_enters_by_its_two_one_sided_tests() -> None:
    (entry,) = make_ledger("none", 0.05, [row("a", 0.6, True)], [], [margin_row("a", 0.03, Aim.EQUIVALENCE)])

    assert (entry.p_value, entry.adjusted_p) == (0.03, 0.03)
    assert entry.decision == multiplicity.EQUIVALENT
    assert entry.test == "Progress: a, equivalence (margin 0.2)"
    assert (entry.row_id, entry.aim) == ("a", "equivalence")


def test_a_difference_from_nothing_does_not_show_equivalence() -> None:
    (entry,) = make_ledger("none", 0.05, [row("a", 0.001, True)], [], [margin_row("a", 0.4, Aim.EQUIVALENCE)])

    assert entry.decision == multiplicity.NOT_EQUIVALENT


@pytest.mark.parametrize(
    ("one_sided", "decision"),
    [(0.024, multiplicity.NOT_INFERIOR), (0.03, multiplicity.NOT_SHOWN_NOT_INFERIOR)],
)
def test_non_inferiority_is_one_sided_at_half_of_alpha(one_sided: float, decision: str) -> None:
    (entry,) = make_ledger(
        "none", 0.05, [row("a", 0.9, True)], [], [margin_row("a", one_sided, Aim.NON_INFERIORITY)]
    )

    assert entry.p_value == one_sided
    assert entry.adjusted_p == pytest.approx(2 * one_sided)
    assert entry.decision == decision


def test_holm_mixes_aims_on_one_scale() -> None:
    ledger = make_ledger(
        "holm",
        0.05,
        [row("a", 0.9, True), row("b", 0.02)],
        [],
        [margin_row("a", 0.015, Aim.NON_INFERIORITY)],
    )

    assert [entry.adjusted_p for entry in ledger] == pytest.approx([0.04, 0.04])


def test_gatekeeping_goes_on_after_equivalence_to_the_others_and_to_distance() -> None:
    ledger = make_ledger(
        "gatekeeping",
        0.05,
        [row("b", 0.02), row("a", 0.7, True)],
        [row("distance", 0.03, True)],
        [margin_row("a", 0.01, Aim.EQUIVALENCE)],
    )

    assert decisions(ledger) == [
        ("a", multiplicity.EQUIVALENT),
        ("b", multiplicity.REJECTED),
        ("distance", multiplicity.REJECTED),
    ]


def test_a_margin_that_could_not_be_tested_is_not_estimable_whatever_the_p_value_against_zero() -> None:
    (entry,) = make_ledger(
        "none", 0.05, [row("a", 0.001, True)], [], [margin_row("a", None, Aim.EQUIVALENCE)]
    )

    assert entry.decision == multiplicity.NOT_ESTIMABLE


def test_after_a_look_the_last_test_is_held_against_its_nominal_level() -> None:
    """O'Brien & Fleming, two looks: 1.977 at the end is a nominal level of .0480."""
    for p_value, decision in ((0.0479, multiplicity.REJECTED), (0.0482, multiplicity.NOT_REJECTED)):
        (entry,) = make_ledger("none", 0.05, [row("a", p_value, True)], [], [], with_looks((0.5, 1.0)))

        assert entry.p_value == p_value
        assert entry.decision == decision


def test_a_boundary_crossed_at_a_look_stands_whatever_comes_after() -> None:
    (entry,) = make_ledger("none", 0.05, [row("a", 0.3, True)], [], [], with_looks((0.5, 2.9)))
    (unknown,) = make_ledger("none", 0.05, [row("a", None, True)], [], [], with_looks((0.5, 2.9)))

    assert entry.decision == unknown.decision == multiplicity.REJECTED
    assert unknown.p_value is None


def test_a_look_that_did_not_cross_makes_no_estimate_of_what_cannot_be_estimated() -> None:
    (entry,) = make_ledger("none", 0.05, [row("a", None, True)], [], [], with_looks((0.5, 1.0)))

    assert entry.decision == multiplicity.NOT_ESTIMABLE


def test_a_look_at_the_primary_contrast_says_nothing_for_the_others() -> None:
    ledger = make_ledger(
        "gatekeeping", 0.05, [row("a", 0.3, True), row("b", 0.2)], [], [], with_looks((0.5, 2.9))
    )

    assert decisions(ledger) == [("a", multiplicity.REJECTED), ("b", multiplicity.NOT_REJECTED)]


def test_spending_leaves_the_last_test_what_the_taken_looks_left() -> None:
    """Lan & DeMets, looks at .5 and 1: 1.969 at the end, a nominal level of .0490; without a look .05."""
    spending = "lan_demets_obrien_fleming"
    for taken, level in (((0.5, 1.0),), 0.0490), ((), 0.05):
        test = with_looks(*taken, spending=spending)

        assert test.final_boundary.nominal_p == pytest.approx(level, abs=5e-5)
