"""The file beside the record that holds what must not be in it: password hashes and open sessions.

SQLite, readable by its owner alone. Nothing in it says what anybody may do:
that is in the record. It may be deleted; then everybody's password is set anew.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from study.errors import StorageError

_TABLES = """
CREATE TABLE IF NOT EXISTS credential (staff_id TEXT PRIMARY KEY, password_hash TEXT, set_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS session (token_sha256 TEXT PRIMARY KEY, staff_id TEXT NOT NULL,
    standing INTEGER NOT NULL, begun_at REAL NOT NULL, seen_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS handover (code_sha256 TEXT PRIMARY KEY, staff_id TEXT NOT NULL,
    ends_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS attempt (at REAL NOT NULL, staff_id TEXT NOT NULL, address TEXT NOT NULL,
    outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_by_address ON attempt (address, at);
CREATE TABLE IF NOT EXISTS failing (name_sha256 TEXT PRIMARY KEY, failures INTEGER NOT NULL,
    last_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS secret (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class CredentialFile:
    """`access.sqlite` of one study folder.

    Args:
        path: made, with mode 0600, where it is not there yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self.writing() as connection:
            for statement in _TABLES.split(";"):
                connection.execute(statement)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer shares.

        Raises:
            StorageError: the file cannot be opened or written.
        """
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view.

        Raises:
            StorageError: the file cannot be opened.
        """
        with self._transaction("BEGIN") as connection:
            yield connection

    def kept(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What was made once under this name, and kept."""
        with self.reading() as connection:
            row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return bytes(row["value"])
        made = make()
        with self.writing() as connection:
            connection.execute("INSERT OR IGNORE INTO secret VALUES (?, ?)", (name, made))
            row = connection.execute("SELECT value FROM secret WHERE name = ?", (name,)).fetchone()
        return bytes(row["value"])

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        try:
            # SQLite would make the file with whatever rights the process gives.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self.path.chmod(0o600)
            with closing(sqlite3.connect(self.path, timeout=10.0, isolation_level=None)) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute(begin)
                try:
                    yield connection
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise
                connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as problem:
            raise StorageError(
                str(self.path), f"cannot be used ({problem})", "see that its folder can be written"
            ) from problem
