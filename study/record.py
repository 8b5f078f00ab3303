"""The study record: append-only, hash-chained events; the only state there is.

Each row's hash covers its header, which holds the previous row's hash and
SHA-256(salt ‖ canonical payload). Salt and payload stand in a second table, so
that a payload can be erased without breaking the chain: without the salt the
hash says nothing about what was erased.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from study.appending import Clock, append_rows
from study.chain import GENESIS_SHA256, RESTORE, ChainWalk, Head
from study.errors import RecordBroken, RecordError, RecordMismatch, StorageError
from study.events import PayloadErased, RecordedEvent
from study.record_reader import Reader
from study.rows import Draft, every_row
from study.store import (
    FORMAT,
    create_tables,
    damage_of,
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

__all__ = ["Clock", "Draft", "Reader", "Record", "utc_now"]

_HEADER = [column.name for column in event_table.columns]
_PAYLOAD = [column.name for column in payload_table.columns]


def utc_now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Record:
    """A study's record in a database.

    Args:
        engine: from `study.store.open_store`.
        protocol_sha256: of the version the study began with; later ones are in the record itself.
        clock: gives the UTC time of an event.
    """

    def __init__(self, engine: Engine, protocol_sha256: str, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._where = shown_address(engine.url)
        self.protocol_sha256 = protocol_sha256
        self.clock = clock
        self._is_backup = False

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

    @classmethod
    def at(cls, url: str, clock: Clock = utc_now, busy_timeout_s: float = 10.0) -> Record:
        """An existing record, whatever its protocol.

        Raises:
            RecordBroken: no record is there, or it is empty.
            RecordMismatch: it was written by a newer isopath.
        """
        record = cls(open_store(url, busy_timeout_s, must_exist=True), "", clock)
        try:
            versions = record.versions() if has_tables(record._engine) else []
            if not versions:
                raise RecordBroken(record._where, "holds no study record", "name one that isopath init made")
            record.protocol_sha256 = versions[0]
            record._check_format()
        except BaseException:
            record.close()
            raise
        return record

    @classmethod
    def copy(cls, source: Record, url: str, without: Collection[int] = ()) -> Record:
        """A record elsewhere that holds the same rows, byte for byte, whatever the databases are.

        Args:
            url: of an empty database.
            without: rows whose payload is left behind.

        Raises:
            RecordError: the database holds a record already.
        """
        copied = cls.create(url, source.protocol_sha256, source.clock)
        try:
            with writing(copied._engine) as connection:
                for rows in _batches(source.stored_rows()):
                    headers = [{name: row[name] for name in _HEADER} for row in rows]
                    payloads = [{name: row[name] for name in _PAYLOAD} for row in rows]
                    left = [
                        {**row, "salt": None, "body": None} if row["sequence"] in without else row
                        for row in payloads
                    ]
                    connection.execute(event_table.insert(), headers)
                    connection.execute(payload_table.insert(), left)
        except BaseException:
            copied.close()
            raise
        return copied

    def _check_format(self) -> None:
        if not has_tables(self._engine):
            raise RecordBroken(self._where, "holds no study record", "name a folder made by isopath init")
        with reading(self._engine) as connection:
            found = connection.execute(select(func.max(store_table.c.format))).scalar()
            first = connection.execute(every_row().limit(1)).first()
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

    def as_backup(self) -> None:
        """From here on nothing is appended: this is a copy, and the study goes on elsewhere."""
        self._is_backup = True

    def append(self, actor: str, decide: Callable[[Reader], Sequence[Draft]]) -> list[RecordedEvent]:
        """Look at the record and add to it, in one transaction that no other writer shares.

        Args:
            actor: who does it.
            decide: what to append, given the record as it is now; it may refuse by raising.

        Returns:
            The new events. When this returns they are on disk.

        Raises:
            ConductError: the record is frozen and one of them is a participant's data.
            RecordError: this machine's clock shows a time before the study began.
            StorageError: it is a backup.
        """
        if self._is_backup:
            raise StorageError(self._where, "is a backup: nothing is added to it", "restore it first")
        with writing(self._engine) as connection:
            drafts = decide(Reader(connection, self._where))
            return self._insert(connection, actor, drafts) if drafts else []

    def _insert(self, connection: Connection, actor: str, drafts: Sequence[Draft]) -> list[RecordedEvent]:
        return append_rows(connection, self._where, self.protocol_sha256, self.clock, actor, drafts)

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

    def sha256_at(self, sequence: int) -> str | None:
        """A row's hash; None where there is no such row."""
        with reading(self._engine) as connection:
            query = select(event_table.c.sha256).where(event_table.c.sequence == sequence)
            return connection.execute(query).scalar()

    def versions(self) -> list[str]:
        """See `Reader.versions`."""
        with reading(self._engine) as connection:
            return Reader(connection, self._where).versions()

    def stored_rows(self) -> Iterator[dict[str, Any]]:
        """Every row as it is stored, in order: header, hash, and salt and body where they were not erased."""
        with reading(self._engine) as connection:
            for row in connection.execute(every_row()):
                yield dict(row._mapping)

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
            for sequence in sequences:
                query = select(event_table.c.participant_id).where(event_table.c.sequence == sequence)
                if connection.execute(query).scalar() is None:
                    where = f"{self._where} row {sequence}"
                    raise RecordError(where, "is not a row about a participant", "name one that is")
                payload = payload_table.update().where(payload_table.c.sequence == sequence)
                connection.execute(payload.values(salt=None, body=None))
            drafts = [Draft(PayloadErased(sequence, reason)) for sequence in sequences]
            return self._insert(connection, actor, drafts) if drafts else []

    def empty_payloads(self, sequences: Collection[int]) -> None:
        """Take payloads out of a record that is a backup's: no event says so here, its manifest does."""
        with writing(self._engine) as connection:
            for sequence in sequences:
                payload = payload_table.update().where(payload_table.c.sequence == sequence)
                connection.execute(payload.values(salt=None, body=None))

    def scrub(self) -> None:
        """Leave nothing of what was erased in the database's files; see `study.store_scrub.scrub`.

        Raises:
            RecordBusy: others were reading or writing all the time.
        """
        scrub(self._engine)

    def verify(self, expected_sha256: str | None = None, erased: Collection[int] = ()) -> Head:
        """Walk the whole chain.

        Args:
            expected_sha256: a head noted earlier; it must be one of the rows' hashes,
                or the record was cut short or rewritten since.
            erased: rows of which somebody else says that they were erased.

        Returns:
            The head, when every row fits its predecessor and its payload.

        Raises:
            RecordBroken: names the first row that does not; or the rows hold, and what finds them does not.
        """
        walk = ChainWalk(self._where, self.protocol_sha256)
        noted_is_there = expected_sha256 in (None, GENESIS_SHA256)
        with reading(self._engine) as connection:
            for row in connection.execute(every_row()):
                walk.step(row)
                noted_is_there = noted_is_there or walk.head.sha256 == expected_sha256
            damage = damage_of(connection)
        head = walk.end(erased)
        if damage is not None:
            raise RecordBroken(self._where, f"is damaged ({damage})", RESTORE)
        if not noted_is_there:
            problem = f"does not hold the noted head {expected_sha256}: it was cut short or rewritten"
            raise RecordBroken(self._where, problem, RESTORE, head.sequence + 1)
        return head


def _batches(rows: Iterator[dict[str, Any]], size: int = 500) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(rows, size)):
        yield batch
