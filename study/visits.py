"""When each visit may take place, and which were missed.

Days are counted from the first event of session 1; those of a follow-up from
the first event of the last session that took place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from study.errors import ConductError, UnknownName
from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    DeviationRecorded,
    History,
    ParticipantImported,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
    SupportAnswered,
    SupportOffered,
    VisitMissed,
)
from study.founding import Study
from study.protocol import Phase, StudyProtocol
from study.record import Draft, Reader
from study.session import session_id_of
from study.step import CheckSound, Finished, GiveReport, GoThroughInduction, RenderSession, Step
from study.steps import next_step, session_step
from study.versions import pinned

# What can befall or be noted of a session before the person has begun it.
_BEFORE_IT_BEGINS = frozenset(
    kind.__name__
    for kind in (
        AdverseEventReported,
        AlertAcknowledged,
        DeviationRecorded,
        SupportAnswered,
        SupportOffered,
        VisitMissed,
    )
)


class VisitStatus(StrEnum):
    """Where a visit stands.

    NOT_YET: another comes first. EARLY: it is next, and its window has not begun.
    LATE: its window is over and it has not begun; it may still take place.
    MISSED: it did not take place, or not to its end, and will not.
    """

    NOT_YET = "not_yet"
    EARLY = "early"
    OPEN = "open"
    LATE = "late"
    UNDER_WAY = "under_way"
    DONE = "done"
    MISSED = "missed"


@dataclass(frozen=True)
class Visit:
    """One planned visit: a session or a follow-up.

    Args:
        name: for people, ``session 2`` or ``follow-up 1``.
        session_id: None for a follow-up.
        opens_at, closes_at: UTC; None where nothing limits it or the day it is counted from is not known.
    """

    name: str
    session_id: str | None
    opens_at: datetime | None
    closes_at: datetime | None
    status: VisitStatus


def visits_of(protocol: StudyProtocol, history: History, now: datetime) -> tuple[Visit, ...]:
    """Every planned visit of one participant, in order.

    Args:
        history: one participant's events, in order.
        now: UTC.
    """
    protocol = pinned(protocol, history)
    is_over = isinstance(next_step(protocol, history), Finished)
    visits: list[Visit] = []
    for number in range(1, protocol.session_count + 1):
        opens_at, closes_at = _window(protocol, history, number)
        status = _session_status(protocol, history, number, is_over)
        status = status or _awaited(visits, opens_at, closes_at, now)
        visits.append(Visit(f"session {number}", session_id_of(number), opens_at, closes_at, status))
    return (*visits, *_follow_ups(protocol, history, now, is_over, visits))


def opening_of(protocol: StudyProtocol, history: History, step: Step, now: datetime) -> datetime | None:
    """When the visit that a due step begins opens; None where it is open.

    Args:
        step: from `next_step`.
        now: UTC.
    """
    protocol = pinned(protocol, history)
    visit = _begun_by(protocol, history, step, now)
    return visit.opens_at if visit is not None and visit.status is VisitStatus.EARLY else None


def window_deviations(
    protocol: StudyProtocol, history: History, participant_id: str, step: Step, now: datetime
) -> list[Draft]:
    """What is to be recorded beside a step that begins a visit outside its window; else nothing."""
    protocol = pinned(protocol, history)
    visit = _begun_by(protocol, history, step, now)
    if visit is None or visit.status not in (VisitStatus.EARLY, VisitStatus.LATE):
        return []
    since = _counted_from(protocol, history, visit)
    days = [(at - since).total_seconds() / 86_400 for at in (visit.opens_at, visit.closes_at) if at]
    planned = " to ".join(f"{day:g}" for day in days) if visit.closes_at else f"{days[0]:g} and later"
    happened = f"{visit.name} on day {(now - since).total_seconds() / 86_400:.1f}, outside day {planned}"
    return [Draft(DeviationRecorded(happened, "visit outside its window"), participant_id, visit.session_id)]


def miss_visit(study: Study, actor: str, participant_id: str, session_id: str, reason: str) -> None:
    """Record that a session will not take place: staff say so, no clock does.

    Raises:
        UnknownName: the protocol has no such session.
        ConductError: it has begun or is recorded as missed already, it is the first one, or the
            person's part is over.
    """
    numbers = {
        session_id_of(number): number
        for number in range(1, study.protocol_for(participant_id).session_count + 1)
    }
    if session_id not in numbers:
        known = ", ".join(numbers)
        raise UnknownName("session", f"{session_id!r} is not a session of this protocol", f"write {known}")

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        step = next_step(study.protocol_of(history), history)
        where = f"{participant_id} {session_id}"
        if isinstance(step, Finished):
            raise ConductError(
                where, f"this participant's part is over ({step.outcome})", "see isopath status"
            )
        if numbers[session_id] == 1:
            remedy = "record isopath discontinue where the person does not come at all"
            raise ConductError(where, "is the session that all others are counted from", remedy)
        if _has_missed(history, session_id):
            raise ConductError(where, "is recorded as missed already", "see isopath status")
        if began_at(history, session_id) is not None:
            raise ConductError(where, "has begun", "record isopath discontinue, or isopath deviation")
        return [Draft(VisitMissed(reason), participant_id, session_id)]

    study.act(actor, participant_id, decide)


def began_at(history: History, session_id: str) -> datetime | None:
    """When a person began a session; None where they have not."""
    return next(
        (r.at for r in history if r.session_id == session_id and r.kind not in _BEFORE_IT_BEGINS), None
    )


def _has_missed(history: History, session_id: str) -> bool:
    return any(r.session_id == session_id and r.kind == VisitMissed.__name__ for r in history)


def _session_status(
    protocol: StudyProtocol, history: History, number: int, is_over: bool
) -> VisitStatus | None:
    """The status of a session that does not depend on the time; None where it is awaited."""
    if _has_missed(history, session_id_of(number)):
        return VisitStatus.MISSED
    if began_at(history, session_id_of(number)) is None:
        return VisitStatus.MISSED if is_over else None
    took_place_elsewhere = any(recorded.kind == ParticipantImported.__name__ for recorded in history)
    if took_place_elsewhere or session_step(protocol, history, number) is None:
        return VisitStatus.DONE
    return VisitStatus.MISSED if is_over else VisitStatus.UNDER_WAY


def _awaited(
    before: Sequence[Visit], opens_at: datetime | None, closes_at: datetime | None, now: datetime
) -> VisitStatus:
    if closes_at is not None and now > closes_at:
        return VisitStatus.LATE
    if any(visit.status not in (VisitStatus.DONE, VisitStatus.MISSED) for visit in before):
        return VisitStatus.NOT_YET
    return VisitStatus.EARLY if opens_at is not None and now < opens_at else VisitStatus.OPEN


def _window(
    protocol: StudyProtocol, history: History, number: int
) -> tuple[datetime | None, datetime | None]:
    first = began_at(history, session_id_of(1))
    for window in protocol.visit_windows:
        if window.session_number == number and first is not None:
            return first + timedelta(days=window.from_day), first + timedelta(days=window.to_day)
    return None, None


def _follow_ups(
    protocol: StudyProtocol, history: History, now: datetime, is_over: bool, sessions: Sequence[Visit]
) -> list[Visit]:
    given = [
        (event.questionnaire_id if isinstance(event, QuestionnaireSubmitted) else event.instrument_id, event)
        for event in (r.event for r in history)
        if isinstance(event, (SelfReportSubmitted, SelfReportMissed, QuestionnaireSubmitted))
        and event.phase is Phase.FOLLOW_UP
    ]
    assessments = protocol.assessments_at(Phase.FOLLOW_UP)
    last = _last_began(history, sessions)
    visits = list(sessions)
    for number, assessment in enumerate(assessments, start=1):
        answers = []
        for instrument_id in assessment.instrument_ids:
            # Consumed in order, as `next_step` counts them: one instrument may stand in two follow-ups.
            found = next((pair for pair in given if pair[0] == instrument_id), None)
            if found is not None:
                given.remove(found)
                answers.append(found[1])
        after = assessment.after_days
        opens_at = last + timedelta(days=after) if last is not None and after is not None else None
        if len(answers) == len(assessment.instrument_ids):
            missed = all(isinstance(answer, SelfReportMissed) for answer in answers)
            status = VisitStatus.MISSED if missed else VisitStatus.DONE
        elif is_over:
            status = VisitStatus.MISSED
        else:
            status = VisitStatus.UNDER_WAY if answers else _awaited(visits, opens_at, None, now)
        name = "follow-up" if len(assessments) == 1 else f"follow-up {number}"
        visits.append(Visit(name, None, opens_at, None, status))
    return visits[len(sessions) :]


def _last_began(history: History, sessions: Sequence[Visit]) -> datetime | None:
    """When the last session began, once none is awaited any more."""
    if any(visit.status not in (VisitStatus.DONE, VisitStatus.MISSED) for visit in sessions):
        return None
    began = [began_at(history, visit.session_id) for visit in sessions if visit.session_id is not None]
    return max((at for at in began if at is not None), default=None)


def _begun_by(protocol: StudyProtocol, history: History, step: Step, now: datetime) -> Visit | None:
    match step:
        case CheckSound(session_id=session_id) | GoThroughInduction(session_id=session_id):
            wanted: str | None = session_id
        case RenderSession(session_id=session_id):
            wanted = session_id
        case GiveReport(phase=phase, session_id=within) if within is not None or phase is Phase.FOLLOW_UP:
            wanted = within
        case _:
            return None
    if wanted is not None and began_at(history, wanted) is not None:
        return None
    over = (VisitStatus.DONE, VisitStatus.MISSED)
    visits = visits_of(protocol, history, now)
    return next((v for v in visits if v.session_id == wanted and v.status not in over), None)


def _counted_from(protocol: StudyProtocol, history: History, visit: Visit) -> datetime:
    sessions = [session_id_of(number) for number in range(1, protocol.session_count + 1)]
    began = [at for at in (began_at(history, session) for session in sessions) if at is not None]
    return began[0] if visit.session_id is not None else began[-1]
