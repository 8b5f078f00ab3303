"""A simulated study with looks is decided as the record and the ledger decide it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analysis.chosen_model import estimate_endpoint
from analysis.effects.looks.interim import look_at
from analysis.effects.looks.sequential_test import sequential_test_of
from analysis.effects.multiplicity import make_ledger
from analysis.planning.power import Task, decide
from analysis.planning.simulated_outcomes import Scenario, draw_studies
from analysis.planning.truth import rng_of
from study.analysis_plan import InterimSpec
from study.events import InterimLookTaken
from study.path import PathKind
from tests.analysis.made_study import make_protocol

ENDPOINT = "projected_progress"
STUDIES = 10


@pytest.mark.parametrize(
    ("multiplicity", "spending"), [("none", "obrien_fleming"), ("holm", "lan_demets_pocock")]
)
def test_looks_decide_as_the_ledger_does(multiplicity: str, spending: str) -> None:
    plain = make_protocol((PathKind.ISO, PathKind.TARGET_ONLY, PathKind.SILENCE), multiplicity=multiplicity)
    # One list of blocks of three, so that after 30 and 60 people each arm has its share.
    allocation = replace(plain.allocation, strata=(), block_sizes=(3,))
    analysis = replace(
        plain.analysis, covariates=("pre_valence", "pre_arousal"), interim=InterimSpec((0.5, 1.0), spending)
    )
    protocol = replace(plain, sample_size=60, allocation=allocation, analysis=analysis)
    scenario = Scenario(ENDPOINT, {"iso": 0.14, "target_only": -0.14}, (-0.45, 0.4), (0.1, 0.0), 0.4)
    task = Task(protocol, scenario, 60, STUDIES, "looks")

    found = decide(task)

    studies = draw_studies(protocol, scenario, 60, STUDIES, rng_of(protocol, "looks"))
    for number in range(STUDIES):
        early = estimate_endpoint(protocol, studies.first(30).outcomes(number), (), ENDPOINT)
        look = look_at(protocol, early, (), 1)
        assert look.information == pytest.approx(0.5)
        taken = InterimLookTaken(
            1, look.information, look.statistic_z, look.boundary_z, look.crossed, "0" * 64, "planned"
        )
        last = estimate_endpoint(protocol, studies.outcomes(number), (), ENDPOINT)
        sequential = sequential_test_of(protocol, last, [taken])
        ledger = make_ledger(multiplicity, 0.05, last.contrasts, [], (), sequential)
        primary = next(entry for entry in ledger if entry.row_id == f"{ENDPOINT}:iso_vs_target_only")
        assert found.early[number] == look.crossed
        assert found.shown[number] == ((primary.adjusted_p or 1.0) <= 0.05)
    assert 0 < found.early.sum() < found.shown.sum() < STUDIES
