"""The use cases around a person's part: enrolment, consent, eligibility, incidents, the end.

Each looks at the record, decides and appends in one transaction. Real and
simulated participants go through the same functions. Whatever is not the
participant's next step is refused.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from study.allocation import check_stratum
from study.errors import ConductError, UnknownName
from study.events import (
    AdverseEventReported,
    ConsentDeclined,
    ConsentGiven,
    DataImported,
    DebriefRead,
    DeviationRecorded,
    EligibilityAssessed,
    EndReason,
    History,
    InductionCompleted,
    ParticipantDiscontinued,
    ParticipantEnrolled,
    ParticipationMoved,
)
from study.founding import Study, require_kind
from study.frozen import is_paused
from study.record import Draft, Reader
from study.step import AnswerEligibility, Finished, GiveConsent, GoThroughInduction, ReadDebrief
from study.steps import next_step, require_step
from study.visits import window_deviations


def enrol(study: Study, actor: str, stratum: Mapping[str, str]) -> str:
    """Give a new person an id. Nothing is allocated yet.

    Args:
        stratum: factor to level, for every factor of the protocol.

    Raises:
        ConductError: the stratum is not one of the protocol's.
        RecordMismatch: the study is a rehearsal.
    """
    participant_id = f"sub-{secrets.token_hex(4)}"
    enrol_as(study, actor, participant_id, stratum, simulated=False)
    return participant_id


def enrol_as(
    study: Study, actor: str, participant_id: str, stratum: Mapping[str, str], simulated: bool
) -> None:
    """Enrol under a given id.

    Raises:
        ConductError: the id is taken, the stratum is not one of the protocol's, or the record was
            imported: people of another study and one's own are never mixed.
        RecordMismatch: the study is a rehearsal and this is a person, or the other way round.
    """

    def decide(reader: Reader) -> Sequence[Draft]:
        require_kind(reader, study, simulated)
        _require_recruiting(reader)
        protocol = study.catch_up(reader)
        checked = check_stratum(protocol.allocation, stratum)
        if reader.events(participant_id):
            raise ConductError(participant_id, "is enrolled already", "use another id")
        if reader.events(kinds=[DataImported]):
            problem = "this record holds a study that ran elsewhere"
            raise ConductError("enrolment", problem, "enrol people into a new folder made by isopath init")
        return [Draft(ParticipantEnrolled(checked, simulated), participant_id)]

    study.record.append(actor, decide)


def _require_recruiting(reader: Reader) -> None:
    if is_paused(reader):
        problem = "recruitment is paused"
        raise ConductError("enrolment", problem, "wait until it is resumed; people under way go on")


def give_consent(study: Study, actor: str, participant_id: str, language: str) -> None:
    """Record consent to exactly the protocol's text in one language.

    Raises:
        UnknownName: the protocol has no text in that language.
        ConductError: consent is not the next step.
    """
    protocol = study.protocol_for(participant_id)
    if language not in protocol.consent_text:
        known = ", ".join(protocol.consent_text)
        raise UnknownName("language", f"{language!r} has no consent text", f"write one of {known}")
    sha256 = hashlib.sha256(protocol.consent_text[language].encode()).hexdigest()
    given = ConsentGiven(protocol.consent_version, sha256, language)
    study.take(actor, participant_id, GiveConsent(), "consent", given)


def decline_consent(study: Study, actor: str, participant_id: str) -> None:
    """Record that the person chose not to take part: an ordinary end.

    Raises:
        ConductError: consent is not the next step.
    """
    declined = ConsentDeclined(study.protocol_for(participant_id).consent_version)
    study.take(actor, participant_id, GiveConsent(), "declining", declined)


def assess_eligibility(study: Study, actor: str, participant_id: str, answers: Mapping[str, bool]) -> bool:
    """Record the answers to every eligibility question; returns the verdict.

    Raises:
        ConductError: an answer is missing or unknown, or eligibility is not the next step.
    """
    questions = {
        question.question_id: question for question in study.protocol_for(participant_id).eligibility
    }
    if set(answers) != set(questions):
        off = sorted(set(answers) ^ set(questions))
        raise ConductError(
            "eligibility", f"missing or unknown: {', '.join(off)}", "answer exactly " + ", ".join(questions)
        )
    eligible = all(answers[name] is question.eligible_if for name, question in questions.items())
    assessed = EligibilityAssessed(dict(answers), eligible)
    study.take(actor, participant_id, AnswerEligibility(), "answering eligibility", assessed)
    return eligible


def complete_induction(study: Study, actor: str, participant_id: str, session_id: str) -> None:
    """Record that the induction was gone through.

    Raises:
        ConductError: the induction is not the next step.
    """
    step = GoThroughInduction(session_id)

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        require_step(study.protocol_of(history), history, participant_id, step, "the induction")
        now = study.record.clock()
        outside = window_deviations(study.protocol_of(history), history, participant_id, step, now)
        return [*outside, Draft(InductionCompleted(), participant_id, session_id)]

    study.act(actor, participant_id, decide)


def read_debrief(study: Study, actor: str, participant_id: str, language: str) -> None:
    """Record that the debriefing was read, in exactly the protocol's text in one language.

    Raises:
        UnknownName: the protocol has no debriefing in that language.
        ConductError: the debriefing is not the next step.
    """
    debrief = study.protocol_for(participant_id).debrief
    texts = debrief.text if debrief is not None else {}
    if texts and language not in texts:
        known = ", ".join(texts)
        raise UnknownName("language", f"{language!r} has no debriefing", f"write one of {known}")
    sha256 = hashlib.sha256(texts.get(language, "").encode()).hexdigest()
    study.take(actor, participant_id, ReadDebrief(), "the debriefing", DebriefRead(sha256, language))


def move_participation(study: Study, actor: str, participant_id: str, tab_id: str) -> None:
    """Record that the person goes on in another tab or on another device, whatever step is due."""
    study.act(actor, participant_id, lambda *_: [Draft(ParticipationMoved(tab_id), participant_id)])


def report_adverse_event(
    study: Study, actor: str, participant_id: str, event: AdverseEventReported, session_id: str | None = None
) -> None:
    """Record an adverse event, whatever step the participant is at."""
    study.act(actor, participant_id, lambda *_: [Draft(event, participant_id, session_id)])


def record_deviation(study: Study, actor: str, participant_id: str, description: str, reason: str) -> None:
    """Record that something was done otherwise than the protocol says."""
    deviation = DeviationRecorded(description, reason)
    study.act(actor, participant_id, lambda *_: [Draft(deviation, participant_id)])


def discontinue(study: Study, actor: str, participant_id: str, reason: EndReason, note: str = "") -> None:
    """End a person's part before its planned end.

    Raises:
        ConductError: it is over already.
    """

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        step = next_step(study.protocol_of(history), history)
        if isinstance(step, Finished):
            problem = f"this participant's part is over ({step.outcome})"
            raise ConductError(participant_id, problem, "see isopath status")
        return [Draft(ParticipantDiscontinued(reason, note), participant_id)]

    study.act(actor, participant_id, decide)
