"""The end of data collection: the record is frozen, and later unblinded.

Freezing closes the record to participants' data and notes the plan of analysis
and the head it was frozen at. Unblinding lets results be seen by arm, from then
on and never before: the order is the point (ICH E9, 5.8; E6(R3), 4.2.6).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from study.canonical import canonical_sha256
from study.chain import RESTORE
from study.errors import ConductError, OutOfRange, RecordBroken
from study.events import ArmsUnblinded, ProtocolAmended, RecordFrozen, RehearsalStarted, StudyInitialised
from study.founding import Study
from study.frozen import HoldsEvents, is_frozen, is_unblinded
from study.record import Draft, Reader

__all__ = ["freeze", "is_frozen", "is_unblinded", "may_join_arms", "unblind"]


def freeze(study: Study, actor: str, reason: str) -> RecordFrozen:
    """Close the record to participants' data, for good.

    Raises:
        ConductError: it is frozen already.
        OutOfRange: no reason is given.
    """
    said = _said(reason)
    frozen: list[RecordFrozen] = []

    def decide(reader: Reader) -> Sequence[Draft]:
        if is_frozen(reader):
            raise ConductError("the record", "is frozen already", "see isopath status")
        frozen.append(RecordFrozen(_analysis_sha256(reader), reader.head().sha256, said))
        return [Draft(frozen[0])]

    study.record.append(actor, decide)
    return frozen[0]


def may_join_arms(record: HoldsEvents) -> bool:
    """Whether arms may stand beside outcomes: frozen and unblinded, or nobody in the record is a person.

    Every table, export and analysis asks this one question; until it is true they work on arms dealt anew,
    or leave the arm out, and say so.
    """
    return (is_frozen(record) and is_unblinded(record)) or bool(record.events(kinds=[RehearsalStarted]))


def unblind(study: Study, actor: str, reason: str) -> ArmsUnblinded:
    """Let results be seen by arm, from here on.

    Raises:
        ConductError: the record is not frozen, or is unblinded already.
        OutOfRange: no reason is given.
    """
    unblinded = ArmsUnblinded(_said(reason))

    def decide(reader: Reader) -> Sequence[Draft]:
        if not is_frozen(reader):
            raise ConductError("the record", "is not frozen", "freeze it first with isopath freeze")
        if is_unblinded(reader):
            raise ConductError("the record", "is unblinded already", "see isopath status")
        return [Draft(unblinded)]

    study.record.append(actor, decide)
    return unblinded


def _analysis_sha256(reader: Reader) -> str:
    """Of the version in force."""
    told = reader.events(kinds=[StudyInitialised, ProtocolAmended])[-1].event
    if not isinstance(told, StudyInitialised | ProtocolAmended):
        raise RecordBroken("the record", "does not begin with the study", RESTORE, 1)
    return canonical_sha256(json.loads(told.protocol_text)["analysis"])


def _said(reason: str) -> str:
    if not reason.strip():
        raise OutOfRange("reason", "is empty", "say why, in a few words")
    return reason.strip()
