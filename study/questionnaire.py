"""A study's own questions: Likert items, choices, free text; and what an answer to them is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Text = Mapping[str, str]
"""A text in several languages: language code to Markdown."""

DO_NOT_KNOW = "do_not_know"
"""The option of an arm guess for those who cannot say."""


class ItemKind(StrEnum):
    """How an item is answered."""

    SCALE = "scale"
    CHOICE = "choice"
    TEXT = "text"


@dataclass(frozen=True)
class Item:
    """One question.

    Args:
        text: the question.
        points: of a scale, from 1; its ends are `low` and `high` in words.
        options: of a choice, id to words.
        measures: ``expectancy``, ``preference``, ``familiarity``, ``arm_guess`` or None. The options of
            an arm guess are arm ids and ``do_not_know``.
    """

    item_id: str
    kind: ItemKind
    text: Text
    points: int = 0
    low: Text | None = None
    high: Text | None = None
    options: tuple[tuple[str, Text], ...] = ()
    measures: str | None = None
    is_required: bool = False


@dataclass(frozen=True)
class Questionnaire:
    """Items shown on one page."""

    questionnaire_id: str
    items: tuple[Item, ...]
