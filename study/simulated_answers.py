"""What simulated participants answer where no mood is asked: sound check, questionnaires, support.

Expectancy, preference and familiarity are drawn alike in every arm, and guesses of
the arm at chance: a rehearsal plants its effect in the reported mood alone.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from study.events import Asked
from study.questionnaire import Item, ItemKind, Questionnaire
from study.sound_check import INTERVALS
from study.support import FEELINGS

HEARS = 0.97
"""Share of trials that a simulated participant with headphones gets right."""

_LIKED = 0.55
_BLANK = 0.4
_REMARKS = (
    "I felt calmer after a while.",
    "The middle part was a bit long.",
    "It reminded me of rain, nice & quiet.",
    "Nothing special <3",
    "Ich war müde – trotzdem gut.",
)


def sound_check_responses(rng: random.Random, answers: Sequence[int], hears: bool) -> list[int]:
    """One attempt at the headphone test.

    Args:
        answers: the right interval of each trial.
        hears: whether it is tried with headphones; without, no trial is got right.
    """
    return [
        right if hears and rng.random() < HEARS else rng.choice([n for n in _INTERVALS if n != right])
        for right in answers
    ]


_INTERVALS = range(1, INTERVALS + 1)


def questionnaire_answers(
    rng: random.Random, questionnaire: Questionnaire, misses_item: float
) -> dict[str, str | float]:
    """Answers to a questionnaire; an item that need not be answered may be missed."""
    answers: dict[str, str | float] = {}
    for item in questionnaire.items:
        answer, is_missed = _answer(rng, item), rng.random() < misses_item
        if answer and (item.is_required or not is_missed):
            answers[item.item_id] = answer
    return answers


def _answer(rng: random.Random, item: Item) -> str | float:
    match item.kind:
        case ItemKind.SCALE:
            # Binomial: most in the middle, the ends now and then, nothing beyond them.
            return 1.0 + sum(rng.random() < _LIKED for _ in range(item.points - 1))
        case ItemKind.CHOICE:
            return rng.choice([option_id for option_id, _ in item.options])
        case ItemKind.TEXT:
            remark, is_blank = rng.choice(_REMARKS), rng.random() < _BLANK
            return "" if is_blank and not item.is_required else remark


def support_answer(rng: random.Random, goes_on: bool) -> tuple[str | None, bool]:
    """A feeling, or None, and whether somebody should come."""
    feeling = rng.choice([*FEELINGS, "better" if goes_on else "worse", None])
    return feeling, rng.random() < (0.1 if goes_on else 0.3)


def asked_of(rng: random.Random, items: Sequence[str], language: str) -> Asked:
    """How a simulated page showed an instrument: its items in random order."""
    order = list(items)
    rng.shuffle(order)
    return Asked(language, "", tuple(order), (), round(rng.lognormvariate(2.0, 0.5), 1))
