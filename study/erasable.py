"""What is erased of a person who asks for it, and what of them stays, with the reason for each.

Whatever is not named here is erased. From the moment a person asks, the record
is read as if it were done already (`as_erased`): nothing they gave is used while
somebody has yet to carry it out (GDPR, Art. 17 and 18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from study.events import (
    AdverseEventReported,
    AlertAcknowledged,
    ConsentWithdrawn,
    DataErased,
    History,
    LinkRevoked,
    ParticipantDiscontinued,
    RecordedEvent,
)

LINK_CLOSED = "consent withdrawn"
"""Why a link was closed, where a withdrawal closed it."""

_FLOW = "the flow of participants is counted from it (CONSORT 2025, item 22; GDPR Art. 17(3)(d))"
_LIST = (
    "the next places of the list and the balance of the arms follow from it (ICH E9, 2.3.2; Art. 17(3)(d))"
)
_LAWFUL = "it shows that the study was allowed to hold what it held (GDPR Art. 7(1), 17(3)(e))"
_ARM_KNOWN = "who came to know an arm belongs to the trial's integrity (ICH E6(R3), 4.1; Art. 17(3)(d))"
_WISH = "it is the wish itself, and what was done about it (GDPR Art. 5(2))"

KEPT: Mapping[str, str] = {
    "ParticipantEnrolled": _FLOW,
    "ConsentGiven": _LAWFUL,
    "ConsentDeclined": _FLOW,
    "ParticipantAllocated": _LIST,
    "ArmsSeen": _ARM_KNOWN,
    "UnblindingRequested": _ARM_KNOWN,
    "UnblindingApproved": _ARM_KNOWN,
    "UnblindingDeclined": _ARM_KNOWN,
    "ArmRevealed": _ARM_KNOWN,
    "IdentityNoted": _WISH,
    "IdentityForgotten": _WISH,
    "ConsentWithdrawn": _WISH,
    "DataErased": _WISH,
}
"""Kinds of rows about a person that are left as they are, and why. None holds what somebody answered."""

HARM = "harm is kept for the safety of others (ICH E6(R3), 3.13; GDPR Art. 17(3)(b), (c))"
"""Why reports of harm are kept unless the study is free to erase them."""

_CALLS = frozenset({"SupportOffered", "SupportAnswered", "PlaybackStopped", "AlertAcknowledged"})


def erasable_rows(history: History, harm_too: bool = False) -> list[int]:
    """Rows of one person whose payload goes when they ask for it, and is still there.

    Args:
        history: the participant's events, in order.
        harm_too: also reports of harm, where no law asks the study to keep them.
    """
    harm = {r.sequence for r in history if r.kind == AdverseEventReported.__name__ and not harm_too}
    return [r.sequence for r in history if r.event is not None and not _is_kept(r, harm)]


def erasures_due(events: History) -> dict[str, datetime]:
    """Everybody who asked for their data to be erased and still has some, and since when.

    Args:
        events: the whole record, or some people's events, in order.
    """
    due: dict[str, datetime] = {}
    left: dict[str, list[RecordedEvent]] = {}
    for recorded in events:
        if isinstance(recorded.event, ConsentWithdrawn) and not recorded.event.keeps_data:
            due.setdefault(recorded.participant_id or "", recorded.at)
    for recorded in events:
        if recorded.participant_id in due:
            left.setdefault(recorded.participant_id, []).append(recorded)
    return {who: at for who, at in due.items() if erasable_rows(left[who]) or not _is_attested(left[who])}


def as_erased(events: Sequence[RecordedEvent], but_calls: bool = False) -> list[RecordedEvent]:
    """The record as it is once every erasure that was asked for is carried out.

    Args:
        events: the whole record, in order.
        but_calls: calls for help and distress, and who saw them, are still told: somebody may have to come.
    """
    due = erasures_due(events)
    if not due:
        return list(events)
    gone: set[int] = set()
    for who in due:
        theirs = [r for r in events if r.participant_id == who]
        calls = {r.sequence for r in theirs if but_calls and r.kind in _CALLS}
        gone.update(row for row in erasable_rows(theirs) if row not in calls)
    return [replace(r, event=None) if r.sequence in gone else r for r in events]


def _is_attested(history: History) -> bool:
    """Whether a tombstone stands behind the last wish to be erased."""
    asked = [r.sequence for r in history if isinstance(r.event, ConsentWithdrawn) and not r.event.keeps_data]
    return any(isinstance(r.event, DataErased) and r.sequence > asked[-1] for r in history)


def _is_kept(recorded: RecordedEvent, harm: set[int]) -> bool:
    match recorded.event:
        case AdverseEventReported():
            return recorded.sequence in harm
        case AlertAcknowledged(alert_sequence=sequence):
            return sequence in harm
        case ParticipantDiscontinued(note=note):
            return not note
        case LinkRevoked(reason=reason):
            return reason == LINK_CLOSED
    return recorded.kind in KEPT
