"""A recipe as a file: read whole, or refused with everything that is wrong in it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, replace
from pathlib import Path
from typing import Any

from generation.musicgen.store.catalogue import load_catalogue
from generation.training.recipe import (
    ConditioningRecipe,
    DataRecipe,
    LabelRecipe,
    LoraRecipe,
    OptimiserRecipe,
    Recipe,
    SamplingRecipe,
    SelectionRecipe,
)
from generation.training.recipe_checks import contradictions, missing_things
from generation.training.recipe_values import READERS
from study.canonical import plain
from study.errors import IsopathError, OutOfRange, StorageError, UnknownName, refuse
from study.protocol_file.text import did_you_mean, parse_text, shown, written

PARTS: Mapping[str, type] = {
    "data": DataRecipe,
    "labels": LabelRecipe,
    "conditioning": ConditioningRecipe,
    "lora": LoraRecipe,
    "optimiser": OptimiserRecipe,
    "sampling": SamplingRecipe,
    "selection": SelectionRecipe,
}
"""The parts of a recipe that are objects of their own."""

_REQUIRED_PARTS = ("data", "labels")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe's file; what it names by a relative path lies beside it.

    Raises:
        StorageError: the file cannot be read.
        ProtocolErrors: it is no JSON.
        OutOfRange, UnknownName, Refusals: every field that is unknown, off its range or at odds with
            another, and every file that is not there.
    """
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise StorageError(
            str(path),
            f"cannot be read ({problem.strerror})",
            "name a recipe's file; isopath train --write-recipe FILE writes one",
        ) from problem
    return parse_recipe(data, str(path), path.absolute().parent)


def parse_recipe(data: bytes, file: str, folder: Path) -> Recipe:
    """Read a recipe's bytes.

    Args:
        file: for messages.
        folder: where relative paths begin.

    Raises:
        ProtocolErrors, OutOfRange, UnknownName, Refusals: as `read_recipe`.
    """
    if not data.strip():
        raise OutOfRange(file, "the file is empty", "isopath train --write-recipe FILE writes a recipe")
    text = parse_text(data, file)
    place = f"{file}::"
    refuse([OutOfRange(place + written(f.path), f.problem, f.remedy) for f in text.findings])
    if not isinstance(text.value, dict):
        raise OutOfRange(f"{place}$", "is not an object { … }", "write a recipe as docs/training.md shows it")
    refusals: list[IsopathError] = []
    values = _values(text.value, f"{place}$", "", Recipe, refusals)
    for part, kind in PARTS.items():
        given = text.value.get(part)
        if given is None:
            if part in _REQUIRED_PARTS:
                refusals.append(_missing(f"{place}$.{part}"))
        elif not isinstance(given, dict):
            refusals.append(
                OutOfRange(f"{place}$.{part}", "is not an object { … }", "write its fields in braces")
            )
        else:
            values[part] = _values(given, f"{place}$.{part}", part, kind, refusals)
    refuse(refusals)
    made = {part: kind(**values[part]) for part, kind in PARTS.items() if part in values}
    recipe = Recipe(**{**values, **made})
    recipe = _with_whole_paths(recipe, folder)
    refuse([*contradictions(recipe, f"{place}$"), *missing_things(recipe, f"{place}$")])
    return recipe


def recipe_json(recipe: Recipe) -> str:
    """The recipe as `read_recipe` reads it, every field written."""
    return json.dumps(plain(recipe), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def default_recipe(kind: str) -> Recipe:
    """Every default, with the places filled in that a lab must fill.

    Args:
        kind: ``jamendo`` or ``table``.
    """
    data, labels = DataRecipe("table", "music/music.csv"), LabelRecipe("table")
    if kind == "jamendo":
        table = "mtg-jamendo-dataset/data/autotagging_moodtheme.tsv"
        data, labels = DataRecipe("jamendo", table, audio="mtg-jamendo/audio"), LabelRecipe("tags")
    return Recipe("emotion", "facebook/musicgen-small", data, labels, licence="CC-BY-NC-4.0")


def differences(kept: Recipe, given: Recipe) -> tuple[str, ...]:
    """Every field in which two recipes differ: ``$.optimiser.max_steps: 2000, now 500``."""
    found = []
    for part in ("", *PARTS):
        before, after = (_part(recipe, part) for recipe in (kept, given))
        for field in READERS[part]:
            old, new = getattr(before, field), getattr(after, field)
            if old != new:
                found.append(f"{_path(part, field)}: {shown(plain(old))}, now {shown(plain(new))}")
    return tuple(found)


def _values(
    given: Mapping[str, Any], where: str, part: str, kind: type, refusals: list[IsopathError]
) -> dict[str, Any]:
    """The fields of one part that can be read; the others join `refusals`."""
    readers = READERS[part]
    known = [*readers, *(PARTS if not part else ())]
    values: dict[str, Any] = {}
    for name, value in given.items():
        if name not in known:
            remedy = did_you_mean(name, known) + "delete it; the fields are " + ", ".join(known)
            refusals.append(UnknownName(f"{where}{written((name,))[1:]}", "is not a field here", remedy))
        elif name in readers:
            try:
                values[name] = readers[name](f"{where}.{name}", value)
            except IsopathError as refusal:
                refusals.append(refusal)
    refusals += [_missing(f"{where}.{name}") for name in _required(kind, readers) if name not in given]
    return values


def _required(kind: type, readers: Mapping[str, Any]) -> Iterator[str]:
    declared: tuple[Field[Any], ...] = fields(kind)
    for field in declared:
        if field.name in readers and field.default is MISSING and field.default_factory is MISSING:
            yield field.name


def _missing(where: str) -> OutOfRange:
    return OutOfRange(where, "is missing", "write it; docs/training.md says what it means")


def _with_whole_paths(recipe: Recipe, folder: Path) -> Recipe:
    """The same recipe, its files named so that they are found from anywhere."""
    data = replace(
        recipe.data,
        path=_whole(recipe.data.path, folder),
        audio=recipe.data.audio and _whole(recipe.data.audio, folder),
        splits=recipe.data.splits and _whole(recipe.data.splits, folder),
    )
    return replace(
        recipe,
        model=recipe.model if recipe.model in load_catalogue() else _whole(recipe.model, folder),
        data=data,
        labels=replace(recipe.labels, tag_table=_beside(recipe.labels.tag_table, folder)),
        conditioning=replace(recipe.conditioning, prompts=_beside(recipe.conditioning.prompts, folder)),
    )


def _whole(path: str, folder: Path) -> str:
    return os.path.normpath(folder / Path(path).expanduser())


def _beside(name: str, folder: Path) -> str:
    """A file's whole path, where it is a file and no name of what is installed."""
    path = folder / Path(name).expanduser()
    return str(path) if path.is_file() else name


def _part(recipe: Recipe, part: str) -> Any:
    return getattr(recipe, part) if part else recipe


def _path(part: str, field: str) -> str:
    return f"$.{part}.{field}" if part else f"$.{field}"
