"""Seeing to it that what was erased is not left in the database's files.

An emptied column is still there on disk. SQLite overwrites it with zeros
(`secure_delete`), yet keeps the old page in the write-ahead log, which is emptied
here; PostgreSQL keeps a dead row, so its table is rewritten. PostgreSQL's own
write-ahead log and archives of it are its administrator's; they go with their
retention.
"""

from __future__ import annotations

import time

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from study.errors import RecordBusy
from study.store import payload_table
from study.store_address import shown_address
from study.store_refusals import refusal_of

_WAIT_S, _PAUSE_S = 10.0, 0.1


def scrub(engine: Engine) -> None:
    """Leave nothing of what was erased in the database's files.

    Raises:
        RecordBusy: others went on reading or writing for ten seconds; what was erased may still be there.
    """
    where = shown_address(engine.url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                outside = connection.execution_options(isolation_level="AUTOCOMMIT")
                outside.exec_driver_sql(f"VACUUM FULL {payload_table.name}")
            else:
                _scrub_sqlite(connection, where)
    except DBAPIError as problem:
        raise refusal_of(where, problem) from problem


def _scrub_sqlite(connection: Connection, where: str) -> None:
    # Our engine begins a transaction with every connection, which would be a reader of the log.
    connection.exec_driver_sql("COMMIT")
    until = time.monotonic() + _WAIT_S
    while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
        if time.monotonic() > until:
            problem = "is being read: old pages could not be overwritten"
            raise RecordBusy(where, problem, "run the command again when nobody reads it")
        time.sleep(_PAUSE_S)
