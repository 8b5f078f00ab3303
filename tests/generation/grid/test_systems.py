"""The systems that a model and trainings stand for, and which predictors took part in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from generation.clip_grid import Part, Role
from generation.grid.parts import parts_of
from generation.grid.request import GridRequest, SystemSpec
from generation.grid.systems import Choosing, standard_systems
from study.errors import IsopathError, ModelError, OutOfRange, StorageError
from tests.generation.grid.requests import COMPOSER
from tests.generation.grid.runs import leave_run

SMALL = "facebook/musicgen-small"


def test_without_a_model_the_composer_is_alone() -> None:
    (only,) = standard_systems(None, [], None)

    assert (only.name, only.engine, only.role) == ("composer", "composer", Role.SYSTEM)


def test_a_model_is_told_words_and_numbers_and_is_the_base() -> None:
    systems = standard_systems(SMALL, [], None)

    assert [(one.name, one.role, dict(one.options)) for one in systems] == [
        ("base-words", Role.BASE, {"model": SMALL, "prompts": "default"}),
        ("base-numeric", Role.SYSTEM, {"model": SMALL, "prompts": "numeric"}),
        ("composer", Role.SYSTEM, {}),
    ]


def test_a_training_is_told_what_it_learned_and_its_base_the_same_words(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "emotion", SMALL)
    adapter = str(run / "adapter")

    systems = standard_systems(None, [run], Choosing("cues", 4))

    learned = {
        "model": SMALL,
        "adapters": [adapter],
        "conditioning": ["prompt", "tokens"],
        "prompts": "plain",
        "affect_tokens": f"{adapter}/affect_tokens.safetensors",
    }
    assert [(one.name, one.title, dict(one.options)) for one in systems] == [
        ("base-words", "base with words", {"model": SMALL, "prompts": "plain"}),
        ("base-numeric", "base with a numeric prompt", {"model": SMALL, "prompts": "numeric"}),
        ("emotion", "LoRA with words and continuous V/A", learned),
        (
            "emotion-best-of-4",
            "LoRA with words and continuous V/A, best of 4 by cues",
            {**learned, "candidates": 4, "judge": "cues"},
        ),
        ("composer", "rule-based composer", {}),
    ]
    assert GridRequest("all", systems)


def test_two_trainings_of_one_name_and_two_tables_of_words_are_told_apart(tmp_path: Path) -> None:
    words = {"words": "tags", "affect": False}
    first = leave_run(tmp_path / "a" / "lora", SMALL)
    second = leave_run(tmp_path / "b" / "lora", SMALL, affect=False, conditioning=words)

    systems = standard_systems(None, [first, second, first], None)

    assert [one.name for one in systems] == [
        "base-words",
        "base-words-default",
        "base-numeric",
        "lora",
        "lora-2",
        "composer",
    ]
    assert [one.role for one in systems].count(Role.BASE) == 1
    assert dict(systems[4].options) == {
        "model": SMALL,
        "adapters": [str(second / "adapter")],
        "conditioning": ["prompt"],
        "prompts": "default",
    }


def test_a_whole_model_is_evaluated_against_what_it_was_trained_on(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "full", SMALL, affect=False, method="full")
    (run / "adapter").rename(run / "model")
    (run / "model" / "config.json").write_text("{}")

    base, _, trained, _ = standard_systems(None, [run], None)

    assert base.options["model"] == SMALL
    assert trained.options["model"] == str(run / "model")
    assert trained.title == "full training with words"
    assert "adapters" not in trained.options


def test_a_training_is_never_without_its_own_base(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", SMALL)

    systems = standard_systems("facebook/musicgen-medium", [run], None)

    assert [(one.name, one.options.get("model")) for one in systems if one.role is Role.BASE] == [
        ("base-words", "facebook/musicgen-medium"),
        ("base-2-words", SMALL),
    ]


def test_folders_that_hold_no_finished_training_are_all_named(tmp_path: Path) -> None:
    unfinished = leave_run(tmp_path / "unfinished", SMALL)
    (unfinished / "adapter" / "affect_tokens.safetensors").unlink()
    broken = leave_run(tmp_path / "broken", SMALL)
    (broken / "recipe.json").write_text("[]")

    with pytest.raises(IsopathError) as refused:
        standard_systems(None, [tmp_path / "nothing", unfinished, broken], None)

    lines = str(refused.value).splitlines()
    assert "is no training: recipe.json cannot be read" in lines[0]
    assert "affect_tokens.safetensors: is not there: nothing was trained to its end" in lines[1]
    assert "recipe.json: is no recipe" in lines[2]


@pytest.mark.parametrize(
    ("model", "choosing", "problem"),
    [
        (None, Choosing("cues"), "nothing to choose among"),
        (SMALL, Choosing("cues", 1), "1 is no choice"),
    ],
)
def test_best_of_n_needs_something_to_choose_among(
    model: str | None, choosing: Choosing, problem: str
) -> None:
    with pytest.raises(OutOfRange, match=problem):
        standard_systems(model, [], choosing)


def test_parts_are_known_from_marks_judge_engine_and_file(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", SMALL, predictors={"musicnn": ("labels", "selection")})
    (best,) = (one for one in standard_systems(None, [run], Choosing("essentia")) if "best" in one.name)

    assert parts_of(best) == {
        "essentia": (Part.CHOICE,),
        "musicnn": (Part.LABELS, Part.SELECTION),
    }
    assert parts_of(replace(COMPOSER, took_part={"cues": (Part.LABELS,)})) == {
        "cues": (Part.LABELS, Part.SHARED_CUES)
    }
    assert parts_of(SystemSpec("x", "x", "musicgen", {"model": SMALL})) == {}


def test_marks_that_cannot_be_read_are_refused_since_nobody_knows_who_took_part(tmp_path: Path) -> None:
    run = leave_run(tmp_path / "run", SMALL)
    (run / "adapter" / "isopath_training.json").write_text("{}")

    with pytest.raises(ModelError, match=r"isopath_training\.json"):
        parts_of(standard_systems(None, [run], None)[2])


def test_a_run_without_a_recipe_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="name the folder that isopath train --out wrote"):
        standard_systems(None, [tmp_path], None)
