"""A reporting guideline as a list of items, and what of it is known already.

The items are data, ``analysis/guidelines/<guideline>.json``; what each asks for is in our own words, under
the guideline's own numbers, so that the guideline's text stays where its authors keep it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources


class Standing(StrEnum):
    """How much of an item the study's own store can say."""

    STATED = "stated"
    IN_PART = "in part"
    AUTHORS = "for the authors"


@dataclass(frozen=True)
class Item:
    """One item of a guideline.

    Args:
        number: as the guideline numbers it.
        asks: what it asks for, in our words.
    """

    number: str
    section: str
    topic: str
    asks: str


@dataclass(frozen=True)
class Guideline:
    """A guideline with its source."""

    guideline_id: str
    name: str
    source: str
    wording: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Answer:
    """What is known for an item.

    Args:
        said: sentences, from protocol, record and results.
        where: sections of the report, by id, that say more.
        missing: what the authors have to add; empty where nothing.
    """

    said: tuple[str, ...]
    where: tuple[str, ...] = ()
    missing: str = ""

    @property
    def standing(self) -> Standing:
        """Stated where nothing is left to the authors."""
        if not self.said:
            return Standing.AUTHORS
        return Standing.IN_PART if self.missing else Standing.STATED


@dataclass(frozen=True)
class Checklist:
    """A guideline with an answer to every item.

    Raises:
        KeyError: an answer to no item, or an item without an answer.
    """

    guideline: Guideline
    answers: Mapping[str, Answer]

    def __post_init__(self) -> None:
        numbers = {item.number for item in self.guideline.items}
        if numbers != set(self.answers):
            odd = ", ".join(sorted(numbers ^ set(self.answers)))
            raise KeyError(f"{self.guideline.guideline_id}: items and answers differ at {odd}")

    def counts(self) -> dict[str, int]:
        """Standing to items."""
        return {
            str(standing): sum(answer.standing is standing for answer in self.answers.values())
            for standing in Standing
        }


@cache
def guideline(guideline_id: str) -> Guideline:
    """The guideline of that id: ``consort_2025`` or ``rg_mbi_2025``."""
    text = resources.files("analysis.guidelines").joinpath(f"{guideline_id}.json").read_text("utf-8")
    content = json.loads(text)
    items = tuple(Item(**item) for item in content.pop("items"))
    return Guideline(guideline_id=guideline_id, items=items, **content)
