"""What a frozen record still takes, and what has been unblinded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from study.errors import ConductError
from study.events import (
    AlertAcknowledged,
    ArmRevealed,
    ArmsSeen,
    ArmsUnblinded,
    ConsentWithdrawn,
    DataErased,
    Event,
    IdentityForgotten,
    IdentityNoted,
    LinkRevoked,
    RecordedEvent,
    RecordFrozen,
    RecruitmentPaused,
    RecruitmentResumed,
    UnblindingApproved,
    UnblindingDeclined,
    UnblindingRequested,
)

#: Of what names a participant, a frozen record takes these alone. None is data about a person: a link may
#: be closed for good, staff may note that they saw an alert, and who looked at an arm must be on record most
#: of all then. An issued link would open nothing, so it is refused; so is harm that becomes known later,
#: which would change the tables of an analysis that has begun, and belongs in the trial's own files.
STILL_TAKEN: tuple[type[Event], ...] = (
    LinkRevoked,
    AlertAcknowledged,
    ArmsSeen,
    # Consent may be withdrawn whenever a person wishes; who they are is told by the key file alone.
    ConsentWithdrawn,
    DataErased,
    IdentityNoted,
    IdentityForgotten,
    # A person may have to be treated after the data are closed.
    UnblindingRequested,
    UnblindingApproved,
    UnblindingDeclined,
    ArmRevealed,
)


class HoldsEvents(Protocol):
    """A record, or the record as one transaction sees it."""

    def events(
        self, participant_id: str | None = None, kinds: Iterable[type[Any]] | None = None
    ) -> list[RecordedEvent]:
        """Events in order; all, or one participant's, or of some kinds."""


def is_frozen(record: HoldsEvents) -> bool:
    """Whether participants' data are closed."""
    return bool(record.events(kinds=[RecordFrozen]))


def is_unblinded(record: HoldsEvents) -> bool:
    """Whether results may be seen by arm; only a frozen record can be."""
    return bool(record.events(kinds=[ArmsUnblinded]))


def is_paused(record: HoldsEvents) -> bool:
    """Whether nobody is enrolled for now."""
    said = record.events(kinds=[RecruitmentPaused, RecruitmentResumed])
    return bool(said) and isinstance(said[-1].event, RecruitmentPaused)


def require_open(record: HoldsEvents, named: Iterable[tuple[str | None, Event]]) -> None:
    """Refuse to add participants' data to a frozen record.

    Args:
        named: what is about to be appended: the participant it names, or None, and the event.

    Raises:
        ConductError: the record is frozen and one of them is a participant's.
    """
    closed = [who for who, event in named if who is not None and not isinstance(event, STILL_TAKEN)]
    if closed and is_frozen(record):
        raise ConductError(
            closed[0],
            "the record is frozen: no participant's data are taken any more",
            "write what you have in the trial's own files, and tell whoever froze the record",
        )
