"""The use cases around accounts: who is made staff, what of, and when that ends. All are events."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from study.access.accounts import Accounts, normal_id, standing_of
from study.access.roles import Standing, standings
from study.errors import ConductError, OutOfRange
from study.events import Event, Role, StaffAdded, StaffPasswordReset, StaffRemoved, StaffRoleChanged
from study.founding import Study
from study.record import Draft, Reader

_STAFF_ID = re.compile(r"[a-z0-9][a-z0-9._+@-]{0,63}")


def add_staff(
    study: Study, accounts: Accounts, actor: str, staff_id: str, role: Role, password: str | None
) -> str:
    """Make an account; gives its id as it is kept.

    Args:
        password: None where an identity provider vouches for the person; `staff_id` is then their e-mail.

    Raises:
        OutOfRange: the id or the password is none that is taken.
        ConductError: there is such an account.
    """
    name = normal_id(staff_id)
    if not _STAFF_ID.fullmatch(name):
        raise OutOfRange(
            "staff id", f"{staff_id!r} is none", "write letters, digits and . _ + @ -, at most 64"
        )
    password_hash = None if password is None else accounts.hashed(name, password)

    def decide(reader: Reader) -> Sequence[Draft]:
        if name in standings(reader):
            raise ConductError(name, "has an account", "see isopath staff list")
        # A hash without a row in the record opens nothing: this order leaves no half-made account.
        accounts.keep(name, password_hash, study.record.clock())
        return [Draft(StaffAdded(name, role))]

    study.record.append(actor, decide)
    return name


def change_role(study: Study, actor: str, staff_id: str, role: Role) -> None:
    """Give an account another role; its sessions end.

    Raises:
        UnknownName: no such account.
        ConductError: it has this role, or is the last admin.
    """

    def change(name: str, now: Standing) -> Event:
        if now.role is role:
            raise ConductError(name, f"is {role} already", "name another role")
        return StaffRoleChanged(name, role)

    _change(study, actor, staff_id, change)


def remove_staff(study: Study, accounts: Accounts, actor: str, staff_id: str) -> None:
    """Close an account; its sessions end.

    Raises:
        UnknownName: no such account.
        ConductError: it is the last admin's.
    """
    _change(study, actor, staff_id, lambda name, _: StaffRemoved(name))
    accounts.forget(normal_id(staff_id))


def set_password(study: Study, accounts: Accounts, actor: str, staff_id: str, password: str) -> None:
    """Give an account a new password; its sessions end.

    It is an event: whoever resets another's password could act in their name.

    Raises:
        UnknownName: no such account.
        OutOfRange: the password is none that is taken.
    """
    name = normal_id(staff_id)
    password_hash = accounts.hashed(name, password)

    def decide(reader: Reader) -> Sequence[Draft]:
        standing_of(name, standings(reader))
        accounts.keep(name, password_hash, study.record.clock())
        return [Draft(StaffPasswordReset(name))]

    study.record.append(actor, decide)


def _change(study: Study, actor: str, staff_id: str, change: Callable[[str, Standing], Event]) -> None:
    name = normal_id(staff_id)

    def decide(reader: Reader) -> Sequence[Draft]:
        staff = standings(reader)
        event = change(name, standing_of(name, staff))
        others = [who for who, what in staff.items() if who != name and what.role is Role.ADMIN]
        if staff[name].role is Role.ADMIN and not others:
            raise ConductError(name, "is the last admin", "make another admin first")
        return [Draft(event)]

    study.record.append(actor, decide)
