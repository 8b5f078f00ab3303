"""The support page: offered at a stop, at distress, or when somebody calls; and its answer."""

from __future__ import annotations

from collections.abc import Sequence

from study.errors import ConductError, UnknownName
from study.events import (
    EndReason,
    History,
    ParticipantDiscontinued,
    SessionRendered,
    SupportAnswered,
    SupportCause,
    SupportOffered,
)
from study.founding import Study
from study.listening import listening_of
from study.record import Draft, Reader
from study.session import session_id_of
from study.step import AnswerSupport, Finished, GiveConsent, describe
from study.steps import next_step, require_step

FEELINGS = ("better", "same", "worse")


def call_staff(study: Study, actor: str, participant_id: str, session_id: str) -> None:
    """Record that somebody is asked to come; the support page is due next.

    Called twice, it is recorded once. Where the page is due already, after a stop or
    distress, the call is recorded beside it.

    Raises:
        UnknownName: the protocol has no such session.
        ConductError: there is no consent yet, or the person's part is over.
    """
    known = [
        session_id_of(number) for number in range(1, study.protocol_for(participant_id).session_count + 1)
    ]
    if session_id not in known:
        problem = f"{session_id!r} is not a session of this protocol"
        raise UnknownName("session", problem, f"write {', '.join(known)}")

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        step = next_step(study.protocol_of(history), history)
        if isinstance(step, (Finished, GiveConsent)):
            problem = "cannot call for staff in the record now"
            raise ConductError(participant_id, problem, f"next is: {describe(step)}")
        if isinstance(step, AnswerSupport) and pending_cause(history, step.session_id) is SupportCause.CALLED:
            return []
        # Beside the page that is due, whatever session the caller names: one page answers both.
        where = step.session_id if isinstance(step, AnswerSupport) else session_id
        return [Draft(SupportOffered(SupportCause.CALLED), participant_id, where)]

    study.act(actor, participant_id, decide)


def pending_cause(history: History, session_id: str) -> SupportCause | None:
    """Why the support page of a session was offered last; None where it never was, or that was erased."""
    offered = [r.event for r in history if r.session_id == session_id and r.kind == SupportOffered.__name__]
    last = offered[-1] if offered else None
    return last.cause if isinstance(last, SupportOffered) else None


def answer_support(
    study: Study,
    actor: str,
    participant_id: str,
    session_id: str,
    feeling: str | None,
    wants_staff: bool,
    goes_on: bool,
) -> None:
    """Record the answer to the support page.

    While the session's sound can still be heard, a person who does not go on ends it,
    and the `post` report follows. Where there is no sound to end, their part in the
    study ends.

    Args:
        feeling: ``better``, ``same``, ``worse``, or None where the person did not say.
        wants_staff: somebody is asked to come.

    Raises:
        UnknownName: no such feeling.
        ConductError: the support page of that session is not due.
    """
    if feeling not in (None, *FEELINGS):
        raise UnknownName("feeling", f"{feeling!r} is not an answer", f"write one of {', '.join(FEELINGS)}")
    answered = SupportAnswered(feeling, wants_staff, goes_on)

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        step = AnswerSupport(session_id)
        require_step(study.protocol_of(history), history, participant_id, step, "the support page")
        drafts = [Draft(answered, participant_id, session_id)]
        if not goes_on and not has_sound_to_end(history, session_id):
            ended = ParticipantDiscontinued(EndReason.STOPPED_FOR_SAFETY, "")
            drafts.append(Draft(ended, participant_id))
        return drafts

    study.act(actor, participant_id, decide)


def has_sound_to_end(history: History, session_id: str) -> bool:
    """Whether not going on ends the sound (or a stop has): else it ends the person's part."""
    rendered = any(r.session_id == session_id and r.kind == SessionRendered.__name__ for r in history)
    listening = listening_of(history, session_id)
    heard_to_its_end = listening.finished and listening.stop_reason is None
    return rendered and not heard_to_its_end
