"""The record as one transaction sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from study.chain import GENESIS_SHA256, Head
from study.errors import UnknownName
from study.events import ProtocolAmended, RecordedEvent
from study.rows import every_row, recorded_event
from study.store import event_table

# As text: it is asked at every append, and the same words do for SQLite and PostgreSQL.
_TIP = """
SELECT sequence, sha256, at,
    (SELECT min(sequence) FROM event WHERE kind = 'RecordFrozen') AS frozen,
    (SELECT min(sequence) FROM event WHERE kind = 'ProtocolAmended') AS amended
FROM event ORDER BY sequence DESC LIMIT 1
"""


@dataclass(frozen=True)
class Tip:
    """The record's end.

    Args:
        at: when the last row was written; None where there is none.
        is_frozen, is_amended: whether any row froze the record, or amended the protocol.
    """

    head: Head
    at: datetime | None
    is_frozen: bool
    is_amended: bool


class Reader:
    """The record as one transaction sees it."""

    def __init__(self, connection: Connection, where: str) -> None:
        self._connection = connection
        self._where = where

    def tip(self) -> Tip:
        """What an append must know, in one question."""
        row = self._connection.exec_driver_sql(_TIP).first()
        if row is None:
            return Tip(Head(0, GENESIS_SHA256), None, False, False)
        at = datetime.fromisoformat(row.at)
        return Tip(Head(row.sequence, row.sha256), at, row.frozen is not None, row.amended is not None)

    def events(
        self, participant_id: str | None = None, kinds: Iterable[type[Any]] | None = None, after: int = 0
    ) -> list[RecordedEvent]:
        """Events in order; all, or one participant's, or of some kinds, or those after a row.

        Raises:
            RecordBroken: a payload does not match its hash.
            RecordMismatch: an event was written by a newer isopath.
        """
        query = every_row()
        if participant_id is not None:
            query = query.where(event_table.c.participant_id == participant_id)
        if kinds is not None:
            query = query.where(event_table.c.kind.in_([kind.__name__ for kind in kinds]))
        if after:
            query = query.where(event_table.c.sequence > after)
        return [recorded_event(row, self._where) for row in self._connection.execute(query)]

    def participant(self, participant_id: str) -> list[RecordedEvent]:
        """One participant's events, in order.

        Raises:
            UnknownName: nobody of that id is enrolled.
        """
        history = self.events(participant_id)
        if not history:
            raise UnknownName("participant", f"{participant_id!r} is not enrolled", "see isopath status")
        return history

    def head(self) -> Head:
        """The last row; sequence 0 where there is none."""
        return self.tip().head

    def versions(self) -> list[str]:
        """The protocol's versions by their SHA-256, as they came into force; the last is in force.

        Empty where the record is.
        """
        first = self._connection.execute(every_row().limit(1)).first()
        if first is None:
            return []
        amended = [recorded.event for recorded in self.events(kinds=[ProtocolAmended])]
        later = [event.protocol_sha256 for event in amended if isinstance(event, ProtocolAmended)]
        return [first.protocol_sha256, *later]

    def version_of(self, participant_id: str) -> str | None:
        """The SHA-256 of the protocol's version a participant's first row is under; None where nobody is."""
        query = select(event_table.c.protocol_sha256).where(event_table.c.participant_id == participant_id)
        return self._connection.execute(query.order_by(event_table.c.sequence).limit(1)).scalar()

    def began_at(self) -> datetime:
        """When the first row was written."""
        return datetime.fromisoformat(self._connection.execute(every_row().limit(1)).one().at)
