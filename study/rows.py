"""The record's rows: how they are asked for, what they say, and how new ones are made."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Row, Select, select

from study.canonical import canonical_json
from study.chain import Head, event_of, header_sha256, payload_sha256
from study.event_codec import encode, schema_version_of
from study.events import Event, RecordedEvent
from study.store import event_table, metadata, payload_table


@dataclass(frozen=True)
class Draft:
    """An event about to be appended.

    Args:
        protocol_sha256: of the version it is under. None: the one its participant is under
            (that of their first row), else the one in force.
    """

    event: Event
    participant_id: str | None = None
    session_id: str | None = None
    protocol_sha256: str | None = None


@dataclass(frozen=True)
class NewRow:
    """A row of each table, and the event as it will be read."""

    header: dict[str, Any]
    payload: dict[str, Any]
    recorded: RecordedEvent


def every_row() -> Select[Any]:
    """Rows in order, each with its payload."""
    # Outer join: a row whose payload row is gone is found by verify, not hidden.
    joined = event_table.outerjoin(payload_table, event_table.c.sequence == payload_table.c.sequence)
    query = select(event_table, payload_table.c.salt, payload_table.c.body).select_from(joined)
    return query.order_by(event_table.c.sequence)


def recorded_event(row: Row[Any], where: str) -> RecordedEvent:
    """What a row says.

    Raises:
        RecordBroken: the payload does not match its hash.
        RecordMismatch: it was written by a newer isopath.
    """
    return RecordedEvent(
        row.sequence,
        datetime.fromisoformat(row.at),
        row.actor,
        row.kind,
        row.protocol_sha256,
        row.participant_id,
        row.session_id,
        event_of(row, where),
    )


def new_rows(head: Head, actor: str, drafts: Sequence[tuple[Draft, str, datetime]]) -> Iterator[NewRow]:
    """Rows that follow from `head`.

    Args:
        drafts: each with the hash of its protocol's version, and its time.
    """
    for draft, protocol_sha256, at in drafts:
        kind, sequence = type(draft.event).__name__, head.sequence + 1
        salt, body = secrets.token_bytes(16), canonical_json(encode(draft.event))
        header = {
            "sequence": sequence,
            "at": at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": actor,
            "kind": kind,
            "schema_version": schema_version_of(kind),
            "protocol_sha256": protocol_sha256,
            "participant_id": draft.participant_id,
            "session_id": draft.session_id,
            "payload_sha256": payload_sha256(salt, body),
            "previous_sha256": head.sha256,
        }
        head = Head(sequence, header_sha256(header))
        whose = draft.participant_id, draft.session_id
        yield NewRow(
            {**header, "sha256": head.sha256},
            {"sequence": sequence, "salt": salt, "body": body},
            RecordedEvent(sequence, at, actor, kind, protocol_sha256, *whose, draft.event),
        )


def insert_rows(connection: Connection, rows: Sequence[NewRow]) -> None:
    """Write rows: two statements for however many, since people's logs arrive by the hundred a second."""
    for table, of in (
        (event_table, [row.header for row in rows]),
        (payload_table, [row.payload for row in rows]),
    ):
        text, order = _insertion(table.name, connection.dialect)
        # SQLite takes values by their place, PostgreSQL's driver by their name.
        connection.exec_driver_sql(
            text, of if order is None else [tuple(row[n] for n in order) for row in of]
        )


@cache
def _insertion(table: str, dialect: Dialect) -> tuple[str, tuple[str, ...] | None]:
    """The statement as its driver takes it; made once, since making it costs more than running it."""
    compiled = metadata.tables[table].insert().compile(dialect=dialect)
    order = getattr(compiled, "positiontup", None)
    return str(compiled), None if order is None else tuple(order)
