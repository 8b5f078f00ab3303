"""The database under the record: how it is opened, locked and what its errors mean.

Everything that differs between databases is here; `study/record.py` speaks
plain SQLAlchemy Core.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    inspect,
)
from sqlalchemy.exc import DBAPIError

from study.errors import RecordBroken, RecordBusy, RecordError, StorageError

FORMAT = 1
"""The layout of the tables below; a record of a higher format is refused."""

metadata = MetaData()

store_table = Table("store", metadata, Column("format", Integer, primary_key=True, autoincrement=False))

event_table = Table(
    "event",
    metadata,
    Column("sequence", Integer, primary_key=True, autoincrement=False),
    Column("at", String(32), nullable=False),
    Column("actor", String(200), nullable=False),
    Column("kind", String(64), nullable=False, index=True),
    Column("schema_version", Integer, nullable=False),
    Column("protocol_sha256", String(64), nullable=False),
    Column("participant_id", String(64), index=True),
    Column("session_id", String(64)),
    Column("payload_sha256", String(64), nullable=False),
    Column("previous_sha256", String(64), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),
)

payload_table = Table(
    "payload",
    metadata,
    Column("sequence", Integer, ForeignKey("event.sequence"), primary_key=True, autoincrement=False),
    # Both are emptied together when a payload is erased.
    Column("salt", LargeBinary(16)),
    Column("body", LargeBinary),
)

_WRITE = "isopath_write"
_LEAST_ROOM_BYTES = 100_000


def open_store(url: str, busy_timeout_s: float = 10.0, must_exist: bool = False) -> Engine:
    """A database engine that loses nothing it has acknowledged.

    Args:
        url: SQLAlchemy's, e.g. ``sqlite:///study/record.sqlite``.
        busy_timeout_s: how long a writer waits for another one.
        must_exist: refuse a SQLite file that is not there, instead of making it.

    Raises:
        RecordBroken: the file must exist and does not.
    """
    if not url.startswith("sqlite"):
        return create_engine(url)
    engine = create_engine(url, connect_args={"timeout": busy_timeout_s})
    if must_exist and not Path(engine.url.database or "").is_file():
        raise RecordBroken(str(engine.url.database), "is not there", "name a folder made by isopath init")

    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        # We say BEGIN ourselves: the driver's own would come too late to lock before the first read.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        # An erased payload is overwritten with zeros, not left in a free page.
        cursor.execute("PRAGMA secure_delete = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(_WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def create_tables(engine: Engine) -> None:
    """Make the empty tables, whole or not at all."""
    with writing(engine) as connection:
        metadata.create_all(connection)
        connection.execute(store_table.insert().values(format=FORMAT))


def has_tables(engine: Engine) -> bool:
    """Whether the database holds a record at all."""
    with reading(engine) as connection:
        return {table.name for table in metadata.sorted_tables} <= set(inspect(connection).get_table_names())


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the record."""
    with _explained(engine), engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer shares; on disk when it ends, or undone."""
    with (
        _explained(engine),
        engine.connect().execution_options(**{_WRITE: True}) as connection,
        connection.begin(),
    ):
        if connection.dialect.name == "postgresql":
            # One chain has one head: writers queue for it, as SQLite's BEGIN IMMEDIATE makes them.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('isopath.record'))")
        yield connection


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        where = engine.url.database or engine.url.render_as_string(hide_password=True)
        raise _refusal(where, str(problem.orig)) from problem


def _refusal(where: str, said: str) -> RecordError | StorageError:
    lower = said.lower()
    if "locked" in lower or "busy" in lower:
        return RecordBusy(
            where,
            "another process is writing to the record and did not finish in time",
            "try again; if it goes on, see which program has the study open",
        )
    # On a full disk SQLite cannot make its journal, and calls that an I/O error.
    if "full" in lower or ("disk i/o" in lower and _is_full(Path(where).parent)):
        return StorageError(where, "the disk is full", "make room and try again; nothing was written")
    if "readonly" in lower or "unable to open" in lower or "permission" in lower:
        return StorageError(where, f"cannot be opened for writing ({said})", "check the path and its rights")
    if "malformed" in lower or "not a database" in lower or "disk i/o" in lower or "corrupt" in lower:
        return RecordBroken(
            where,
            f"is damaged ({said})",
            "do not write to it; restore the last backup and compare with isopath verify",
        )
    return RecordError(where, said, "see that the database is reachable and holds an isopath record")


def _is_full(folder: Path) -> bool:
    return folder.is_dir() and shutil.disk_usage(folder).free < _LEAST_ROOM_BYTES
