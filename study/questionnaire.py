"""A study's own questions: Likert items, choices, free text; and what an answer to them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from study.errors import ConductError, IsopathError, OutOfRange, UnknownName, refuse

Text = Mapping[str, str]
"""A text in several languages: language code to Markdown."""

PALETTE = "palette"
"""What an item measures whose answer is the palette that an arm with the `PREFERRED` one plays."""

PREFERRED = "preferred"
"""In place of a palette in an arm's engine options: the one that the person chose."""

DO_NOT_KNOW = "do_not_know"
"""The option of an arm guess for those who cannot say."""

MAX_TEXT = 5000
"""Characters that an answer in free words may have."""


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
        measures: ``expectancy``, ``preference``, ``familiarity``, ``arm_guess``, ``palette`` or None. The
            options of an arm guess are arm ids and ``do_not_know``, those of a palette what the engine
            calls its palettes.
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


def missed_items(questionnaire: Questionnaire, answers: Mapping[str, object]) -> tuple[str, ...]:
    """The items without an answer, in the questionnaire's order."""
    return tuple(item.item_id for item in questionnaire.items if item.item_id not in answers)


def check_answers(questionnaire: Questionnaire, answers: Mapping[str, object]) -> dict[str, str | float]:
    """The answers, if each is one of its item's.

    Nothing is rounded, trimmed or left out: what cannot be an answer is refused.

    Args:
        questionnaire: which one was answered.
        answers: item id to a point of its scale, an option's id, or text; leave out what was missed.

    Returns:
        The same answers, in the questionnaire's order.

    Raises:
        UnknownName: an item or option that is not there.
        OutOfRange: off the scale or between its points; no text, or too long a text.
        ConductError: a required item was missed.
        Refusals: several of these.
    """
    refusals: list[IsopathError] = []
    given: dict[str, str | float] = {}
    known = {item.item_id: item for item in questionnaire.items}
    for name in answers:
        if name not in known:
            where = f"{questionnaire.questionnaire_id}.{name}"
            refusals.append(UnknownName(where, "is not an item of it", "write one of " + ", ".join(known)))
    for item in questionnaire.items:
        where = f"{questionnaire.questionnaire_id}.{item.item_id}"
        try:
            if item.item_id in answers:
                given[item.item_id] = _checked(item, answers[item.item_id], where)
            elif item.is_required:
                raise ConductError(where, "was not answered, and must be", "answer it")
        except IsopathError as refusal:
            refusals.append(refusal)
    refuse(refusals)
    return given


def _checked(item: Item, answer: object, where: str) -> str | float:
    match item.kind:
        case ItemKind.SCALE:
            return _point(answer, item.points, where)
        case ItemKind.CHOICE:
            return _option(answer, [option_id for option_id, _ in item.options], where)
        case ItemKind.TEXT:
            return _words(answer, where)


def _point(answer: object, points: int, where: str) -> float:
    remedy = f"write a whole number from 1 to {points}, or leave it out"
    if isinstance(answer, bool) or not isinstance(answer, (int, float)):
        raise OutOfRange(where, f"{_shown(answer)} is not a number", remedy)
    if not 1 <= answer <= points:
        raise OutOfRange(where, f"{_shown(answer)} is outside 1 to {points}", remedy)
    if answer != int(answer):
        raise OutOfRange(where, f"{_shown(answer)} lies between two points", remedy)
    return float(answer)


def _option(answer: object, options: Sequence[str], where: str) -> str:
    if not isinstance(answer, str) or answer not in options:
        remedy = f"write one of {', '.join(options)}, or leave it out"
        raise UnknownName(where, f"{_shown(answer)} is not one of its answers", remedy)
    return answer


def _words(answer: object, where: str) -> str:
    if not isinstance(answer, str):
        raise OutOfRange(where, f"{_shown(answer)} is not text", "write words, or leave it out")
    if not answer.strip():
        raise OutOfRange(where, "is blank", "write words, or leave it out")
    if len(answer) > MAX_TEXT:
        problem = f"is {len(answer)} characters long, more than {MAX_TEXT}"
        raise OutOfRange(where, problem, "write a shorter text")
    if "\0" in answer or any("\ud800" <= sign <= "\udfff" for sign in answer):
        raise OutOfRange(where, "holds a character that cannot be stored", "write letters and signs")
    return answer


def _shown(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else text[:56] + " ..."
