"""What staff must hear of: harm, calls for help, stop rules, sound that was not made, visits gone by.

An alert belongs to the row of the record that raised it; whoever saw it appends
`AlertAcknowledged` with that row's number and the alert's kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from study.erasable import erasures_due
from study.errors import ConductError
from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    ArmRevealed,
    ConsentWithdrawn,
    DeviationRecorded,
    History,
    PlaybackStopped,
    RecordedEvent,
    StopReason,
    SupportAnswered,
    SupportCause,
    SupportOffered,
    UnblindingApproved,
    UnblindingDeclined,
    UnblindingRequested,
    VisitMissed,
)
from study.founding import Study
from study.oversight.histories import histories_of
from study.oversight.stop_rules import reached_stop_rules
from study.oversight.words import duration_words
from study.protocol import StudyProtocol
from study.record import Draft, Reader
from study.step import Finished, RenderSession
from study.steps import next_step
from study.versions import pinned
from study.visits import VisitStatus, visits_of

SOUND_DUE_WITHIN = timedelta(minutes=15)
"""A session's sound that is not there by then was not made."""

ERASED_WITHIN = timedelta(days=30)
"""Of the wish; the law says a month."""


class AlertKind(StrEnum):
    """What an alert is about."""

    STOP_RULE = "stop rule"
    STAFF_CALLED = "staff called"
    STAFF_WANTED = "wants staff"
    DISTRESS = "distress"
    ADVERSE_EVENT = "adverse event"
    RENDER_FAILED = "sound not made"
    VISIT_MISSED = "visit missed"
    VISIT_LATE = "visit late"
    ARM_ASKED_FOR = "arm asked for"
    EMERGENCY_UNBLINDING = "emergency unblinding"
    ERASURE_DUE = "erasure asked for"


URGENT = frozenset(
    {
        AlertKind.STOP_RULE,
        AlertKind.STAFF_CALLED,
        AlertKind.STAFF_WANTED,
        AlertKind.DISTRESS,
        AlertKind.EMERGENCY_UNBLINDING,
    }
)
"""What somebody should see to at once."""


_RAISING = frozenset(
    kind.__name__
    for kind in (
        SupportOffered,
        SupportAnswered,
        PlaybackStopped,
        AdverseEventReported,
        VisitMissed,
        DeviationRecorded,
        ArmRevealed,
    )
)


@dataclass(frozen=True)
class Alert:
    """One thing staff must hear of.

    Args:
        sequence: the row that raised it.
        participant_id: None where it is about the study.
        acknowledged_by: the actor who saw it first, or None.
    """

    sequence: int
    at: datetime
    participant_id: str | None
    kind: AlertKind
    text: str
    acknowledged_by: str | None = None

    @property
    def is_urgent(self) -> bool:
        """Whether somebody should see to it at once."""
        return self.kind in URGENT


def alerts_of(protocol: StudyProtocol, events: History, now: datetime) -> tuple[Alert, ...]:
    """Every alert of the study, newest first.

    Args:
        events: the whole record, in order.
        now: UTC.
    """
    overdue = [
        alert
        for participant_id, history in histories_of(events).items()
        for alert in overdue_alerts(protocol, participant_id, history, now)
    ]
    return in_order([*raised_alerts(protocol, events), *overdue], events)


def raised_alerts(protocol: StudyProtocol, events: History) -> list[Alert]:
    """The alerts that rows of the record raise, whatever the time is."""
    rules = reached_stop_rules(protocol, events)
    reached = [Alert(rule.sequence, rule.at, None, AlertKind.STOP_RULE, rule.text) for rule in rules]
    raised = [a for recorded in events if recorded.kind in _RAISING for a in _raised_by(recorded)]
    return [*reached, *raised, *_waiting_requests(events), *_waiting_erasures(events)]


def in_order(alerts: Sequence[Alert], events: History) -> tuple[Alert, ...]:
    """Alerts newest first, each with who saw it."""
    seen = [r for r in events if r.kind == AlertAcknowledged.__name__]
    told = [replace(alert, acknowledged_by=_seen_by(alert, seen)) for alert in alerts]
    return tuple(sorted(told, key=lambda alert: (alert.at, alert.sequence), reverse=True))


def acknowledge(
    study: Study, actor: str, sequence: int, note: str, kind: AlertKind | None = None
) -> AlertAcknowledged:
    """Record that staff saw an alert.

    Args:
        sequence: of the row that raised it.
        kind: which of that row's alerts; None for all of them.

    Raises:
        ConductError: that row raises no such alert.
    """
    seen = AlertAcknowledged(sequence, note, None if kind is None else str(kind))

    def decide(reader: Reader) -> list[Draft]:
        now = study.record.clock()
        for alert in alerts_of(study.protocol, reader.events(), now):
            if alert.sequence == sequence and kind in (None, alert.kind):
                return [Draft(seen, alert.participant_id)]
        raise ConductError(f"row {sequence}", "raises no such alert", "look at the list of alerts again")

    study.record.append(actor, decide)
    return seen


