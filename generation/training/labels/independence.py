"""The predictor that reports may not be the one that labelled or selected, nor share a part with it."""

from __future__ import annotations

from collections.abc import Callable

from generation.composer.cues import READERS_OF_CUES
from generation.training.recipe import Recipe
from study.errors import IsopathError, UnknownName, refuse
from study.protocol_file.text import shown


def check_independence(recipe: Recipe, ingredients: Callable[[str], frozenset[str]]) -> None:
    """Refuse a recipe whose labels or choice of checkpoint come from what reports on it.

    Args:
        ingredients: what a predictor hears with, by its name; `analysis.mer.registry.ingredients`.

    Raises:
        UnknownName: `labels.predictor` or `selection.predictor` shares an ingredient with `reported_by`, or
            `reported_by` reads the cues that the music was composed with; all are told together.
    """
    composed = recipe.labels.intended_by or ""
    took_part = (
        ("labels.predictor", recipe.labels.predictor, "whose training it labels learns to please it"),
        (
            "selection.predictor",
            recipe.selection.predictor,
            "that it selects among checkpoints is the one it likes best",
        ),
        *(
            ("labels.intended_by", name, f"that learned from the {composed} learned to set its cues")
            for name in READERS_OF_CUES.get(composed, ())
        ),
    )
    refuse(
        [
            _refusal(where, name, outcome, recipe.reported_by, shared)
            for where, name, outcome in took_part
            if name is not None and (shared := ingredients(name) & ingredients(recipe.reported_by))
        ]
    )


def _refusal(where: str, name: str, outcome: str, reported_by: str, shared: frozenset[str]) -> IsopathError:
    told = (
        "is also reported_by"
        if name == reported_by
        else f"hears with what reported_by {shown(reported_by)} hears with ({', '.join(sorted(shared))})"
    )
    return UnknownName(
        where,
        f"{shown(name)} {told}, and a model {outcome}: its own report would be too good",
        "name a predictor that shares nothing with it in one of the two places",
    )
