"""Group-sequential boundaries against published tables.

- Jennison & Turnbull (2000), Group Sequential Methods with Applications to Clinical Trials:
  table 2.1 (Pocock, C_P) and table 2.3 (O'Brien & Fleming, C_B), two-sided alpha .05.
- Lan & DeMets (1983), Biometrika 70, 659-663; boundaries of five equally spaced looks as
  printed by the programs of Reboussin, DeMets, Kim & Lan (2000), Control. Clin. Trials 21,
  190-207, and .05 one-sided at quarters as the README of SeqBounds.jl prints it.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.effects.looks.group_sequential import boundaries, crossing_chances, sequential_p, spent_by
from analysis.result_row import NotEstimable


def equal(looks: int) -> list[float]:
    return [number / looks for number in range(1, looks + 1)]


def z_of(spending: str, information: list[float], alpha: float = 0.05) -> list[float]:
    return [boundary.z for boundary in boundaries(spending, information, alpha)]


@pytest.mark.parametrize(
    ("spending", "looks", "z"),
    [
        ("obrien_fleming", 2, [2.797, 1.977]),
        ("obrien_fleming", 3, [3.471, 2.454, 2.004]),
        ("obrien_fleming", 5, [4.562, 3.226, 2.634, 2.281, 2.040]),
        ("pocock", 2, [2.178, 2.178]),
        ("pocock", 5, [2.413] * 5),
        ("pocock", 10, [2.555] * 10),
        ("lan_demets_obrien_fleming", 2, [2.963, 1.969]),
        ("lan_demets_obrien_fleming", 5, [4.877, 3.357, 2.680, 2.290, 2.031]),
        ("lan_demets_pocock", 5, [2.438, 2.427, 2.410, 2.397, 2.386]),
    ],
)
def test_boundaries_are_those_of_the_tables(spending: str, looks: int, z: list[float]) -> None:
    assert z_of(spending, equal(looks)) == pytest.approx(z, abs=6e-4)


def test_each_side_of_a_two_sided_boundary_is_the_one_sided_one_of_half_the_level() -> None:
    found = z_of("lan_demets_obrien_fleming", equal(4), alpha=0.10)

    assert found == pytest.approx([3.74955, 2.53993, 2.01604, 1.72014], abs=5e-4)


@pytest.mark.parametrize("spending", ["obrien_fleming", "pocock", "lan_demets_obrien_fleming"])
def test_the_chance_of_crossing_anywhere_is_that_of_the_multivariate_normal(spending: str) -> None:
    information = [0.3, 0.45, 1.0]
    found = boundaries(spending, information, 0.05)
    correlation = np.sqrt(
        np.minimum.outer(information, information) / np.maximum.outer(information, information)
    )
    z = np.array([boundary.z for boundary in found])

    inside = float(stats.multivariate_normal.cdf(z, cov=correlation, lower_limit=-z))

    assert 1 - inside == pytest.approx(0.05, abs=2e-5)
    assert found[-1].alpha_spent == pytest.approx(0.05, abs=1e-9)


def test_one_look_alone_is_the_ordinary_test() -> None:
    for spending in ("obrien_fleming", "pocock", "lan_demets_obrien_fleming", "lan_demets_pocock"):
        (only,) = boundaries(spending, [1.0], 0.05)

        assert only.z == pytest.approx(1.959964, abs=1e-5)
        assert only.nominal_p == pytest.approx(0.05, abs=1e-6)


def test_looks_close_together_are_integrated_without_losing_alpha() -> None:
    information = [0.5, 0.501, 0.503, 1.0]

    found = boundaries("lan_demets_pocock", information, 0.05)

    assert crossing_chances([b.z for b in found], information).sum() == pytest.approx(0.05, abs=1e-7)


def test_the_last_look_spends_what_is_left_however_little_information_there_is() -> None:
    early, late = boundaries("lan_demets_obrien_fleming", [0.5, 0.8], 0.05)
    *_, open_end = boundaries("lan_demets_obrien_fleming", [0.5, 0.8], 0.05, is_final=False)

    assert early.z == pytest.approx(2.963, abs=6e-4)
    assert late.alpha_spent == 0.05
    assert open_end.alpha_spent == pytest.approx(spent_by("lan_demets_obrien_fleming", 0.8, 0.05))
    assert late.z < open_end.z


def test_more_information_than_planned_spends_no_more_than_alpha() -> None:
    assert spent_by("lan_demets_pocock", 1.3, 0.05) == pytest.approx(0.05)
    assert spent_by("lan_demets_obrien_fleming", 1.3, 0.05) == pytest.approx(0.05)


def test_information_that_does_not_grow_is_refused() -> None:
    for information in ([0.5, 0.5], [0.6, 0.4], [0.0, 1.0], []):
        with pytest.raises(NotEstimable, match="grow"):
            boundaries("lan_demets_pocock", information, 0.05)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(["obrien_fleming", "pocock", "lan_demets_obrien_fleming", "lan_demets_pocock"]),
    st.floats(0, 5),
    st.floats(0, 5),
)
def test_the_sequential_p_is_below_alpha_exactly_where_a_look_crossed(
    spending: str, first: float, second: float
) -> None:
    found = boundaries(spending, [0.5, 1.0], 0.05)
    margin = max(first - found[0].z, second - found[1].z)
    p = sequential_p(spending, [0.5, 1.0], [first, second])

    if abs(margin) > 1e-3:
        assert (p <= 0.05) == (margin > 0)


def test_the_sequential_p_of_the_boundary_itself_is_alpha() -> None:
    assert sequential_p("obrien_fleming", equal(2), [None, 1.97742]) == pytest.approx(0.05, abs=2e-5)
    assert sequential_p("pocock", equal(5), [2.41323, None, None, None, 0.0]) == pytest.approx(0.05, abs=2e-5)
    assert sequential_p("pocock", equal(2), [None, None]) == 1.0
