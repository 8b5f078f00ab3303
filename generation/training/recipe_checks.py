"""A recipe whose single values are right: what is at odds in it, and what it names that is not here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from generation.conditioning import load_prompts
from generation.musicgen.store.catalogue import load_catalogue
from generation.training.recipe import Recipe
from generation.training.recipe_values import READERS
from study.errors import IsopathError, OutOfRange, StorageError, UnknownName
from study.protocol_file.text import did_you_mean, plain_number, shown


def contradictions(recipe: Recipe, where: str) -> Iterator[IsopathError]:
    """Fields that do not go together, or that would be read and change nothing.

    Args:
        where: the place of the recipe's top: ``recipe.json::$``.
    """
    yield from _idle_fields(recipe, where)
    data, labels, told = recipe.data, recipe.labels, recipe.conditioning
    if labels.source == "predictor" and labels.predictor is None:
        yield OutOfRange(
            f"{where}.labels.predictor",
            "is missing, and source is predictor",
            "name one that will not report",
        )
    if labels.source == "table" and data.kind == "jamendo":
        yield OutOfRange(
            f"{where}.labels.source",
            'is "table", and MTG-Jamendo has no valence and arousal of its own',
            "write tags or predictor",
        )
    if told.words == "prompt" and data.kind == "jamendo":
        yield OutOfRange(
            f"{where}.conditioning.words",
            'is "prompt", and MTG-Jamendo has no prompts',
            "write tags or table",
        )
    if labels.source == "none" and told.affect:
        yield OutOfRange(
            f"{where}.conditioning.affect",
            "is true, and labels.source is none: no window has a place on the plane",
            "write false, or say in labels.source where valence and arousal come from",
        )
    if labels.source == "none" and told.words == "table":
        yield OutOfRange(
            f"{where}.conditioning.words",
            'is "table", and labels.source is none: a prompt table needs a place on the plane',
            "write tags, prompt or none, or say in labels.source where valence and arousal come from",
        )
    if recipe.method == "lora" and told.words == "none" and not told.affect:
        yield OutOfRange(
            f"{where}.conditioning",
            'words is "none" and affect is false: the adapter would learn nothing that it could be asked for',
            "train with words, with affect, or with both; or write method full",
        )
    dropped = told.drop_words + told.drop_affect + told.drop_both
    if dropped > 1.0:
        yield OutOfRange(
            f"{where}.conditioning",
            f"drop_words, drop_affect and drop_both sum to {plain_number(dropped)}, above 1",
            "write shares that leave most windows whole, for example 0.1 each",
        )
    if data.shortest_s > data.crop_s:
        yield OutOfRange(
            f"{where}.data.shortest_s",
            f"{plain_number(data.shortest_s)} is longer than crop_s {plain_number(data.crop_s)}",
            f"write a number up to {plain_number(data.crop_s)}",
        )
    if recipe.optimiser.warmup_steps >= recipe.optimiser.max_steps:
        yield OutOfRange(
            f"{where}.optimiser.warmup_steps",
            f"{recipe.optimiser.warmup_steps} leaves none of max_steps {recipe.optimiser.max_steps}",
            "write fewer, about a twentieth of max_steps",
        )
    if recipe.selection.predictor is not None and not told.affect and told.words != "table":
        yield OutOfRange(
            f"{where}.selection.predictor",
            f"{shown(recipe.selection.predictor)} would hear clips for targets that the model cannot be told",
            'write conditioning.affect true or conditioning.words "table", or leave the predictor out',
        )


def _idle_fields(recipe: Recipe, where: str) -> Iterator[IsopathError]:
    """Fields that were set to other than their default and that nothing would read."""
    for part, names, is_read, needs in _belongings(recipe):
        if is_read:
            continue
        values = getattr(recipe, part)
        for field in fields(values):
            if field.name in names and getattr(values, field.name) != field.default:
                yield OutOfRange(
                    f"{where}.{part}.{field.name}",
                    f"is written, and would change nothing: it needs {needs}",
                    f"write {needs}, or leave {field.name} out",
                )


def _belongings(recipe: Recipe) -> Iterator[tuple[str, tuple[str, ...], bool, str]]:
    """Part, fields, whether anything reads them, and what they belong to."""
    data, labels, told = recipe.data, recipe.labels, recipe.conditioning
    yield "data", ("splits",), data.kind == "jamendo", "data.kind jamendo"
    yield "labels", ("tag_table",), labels.source == "tags", "labels.source tags"
    yield "labels", ("predictor",), labels.source == "predictor", "labels.source predictor"
    yield "labels", ("perspective",), labels.source == "table", "labels.source table"
    is_intended = labels.source == "table" and labels.perspective == "intended"
    yield "labels", ("intended_by",), is_intended, "labels.perspective intended"
    yield "conditioning", ("prompts",), told.words == "table", "conditioning.words table"
    yield "conditioning", ("drop_words",), told.words != "none", "conditioning.words other than none"
    yield (
        "conditioning",
        ("n_tokens", "width", "drop_affect"),
        told.affect,
        "conditioning.affect true",
    )
    yield "optimiser", ("affect_learning_rate",), told.affect, "conditioning.affect true"
    yield "lora", tuple(READERS["lora"]), recipe.method == "lora", "method lora"
    yield "sampling", tuple(READERS["sampling"]), labels.source != "none", "labels.source other than none"
    yield (
        "selection",
        ("targets", "seeds", "clip_s", "guidance_scale"),
        recipe.selection.predictor is not None,
        "selection.predictor",
    )


def missing_things(recipe: Recipe, where: str) -> Iterator[IsopathError]:
    """What the recipe names and this machine does not have; the arguments are those of `contradictions`."""
    known = [model.name for model in load_catalogue().values() if model.kind == "musicgen"]
    if recipe.model not in known and not Path(recipe.model).is_dir():
        yield UnknownName(
            f"{where}.model",
            f"{shown(recipe.model)} is neither a known model nor a folder",
            did_you_mean(Path(recipe.model).name, known)
            + f"write a folder's path, or one of {', '.join(known)}",
        )
    elif recipe.revision is not None and recipe.model not in known:
        yield OutOfRange(f"{where}.revision", "is written, and a folder has no revisions", "leave it out")
    if not Path(recipe.data.path).is_file():
        yield StorageError(
            f"{where}.data.path", f"{shown(recipe.data.path)} is not a file", "name the data set's table"
        )
    for field, folder in (("audio", recipe.data.audio), ("splits", recipe.data.splits)):
        if folder is not None and not Path(folder).is_dir():
            yield StorageError(f"{where}.data.{field}", f"{shown(folder)} is not a folder", "name a folder")
    if recipe.conditioning.words == "table":
        try:
            load_prompts(recipe.conditioning.prompts)
        except UnknownName as refusal:
            yield UnknownName(f"{where}.conditioning.prompts", refusal.problem, refusal.remedy)
        except IsopathError as refusal:
            yield refusal
