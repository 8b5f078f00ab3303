"""Who was let in, and what was shown to whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a member of staff is to the study. `unblinded` may know arms from the first day."""

    COORDINATOR = "coordinator"
    STATISTICIAN = "statistician"
    ADMIN = "admin"
    UNBLINDED = "unblinded"


@dataclass(frozen=True)
class StaffAdded:
    """An account was made."""

    staff_id: str
    role: Role


@dataclass(frozen=True)
class StaffRoleChanged:
    """An account has another role from here on."""

    staff_id: str
    role: Role


@dataclass(frozen=True)
class StaffRemoved:
    """An account was closed."""

    staff_id: str


@dataclass(frozen=True)
class StaffPasswordReset:
    """An account was given another password, which whoever did it may know."""

    staff_id: str


@dataclass(frozen=True)
class LinkIssued:
    """A personal link was made; the token itself is nowhere.

    Args:
        token_sha256: of the token's text.
        expires_at: ISO 8601, UTC; None where it does not expire.
    """

    token_sha256: str
    expires_at: str | None


@dataclass(frozen=True)
class LinkRevoked:
    """A personal link opens nothing any more."""

    token_sha256: str
    reason: str


@dataclass(frozen=True)
class ArmsSeen:
    """Somebody with the right to it looked at what tells a participant's arm."""

    staff_id: str
    what: str
