"""The words a text encoder is given for a window of music."""

from __future__ import annotations

from generation.conditioning import load_prompts
from generation.prompts.table import PromptTable
from generation.training.recipe import ConditioningRecipe
from generation.training.tracks import Track
from study.affect import Affect
from study.errors import UnknownName
from study.protocol_file.text import did_you_mean, shown

WORDS = ("prompt", "tags", "table", "none")


class Words:
    """Writes the words of a window as a recipe asks.

    Args:
        recipe: `words` and, for ``table``, `prompts`.

    Raises:
        UnknownName: words of no known kind, or no such prompt table.
        StorageError, ProtocolErrors: the prompt table cannot be read.
    """

    def __init__(self, recipe: ConditioningRecipe) -> None:
        if recipe.words not in WORDS:
            raise UnknownName(
                "conditioning.words",
                f"{shown(recipe.words)} is not known here",
                did_you_mean(recipe.words, WORDS) + "write one of " + ", ".join(WORDS),
            )
        self.kind = recipe.words
        self._table: PromptTable | None = load_prompts(recipe.prompts) if recipe.words == "table" else None

    def of(self, track: Track, affect: Affect | None) -> str:
        """The words of a window of that track, heard at that place.

        Returns:
            Empty where the recipe wants none, and where the track has none.
        """
        if self.kind == "prompt":
            return (track.prompt or "").strip()
        if self.kind == "tags":
            return ", ".join(track.tags)
        if self._table is not None and affect is not None:
            return self._table.prompt(affect)
        return ""

    @property
    def missing(self) -> str:
        """What a track without words has not got."""
        return {"prompt": "prompt", "tags": "tag"}.get(self.kind, "words")
