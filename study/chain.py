"""The hash chain: what each row's hash covers, and how a chain is walked.

A row's hash covers its header, which holds the previous row's hash and
SHA-256(salt ‖ canonical payload). The salt is random and goes with the payload:
when both are erased, the hash left behind says nothing about what was there.

A row also carries the hash of a version of the protocol: the one the study began
with, or one that an earlier row amended it to.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from study.canonical import canonical_json
from study.errors import RecordBroken
from study.event_codec import decode
from study.events import ClockWentBack, Event, PayloadErased, ProtocolAmended
from study.store import event_table

GENESIS_SHA256 = "0" * 64
RESTORE = "do not go on with this record; restore the last backup that verifies"

CLOCK_TOLERANCE_S = 1.0
"""How much earlier than the row before it a row may be dated without a word: servers' clocks differ."""

_HEADER = [column.name for column in event_table.columns if column.name != "sha256"]


@dataclass(frozen=True)
class Head:
    """The last row: how many rows there are, and the hash that stands for all of them."""

    sequence: int
    sha256: str


def header_sha256(header: Mapping[str, Any]) -> str:
    """The row's hash: of its header's canonical JSON."""
    return hashlib.sha256(canonical_json(header)).hexdigest()


def payload_sha256(salt: bytes, body: bytes) -> str:
    """The payload's hash, as its row's header holds it."""
    return hashlib.sha256(salt + body).hexdigest()


def event_of(row: Row[Any], where: str) -> Event | None:
    """The row's event; None where its payload was erased.

    Raises:
        RecordBroken: the payload does not match its hash.
        RecordMismatch: it was written by a newer isopath.
    """
    if row.salt is None or row.body is None:
        return None
    if payload_sha256(row.salt, row.body) != row.payload_sha256:
        raise RecordBroken(f"{where} row {row.sequence}", "has a changed payload", RESTORE, row.sequence)
    return decode(row.kind, row.schema_version, json.loads(row.body))


def went_back_s(at: datetime, previous: datetime) -> float | None:
    """How far the clock went back between two rows; None where it did not, beyond the tolerance."""
    back_s = (previous - at).total_seconds()
    return back_s if back_s > CLOCK_TOLERANCE_S else None


class ChainWalk:
    """Walks rows in order; raises `RecordBroken`, naming the first row that does not hold.

    Args:
        where: the record's name in messages.
        protocol_sha256: of the version the study began with.
    """

    def __init__(self, where: str, protocol_sha256: str) -> None:
        self.head = Head(0, GENESIS_SHA256)
        self._where = where
        self._versions = [protocol_sha256]
        self._at: datetime | None = None
        self._unexplained: set[int] = set()

    def step(self, row: Row[Any]) -> Event | None:
        """Check the next row; gives its event."""
        expected = self.head.sequence + 1
        if row.sequence != expected:
            raise self._broken(expected, f"is missing (the next row is {row.sequence})")
        if row.previous_sha256 != self.head.sha256:
            raise self._broken(expected, "does not follow from the row before it")
        if header_sha256({name: getattr(row, name) for name in _HEADER}) != row.sha256:
            raise self._broken(expected, "has a changed header")
        if row.protocol_sha256 not in self._versions:
            raise self._broken(expected, f"belongs to protocol {row.protocol_sha256[:12]}")
        event = event_of(row, self._where)
        if event is None:
            self._note_missing(row)
        self._check_time(row, event)
        if isinstance(event, PayloadErased):
            self._unexplained.discard(event.erased_sequence)
        if isinstance(event, ProtocolAmended):
            self._amend(expected, event)
        self.head = Head(expected, row.sha256)
        return event

    def end(self, erased: Collection[int] = ()) -> Head:
        """The head, once every erased payload is explained, by a row or by `erased`."""
        unexplained = self._unexplained - set(erased)
        if unexplained:
            sequence = min(unexplained)
            raise self._broken(sequence, "has no payload, and no later event says it was erased")
        return self.head

    def _note_missing(self, row: Row[Any]) -> None:
        if row.participant_id is None:
            raise self._broken(row.sequence, "has no payload, and rows about the study are never erased")
        self._unexplained.add(row.sequence)

    def _check_time(self, row: Row[Any], event: Event | None) -> None:
        at = datetime.fromisoformat(row.at)
        back_s = None if self._at is None else went_back_s(at, self._at)
        if back_s is not None and not isinstance(event, ClockWentBack):
            problem = (
                f"is dated {back_s:.0f} s before the row before it, and none says that the clock went back"
            )
            raise self._broken(row.sequence, problem)
        self._at = at

    def _amend(self, sequence: int, amended: ProtocolAmended) -> None:
        if hashlib.sha256(amended.protocol_text.encode()).hexdigest() != amended.protocol_sha256:
            raise self._broken(sequence, "amends the protocol to a text that is not of the hash it names")
        if amended.previous_sha256 != self._versions[-1]:
            raise self._broken(sequence, "amends another version of the protocol than the one in force")
        self._versions.append(amended.protocol_sha256)

    def _broken(self, sequence: int, problem: str) -> RecordBroken:
        return RecordBroken(f"{self._where} row {sequence}", problem, RESTORE, sequence)
