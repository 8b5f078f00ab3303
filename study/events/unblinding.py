"""Who was told an arm before the end, why, and who allowed it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class UnblindingRequested:
    """Somebody asks to be told one participant's arm; the row's number names the request."""

    reason: str


@dataclass(frozen=True)
class UnblindingApproved:
    """Somebody else allows it.

    Args:
        request_sequence: the row of the request.
    """

    request_sequence: int
    note: str


@dataclass(frozen=True)
class UnblindingDeclined:
    """Somebody else does not allow it.

    Args:
        request_sequence: the row of the request.
    """

    request_sequence: int
    reason: str


@dataclass(frozen=True)
class ArmRevealed:
    """One participant's arm was shown to the actor.

    Args:
        request_sequence: the approved request it followed; None in an emergency.
        is_emergency: without approval, by somebody who confirmed it by typing.
    """

    request_sequence: int | None
    is_emergency: bool
    reason: str


@dataclass(frozen=True)
class CodeBreakListMade:
    """The list that tells every arm was made, sealed with a passphrase, for the pharmacist's safe.

    Args:
        sha256: of the sealed file.
        participants: whose arms it tells.
    """

    sha256: str
    participants: int
