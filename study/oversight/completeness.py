"""How complete one session is, and why: the verdict a coordinator can trust.

A verdict follows from the record alone and from the time. It never depends on
the arm, and says nothing that would tell it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    ArmsSeen,
    DeviationRecorded,
    History,
    ParticipantDiscontinued,
    ParticipantImported,
    RecordedEvent,
    ReportCorrected,
    VisitMissed,
)
from study.listening import listening_of
from study.oversight.reasons import reasons_of
from study.protocol import StudyProtocol
from study.session import session_id_of
from study.step import Finished, Step
from study.steps import next_step
from study.versions import pinned
from study.visits import VisitStatus, visits_of

SITTING = timedelta(hours=12)
"""A session is one sitting: without a sign for this long, nobody is in it any more."""

_WHOLE = frozenset({"completed", "imported"})
"""Outcomes of those who did not leave: a session of theirs that is not there was not lost by leaving."""

_ABOUT_A_SESSION = (
    AdverseEventReported,
    AlertAcknowledged,
    ArmsSeen,
    DeviationRecorded,
    ReportCorrected,
    VisitMissed,
)
_STAFF_WROTE = frozenset(kind.__name__ for kind in _ABOUT_A_SESSION)


class Verdict(StrEnum):
    """What became of a session."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    STOPPED = "stopped"
    UNDER_WAY = "under way"
    NOT_BEGUN = "not begun"
    MISSED = "missed"
    LOST = "lost"


@dataclass(frozen=True)
class Completeness:
    """A verdict and what speaks against `complete`.

    Args:
        reasons: in the order of the session; empty where there is nothing to say.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()


def completeness_of(
    protocol: StudyProtocol, history: History, session_id: str, now: datetime
) -> Completeness:
    """The verdict on one session of one participant.

    Args:
        history: one participant's events, in order.
        now: UTC; a session is under way for 12 hours after its last sign of life.
    """
    protocol = pinned(protocol, history)
    here = [recorded for recorded in history if recorded.session_id == session_id]
    signs = signs_of(history, session_id)
    step = next_step(protocol, history)
    if not signs:
        return _not_begun(protocol, history, session_id, step, now)
    listening = listening_of(here, session_id)
    is_over = _is_over(protocol, history, session_id, step)
    if not is_over and not isinstance(step, Finished) and now - signs[-1].at < SITTING:
        return Completeness(Verdict.UNDER_WAY, tuple(reasons_of(protocol, here, listening, is_closed=False)))
    is_imported = any(recorded.kind == ParticipantImported.__name__ for recorded in history)
    reasons = tuple(reasons_of(protocol, here, listening, is_closed=True, is_imported=is_imported))
    if listening.stop_reason is not None:
        return Completeness(Verdict.STOPPED, reasons)
    if not is_over and isinstance(step, Finished):
        return Completeness(Verdict.LOST, (_left(step), *reasons))
    if not is_over:
        reasons = (*reasons, f"left open since {signs[-1].at:%Y-%m-%d}")
    return Completeness(Verdict.PARTIAL if reasons else Verdict.COMPLETE, reasons)


def signs_of(history: History, session_id: str) -> list[RecordedEvent]:
    """What the person, and not staff, did in a session, in order; empty where it has not begun."""
    return [r for r in history if r.session_id == session_id and r.kind not in _STAFF_WROTE]


def session_ids_of(protocol: StudyProtocol) -> tuple[str, ...]:
    """The ids of the protocol's sessions, in order."""
    return tuple(session_id_of(number) for number in range(1, protocol.session_count + 1))


def _not_begun(
    protocol: StudyProtocol, history: History, session_id: str, step: Step, now: datetime
) -> Completeness:
    missed = [r for r in history if r.session_id == session_id and r.kind == VisitMissed.__name__]
    if missed:
        event = missed[-1].event
        said = event.reason if isinstance(event, VisitMissed) and event.reason else "no reason given"
        return Completeness(Verdict.MISSED, (said,))
    if isinstance(step, Finished) and step.outcome not in _WHOLE:
        return Completeness(Verdict.LOST, (_left(step),))
    if isinstance(step, Finished) and step.outcome == "imported":
        return Completeness(Verdict.MISSED, ("not in the imported file",))
    for visit in visits_of(protocol, history, now):
        if visit.session_id == session_id and visit.status is VisitStatus.MISSED:
            closed = f" on {visit.closes_at:%Y-%m-%d}" if visit.closes_at else ""
            return Completeness(Verdict.MISSED, (f"its window closed{closed}",))
        if visit.session_id == session_id and visit.status is VisitStatus.LATE:
            return Completeness(Verdict.NOT_BEGUN, ("its window has closed",))
    return Completeness(Verdict.NOT_BEGUN)


def _is_over(protocol: StudyProtocol, history: History, session_id: str, step: Step) -> bool:
    if not isinstance(step, Finished):
        return getattr(step, "session_id", None) != session_id
    if step.outcome in _WHOLE:
        return True
    ends = (i for i, r in enumerate(history) if r.kind == ParticipantDiscontinued.__name__)
    before = history[: next(ends, 0)]
    was_due = next_step(protocol, before)
    return not isinstance(was_due, Finished) and getattr(was_due, "session_id", None) != session_id


def _left(step: Finished) -> str:
    return f"left the study: {step.outcome.replace('_', ' ')}"
