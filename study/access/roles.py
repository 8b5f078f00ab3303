"""Who may see and do what. Roles are events of the record; permissions follow from them alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

from study.errors import ConductError
from study.events import Role, StaffAdded, StaffRemoved, StaffRoleChanged
from study.frozen import HoldsEvents, is_unblinded


class Permission(Enum):
    """One thing a page or a route may be asked for."""

    SEE_PROGRESS = auto()
    ENROL = auto()
    MANAGE_LINKS = auto()
    REPORT_HARM = auto()
    SEE_FELT = auto()
    SEE_ARMS = auto()
    SEE_RESULTS = auto()
    EXPORT = auto()
    EDIT_PROTOCOL = auto()
    MANAGE_STAFF = auto()
    FREEZE = auto()
    UNBLIND = auto()
    HEAR_SESSIONS = auto()
    PAUSE = auto()
    AMEND = auto()
    SEE_UNBLINDINGS = auto()
    ASK_FOR_ARM = auto()
    DECIDE_UNBLINDING = auto()
    MAKE_CODE_BREAK = auto()
    CORRECT = auto()


_P = Permission

_ALWAYS: Mapping[Role, frozenset[Permission]] = {
    # One arm at a time, asked for and approved, or in an emergency: it opens no other.
    Role.COORDINATOR: frozenset(
        {
            _P.SEE_PROGRESS,
            _P.ENROL,
            _P.MANAGE_LINKS,
            _P.REPORT_HARM,
            _P.SEE_FELT,
            _P.CORRECT,
            _P.EDIT_PROTOCOL,
            _P.PAUSE,
            _P.SEE_UNBLINDINGS,
            _P.ASK_FOR_ARM,
        }
    ),
    Role.STATISTICIAN: frozenset({_P.SEE_PROGRESS, _P.SEE_FELT, _P.SEE_RESULTS, _P.EXPORT, _P.EDIT_PROTOCOL}),
    Role.ADMIN: frozenset(
        {
            _P.SEE_PROGRESS,
            _P.SEE_RESULTS,
            _P.EXPORT,
            _P.EDIT_PROTOCOL,
            _P.MANAGE_STAFF,
            _P.FREEZE,
            _P.UNBLIND,
            _P.PAUSE,
            _P.AMEND,
            _P.SEE_UNBLINDINGS,
            _P.DECIDE_UNBLINDING,
        }
    ),
    # No results: with the arms they would be an interim analysis.
    Role.UNBLINDED: frozenset(
        {
            _P.SEE_PROGRESS,
            _P.SEE_FELT,
            _P.REPORT_HARM,
            _P.EDIT_PROTOCOL,
            _P.SEE_ARMS,
            _P.HEAR_SESSIONS,
            _P.SEE_UNBLINDINGS,
            _P.MAKE_CODE_BREAK,
        }
    ),
}

#: What a session sounds like tells its arm, so both come together. A coordinator never gets them.
_ONCE_UNBLINDED: Mapping[Role, frozenset[Permission]] = {
    Role.STATISTICIAN: frozenset({_P.SEE_ARMS, _P.HEAR_SESSIONS}),
    Role.ADMIN: frozenset({_P.SEE_ARMS, _P.HEAR_SESSIONS}),
}


def may(role: Role, permission: Permission, is_unblinded: bool) -> bool:
    """Whether a role has a permission now.

    Args:
        is_unblinded: of the record, see `study.freeze.is_unblinded`.
    """
    allowed = _ALWAYS[role]
    if is_unblinded:
        allowed |= _ONCE_UNBLINDED.get(role, frozenset())
    return permission in allowed


@dataclass(frozen=True)
class Standing:
    """What a member of staff is now.

    Args:
        since: the row that made it so; whatever was granted under an earlier one has ended.
    """

    role: Role
    since: int


def standings(record: HoldsEvents) -> dict[str, Standing]:
    """Everybody who is staff now, by id, in the order in which they came."""
    found: dict[str, Standing] = {}
    for recorded in record.events(kinds=[StaffAdded, StaffRoleChanged, StaffRemoved]):
        match recorded.event:
            case StaffAdded(staff_id, role) | StaffRoleChanged(staff_id, role):
                found[staff_id] = Standing(role, recorded.sequence)
            case StaffRemoved(staff_id):
                found.pop(staff_id, None)
    return found


def require_permission(record: HoldsEvents, staff_id: str, permission: Permission, doing: str) -> Role:
    """Who is staff, and may do this now: ask inside the transaction that does it.

    Args:
        doing: as a refusal names it, e.g. ``approving an unblinding``.

    Returns:
        What they are.

    Raises:
        ConductError: they are nobody's staff (any more), or are of a role that may not.
    """
    standing = standings(record).get(staff_id)
    if standing is None:
        raise ConductError(doing, f"{staff_id!r} has no account", "see isopath staff list")
    if not may(standing.role, permission, is_unblinded(record)):
        able = [role for role in Role if may(role, permission, is_unblinded(record))]
        remedy = f"ask somebody who is {' or '.join(able)}" if able else "nobody may"
        raise ConductError(doing, f"{staff_id} is {standing.role}, and may not", remedy)
    return standing.role
