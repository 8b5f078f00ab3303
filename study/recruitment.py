"""Pausing recruitment: nobody is enrolled for now, and people under way go on."""

from __future__ import annotations

from collections.abc import Sequence

from study.access.accounts import Staff
from study.access.roles import Permission, require_permission
from study.errors import ConductError, OutOfRange
from study.events import RecruitmentPaused, RecruitmentResumed
from study.founding import Study
from study.frozen import is_paused
from study.record import Draft, Reader


def pause_recruitment(study: Study, staff: Staff, reason: str) -> None:
    """Enrol nobody until it is resumed.

    Raises:
        OutOfRange: no reason is given.
        ConductError: it is paused already, or the role may not.
    """
    _change(study, staff, RecruitmentPaused(_said(reason)), "pausing recruitment")


def resume_recruitment(study: Study, staff: Staff, reason: str) -> None:
    """Enrol people again.

    Raises:
        OutOfRange: no reason is given.
        ConductError: it is not paused, or the role may not.
    """
    _change(study, staff, RecruitmentResumed(_said(reason)), "resuming recruitment")


def _change(study: Study, staff: Staff, event: RecruitmentPaused | RecruitmentResumed, doing: str) -> None:
    def decide(reader: Reader) -> Sequence[Draft]:
        require_permission(reader, staff.staff_id, Permission.PAUSE, doing)
        pauses = isinstance(event, RecruitmentPaused)
        if is_paused(reader) is pauses:
            problem = "is paused already" if pauses else "is not paused"
            raise ConductError("recruitment", problem, "see isopath status")
        return [Draft(event)]

    study.record.append(staff.actor, decide)


def _said(reason: str) -> str:
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say why, in a few words")
    return reason.strip()
