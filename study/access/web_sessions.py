"""Open sessions of staff: random tokens, of which the file knows the hash alone."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime

from study.access.credentials import CredentialFile
from study.access.roles import Standing

ABSOLUTE_S = 12 * 3600.0
"""A session ends so long after it began, whatever is done in it."""

IDLE_S = 30 * 60.0
"""And so long after it was last used."""

HANDOVER_S = 60.0
"""A one-time code is good for so long."""

TOKEN_BYTES = 32
_SEEN_EVERY_S = 60.0


class WebSessions:
    """The sessions in one `access.sqlite`."""

    def __init__(self, file: CredentialFile) -> None:
        self._file = file

    def begin(self, staff_id: str, standing: Standing, now: datetime) -> str:
        """A new session; gives its token, 256 bits, which is stored nowhere.

        Args:
            standing: the session ends when this no longer is what the person is.
        """
        token, at = secrets.token_urlsafe(TOKEN_BYTES), now.timestamp()
        with self._file.writing() as connection:
            connection.execute("DELETE FROM session WHERE begun_at < ?", (at - ABSOLUTE_S,))
            connection.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?)",
                (_sha256(token), staff_id, standing.since, at, at),
            )
        return token

    def holder(self, token: str, now: datetime, is_use: bool) -> tuple[str, int] | None:
        """Whose session this is, and the row of the record that it rests on; None where it has ended.

        Args:
            is_use: whether asking counts as using it, so that it does not end as idle.
        """
        at, sha256 = now.timestamp(), _sha256(token)
        with self._file.reading() as connection:
            row = connection.execute("SELECT * FROM session WHERE token_sha256 = ?", (sha256,)).fetchone()
        if row is None or at - row["begun_at"] >= ABSOLUTE_S or at - row["seen_at"] >= IDLE_S:
            return None
        if is_use and at - row["seen_at"] >= _SEEN_EVERY_S:
            with self._file.writing() as connection:
                connection.execute("UPDATE session SET seen_at = ? WHERE token_sha256 = ?", (at, sha256))
        return row["staff_id"], row["standing"]

    def end(self, token: str) -> None:
        """The session opens nothing any more."""
        with self._file.writing() as connection:
            connection.execute("DELETE FROM session WHERE token_sha256 = ?", (_sha256(token),))

    def issue_code(self, staff_id: str, now: datetime) -> str:
        """A code that is good once, for a minute, to begin a session with (`redeem_code`)."""
        code, at = secrets.token_urlsafe(TOKEN_BYTES), now.timestamp()
        with self._file.writing() as connection:
            connection.execute("DELETE FROM handover WHERE ends_at < ?", (at,))
            connection.execute(
                "INSERT INTO handover VALUES (?, ?, ?)", (_sha256(code), staff_id, at + HANDOVER_S)
            )
        return code

    def redeem_code(self, code: str, now: datetime) -> str | None:
        """Whose code this was; it is used up by asking. None for one that is unknown, used or too old."""
        with self._file.writing() as connection:
            row = connection.execute(
                "DELETE FROM handover WHERE code_sha256 = ? RETURNING staff_id, ends_at", (_sha256(code),)
            ).fetchone()
        return None if row is None or row["ends_at"] < now.timestamp() else row["staff_id"]


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
