"""A stack of studies is analysed as each of them alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from analysis.chosen_model import estimate_endpoint
from analysis.effects.equivalence import equivalence_rows
from analysis.effects.multiplicity import make_ledger
from analysis.planning.batched import (
    estimate_one_by_one,
    estimate_studies,
    has_batched_form,
)
from analysis.planning.power import shown_by
from analysis.planning.simulated_outcomes import Scenario, SimulatedStudies, draw_studies
from study.analysis_plan import Aim, MissingSpec, Model
from study.path import PathKind
from study.protocol import AllocationGroup, Design, StudyProtocol
from tests.analysis.made_study import make_protocol

THREE = (PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE)
SCENARIO = Scenario(
    "projected_progress",
    {"iso": 0.1, "target_only": -0.1},
    (-0.45, 0.4),
    (0.1, 0.0),
    0.4,
    spread={"iso": 1.5},
    drop_out=0.15,
)


def drawn(protocol: StudyProtocol, people: int, replicates: int = 8, seed: int = 1) -> SimulatedStudies:
    return draw_studies(protocol, SCENARIO, people, replicates, np.random.default_rng(seed))


def latin_square() -> StudyProtocol:
    plain = make_protocol(THREE, design=Design.CROSSOVER)
    ids = [arm.arm_id for arm in plain.arms]
    orders = [(0, 1, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0), (0, 2, 1), (1, 0, 2)]
    groups = tuple(
        AllocationGroup(f"order_{number}", tuple(ids[arm] for arm in order), 1)
        for number, order in enumerate(orders)
    )
    return replace(plain, allocation=replace(plain.allocation, groups=groups, block_sizes=(6,)))


PROTOCOLS = (
    make_protocol(),
    make_protocol(THREE),
    make_protocol(covariates=()),
    make_protocol(design=Design.CROSSOVER),
    latin_square(),
)


@pytest.mark.parametrize("endpoint", ["projected_progress", "distance"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_stack_gives_what_estimate_endpoint_gives(protocol: StudyProtocol, endpoint: str) -> None:
    studies = drawn(protocol, 40)

    stacked = estimate_studies(studies, endpoint)
    alone = estimate_one_by_one(studies, endpoint, range(8))

    for name in ("value", "se", "df", "analysed", "p_value"):
        np.testing.assert_allclose(getattr(stacked, name), getattr(alone, name), rtol=0, atol=1e-10)
    assert np.isfinite(stacked.value).all()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_tiny_studies_agree_too_and_say_alike_where_nothing_can_be_estimated(protocol: StudyProtocol) -> None:
    studies = drawn(protocol, 8, replicates=40)

    stacked = estimate_studies(studies, "projected_progress")
    alone = estimate_one_by_one(studies, "projected_progress", range(40))

    np.testing.assert_allclose(stacked.value, alone.value, atol=1e-9)
    np.testing.assert_allclose(stacked.se, alone.se, atol=1e-9)


def test_some_tiny_studies_cannot_be_estimated() -> None:
    found = estimate_studies(drawn(make_protocol(), 6, replicates=60), "projected_progress")

    assert 0 < np.isnan(found.value).mean() < 1


def test_models_of_several_sessions_and_imputation_are_left_to_themselves() -> None:
    plain = make_protocol()

    assert has_batched_form(plain)
    assert has_batched_form(make_protocol(design=Design.CROSSOVER)) is True
    assert not has_batched_form(replace(plain, analysis=replace(plain.analysis, model=Model.MMRM)))
    imputed = replace(plain.analysis, missing=MissingSpec("multiple_imputation"))
    assert not has_batched_form(replace(plain, analysis=imputed))


@pytest.mark.parametrize("multiplicity", ["none", "holm", "gatekeeping"])
def test_decisions_are_those_of_the_ledger(multiplicity: str) -> None:
    protocol = make_protocol(THREE, multiplicity=multiplicity)
    studies = drawn(protocol, 60, replicates=12)

    shown = shown_by(protocol, estimate_studies(studies, "projected_progress"))

    for study in range(12):
        effects = estimate_endpoint(protocol, studies.outcomes(study), (), "projected_progress")
        ledger = make_ledger(multiplicity, 0.05, effects.contrasts, [])
        primary = next(e for e in ledger if e.row_id == "projected_progress:iso_vs_target_only")
        assert shown[study] == ((primary.adjusted_p or 1.0) <= 0.05)
    assert 0 < shown.mean() < 1


@pytest.mark.parametrize("aim", [Aim.EQUIVALENCE, Aim.NON_INFERIORITY])
@pytest.mark.parametrize("endpoint", ["projected_progress", "distance"])
def test_decisions_about_margins_are_those_of_the_results(aim: Aim, endpoint: str) -> None:
    protocol = make_protocol(endpoint=endpoint)
    contrast = replace(
        protocol.analysis.contrasts[0], aim=aim, margin=0.3 if aim is Aim.EQUIVALENCE else 0.02
    )
    better = endpoint == "projected_progress"
    analysis = replace(protocol.analysis, contrasts=(contrast,), higher_is_better=better)
    protocol = replace(protocol, analysis=analysis)
    studies = drawn(protocol, 60, replicates=12)

    shown = shown_by(protocol, estimate_studies(studies, endpoint))

    for study in range(12):
        effects = estimate_endpoint(protocol, studies.outcomes(study), (), endpoint)
        (row,) = equivalence_rows(protocol, effects)
        assert shown[study] == row.extra["concluded"]
    assert 0 < shown.mean() < 1
