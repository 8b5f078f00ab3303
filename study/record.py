"""The study record: append-only, hash-chained events; the only state there is.

Each row's hash covers its header, which holds the previous row's hash and
SHA-256(salt ‖ canonical payload). Salt and payload stand in a second table, so
that a payload can be erased without breaking the chain: without the salt the
hash says nothing about what was erased.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, func, select

from study.canonical import canonical_json
from study.chain import GENESIS_SHA256, RESTORE, ChainWalk, Head, event_of, header_sha256, payload_sha256
from study.errors import RecordBroken, RecordError, RecordMismatch, UnknownName
from study.event_codec import encode, schema_version_of
from study.events import Event, PayloadErased, RecordedEvent
from study.frozen import require_open
from study.store import (
    FORMAT,
    create_tables,
    event_table,
    has_tables,
    open_store,
    payload_table,
    reading,
    store_table,
    writing,
)
from study.store_address import shown_address
from study.store_scrub import scrub

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Draft:
    """An event about to be appended."""

    event: Event
    participant_id: str | None = None
    session_id: str | None = None


class Reader:
    """The record as one transaction sees it."""

    def __init__(self, connection: Connection, where: str) -> None:
        self._connection = connection
        self._where = where

    def events(
        self, participant_id: str | None = None, kinds: Iterable[type[Any]] | None = None, after: int = 0
    ) -> list[RecordedEvent]:
        """Events in order; all, or one participant's, or of some kinds, or those after a row.

        Raises:
            RecordBroken: a payload does not match its hash.
            RecordMismatch: an event was written by a newer isopath.
        """
        query = _rows()
        if participant_id is not None:
            query = query.where(event_table.c.participant_id == participant_id)
        if kinds is not None:
            query = query.where(event_table.c.kind.in_([kind.__name__ for kind in kinds]))
        if after:
            query = query.where(event_table.c.sequence > after)
        return [_recorded(row, self._where) for row in self._connection.execute(query)]

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
        query = select(event_table.c.sequence, event_table.c.sha256)
        row = self._connection.execute(query.order_by(event_table.c.sequence.desc()).limit(1)).first()
        return Head(0, GENESIS_SHA256) if row is None else Head(row.sequence, row.sha256)


class Record:
    """A study's record in a database.

    Args:
        engine: from `study.store.open_store`.
        protocol_sha256: written into every event; every event read must carry it.
        clock: gives the UTC time of an event.
    """

    def __init__(self, engine: Engine, protocol_sha256: str, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._where = shown_address(engine.url)
        self.protocol_sha256 = protocol_sha256
        self.clock = clock

    @classmethod
    def create(cls, url: str, protocol_sha256: str, clock: Clock = utc_now) -> Record:
        """An empty record.

        Raises:
            RecordError: the database already holds one.
        """
        record = cls(open_store(url), protocol_sha256, clock)
        try:
            create_tables(record._engine)
        except BaseException:
            record.close()
            raise
        return record

    @classmethod
    def open(
        cls, url: str, protocol_sha256: str, clock: Clock = utc_now, busy_timeout_s: float = 10.0
    ) -> Record:
        """An existing record of exactly this protocol.

        Raises:
            RecordBroken: no record is there.
            RecordMismatch: it was written under another protocol or by a newer isopath.
        """
        record = cls(open_store(url, busy_timeout_s, must_exist=True), protocol_sha256, clock)
        try:
            record._check_format()
        except BaseException:
            record.close()
            raise
        return record

    def _check_format(self) -> None:
        if not has_tables(self._engine):
            raise RecordBroken(self._where, "holds no study record", "name a folder made by isopath init")
        with reading(self._engine) as connection:
            found = connection.execute(select(func.max(store_table.c.format))).scalar()
            first = connection.execute(_rows().limit(1)).first()
        if found is None:
            raise RecordBroken(self._where, "does not say which format it has", RESTORE)
        if found > FORMAT:
            raise RecordMismatch(self._where, f"has format {found}, newer than {FORMAT}", "update isopath")
        if first is not None and first.protocol_sha256 != self.protocol_sha256:
            raise RecordMismatch(
                self._where,
                f"belongs to protocol {first.protocol_sha256[:12]}, not to {self.protocol_sha256[:12]}",
                "put the protocol file back as it was, or begin a new study with isopath init",
            )

    def append(self, actor: str, decide: Callable[[Reader], Sequence[Draft]]) -> list[RecordedEvent]:
        """Look at the record and add to it, in one transaction that no other writer shares.

        Args:
            actor: who does it.
            decide: what to append, given the record as it is now; it may refuse by raising.

        Returns:
            The new events. When this returns they are on disk.

        Raises:
            ConductError: the record is frozen and one of them is a participant's data.
        """
        with writing(self._engine) as connection:
            reader = Reader(connection, self._where)
            drafts = decide(reader)
            require_open(reader, [(draft.participant_id, draft.event) for draft in drafts])
            return self._insert(connection, actor, drafts, reader.head()) if drafts else []

    def _insert(
        self, connection: Connection, actor: str, drafts: Sequence[Draft], head: Head
    ) -> list[RecordedEvent]:
        rows, payloads, appended = [], [], []
        for draft in drafts:
            kind, sequence = type(draft.event).__name__, head.sequence + 1
            at = self.clock().astimezone(UTC)
            salt, body = secrets.token_bytes(16), canonical_json(encode(draft.event))
            header = {
                "sequence": sequence,
                "at": at.isoformat(timespec="microseconds"),
                "actor": actor,
                "kind": kind,
                "schema_version": schema_version_of(kind),
                "protocol_sha256": self.protocol_sha256,
                "participant_id": draft.participant_id,
                "session_id": draft.session_id,
                "payload_sha256": payload_sha256(salt, body),
                "previous_sha256": head.sha256,
            }
            head = Head(sequence, header_sha256(header))
            rows.append({**header, "sha256": head.sha256})
            payloads.append({"sequence": sequence, "salt": salt, "body": body})
            whose = draft.participant_id, draft.session_id
            appended.append(
                RecordedEvent(sequence, at, actor, kind, self.protocol_sha256, *whose, draft.event)
            )
        # Two statements for however many rows: people's logs arrive by the hundred a second.
        connection.execute(event_table.insert(), rows)
        connection.execute(payload_table.insert(), payloads)
        return appended

    def participant(self, participant_id: str) -> list[RecordedEvent]:
        """See `Reader.participant`."""
        with reading(self._engine) as connection:
            return Reader(connection, self._where).participant(participant_id)

    def with_clock(self, clock: Clock) -> Record:
        """The same record, dated by another clock."""
        return Record(self._engine, self.protocol_sha256, clock)

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def events(
        self, participant_id: str | None = None, kinds: Iterable[type[Any]] | None = None, after: int = 0
    ) -> list[RecordedEvent]:
        """See `Reader.events`."""
        with reading(self._engine) as connection:
            return Reader(connection, self._where).events(participant_id, kinds, after)

    def head(self) -> Head:
        """See `Reader.head`."""
        with reading(self._engine) as connection:
            return Reader(connection, self._where).head()

    def erase_payload(self, actor: str, sequence: int, reason: str) -> RecordedEvent:
        """Erase one row's payload and salt, and say so in a new event.

        Raises:
            RecordError: no such row, or one about the study itself.
        """
        return self.erase_payloads(actor, [sequence], reason)[0]

    def erase_payloads(self, actor: str, sequences: Sequence[int], reason: str) -> list[RecordedEvent]:
        """Erase rows' payloads and salts, and say so in a new event for each: all of them or none.

        What the database keeps of old pages is overwritten by `scrub`.

        Raises:
            RecordError: a row is not there, or is one about the study itself.
        """
        with writing(self._engine) as connection:
            head = Reader(connection, self._where).head()
            for sequence in sequences:
                query = select(event_table.c.participant_id).where(event_table.c.sequence == sequence)
                if connection.execute(query).scalar() is None:
                    where = f"{self._where} row {sequence}"
                    raise RecordError(where, "is not a row about a participant", "name one that is")
                payload = payload_table.update().where(payload_table.c.sequence == sequence)
                connection.execute(payload.values(salt=None, body=None))
            drafts = [Draft(PayloadErased(sequence, reason)) for sequence in sequences]
            return self._insert(connection, actor, drafts, head) if drafts else []

    def scrub(self) -> None:
        """Rewrite the database's files without what was erased; see `study.store_scrub.scrub`.

        Raises:
            RecordBusy: others were reading or writing all the time.
        """
        scrub(self._engine)

    def verify(self, expected_sha256: str | None = None) -> Head:
        """Walk the whole chain.

        Args:
            expected_sha256: a head noted earlier; it must be one of the rows' hashes,
                or the record was cut short or rewritten since.

        Returns:
            The head, when every row fits its predecessor and its payload.

        Raises:
            RecordBroken: names the first row that does not.
        """
        walk = ChainWalk(self._where, self.protocol_sha256)
        noted_is_there = expected_sha256 in (None, GENESIS_SHA256)
        with reading(self._engine) as connection:
            for row in connection.execute(_rows()):
                event = walk.step(row)
                if isinstance(event, PayloadErased):
                    walk.allow_erased(event.erased_sequence)
                noted_is_there = noted_is_there or walk.head.sha256 == expected_sha256
        head = walk.end()
        if not noted_is_there:
            problem = f"does not hold the noted head {expected_sha256}: it was cut short or rewritten"
            raise RecordBroken(self._where, problem, RESTORE, head.sequence + 1)
        return head


def _rows() -> Select[Any]:
    # Outer join: a row whose payload row is gone is found by verify, not hidden.
    joined = event_table.outerjoin(payload_table, event_table.c.sequence == payload_table.c.sequence)
    query = select(event_table, payload_table.c.salt, payload_table.c.body).select_from(joined)
    return query.order_by(event_table.c.sequence)


def _recorded(row: Row[Any], where: str) -> RecordedEvent:
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
