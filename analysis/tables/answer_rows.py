"""What people answered beside instruments: questionnaires in long form, and sound checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from study.corrections import corrected_items
from study.events import Asked, History, QuestionnaireSubmitted, RecordedEvent, SelfReportMissed, SoundChecked
from study.protocol import StudyProtocol
from study.questionnaire import Item, ItemKind
from study.versions import pinned

Row = dict[str, Any]

ArmAt = Callable[[str | None], str | None]
"""Session to arm."""


def answer_rows(protocol: StudyProtocol, history: History, arm_at: ArmAt) -> Iterator[Row]:
    """The rows of `questionnaire_answers`: one per item, answered or left blank.

    A questionnaire that was not answered at all has a row for each item, with the reason.

    Args:
        history: one participant's events as they were corrected last, in order; what was erased has no rows.
    """
    protocol, put_right = pinned(protocol, history), corrected_items(history)
    for recorded in history:
        event = recorded.event
        match event:
            case QuestionnaireSubmitted(questionnaire_id=questionnaire_id):
                asked = event.asked
            case SelfReportMissed(instrument_id=questionnaire_id):
                asked = None
            case _:
                continue
        questionnaire = protocol.questionnaire(questionnaire_id)
        for item in questionnaire.items if questionnaire is not None else ():
            yield {
                "participant_id": recorded.participant_id,
                "session_id": recorded.session_id,
                "arm": arm_at(recorded.session_id),
                "sequence": recorded.sequence,
                "at": recorded.at,
                "phase": str(event.phase),
                "questionnaire_id": questionnaire_id,
                "probe_at_s": event.probe_at_s,
                **_answer(item, event),
                "corrected": item.item_id in put_right.get(recorded.sequence, ()),
                **shown_columns(asked),
            }


def _answer(item: Item, event: QuestionnaireSubmitted | SelfReportMissed) -> Row:
    answers = event.answers if isinstance(event, QuestionnaireSubmitted) else {}
    answer = answers.get(item.item_id)
    return {
        "item_id": item.item_id,
        "measures": item.measures,
        "missed": answer is None,
        "missed_reason": event.reason if isinstance(event, SelfReportMissed) else None,
        "answer_number": answer if item.kind is ItemKind.SCALE else None,
        "answer_option": answer if item.kind is ItemKind.CHOICE else None,
        "answer_text": answer if item.kind is ItemKind.TEXT else None,
    }


def shown_columns(asked: Asked | None) -> Row:
    """How an instrument or questionnaire stood before the person; empty where staff typed it in."""
    if asked is None:
        return dict.fromkeys(("language", "item_order", "response_time_s"))
    return {
        "language": asked.language,
        "item_order": " ".join(asked.item_order),
        "response_time_s": asked.response_time_s,
    }


def sound_check_rows(history: History) -> Iterator[Row]:
    """The rows of `sound_checks`: one per attempt; what was erased has none."""
    for recorded in history:
        if isinstance(recorded.event, SoundChecked):
            yield _sound_check(recorded, recorded.event)


def _sound_check(recorded: RecordedEvent, checked: SoundChecked) -> Row:
    return {
        "participant_id": recorded.participant_id,
        "session_id": recorded.session_id,
        "sequence": recorded.sequence,
        "at": recorded.at,
        "attempt": checked.attempt,
        "volume": checked.volume,
        "headphone_test": checked.headphone_test,
        "correct": checked.correct,
        "trials": checked.trials,
        "passed": checked.passed,
    }
