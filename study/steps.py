"""Where a participant is: exactly one next step for every history.

Nothing remembers where a person is; it follows from what the record says
happened, after any reload, crash or change of device.
"""

from __future__ import annotations

from collections import Counter

from study.errors import ConductError
from study.events import (
    ConsentDeclined,
    ConsentGiven,
    ConsentWithdrawn,
    DebriefRead,
    EligibilityAssessed,
    History,
    InductionCompleted,
    ParticipantAllocated,
    ParticipantDiscontinued,
    ParticipantImported,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
    SoundChecked,
    SupportAnswered,
    SupportOffered,
    VisitMissed,
)
from study.listening import Listening, listening_of
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.step import (
    AnswerEligibility,
    AnswerSupport,
    CheckSound,
    Finished,
    GiveConsent,
    GiveReport,
    GoThroughInduction,
    Listen,
    ReadDebrief,
    RenderSession,
    Step,
    describe,
)
from study.versions import pinned


def next_step(protocol: StudyProtocol, history: History) -> Step:
    """The one thing that is due now.

    Args:
        history: one participant's events, in order.
    """
    protocol = pinned(protocol, history)
    ended = _ended(history)
    if ended is not None:
        return ended
    if not _has(history, ConsentGiven):
        return GiveConsent()
    support = _due_support(protocol, history)
    if support is not None:
        return support
    if protocol.eligibility and not _has(history, EligibilityAssessed):
        return AnswerEligibility()
    sound_check = _due_sound_check(protocol, history, session_id_of(1))
    due = sound_check or _due_report(protocol, history, Phase.BASELINE, None)
    if due is not None:
        return due
    for number in range(1, protocol.session_count + 1):
        step = session_step(protocol, history, number)
        if step is not None:
            return step
    follow_up = _due_report(protocol, history, Phase.FOLLOW_UP, None)
    debrief = ReadDebrief() if protocol.debrief and not _has(history, DebriefRead) else None
    if protocol.debrief is not None and protocol.debrief.after_follow_up:
        return follow_up or debrief or Finished("completed")
    return debrief or follow_up or Finished("completed")


def _ended(history: History) -> Finished | None:
    for recorded in history:
        match recorded.event:
            case ConsentDeclined():
                return Finished("declined")
            case EligibilityAssessed(eligible=False):
                return Finished("not_eligible")
            case ParticipantDiscontinued(reason=reason):
                return Finished(str(reason))
            # What they answered is erased, and is not asked for again.
            case ConsentWithdrawn(keeps_data=False):
                return Finished("withdrew")
            case None if recorded.kind == ParticipantDiscontinued.__name__:
                return Finished("discontinued")
            # A verdict that was erased lets nobody on who had not gone on by then.
            case None if recorded.kind == EligibilityAssessed.__name__ and recorded is history[-1]:
                return Finished("not_eligible")
    # Whatever was still to come took place elsewhere, or did not: nothing is asked of the person here.
    return Finished("imported") if _has(history, ParticipantImported) else None


def session_step(protocol: StudyProtocol, history: History, number: int) -> Step | None:
    """What is left to do of one session; None where it is over or was missed.

    Args:
        history: one participant's events, in order; of a person whose part is not over.
    """
    protocol = pinned(protocol, history)
    session_id = session_id_of(number)
    here = [recorded for recorded in history if recorded.session_id == session_id]
    if _has(here, VisitMissed):
        return None
    rendered = [r.event for r in here if isinstance(r.event, SessionRendered)]
    if not rendered:
        sound_check = _due_sound_check(protocol, history, session_id)
        if sound_check is not None:
            return sound_check
        if protocol.induction_text is not None and not _has(here, InductionCompleted):
            return GoThroughInduction(session_id)
        due = _due_report(protocol, history, Phase.PRE, session_id)
        return due or RenderSession(session_id, number)
    listening = listening_of(here, session_id)
    probe = _due_probe(protocol, here, session_id, listening)
    if probe is not None:
        return probe
    if not listening.finished:
        ahead = [at for at in protocol.probes_at_s if at > listening.position_s]
        return Listen(session_id, listening.position_s, min([*ahead, rendered[-1].duration_s]))
    return _due_report(protocol, history, Phase.POST, session_id)


def _due_support(protocol: StudyProtocol, history: History) -> AnswerSupport | None:
    # Before everything else: somebody who stopped or called is not asked about moods first.
    for number in range(1, protocol.session_count + 1):
        kinds = [r.kind for r in history if r.session_id == session_id_of(number)]
        asked = [kind for kind in kinds if kind in (SupportOffered.__name__, SupportAnswered.__name__)]
        if asked and asked[-1] == SupportOffered.__name__:
            return AnswerSupport(session_id_of(number))
    return None


