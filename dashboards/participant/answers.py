"""What a page sends, as the use case of the step it answers."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from dashboards.participant.answer_fields import AnswerFields, is_number
from study.conduct import (
    assess_eligibility,
    complete_induction,
    decline_consent,
    give_consent,
    read_debrief,
)
from study.errors import ConductError, OutOfRange
from study.events import Asked, History
from study.founding import Study
from study.instruments import instrument_kind
from study.self_reports import miss_report, submit_questionnaire, submit_report
from study.sound_check import record_sound_check
from study.step import (
    AnswerEligibility,
    AnswerSupport,
    CheckSound,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    ReadDebrief,
    Step,
)
from study.steps import next_step, step_key
from study.support import answer_support
from study.visits import opening_of

ACTOR = "participant"
FEELINGS = ("better", "same", "worse")
SKIPPED = "skipped by the participant"

_LONGEST_RESPONSE_S = 7 * 86_400.0


class NotDue(ConductError):
    """The answer belongs to another step than the one that is due, which `next_key` names."""

    def __init__(self, participant_id: str, next_key: str) -> None:
        super().__init__(participant_id, "this is not the step that is due", "show the step that is")
        self.next_key = next_key


def due_key(study: Study, participant_id: str) -> str:
    """The key of the step that is due."""
    history = study.record.participant(participant_id)
    return step_key(next_step(study.protocol_of(history), history), history)


def take_answer(
    study: Study,
    participant_id: str,
    key: str,
    answer: object,
    language: str,
    response_time_s: float | None,
    now: datetime,
) -> str:
    """Record the answer to the step that is due; gives the key of the step after it.

    Args:
        key: of the step the page showed; an answer answers no other.
        answer: as JSON gave it; its fields depend on the step.
        language: of the words that were shown.
        response_time_s: from shown to sent, by the browser's own clock; None where it does not say.
        now: UTC, for the visit's window.

    Raises:
        NotDue: another step is due, or the visit is not open yet.
        OutOfRange, UnknownName, ConductError: the answer will not do; nothing is recorded.
    """
    history = study.record.participant(participant_id)
    protocol = study.protocol_of(history)
    step = next_step(protocol, history)
    due = step_key(step, history)
    if key != due or opening_of(protocol, history, step, now) is not None:
        raise NotDue(participant_id, due)
    _Answering(study, participant_id, history, language, _seconds(response_time_s)).take(step, answer)
    return due_key(study, participant_id)


def _seconds(value: object) -> float | None:
    if value is None:
        return None
    if not is_number(value) or not isinstance(value, (int, float)) or not 0 <= value <= _LONGEST_RESPONSE_S:
        raise OutOfRange("response_time_s", "is not a time", "send seconds from 0, or null")
    return float(value)


class _Answering:
    def __init__(
        self, study: Study, participant_id: str, history: History, language: str, seconds: float | None
    ) -> None:
        self._study = study
        self._protocol = study.protocol_of(history)
        self._participant_id = participant_id
        self._history = history
        self._language = language
        self._response_time_s = seconds

    def take(self, step: Step, answer: object) -> None:
        match step:
            case GiveConsent():
                self._consent(answer)
            case AnswerEligibility():
                fields = AnswerFields("eligibility", answer, {"answers": "question to true or false"})
                given = fields.flags("answers")
                fields.done()
                assess_eligibility(self._study, ACTOR, self._participant_id, given)
            case CheckSound(session_id=session_id):
                self._sound_check(session_id, answer)
            case GoThroughInduction(session_id=session_id):
                AnswerFields("induction", answer, {}).done()
                complete_induction(self._study, ACTOR, self._participant_id, session_id)
            case GiveReport() as report:
                if self._is_skipped(answer):
                    miss_report(self._study, ACTOR, self._participant_id, report, SKIPPED)
                elif self._protocol.questionnaire(report.instrument_id) is not None:
                    self._questionnaire(report, answer)
                else:
                    self._instrument(report, answer)
            case AnswerSupport(session_id=session_id):
                self._support(session_id, answer)
            case ReadDebrief():
                AnswerFields("debrief", answer, {}).done()
                read_debrief(self._study, ACTOR, self._participant_id, self._language)
            case _:
                raise NotDue(self._participant_id, step_key(step, self._history))

    def _consent(self, answer: object) -> None:
        texts = self._protocol.consent_text
        fields = AnswerFields(
            "consent",
            answer,
            {
                "agreed": "true or false",
                "language": " or ".join(texts),
                "text_sha256": "the SHA-256 of the text that was shown",
            },
        )
        agreed, language = fields.flag("agreed"), fields.word("language", texts)
        shown = fields.word("text_sha256")
        fields.done()
        if shown != hashlib.sha256(texts[language].encode()).hexdigest():
            raise ConductError(
                "consent.text_sha256", "is not that of this study's text", "load the page again and read it"
            )
        if agreed:
            give_consent(self._study, ACTOR, self._participant_id, language)
        else:
            decline_consent(self._study, ACTOR, self._participant_id)

    def _sound_check(self, session_id: str, answer: object) -> None:
        expected = {"volume": "0 to 1, or null", "responses": "a list of 1, 2 or 3, one a trial"}
        fields = AnswerFields("sound_check", answer, expected)
        volume, responses = fields.share_or_none("volume"), fields.whole_numbers("responses")
        fields.done()
        if not set(responses) <= {1, 2, 3}:
            raise OutOfRange("sound_check.responses", "names another interval", "send 1, 2 or 3")
        record_sound_check(self._study, ACTOR, self._participant_id, session_id, volume, responses)

    def _is_skipped(self, answer: Any) -> bool:
        return isinstance(answer, dict) and set(answer) == {"skipped"} and answer["skipped"] is True

    def _instrument(self, report: GiveReport, answer: object) -> None:
        instrument = self._protocol.instrument(report.instrument_id)
        items = tuple(instrument_kind(instrument.kind).items)
        expected = {
            "responses": "item to number",
            "untouched": "a list of items",
            "item_order": "every item, as shown",
            "question": "the question, as shown",
        }
        fields = AnswerFields(report.instrument_id, answer, expected)
        responses, untouched = fields.numbers("responses"), fields.items("untouched", items, False)
        order, question = fields.items("item_order", items, True), fields.word("question")
        fields.done()
        asked = self._asked(order, question, untouched)
        submit_report(self._study, ACTOR, self._participant_id, report, responses, asked)

    def _questionnaire(self, report: GiveReport, answer: object) -> None:
        questionnaire = self._protocol.questionnaire(report.instrument_id)
        items = [item.item_id for item in questionnaire.items] if questionnaire else []
        expected = {"answers": "item to its answer", "item_order": "every item, as shown"}
        fields = AnswerFields(report.instrument_id, answer, expected)
        answers, order = fields.answers("answers"), fields.items("item_order", items, True)
        fields.done()
        asked = self._asked(order, "")
        submit_questionnaire(self._study, ACTOR, self._participant_id, report, answers, asked)

    def _asked(self, order: Sequence[str], question: str, untouched: Sequence[str] = ()) -> Asked:
        return Asked(self._language, question, tuple(order), tuple(untouched), self._response_time_s)

    def _support(self, session_id: str, answer: object) -> None:
        expected = {
            "feeling": " or ".join(FEELINGS) + ", or null",
            "wants_staff": "true or false",
            "goes_on": "true or false",
        }
        fields = AnswerFields("support", answer, expected)
        feeling = fields.word_or_none("feeling", FEELINGS)
        wants_staff, goes_on = fields.flag("wants_staff"), fields.flag("goes_on")
        fields.done()
        answer_support(self._study, ACTOR, self._participant_id, session_id, feeling, wants_staff, goes_on)
