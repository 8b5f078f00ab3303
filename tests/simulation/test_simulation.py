"""A short look at what `make validate` looks at long: wide bands, the fast methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec

import pytest

from tests.simulation.catalogue import catalogue
from tests.simulation.measured import COVERAGE, POWER, TYPE_I, Case, Finding
from tests.simulation.notes import NOTES

SEED = 7


def case_of(case_id: str) -> Case:
    return next(case for case in catalogue() if case.case_id == case_id)


@cache
def figures(case_id: str, replicates: int) -> Sequence[Finding]:
    return case_of(case_id).run(replicates, SEED)


def figure(found: Sequence[Finding], quantity: str) -> float:
    return next(one.value for one in found if one.quantity == quantity)


@pytest.mark.parametrize(
    ("case_id", "replicates"),
    [
        ("progress-plain", 2000),
        ("progress-spread", 2000),
        ("progress-mar", 2000),
        ("valence-ceiling", 1000),
        ("crossover-drift", 1000),
        ("equivalence-plain", 1000),
        ("looks-lan-demets", 1000),
        ("formula-once", 400),
        ("formula-repeated", 400),
        ("relation-permutation", 300),
        ("relation-repeated", 600),
        ("hotelling-plain", 150),
        ("imputation-mar", 60),
        ("mmrm-mar", 40),
        ("gatekeeping", 30),
        ("agreement-shared", 20),
    ],
)
def test_a_method_keeps_its_bars_within_the_error_of_a_short_simulation(
    case_id: str, replicates: int
) -> None:
    for found in figures(case_id, replicates):
        if found.bar is not None:
            low, high = found.bar
            room = 4 * math.sqrt(0.05 * 0.95 / found.replicates)
            assert low - room <= found.value <= high + room, found


def test_a_true_difference_is_found_and_estimated_without_bias() -> None:
    found = figures("progress-plain", 2000)

    assert 0.6 < figure(found, POWER) < 0.85
    for one in found:
        if one.quantity == "bias":
            assert abs(one.value) < 4 * one.error + 1e-4


def test_distance_rejects_where_only_spread_differs_and_projected_progress_does_not() -> None:
    assert figure(figures("distance-spread", 1000), TYPE_I) > 0.3
    assert figure(figures("progress-spread", 2000), TYPE_I) < 0.08


def test_participants_alone_are_far_too_sure_where_clips_are_shared() -> None:
    assert figure(figures("relation-slope-participants", 40), TYPE_I) > 0.2
    assert figure(figures("relation-repeated-drift", 40), TYPE_I) == 1.0


def test_jump_to_reference_covers_at_least_what_it_says() -> None:
    found = figures("reference", 40)

    assert figure(found, COVERAGE) > 0.9
    assert all(one.bar is None for one in found)


def test_every_primary_method_is_tried() -> None:
    methods = " ".join(case.method for case in catalogue())

    for name in (
        "Projected progress",
        "Distance",
        "valence",
        "arousal",
        "Hotelling",
        "Crossover",
        "MMRM",
        "random effects",
        "Multiple imputation",
        "Jump to reference",
        "Equivalence",
        "Non-inferiority",
        "Looks",
        "Holm",
        "Gatekeeping",
        "Agreement",
    ):
        assert name in methods
    ids = [case.case_id for case in catalogue()]
    assert len(ids) == len(set(ids))
    assert set(NOTES) <= set(ids)
    assert all(find_spec(module) for case in catalogue() for module in case.modules)
    assert {case.case_id for case in catalogue() if case.is_warning} <= set(NOTES)