def _due_sound_check(
    protocol: StudyProtocol, history: History, session_id: str
) -> CheckSound | Finished | None:
    check = protocol.sound_check
    if check is None:
        return None
    tried = [r.event for r in history if r.session_id == session_id and r.kind == SoundChecked.__name__]
    # An attempt whose payload was erased was an attempt.
    if any(event is None or (isinstance(event, SoundChecked) and event.passed) for event in tried):
        return None
    if len(tried) < check.attempts:
        return CheckSound(session_id)
    return Finished("sound_check_failed") if check.ends_on_failure else None


def _due_probe(
    protocol: StudyProtocol, here: History, session_id: str, listening: Listening
) -> GiveReport | None:
    if listening.stop_reason is not None:
        return None
    for at_s in protocol.probes_at_s:
        if at_s > listening.position_s:
            return None
        answered = _answered(here, Phase.PROBE, session_id, at_s)
        for assessment in protocol.assessments_at(Phase.PROBE):
            for instrument_id in assessment.instrument_ids if at_s in assessment.at_s else ():
                if not answered[instrument_id]:
                    return GiveReport(Phase.PROBE, instrument_id, session_id, at_s)
    return None


def _due_report(
    protocol: StudyProtocol, history: History, phase: Phase, session_id: str | None
) -> GiveReport | None:
    # Counted, so that the same instrument at two follow-ups is due twice.
    answered = _answered(history, phase, session_id, None)
    for assessment in protocol.assessments_at(phase):
        for instrument_id in assessment.instrument_ids:
            if not answered[instrument_id]:
                return GiveReport(phase, instrument_id, session_id)
            answered[instrument_id] -= 1
    return None


def _answered(
    history: History, phase: Phase, session_id: str | None, probe_at_s: float | None
) -> Counter[str]:
    return Counter(
        _answers_to(recorded.event)
        for recorded in history
        if isinstance(recorded.event, (SelfReportSubmitted, SelfReportMissed, QuestionnaireSubmitted))
        and recorded.event.phase is phase
        and recorded.session_id == session_id
        and recorded.event.probe_at_s == probe_at_s
    )


def _answers_to(event: SelfReportSubmitted | SelfReportMissed | QuestionnaireSubmitted) -> str:
    return event.questionnaire_id if isinstance(event, QuestionnaireSubmitted) else event.instrument_id


def require_step(
    protocol: StudyProtocol, history: History, participant_id: str, wanted: Step, doing: str
) -> None:
    """Refuse what is not the participant's next step.

    Raises:
        ConductError: names what is due instead.
    """
    due = next_step(protocol, history)
    if due != wanted:
        raise ConductError(participant_id, f"{doing} is not the next step", f"next is: {describe(due)}")


def step_key(step: Step, history: History) -> str:
    """A name for one step of one person: an answer carries it, so that it can answer no other.

    The number of reports so far is part of it, since the same instrument may be due twice.
    """
    match step:
        case GiveReport(phase=phase, instrument_id=instrument_id, session_id=session_id, probe_at_s=at_s):
            given = sum(_answered(history, phase, session_id, at_s).values())
            when = "" if at_s is None else f"@{at_s:g}"
            return f"report/{session_id or 'study'}/{phase}{when}/{instrument_id}/{given + 1}"
        case CheckSound(session_id=session_id):
            tried = sum(r.session_id == session_id and r.kind == SoundChecked.__name__ for r in history)
            return f"sound-check/{session_id}/{tried + 1}"
        case AnswerSupport(session_id=session_id):
            offered = sum(r.session_id == session_id and r.kind == SupportOffered.__name__ for r in history)
            return f"support/{session_id}/{offered}"
        case GoThroughInduction(session_id=session_id):
            return f"induction/{session_id}"
        case RenderSession(session_id=session_id):
            return f"rendering/{session_id}"
        case Listen(session_id=session_id, until_s=until_s):
            return f"listening/{session_id}/{until_s:g}"
        case GiveConsent():
            return "consent"
        case AnswerEligibility():
            return "eligibility"
        case ReadDebrief():
            return "debrief"
        case Finished():
            return "finished"


def is_allocated(history: History) -> bool:
    """Whether the participant has a place in the allocation."""
    return _has(history, ParticipantAllocated)


def _has(history: History, kind: type) -> bool:
    # By kind, which outlives an erased payload.
    return any(recorded.kind == kind.__name__ for recorded in history)
