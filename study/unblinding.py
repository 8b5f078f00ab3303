"""One participant's arm, told to one person: asked for, allowed by another, and shown once.

Whoever looks after a person may have to know what they were given (ICH E6(R3), 4.1). They
ask with a reason, somebody else decides, and the arm is then shown to whoever asked and to nobody else. In
an emergency nobody is waited for: typing the participant's id takes the place of the approval, staff are
alerted at once, and the report names it. Each step is an event; none of them holds the arm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from study.access.accounts import Staff
from study.access.roles import Permission, require_permission
from study.errors import ConductError, OutOfRange, UnknownName
from study.events import (
    ArmRevealed,
    Event,
    History,
    ParticipantAllocated,
    RecordedEvent,
    UnblindingApproved,
    UnblindingDeclined,
    UnblindingRequested,
)
from study.founding import Study
from study.frozen import HoldsEvents
from study.record import Draft, Reader
from study.session import session_id_of

WHERE = "unblinding"


class CaseState(StrEnum):
    """How far a request is."""

    WAITING = "waiting"
    APPROVED = "approved"
    DECLINED = "declined"
    REVEALED = "revealed"


@dataclass(frozen=True)
class UnblindingCase:
    """One request with what came of it, or one emergency; never an arm.

    Args:
        sequence: the row of the request, or of the emergency: its number.
        asked_by: the actor who asked.
        decided_by, decision: who allowed or declined it, and what they said; None before and in emergencies.
        revealed_at: when the arm was shown; None where it was not.
    """

    sequence: int
    at: datetime
    participant_id: str
    asked_by: str
    reason: str
    state: CaseState
    is_emergency: bool = False
    decided_by: str | None = None
    decision: str | None = None
    revealed_at: datetime | None = None


@dataclass(frozen=True)
class ToldArm:
    """What is shown, once.

    Args:
        labels: session and the arm's label in the protocol, in order.
    """

    participant_id: str
    labels: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """In words."""
        if len({label for _, label in self.labels}) == 1:
            return f"{self.participant_id}: {self.labels[0][1]}"
        return f"{self.participant_id}: " + ", ".join(f"{session} {label}" for session, label in self.labels)


def cases_of(record: HoldsEvents) -> tuple[UnblindingCase, ...]:
    """Every request and emergency, in the order they came."""
    cases: dict[int, UnblindingCase] = {}
    kinds = [UnblindingRequested, UnblindingApproved, UnblindingDeclined, ArmRevealed]
    for recorded in record.events(kinds=kinds):
        _take(cases, recorded)
    return tuple(cases.values())


def request_unblinding(study: Study, staff: Staff, participant_id: str, reason: str) -> int:
    """Ask to be told one participant's arm.

    Returns:
        The request's number, for whoever decides.

    Raises:
        OutOfRange: no reason is given.
        UnknownName: nobody of that id is enrolled.
        ConductError: the role may not ask, nothing was allocated yet, or the same person's request waits.
    """
    said = _said(reason)

    def decide(reader: Reader, history: History) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.ASK_FOR_ARM, "asking for an arm")
        _require_allocated(participant_id, history)
        for case in cases_of(reader):
            is_open = case.state in (CaseState.WAITING, CaseState.APPROVED)
            if is_open and case.participant_id == participant_id and _is_of(case.asked_by, staff.staff_id):
                problem = f"your request {case.sequence} is {case.state}"
                raise ConductError(participant_id, problem, "wait for the decision, or have it revealed")
        return [Draft(UnblindingRequested(said), participant_id)]

    return study.act(staff.actor, participant_id, decide)[0].sequence


def approve_unblinding(study: Study, staff: Staff, request: int, note: str = "") -> UnblindingApproved:
    """Allow a request; who asked for it never may.

    Raises:
        UnknownName: no such request.
        ConductError: the role may not decide, it is one's own request, or it was decided already.
    """
    approved = UnblindingApproved(request, note.strip())
    _decide(study, staff, request, approved)
    return approved


def decline_unblinding(study: Study, staff: Staff, request: int, reason: str) -> UnblindingDeclined:
    """Do not allow a request.

    Raises:
        OutOfRange: no reason is given.
        UnknownName, ConductError: as for `approve_unblinding`.
    """
    declined = UnblindingDeclined(request, _said(reason))
    _decide(study, staff, request, declined)
    return declined


def reveal_arm(study: Study, staff: Staff, request: int) -> ToldArm:
    """Tell whoever asked the arm, once; on record before it is shown.

    Raises:
        UnknownName: no such request.
        ConductError: somebody else asked, it is not approved, it was revealed before, or the role may not
            be told (any more).
    """

    def decide(reader: Reader) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.ASK_FOR_ARM, "being told an arm")
        case = case_of(reader, request)
        if not _is_of(case.asked_by, staff.staff_id):
            raise ConductError(f"request {request}", "is somebody else's", "only who asked is told the arm")
        if case.state is not CaseState.APPROVED:
            remedy = {
                CaseState.WAITING: "wait until somebody else has decided",
                CaseState.DECLINED: "ask anew, with what has changed since",
            }.get(case.state, "ask anew, if you have to know again")
            raise ConductError(f"request {request}", f"is {case.state}", remedy)
        return [Draft(ArmRevealed(request, False, case.reason), case.participant_id)]

    told = study.record.append(staff.actor, decide)[0]
    return _told(study, str(told.participant_id))


def reveal_in_emergency(study: Study, staff: Staff, participant_id: str, reason: str, typed: str) -> ToldArm:
    """Tell the arm without anybody's approval; on record, with an alert to all, before it is shown.

    Args:
        typed: the participant's id, typed once more: nobody does this by a slip.

    Raises:
        OutOfRange: no reason is given.
        UnknownName: nobody of that id is enrolled.
        ConductError: the id was not typed as it is, nothing was allocated, or the role may not.
    """
    said = _said(reason)
    if typed.strip() != participant_id:
        problem = f"{typed!r} is not the participant's id"
        raise ConductError(WHERE, problem, f"type {participant_id} to confirm the emergency")

    def decide(reader: Reader, history: History) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.ASK_FOR_ARM, "breaking the blind")
        _require_allocated(participant_id, history)
        return [Draft(ArmRevealed(None, True, said), participant_id)]

    study.act(staff.actor, participant_id, decide)
    return _told(study, participant_id)


def case_of(record: HoldsEvents, request: int) -> UnblindingCase:
    """The request of that number.

    Raises:
        UnknownName: there is none.
    """
    for case in cases_of(record):
        if case.sequence == request and not case.is_emergency:
            return case
    raise UnknownName("request", f"{request} is no request for an arm", "see isopath unblind list")


def _decide(study: Study, staff: Staff, request: int, decision: Event) -> None:
    def decide(reader: Reader) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.DECIDE_UNBLINDING, "deciding on an unblinding")
        case = case_of(reader, request)
        if _is_of(case.asked_by, staff.staff_id):
            raise ConductError(f"request {request}", "is your own", "somebody else has to decide")
        if case.state is not CaseState.WAITING:
            raise ConductError(f"request {request}", f"is {case.state} already", "see isopath unblind list")
        return [Draft(decision, case.participant_id)]

    study.record.append(staff.actor, decide)


def _take(cases: dict[int, UnblindingCase], recorded: RecordedEvent) -> None:
    who, at = str(recorded.participant_id), recorded.at
    match recorded.event:
        case UnblindingRequested(reason):
            number, state = recorded.sequence, CaseState.WAITING
            cases[number] = UnblindingCase(number, at, who, recorded.actor, reason, state)
        case UnblindingApproved(request, note) if request in cases:
            cases[request] = _decided(cases[request], CaseState.APPROVED, recorded.actor, note)
        case UnblindingDeclined(request, reason) if request in cases:
            cases[request] = _decided(cases[request], CaseState.DECLINED, recorded.actor, reason)
        case ArmRevealed(int(request)) if request in cases:
            cases[request] = replace(cases[request], state=CaseState.REVEALED, revealed_at=at)
        case ArmRevealed(None, _, reason):
            number, state = recorded.sequence, CaseState.REVEALED
            cases[number] = UnblindingCase(
                number, at, who, recorded.actor, reason, state, is_emergency=True, revealed_at=at
            )


def _decided(case: UnblindingCase, state: CaseState, by: str, words: str) -> UnblindingCase:
    return replace(case, state=state, decided_by=by, decision=words)


def _told(study: Study, participant_id: str) -> ToldArm:
    history = study.record.participant(participant_id)
    arm_ids = next(r.event.arm_ids for r in history if isinstance(r.event, ParticipantAllocated))
    labels = tuple(
        (session_id_of(number), study.protocol_of(history).arm(arm_id).label)
        for number, arm_id in enumerate(arm_ids, start=1)
    )
    return ToldArm(participant_id, labels)


def _require_allocated(participant_id: str, history: History) -> None:
    if not any(isinstance(recorded.event, ParticipantAllocated) for recorded in history):
        raise ConductError(
            participant_id, "has no arm yet", "an arm is drawn after consent and first reports"
        )


def _is_of(actor: str, staff_id: str) -> bool:
    """Whether an actor is this account, whatever its role was then."""
    return actor.partition(":")[2] == staff_id


def _said(reason: str) -> str:
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say why the arm must be known, without naming one")
    return reason.strip()
