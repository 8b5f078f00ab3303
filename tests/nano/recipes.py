"""What is trained: a base without labels, and adapters on it, as `isopath train` would take them."""

from __future__ import annotations

from pathlib import Path

from generation.training.recipe import (
    ConditioningRecipe,
    DataRecipe,
    LabelRecipe,
    LoraRecipe,
    OptimiserRecipe,
    Recipe,
    SelectionRecipe,
)
from tests.nano.composed import PROMPTS
from tests.nano.scale import Scale

BASE, WORDS, AFFECT, GAMES = "base", "lora-words", "lora-va", "lora-va-games"
LICENCE = "for this demonstration only: it learned from music under several free licences"
REPORTED_BY, LABELLED_BY = "musicnn", "cues"
SEED = 7


def base_recipe(scale: Scale, table: Path, untrained: Path) -> Recipe:
    """Every weight of the decoder, on all music there is; its words say what plays and nothing of emotion."""
    return Recipe(
        name=BASE,
        model=str(untrained),
        method="full",
        data=_data(scale, table),
        labels=LabelRecipe("none"),
        conditioning=ConditioningRecipe("prompt", affect=False, drop_words=0.0, drop_both=scale.drop_both),
        optimiser=_optimiser(scale, scale.base_steps, scale.base_clips, scale.base_learning_rate),
        selection=_selection(scale, scale.base_steps),
        reported_by=REPORTED_BY,
        licence=LICENCE,
        seed=SEED,
    )


def adapter_recipe(scale: Scale, name: str, table: Path, base: Path) -> Recipe:
    """One of `WORDS`, `AFFECT` and `GAMES`."""
    by_words = name == WORDS
    labels = LabelRecipe("table", perspective="intended", intended_by="composer")
    if name == GAMES:
        labels = LabelRecipe("predictor", predictor=LABELLED_BY)
    told = ConditioningRecipe(words="none", drop_affect=0.0, drop_both=scale.drop_both)
    if by_words:
        told = ConditioningRecipe("table", PROMPTS, affect=False, drop_words=0.0, drop_both=scale.drop_both)
    return Recipe(
        name=name,
        model=str(base),
        data=_data(scale, table),
        labels=labels,
        conditioning=told,
        lora=LoraRecipe(r=scale.lora_r, lora_alpha=scale.lora_alpha, lora_dropout=0.0),
        optimiser=_optimiser(scale, scale.steps, scale.clips, scale.learning_rate),
        selection=_selection(scale, scale.steps),
        reported_by=REPORTED_BY,
        licence=LICENCE,
        seed=SEED,
    )


def _data(scale: Scale, table: Path) -> DataRecipe:
    return DataRecipe("table", str(table), crop_s=scale.crop_s, hop_s=scale.hop_s, shortest_s=scale.crop_s)


def _optimiser(scale: Scale, steps: int, clips: int, rate: float) -> OptimiserRecipe:
    return OptimiserRecipe(
        learning_rate=rate,
        batch_clips=clips,
        accumulation=1,
        max_steps=steps,
        warmup_steps=scale.warmup_steps,
        dtype=scale.dtype,
        gradient_checkpointing=False,
    )


def _selection(scale: Scale, steps: int) -> SelectionRecipe:
    return SelectionRecipe(every_steps=max(1, steps // scale.checks), validation_clips=32)
