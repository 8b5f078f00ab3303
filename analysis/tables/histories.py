"""Events sorted into one history per participant, and refused where they make no sense.

The use cases of `study.conduct` never write such a record; a record that was
altered, merged or written by something else might.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from study.errors import RecordError, RecordMismatch, UnknownName
from study.events import (
    History,
    ParticipantAllocated,
    ParticipantEnrolled,
    QuestionnaireSubmitted,
    RecordedEvent,
    RehearsalStarted,
    SelfReportMissed,
    SelfReportSubmitted,
)
from study.protocol import Phase, StudyProtocol
from study.session import session_id_of
from study.versions import pinned

_REMEDY = "run `isopath verify` and restore the record from a copy that verifies"
_ONCE = (Phase.PRE, Phase.PROBE, Phase.POST)


def histories_of(protocol: StudyProtocol, events: Sequence[RecordedEvent]) -> Mapping[str, History]:
    """Participant to their events, in order of enrolment.

    Args:
        events: the whole record, in order.

    Raises:
        RecordMismatch: an event was recorded under another protocol.
        RecordError: rows out of order, or a participant's events that cannot
            have happened (nobody enrolled, two allocations, a report twice).
        UnknownName: an arm, instrument or questionnaire that the protocol does not have.
    """
    for before, after in pairwise(events):
        if after.sequence <= before.sequence:
            raise RecordError(f"row {after.sequence}", f"follows row {before.sequence}", _REMEDY)
    histories: dict[str, list[RecordedEvent]] = {}
    for recorded in events:
        if not protocol.knows(recorded.protocol_sha256):
            raise RecordMismatch(
                f"row {recorded.sequence}",
                f"was recorded under protocol {recorded.protocol_sha256[:12]}, not {protocol.sha256[:12]}",
                "analyse the record with its own protocol",
            )
        if recorded.participant_id is not None:
            histories.setdefault(recorded.participant_id, []).append(recorded)
    for participant_id, history in histories.items():
        _check(pinned(protocol, history), participant_id, history)
    return histories


def is_rehearsal(events: Sequence[RecordedEvent]) -> bool:
    """Whether anybody in this record is simulated."""
    return any(
        isinstance(recorded.event, RehearsalStarted)
        or (isinstance(recorded.event, ParticipantEnrolled) and recorded.event.simulated)
        for recorded in events
    )


def _check(protocol: StudyProtocol, participant_id: str, history: History) -> None:
    if history[0].kind != ParticipantEnrolled.__name__:
        raise RecordError(participant_id, f"begins with {history[0].kind}, not with enrolment", _REMEDY)
    if sum(recorded.kind == ParticipantEnrolled.__name__ for recorded in history) > 1:
        raise RecordError(participant_id, "was enrolled twice", _REMEDY)
    allocations = [r for r in history if r.kind == ParticipantAllocated.__name__]
    if len(allocations) > 1:
        raise RecordError(participant_id, "was allocated twice", _REMEDY)
    for recorded in allocations:
        if isinstance(recorded.event, ParticipantAllocated):
            _check_allocation(protocol, participant_id, recorded.event)
    session_ids = {session_id_of(number) for number in range(1, protocol.session_count + 1)}
    seen: set[tuple[object, ...]] = set()
    for recorded in history:
        if recorded.session_id is not None and recorded.session_id not in session_ids:
            raise RecordError(
                participant_id,
                f"row {recorded.sequence} is of {recorded.session_id}, which is not planned",
                _REMEDY,
            )
        if isinstance(recorded.event, (SelfReportSubmitted, SelfReportMissed, QuestionnaireSubmitted)):
            report = recorded.event
            asked = _asked_with(protocol, report)
            key = (recorded.session_id, report.phase, asked, report.probe_at_s)
            if report.phase in _ONCE and key in seen:
                raise RecordError(
                    participant_id, f"row {recorded.sequence} is a second {report.phase} report", _REMEDY
                )
            seen.add(key)


def _asked_with(
    protocol: StudyProtocol, report: SelfReportSubmitted | SelfReportMissed | QuestionnaireSubmitted
) -> str:
    """The instrument or questionnaire of a report, which the protocol must have."""
    if isinstance(report, SelfReportSubmitted):
        return protocol.instrument(report.instrument_id).instrument_id
    name = report.questionnaire_id if isinstance(report, QuestionnaireSubmitted) else report.instrument_id
    if protocol.questionnaire(name) is None:
        if isinstance(report, QuestionnaireSubmitted):
            raise UnknownName("questionnaire", f"{name!r} is not one of this protocol", _REMEDY)
        protocol.instrument(name)
    return name


def _check_allocation(protocol: StudyProtocol, participant_id: str, given: ParticipantAllocated) -> None:
    groups = {group.group_id: group.arm_ids for group in protocol.allocation.groups}
    if given.group_id not in groups:
        raise UnknownName(participant_id, f"{given.group_id!r} is not a group of the protocol", _REMEDY)
    if given.arm_ids != groups[given.group_id]:
        raise RecordError(participant_id, f"has other arms than group {given.group_id}", _REMEDY)
