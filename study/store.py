"""The database under the record: how it is opened, locked and what its errors mean.

Everything that differs between SQLite and PostgreSQL is here, in
`study/store_address.py` and in `study/store_refusals.py`; `study/record.py`
speaks plain SQLAlchemy Core.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
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
from sqlalchemy.exc import TimeoutError as PoolTimeout

from study.errors import RecordBroken, RecordBusy, RecordError, StorageError
from study.store_address import PASSWORD_VARIABLE, parse_address, shown_address
from study.store_refusals import refusal_of

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
_CONNECT_TIMEOUT_S = 10
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('isopath.record'))"


def open_store(url: str, busy_timeout_s: float = 10.0, must_exist: bool = False) -> Engine:
    """A database engine that loses nothing it has acknowledged.

    Args:
        url: see `study.store_address.parse_address`.
        busy_timeout_s: how long a writer waits for another one.
        must_exist: refuse a SQLite file that is not there, instead of making it.

    Raises:
        OutOfRange: it is no address, or holds a password.
        RecordBroken: the file must exist and does not.
        StorageError: PostgreSQL's driver is not installed.
    """
    address = parse_address(url)
    if address.get_backend_name() == "postgresql":
        return _open_postgresql(address, busy_timeout_s)
    if must_exist and not Path(address.database or "").is_file():
        raise RecordBroken(str(address.database), "is not there", "name a folder made by isopath init")
    return _open_sqlite(address, busy_timeout_s)


def _open_sqlite(address: URL, busy_timeout_s: float) -> Engine:
    engine = create_engine(address, connect_args={"timeout": busy_timeout_s}, hide_parameters=True)

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


def _open_postgresql(address: URL, busy_timeout_s: float) -> Engine:
    settings = {
        # Acknowledged is on disk, whatever the server's own default.
        "synchronous_commit": "on",
        "lock_timeout": f"{busy_timeout_s * 1000:.0f}ms",
        # A machine that vanished with the chain's head in its hand lets go of it.
        "idle_in_transaction_session_timeout": "60s",
        "tcp_keepalives_idle": "20",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "4",
    }
    arguments: dict[str, Any] = {
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "application_name": "isopath",
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
    }
    if PASSWORD_VARIABLE in os.environ:
        arguments["password"] = os.environ[PASSWORD_VARIABLE]
    try:
        # Asked before use, a connection that a restarted server has closed is replaced unseen.
        engine = create_engine(address, connect_args=arguments, pool_pre_ping=True, hide_parameters=True)
    except ModuleNotFoundError as problem:
        raise StorageError(
            shown_address(address),
            "needs PostgreSQL's driver, which is not installed",
            "install it with: pip install 'isopath[postgres]'",
        ) from problem

    @event.listens_for(engine, "connect")
    def check(connection: Any, _: Any) -> None:
        found = connection.execute("SHOW fsync").fetchone()
        connection.rollback()
        if found[0] != "on":
            raise StorageError(
                shown_address(address),
                "runs with fsync off: a power cut would lose what was acknowledged",
                "set fsync = on in the server's postgresql.conf",
            )

    return engine


def create_tables(engine: Engine) -> None:
    """Make the empty tables, whole or not at all.

    Raises:
        RecordError: the database holds a record, or other tables of these names, already.
    """
    with writing(engine) as connection:
        ours = {table.name for table in metadata.sorted_tables}
        taken = ours & set(inspect(connection).get_table_names())
        # Tables without a row are left by a beginning that was cut short.
        if taken == ours and connection.execute(event_table.select().limit(1)).first() is None:
            return
        if taken:
            raise RecordError(shown_address(engine.url), "already holds a record", "name another place")
        metadata.create_all(connection)
        connection.execute(store_table.insert().values(format=FORMAT))


def has_tables(engine: Engine) -> bool:
    """Whether the database holds a record at all."""
    with reading(engine) as connection:
        return {table.name for table in metadata.sorted_tables} <= set(inspect(connection).get_table_names())


def damage_of(connection: Connection) -> str | None:
    """What SQLite finds wrong with its file, an index that hides rows included; None where nothing is.

    PostgreSQL checks its pages as it reads them, where the cluster has checksums.
    """
    if connection.dialect.name != "sqlite":
        return None
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    return None if found == "ok" else str(found).strip().splitlines()[-1]


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent view of the record."""
    with _explained(engine), _connected(engine, writes=False) as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other writer shares; on disk when it ends, or undone.

    One chain has one head, so writers take turns: SQLite's by BEGIN IMMEDIATE,
    PostgreSQL's by an advisory lock of the database, which (unlike a row that is
    locked) leaves no dead row behind and is let go by the server itself when a
    client dies. It is held until the commit is on disk: what anybody can read of
    the record is never lost. A program that took no turn could not fork the
    chain either, because a row's number is the table's key.
    """
    with _explained(engine), _connected(engine, writes=True) as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql(_LOCK)
        yield connection


@contextmanager
def _connected(engine: Engine, writes: bool) -> Iterator[Connection]:
    options: dict[str, Any] = {_WRITE: writes}
    if engine.dialect.name == "postgresql" and not writes:
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect() as connection:
        yield connection.execution_options(**options)


@contextmanager
def _explained(engine: Engine) -> Iterator[None]:
    try:
        yield
    except DBAPIError as problem:
        raise refusal_of(shown_address(engine.url), problem) from problem
    except PoolTimeout as problem:
        where = shown_address(engine.url)
        raise RecordBusy(where, "is asked by too many at once", "try again in a moment") from problem
