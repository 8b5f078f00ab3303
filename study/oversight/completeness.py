"""How complete one session is, and why: the verdict a coordinator can trust.

A verdict follows from the record alone and from the time. It never depends on
the arm, and says nothing that would tell it.
"""

from __future__ import annotations

from collections.abc import Iterator
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
    PlaybackLogged,
    PlayerEntryKind,
    QuestionnaireSubmitted,
    SelfReportMissed,
    SelfReportSubmitted,
    SessionRendered,
    SoundChecked,
    SupportOffered,
    VisitMissed,
)
from study.listening import Listening, listening_of
from study.oversight.words import counted, duration_words
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.step import Finished, Step
from study.steps import next_step
from study.visits import VisitStatus, visits_of

HEARD_ENOUGH = 0.95
"""Share of a session's sound that counts as all of it: players report where they are every 5 s."""

MUTED_TOO_LONG_S = 10.0
"""Silence by a mute button that is told; a shorter one is a slip of the finger."""

SITTING = timedelta(hours=12)
"""A session is one sitting: without a sign for this long, nobody is in it any more."""

_ABOUT_A_SESSION = (AdverseEventReported, AlertAcknowledged, ArmsSeen, DeviationRecorded, VisitMissed)
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
    here = [recorded for recorded in history if recorded.session_id == session_id]
    signs = [recorded for recorded in here if recorded.kind not in _STAFF_WROTE]
    step = next_step(protocol, history)
    if not signs:
        return _not_begun(protocol, history, session_id, step, now)
    listening = listening_of(here, session_id)
    is_over = _is_over(protocol, history, session_id, step)
    if not is_over and not isinstance(step, Finished) and now - signs[-1].at < SITTING:
        return Completeness(Verdict.UNDER_WAY, tuple(_reasons(protocol, here, listening, is_closed=False)))
    reasons = tuple(_reasons(protocol, here, listening, is_closed=True))
    if listening.stop_reason is not None:
        return Completeness(Verdict.STOPPED, reasons)
    if not is_over and isinstance(step, Finished):
        return Completeness(Verdict.LOST, (_left(step), *reasons))
    if not is_over:
        reasons = (*reasons, f"left open since {signs[-1].at:%Y-%m-%d}")
    return Completeness(Verdict.PARTIAL if reasons else Verdict.COMPLETE, reasons)


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
    if isinstance(step, Finished) and step.outcome != "completed":
        return Completeness(Verdict.LOST, (_left(step),))
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
    if step.outcome == "completed":
        return True
    ends = (i for i, r in enumerate(history) if r.kind == ParticipantDiscontinued.__name__)
    before = history[: next(ends, 0)]
    was_due = next_step(protocol, before)
    return not isinstance(was_due, Finished) and getattr(was_due, "session_id", None) != session_id


def _left(step: Finished) -> str:
    return f"left the study: {step.outcome.replace('_', ' ')}"


def _reasons(protocol: StudyProtocol, here: History, listening: Listening, is_closed: bool) -> Iterator[str]:
    yield from _sound_check_reasons(here)
    yield from _outside_window(here)
    yield from _report_reasons(protocol, here, Phase.PRE, is_closed)
    yield from _listening_reasons(here, listening, is_closed)
    yield from _probe_reasons(protocol, here, listening, is_closed)
    yield from _report_reasons(protocol, here, Phase.POST, is_closed)
    left_out = sum(
        len(r.event.missed_items)
        for r in here
        if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))
    )
    if left_out:
        yield f"{counted(left_out, 'item')} left out"
    if any(r.event is None for r in here):
        yield "erased at the person's request"


def _sound_check_reasons(here: History) -> Iterator[str]:
    tried = [r.event for r in here if isinstance(r.event, SoundChecked)]
    if tried and not any(event.passed for event in tried):
        yield "sound check failed"


def _outside_window(here: History) -> Iterator[str]:
    if any(isinstance(r.event, DeviationRecorded) and "outside its window" in r.event.reason for r in here):
        yield "visit outside its window"


def _listening_reasons(here: History, listening: Listening, is_closed: bool) -> Iterator[str]:
    rendered = [r.event for r in here if isinstance(r.event, SessionRendered)]
    if listening.stop_reason is not None:
        why = {"distress": "stopped for distress", "technical": "stopped for a technical reason"}
        yield why.get(listening.stop_reason, "stopped by choice")
    elif any(isinstance(r.event, SupportOffered) and r.event.cause == "distress" for r in here):
        yield "distress reported"
    if is_closed and not rendered:
        yield "no sound was made"
    elif is_closed and rendered:
        share = heard_share(here, listening)
        if share is not None and share < HEARD_ENOUGH:
            yield f"heard {int(100 * share)} % of the session" if share else "nothing was heard"
    if listening.muted_s >= MUTED_TOO_LONG_S:
        yield f"muted {duration_words(listening.muted_s)}"
    if is_verified(here) is False:
        yield "sound not verified in the browser"


def heard_share(here: History, listening: Listening) -> float | None:
    """Share of the session's sound heard at least once, 0 to 1; None before there is a sound."""
    lengths = [r.event.duration_s for r in here if isinstance(r.event, SessionRendered)]
    if not lengths or lengths[-1] <= 0:
        return None
    return min(listening.heard_s / lengths[-1], 1.0)


def is_verified(here: History) -> bool | None:
    """Whether the browser checked the sound's SHA-256; None where no browser loaded it."""
    loaded = [
        entry.detail
        for r in here
        if isinstance(r.event, PlaybackLogged)
        for entry in r.event.entries
        if entry.kind is PlayerEntryKind.LOADED
    ]
    return None if not loaded else all(detail != "unverified" for detail in loaded)


def _probe_reasons(
    protocol: StudyProtocol, here: History, listening: Listening, is_closed: bool
) -> Iterator[str]:
    missed = {
        r.event.probe_at_s
        for r in here
        if isinstance(r.event, SelfReportMissed) and r.event.phase is Phase.PROBE
    }
    if is_closed and listening.intervals_s:
        given = {
            (r.event.probe_at_s, _name(r.event))
            for r in here
            if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted))
        }
        missed |= {
            at_s
            for assessment in protocol.assessments_at(Phase.PROBE)
            for at_s in assessment.at_s
            for name in assessment.instrument_ids
            if at_s <= listening.position_s and (at_s, name) not in given
        }
    if missed:
        yield f"{counted(len(missed), 'probe')} missed"


def _report_reasons(protocol: StudyProtocol, here: History, phase: Phase, is_closed: bool) -> Iterator[str]:
    wanted = [name for assessment in protocol.assessments_at(phase) for name in assessment.instrument_ids]
    given = [
        _name(r.event)
        for r in here
        if isinstance(r.event, (SelfReportSubmitted, QuestionnaireSubmitted)) and r.event.phase is phase
    ]
    if is_closed:
        missing = [name for name in wanted if name not in given]
    else:
        missing = [
            r.event.instrument_id
            for r in here
            if isinstance(r.event, SelfReportMissed) and r.event.phase is phase
        ]
    if missing and len(missing) == len(wanted):
        yield f"{phase} report missing"
    elif missing:
        yield f"{phase} report incomplete: {', '.join(missing)} missing"


def _name(event: SelfReportSubmitted | QuestionnaireSubmitted) -> str:
    return event.questionnaire_id if isinstance(event, QuestionnaireSubmitted) else event.instrument_id
