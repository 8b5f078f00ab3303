"""A recipe's file: read whole, or refused with every slip by its place."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from generation.training.recipe import DataRecipe, LabelRecipe, Recipe
from generation.training.recipe_file import (
    default_recipe,
    differences,
    parse_recipe,
    read_recipe,
    recipe_json,
)
from study.errors import IsopathError, StorageError

SMALLEST: Mapping[str, Any] = {
    "name": "calm",
    "model": "facebook/musicgen-small",
    "data": {"kind": "table", "path": "music.csv"},
    "labels": {"source": "table"},
}


def written(folder: Path, **changes: Any) -> Path:
    """The smallest recipe, with changes to its parts, beside an empty table."""
    fields = {**SMALLEST}
    for part, values in changes.items():
        is_part = isinstance(values, dict) and isinstance(fields.get(part), dict)
        fields[part] = {**fields[part], **values} if is_part else values
    (folder / "music.csv").write_text("path,valence,arousal\n")
    file = folder / "recipe.json"
    file.write_text(json.dumps(fields))
    return file


def refused(file: Path) -> list[str]:
    """The lines of a refusal, from the place on."""
    with pytest.raises(IsopathError) as refusal:
        read_recipe(file)
    return [line.removeprefix(f"{file}::") for line in str(refusal.value).splitlines()]


def test_what_is_not_written_has_the_published_defaults(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))

    table = str(tmp_path / "music.csv")
    assert recipe == Recipe(
        "calm", "facebook/musicgen-small", DataRecipe("table", table), LabelRecipe("table")
    )


def test_every_field_survives_writing_and_reading(tmp_path: Path) -> None:
    recipe = read_recipe(
        written(
            tmp_path,
            optimiser={"betas": [0.8, 0.95], "ema_decay": 0.999, "max_steps": 5000},
            lora={"target_modules": ["q_proj", "lm_heads.0"]},
            conditioning={"words": "table", "prompts": "default"},
        )
    )

    assert parse_recipe(recipe_json(recipe).encode(), "again.json", Path("/elsewhere")) == recipe
    assert recipe.optimiser.betas == (0.8, 0.95)
    assert recipe.lora.target_modules == ("q_proj", "lm_heads.0")


@pytest.mark.parametrize("kind", ["jamendo", "table"])
def test_the_written_defaults_are_a_recipe_once_its_music_is_there(kind: str, tmp_path: Path) -> None:
    default = default_recipe(kind)
    for name in filter(None, (default.data.path, default.data.audio)):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("") if place.suffix else place.mkdir()
    file = tmp_path / "recipe.json"
    file.write_text(recipe_json(default))

    recipe = read_recipe(file)

    assert recipe.data.path == str(tmp_path / default.data.path)
    assert replace(recipe, data=default.data) == default


def test_every_slip_is_told_at_once_by_its_place(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        modl="x",
        optimiser={"betas": [0.9, 1.2], "dtype": "float16", "maxsteps": 3},
        data={"crop_s": 60},
        lora={"target_modules": ["q_prj"]},
        reported_by="musicn",
        conditioning=[],
    )

    lines = refused(file)

    assert [line.partition(": ")[0] for line in lines] == [
        "$.modl",
        "$.reported_by",
        "$.data.crop_s",
        "$.conditioning",
        "$.lora.target_modules[0]",
        "$.optimiser.betas[1]",
        "$.optimiser.dtype",
        "$.optimiser.maxsteps",
    ]
    assert 'did you mean "model"?' in lines[0]
    assert 'did you mean "musicnn"?' in lines[1]
    assert "60 is not a number in [0.5, 30]" in lines[2]
    assert "1.2 is not a number in [0, 0.999999]" in lines[5]
    assert "overflows: the largest number it holds is 65504" in lines[6]
    assert 'did you mean "max_steps"?' in lines[7]


@pytest.mark.parametrize(
    ("changes", "place", "problem"),
    [
        ({"labels": {"source": "predictor"}}, "$.labels.predictor", "is missing, and source is predictor"),
        ({"labels": {"predictor": "cues"}}, "$.labels.predictor", "would change nothing"),
        (
            {"labels": {"source": "none"}},
            "$.conditioning.affect",
            "is true, and labels.source is none",
        ),
        (
            {"conditioning": {"words": "none", "affect": False}},
            "$.conditioning",
            'words is "none" and affect is false',
        ),
        (
            {"conditioning": {"drop_words": 0.8, "drop_both": 0.2}},
            "$.conditioning",
            "drop_words, drop_affect and drop_both sum to 1.1, above 1",
        ),
        ({"data": {"shortest_s": 20, "crop_s": 10}}, "$.data.shortest_s", "20 is longer than crop_s 10"),
        ({"optimiser": {"max_steps": 100}}, "$.optimiser.warmup_steps", "100 leaves none of max_steps 100"),
        ({"method": "full", "lora": {"r": 4}}, "$.lora.r", "would change nothing: it needs method lora"),
        (
            {"conditioning": {"affect": False}, "selection": {"predictor": "cues"}},
            "$.selection.predictor",
            "for targets that the model cannot be told",
        ),
        ({"selection": {"clip_s": 5}}, "$.selection.clip_s", "it needs selection.predictor"),
        ({"revision": "main", "model": "."}, "$.revision", "a folder has no revisions"),
        ({"model": "facebook/musicgen-smal"}, "$.model", "is neither a known model nor a folder"),
        ({"data": {"path": "musik.csv"}}, "$.data.path", "is not a file"),
        ({"conditioning": {"words": "table", "prompts": "plane"}}, "$.conditioning.prompts", "'plane'"),
        ({"seed": 1.5}, "$.seed", "1.5 is not a whole number"),
        ({"name": "a/b"}, "$.name", "cannot name a folder"),
    ],
)
def test_what_is_at_odds_is_refused_with_its_reason(
    changes: dict[str, Any], place: str, problem: str, tmp_path: Path
) -> None:
    lines = refused(written(tmp_path, **changes))

    assert len(lines) == 1, lines
    assert lines[0].startswith(f"{place}: ")
    assert problem in lines[0]


def test_jamendo_has_neither_places_nor_prompts_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, data={"kind": "jamendo"}, conditioning={"words": "prompt"})

    places = [line.partition(": ")[0] for line in refused(file)]

    assert places == ["$.labels.source", "$.conditioning.words"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty; isopath train --write-recipe FILE writes a recipe"),
        ("[]", "$: is not an object { … }"),
        ('{"name": "a", "name": "b"}', "$.name: stands twice in the same object"),
        ('{"name": }', "line 1, column 10"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(text)

    with pytest.raises(IsopathError) as refusal:
        read_recipe(file)

    assert problem in str(refusal.value)


def test_a_recipe_that_is_not_there_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="isopath train --write-recipe FILE"):
        read_recipe(tmp_path / "none.json")


def test_two_recipes_differ_by_the_fields_that_differ(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path))
    other = replace(recipe, seed=3, optimiser=replace(recipe.optimiser, max_steps=10))

    assert differences(recipe, recipe) == ()
    assert differences(recipe, other) == ("$.seed: 0, now 3", "$.optimiser.max_steps: 2000, now 10")
