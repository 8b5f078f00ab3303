"""An evaluation finds what was planted, and says nothing where nothing can be said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from importlib import resources
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from analysis.generator.claims import Verdict
from analysis.generator.evaluation import Evaluation, evaluate
from analysis.generator.heard import ClipFault, FaultKind, HeardGrid
from generation.clip_grid import GridSystem, Part, Role
from study.affect import Affect
from tests.analysis.generator.made_grids import Hears, heard, pull, system

CEILING = system("music", Role.CEILING, {"cues": (Part.LABELS,)}, "Real music")
BASE = system("base", Role.BASE, title="base, words")
LORA = system("lora", took_part={"cues": (Part.LABELS,)}, title="LoRA + V/A")
COMPOSER = system("composer", took_part={"cues": (Part.SHARED_CUES,)}, title="composer")

PLANTED: list[tuple[GridSystem, Mapping[str, Hears]]] = [
    (CEILING, {"musicnn": pull(0.1, 0.8, 0.25), "cues": pull(1, 1)}),
    (BASE, {"musicnn": pull(0.1, 0.2, 0.2), "cues": pull(0.1, 0.2, 0.2)}),
    (LORA, {"musicnn": pull(0.4, 0.7, 0.2), "cues": pull(0.6, 0.7, 0.2)}),
    (COMPOSER, {"musicnn": pull(0.1, 0.2, 0.2), "cues": pull(1, 1, 0.05)}),
]


def without(found: HeardGrid, *systems: str) -> HeardGrid:
    """The same grid, of whose clips of those systems none could be heard."""
    lost = [one.clip for one in found.clips if one.clip.system in systems]
    faults = tuple(
        ClipFault(clip.system, clip.target_id, clip.seed, clip.stim_file, FaultKind.MISSING, "cannot be read")
        for clip in lost
    )
    kept = tuple(one for one in found.clips if one.clip.system not in systems)
    return replace(found, clips=kept, faults=faults)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return evaluate(heard(PLANTED), 500, 0)


def verdicts(evaluation: Evaluation, name: str, predictor: str) -> dict[str, Verdict]:
    return {
        one.measure: one.verdict
        for one in evaluation.claims
        if (one.system, one.predictor) == (name, predictor)
    }


def test_what_was_planted_is_found_where_it_can_be_heard(evaluation: Evaluation) -> None:
    """The predictor hears arousal in real music and valence not: of valence and distance nothing is said."""
    music = evaluation.of("music", "musicnn").scores
    assert music["valence_r"].estimate is not None
    assert music["valence_r"].estimate < 0.5

    assert verdicts(evaluation, "lora", "musicnn") == {
        "distance": Verdict.NO_CLAIM,
        "valence_r": Verdict.NO_CLAIM,
        "valence_mae": Verdict.NO_CLAIM,
        "arousal_r": Verdict.BETTER,
        "arousal_mae": Verdict.BETTER,
    }


def test_nothing_is_claimed_where_nothing_differs(evaluation: Evaluation) -> None:
    assert verdicts(evaluation, "composer", "musicnn")["arousal_r"] is Verdict.UNDECIDED
    assert verdicts(evaluation, "composer", "musicnn")["arousal_mae"] is Verdict.UNDECIDED


def test_who_took_part_claims_nothing_however_large_the_difference(evaluation: Evaluation) -> None:
    for name in ("lora", "composer"):
        assert set(verdicts(evaluation, name, "cues").values()) == {Verdict.NO_CLAIM}
    assert [part.part for part in evaluation.of("composer", "cues").parts] == [Part.SHARED_CUES]


def test_two_systems_that_are_alike_are_seldom_told_apart() -> None:
    """Of five claims at 95 %, each should be made about once in twenty where nothing differs."""
    alike = [(one, {"musicnn": pull(0.4, 0.6, 0.2)}) for one in (BASE, system("lora"))]

    n_claimed = sum(
        one.verdict is not Verdict.UNDECIDED
        for seed in range(40)
        for one in evaluate(heard(alike, seed=seed), 300, 0).claims
    )

    # 200 claims: 10 expected; measured NCLAIMED.
    assert n_claimed <= 24


def test_comparisons_are_counted(evaluation: Evaluation) -> None:
    found = evaluation.to_json()["counted"]

    # Two systems, one base, two predictors, fifteen measures; the corner has four targets and no interval.
    assert found["differences"] == 2 * 2 * 13
    # musicnn on arousal, twice.
    assert found["claims"] == 4
    assert found["by_chance"] == pytest.approx(0.2)


def test_the_same_seed_gives_the_same_evaluation(evaluation: Evaluation) -> None:
    again, other = (evaluate(evaluation.heard, 500, seed) for seed in (0, 1))

    assert json.dumps(again.to_json()) == json.dumps(evaluation.to_json())
    assert json.dumps(other.to_json()) != json.dumps(evaluation.to_json())


def test_a_system_is_held_against_the_ceilings_it_names() -> None:
    deaf = (system("deaf", Role.CEILING), {"musicnn": pull(0, 0, 0.2)})
    clear = (system("clear", Role.CEILING), {"musicnn": pull(0.8, 0.8, 0.1)})
    base = (BASE, {"musicnn": pull(0.1, 0.1, 0.1)})
    systems = [
        (system(name, ceilings=ceilings), {"musicnn": pull(0.8, 0.8, 0.1)})
        for name, ceilings in (("of-clear", ("clear",)), ("of-all", ()))
    ]

    found = evaluate(heard([deaf, clear, base, *systems]), 200, 0)

    assert verdicts(found, "of-clear", "musicnn")["distance"] is Verdict.BETTER
    assert verdicts(found, "of-all", "musicnn")["distance"] is Verdict.NO_CLAIM


ONE_TARGET = [("t", Affect(0.5, 0.5))]
DEGENERATE = {
    "as planted": lambda: heard(PLANTED),
    "one target": lambda: heard(PLANTED, ONE_TARGET),
    "one clip": lambda: heard(PLANTED, ONE_TARGET, n_seeds=1),
    "constant predictions": lambda: heard([(one, {"musicnn": pull(0, 0)}) for one, _ in PLANTED]),
    "targets on an axis": lambda: heard(PLANTED, [("a", Affect(0, 0.5)), ("b", Affect(0, -0.5))]),
    "a system with all clips missing": lambda: without(heard(PLANTED), "lora"),
    "the base and the ceiling missing": lambda: without(heard(PLANTED), "base", "music"),
    "no clip at all": lambda: without(heard(PLANTED), "music", "base", "lora", "composer"),
    "no base": lambda: heard(PLANTED[2:]),
}


@pytest.mark.parametrize("made", DEGENERATE.values(), ids=DEGENERATE.keys())
def test_every_evaluation_is_as_its_schema_says(made: Any) -> None:
    """No NaN, and a reason wherever a number is missing."""
    schema = json.loads(resources.files("protocols").joinpath("generator.schema.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)

    found = evaluate(made(), 50, 0).to_json()

    problems = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message[:200]}"
        for error in Draft202012Validator(schema).iter_errors(found)
    ]
    assert problems == []
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert set(schema["properties"]) == set(found)
    assert all(one.get("description") for one in schema["properties"].values())


def test_constant_predictions_have_no_correlation_but_a_distance() -> None:
    found = evaluate(DEGENERATE["constant predictions"](), 50, 0).of("lora", "musicnn").scores

    assert found["arousal_r"].estimate is None
    assert found["arousal_r"].reason == "the arousal heard is the same in every clip"
    assert found["arousal_slope"].estimate == pytest.approx(0.0, abs=1e-12)
    corners = [np.hypot(v, a) for v in (0.25, 0.75) for a in (0.25, 0.75)]
    assert found["distance"].estimate == pytest.approx(np.mean(corners))


def test_a_system_without_a_clip_is_counted_and_claims_nothing() -> None:
    found = evaluate(DEGENERATE["a system with all clips missing"](), 50, 0)

    lora = next(one for one in found.to_json()["systems"] if one["name"] == "lora")
    assert (lora["n_clips"], lora["n_heard"], lora["faults"]) == (48, 0, {"missing": 48})
    assert set(verdicts(found, "lora", "musicnn").values()) == {Verdict.NO_CLAIM}
    # Nobody heard differently of the others for it.
    whole = evaluate(heard(PLANTED), 50, 0)
    assert found.of("base", "musicnn").scores == whole.of("base", "musicnn").scores
