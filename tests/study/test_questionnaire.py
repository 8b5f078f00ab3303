"""Answers to the study's own questions: taken as they are, or refused."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from study.errors import ConductError, IsopathError, OutOfRange, Refusals, UnknownName
from study.questionnaire import Item, ItemKind, Questionnaire, check_answers, missed_items

WORDS = {"en": "words"}
AFTERWARDS = Questionnaire(
    "afterwards",
    (
        Item("liked", ItemKind.SCALE, WORDS, points=7, low=WORDS, high=WORDS, is_required=True),
        Item("guess", ItemKind.CHOICE, WORDS, options=(("iso", WORDS), ("do_not_know", WORDS))),
        Item("remarks", ItemKind.TEXT, WORDS),
    ),
)


def test_answers_come_back_as_they_were_given_in_the_order_of_the_page() -> None:
    remarks = "  <b>Schön</b>\n\n夜の静けさ 🎵 "

    taken = check_answers(AFTERWARDS, {"remarks": remarks, "guess": "iso", "liked": 7})

    assert taken == {"liked": 7.0, "guess": "iso", "remarks": remarks}
    assert list(taken) == ["liked", "guess", "remarks"]


def test_what_need_not_be_answered_may_be_missed_and_is_named() -> None:
    taken = check_answers(AFTERWARDS, {"liked": 1})

    assert taken == {"liked": 1.0}
    assert missed_items(AFTERWARDS, taken) == ("guess", "remarks")


@pytest.mark.parametrize(
    ("answers", "kind", "said"),
    [
        ({"liked": 0}, OutOfRange, "afterwards.liked: 0 is outside 1 to 7"),
        ({"liked": 8}, OutOfRange, "8 is outside 1 to 7"),
        ({"liked": 3.5}, OutOfRange, "3.5 lies between two points"),
        ({"liked": math.nan}, OutOfRange, "nan is outside 1 to 7"),
        ({"liked": math.inf}, OutOfRange, "inf is outside 1 to 7"),
        ({"liked": 10**400}, OutOfRange, " ... is outside 1 to 7"),
        ({"liked": True}, OutOfRange, "True is not a number"),
        ({"liked": "7"}, OutOfRange, "'7' is not a number"),
        ({"liked": None}, OutOfRange, "None is not a number"),
        ({"liked": 7, "guess": "target_only"}, UnknownName, "'target_only' is not one of its answers"),
        ({"liked": 7, "guess": ["iso"]}, UnknownName, "is not one of its answers; write one of iso, do_not"),
        ({"liked": 7, "guess": ""}, UnknownName, "'' is not one of its answers"),
        ({"liked": 7, "remarks": 5}, OutOfRange, "5 is not text"),
        ({"liked": 7, "remarks": " \n"}, OutOfRange, "afterwards.remarks: is blank"),
        ({"liked": 7, "remarks": "x" * 5001}, OutOfRange, "is 5001 characters long, more than 5000"),
        ({"liked": 7, "remarks": "a\ud83d"}, OutOfRange, "holds a character that cannot be stored"),
        ({"liked": 7, "remarks": "a\0"}, OutOfRange, "holds a character that cannot be stored"),
        ({"liked": 7, "mood": 3}, UnknownName, "afterwards.mood: is not an item of it; write one of liked"),
        ({}, ConductError, "afterwards.liked: was not answered, and must be"),
    ],
)
def test_what_is_no_answer_is_refused(
    answers: dict[str, object], kind: type[IsopathError], said: str
) -> None:
    with pytest.raises(kind) as refused:
        check_answers(AFTERWARDS, answers)

    assert said in str(refused.value)


def test_five_thousand_characters_may_be_written() -> None:
    assert len(str(check_answers(AFTERWARDS, {"liked": 7, "remarks": "x" * 5000})["remarks"])) == 5000


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(Refusals) as refused:
        check_answers(AFTERWARDS, {"mood": 3, "guess": "both", "remarks": ""})

    places = [refusal.where for refusal in refused.value.refusals]
    assert places == ["afterwards.mood", "afterwards.liked", "afterwards.guess", "afterwards.remarks"]


_ANY = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.lists(st.integers())


@given(st.dictionaries(st.sampled_from(["liked", "guess", "remarks", "mood"]), _ANY))
def test_anything_is_taken_whole_or_refused(answers: dict[str, object]) -> None:
    try:
        taken = check_answers(AFTERWARDS, answers)
    except IsopathError:
        return

    assert taken == answers
    assert {*taken, *missed_items(AFTERWARDS, taken)} == {"liked", "guess", "remarks"}