def _seen_by(alert: Alert, seen: list[RecordedEvent]) -> str | None:
    for recorded in seen:
        event = recorded.event
        if (
            isinstance(event, AlertAcknowledged)
            and event.alert_sequence == alert.sequence
            and event.alert_kind in (None, str(alert.kind))
            and recorded.at >= alert.at
        ):
            return recorded.actor
    return None


def _raised_by(recorded: RecordedEvent) -> Iterator[Alert]:
    def alert(kind: AlertKind, text: str) -> Alert:
        return Alert(recorded.sequence, recorded.at, recorded.participant_id, kind, text)

    match recorded.event:
        case SupportOffered(cause=SupportCause.DISTRESS):
            yield alert(AlertKind.DISTRESS, "reported distress; the music was paused")
        case PlaybackStopped(reason=StopReason.DISTRESS):
            yield alert(AlertKind.DISTRESS, "stopped the music for distress")
        case SupportOffered(cause=SupportCause.CALLED):
            yield alert(AlertKind.STAFF_CALLED, "called for somebody to come")
        case SupportAnswered(wants_staff=True, feeling=feeling):
            how = f", feels {feeling}" if feeling else ""
            yield alert(AlertKind.STAFF_WANTED, f"asks for somebody to come{how}")
        case AdverseEventReported(category=category, severity=severity, relatedness=relatedness):
            yield alert(
                AlertKind.ADVERSE_EVENT,
                f"adverse event: {category}, {severity}; related to the music: {relatedness}",
            )
        case VisitMissed(reason=reason):
            session = f" ({recorded.session_id})" if recorded.session_id else ""
            yield alert(AlertKind.VISIT_MISSED, f"visit missed{session}: {reason or 'no reason given'}")
        case ArmRevealed(is_emergency=True):
            text = f"{recorded.actor} was told the arm without approval"
            yield alert(AlertKind.EMERGENCY_UNBLINDING, text)
        case DeviationRecorded() if _is_failed(recorded):
            yield alert(AlertKind.RENDER_FAILED, "the session's sound could not be made")


def _waiting_requests(events: History) -> Iterator[Alert]:
    """A request for an arm is told until somebody has decided."""
    decided = {
        recorded.event.request_sequence
        for recorded in events
        if isinstance(recorded.event, (UnblindingApproved, UnblindingDeclined))
    }
    for recorded in events:
        if isinstance(recorded.event, UnblindingRequested) and recorded.sequence not in decided:
            text = f"{recorded.actor} asks to be told the arm (request {recorded.sequence})"
            kind = AlertKind.ARM_ASKED_FOR
            yield Alert(recorded.sequence, recorded.at, recorded.participant_id, kind, text)


def _waiting_erasures(events: History) -> Iterator[Alert]:
    """A wish to be erased is told until it is carried out: within a month (GDPR, Art. 12(3))."""
    due = erasures_due(events)
    for recorded in events:
        asked = isinstance(recorded.event, ConsentWithdrawn) and not recorded.event.keeps_data
        if asked and recorded.participant_id in due:
            until = recorded.at + ERASED_WITHIN
            text = f"asks for their data to be erased, by {until:%Y-%m-%d}: isopath withdraw --erase"
            yield Alert(recorded.sequence, recorded.at, recorded.participant_id, AlertKind.ERASURE_DUE, text)


def _is_failed(recorded: RecordedEvent) -> bool:
    event = recorded.event
    return isinstance(event, DeviationRecorded) and "could not be rendered" in event.description


def overdue_alerts(
    protocol: StudyProtocol, participant_id: str, history: History, now: datetime
) -> Iterator[Alert]:
    """What one participant waits for, or did not come for, by now.

    Args:
        history: the participant's events, in order.
    """
    protocol = pinned(protocol, history)
    step = next_step(protocol, history)
    if isinstance(step, Finished):
        return
    if isinstance(step, RenderSession) and not any(_is_failed(r) for r in history):
        asked = [r for r in history if r.session_id == step.session_id] or history[-1:]
        if now - asked[-1].at > SOUND_DUE_WITHIN:
            waited = duration_words((now - asked[-1].at).total_seconds())
            yield Alert(
                asked[-1].sequence,
                asked[-1].at + SOUND_DUE_WITHIN,
                participant_id,
                AlertKind.RENDER_FAILED,
                f"the sound of {step.session_id} has not been made for {waited}",
            )
    anchor: RecordedEvent | None = None
    for visit in visits_of(protocol, history, now):
        here = [r for r in history if visit.session_id is not None and r.session_id == visit.session_id]
        if visit.status in (VisitStatus.LATE, VisitStatus.MISSED) and not here and anchor is not None:
            is_late = visit.status is VisitStatus.LATE
            closed = f" on {visit.closes_at:%Y-%m-%d}" if visit.closes_at else ""
            yield Alert(
                anchor.sequence,
                visit.closes_at or now,
                participant_id,
                AlertKind.VISIT_LATE if is_late else AlertKind.VISIT_MISSED,
                f"{visit.name}: its window closed{closed}" + ("; it is still due" if is_late else ""),
            )
        anchor = here[-1] if here else anchor
