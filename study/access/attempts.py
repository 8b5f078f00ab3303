"""Attempts to log in: counted before they are looked at, so that many at once get no further than few."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from datetime import datetime

from study.access.credentials import CredentialFile

FREE_FAILURES = 5
"""So many may be wrong before an account has to wait."""

FIRST_WAIT_S = 30.0
LONGEST_WAIT_S = 15 * 60.0
FORGET_AFTER_S = 24 * 3600.0
"""Failures older than this no longer count."""

ADDRESS_WINDOW_S = 60.0
PER_ADDRESS = 20
"""Attempts that one address has within the window, whatever the accounts."""

KEPT_S = 90 * 24 * 3600.0
"""How long it is known who tried when, from where."""

NOBODY = "(no such account)"
"""Kept in place of a name that is none: people type passwords into the wrong field."""


def account_wait_s(failures: int, since_last_s: float) -> float:
    """Seconds that an account still has to wait: 30 s after five failures, doubling to 15 minutes.

    Args:
        failures: in a row, up to now.
        since_last_s: since the last of them.
    """
    if failures < FREE_FAILURES:
        return 0.0
    doublings = min(failures - FREE_FAILURES, 10)
    wait_s: float = min(FIRST_WAIT_S * 2**doublings, LONGEST_WAIT_S)
    return max(0.0, wait_s - since_last_s)


@dataclass(frozen=True)
class Tried:
    """One attempt, as `access.sqlite` keeps it.

    Args:
        staff_id: the account's, or `NOBODY`.
        outcome: ``refused``, ``accepted`` or ``too_soon``.
    """

    at: float
    staff_id: str
    address: str
    outcome: str


class Attempts:
    """Who tried to log in, and who has to wait."""

    def __init__(self, file: CredentialFile) -> None:
        self._file = file

    def begin(self, name: str, is_known: bool, address: str, now: datetime) -> float:
        """Count an attempt as failed, before it is looked at.

        Returns:
            Seconds to wait; 0.0 where the attempt may be looked at.
        """
        at, key = now.timestamp(), _key(name)
        with self._file.writing() as connection:
            self._tidy(connection, at)
            wait_s = max(_account_wait(connection, key, at), _address_wait(connection, address, at))
            outcome = "refused" if wait_s <= 0 else "too_soon"
            kept_name = name if is_known else NOBODY
            connection.execute("INSERT INTO attempt VALUES (?, ?, ?, ?)", (at, kept_name, address, outcome))
            if wait_s <= 0:
                connection.execute(
                    "INSERT INTO failing VALUES (?, 1, ?) ON CONFLICT (name_sha256) "
                    "DO UPDATE SET failures = failures + 1, last_at = excluded.last_at",
                    (key, at),
                )
        return wait_s

    def succeeded(self, name: str, address: str, now: datetime) -> None:
        """The attempt just begun was right after all: the account's count begins anew."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM failing WHERE name_sha256 = ?", (_key(name),))
            connection.execute(
                "UPDATE attempt SET outcome = 'accepted' WHERE at = ? AND staff_id = ? AND address = ?",
                (now.timestamp(), name, address),
            )

    def note(self, name: str | None, address: str, is_accepted: bool, now: datetime) -> None:
        """Keep an attempt that no password was asked for; None for a name nobody vouched for."""
        kept = (now.timestamp(), name or NOBODY, address, "accepted" if is_accepted else "refused")
        with self._file.writing() as connection:
            connection.execute("INSERT INTO attempt VALUES (?, ?, ?, ?)", kept)

    def made(self) -> list[Tried]:
        """Every attempt that is still kept, in order."""
        with self._file.reading() as connection:
            return [Tried(**row) for row in connection.execute("SELECT * FROM attempt ORDER BY rowid")]

    def _tidy(self, connection: sqlite3.Connection, at: float) -> None:
        connection.execute("DELETE FROM attempt WHERE at < ?", (at - KEPT_S,))
        connection.execute("DELETE FROM failing WHERE last_at < ?", (at - FORGET_AFTER_S,))


def _account_wait(connection: sqlite3.Connection, key: str, at: float) -> float:
    row = connection.execute("SELECT * FROM failing WHERE name_sha256 = ?", (key,)).fetchone()
    return 0.0 if row is None else account_wait_s(row["failures"], at - row["last_at"])


def _address_wait(connection: sqlite3.Connection, address: str, at: float) -> float:
    # Those refused unseen do not count: somebody who waits is let in again.
    row = connection.execute(
        "SELECT count(*) AS attempts, min(at) AS first_at FROM attempt "
        "WHERE address = ? AND at > ? AND outcome != 'too_soon'",
        (address, at - ADDRESS_WINDOW_S),
    ).fetchone()
    if row["attempts"] < PER_ADDRESS:
        return 0.0
    return max(0.0, ADDRESS_WINDOW_S - (at - float(row["first_at"])))


def _key(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
