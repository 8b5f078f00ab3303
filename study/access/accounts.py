"""Staff accounts: made and changed by events of the record, opened by a password, held by a session.

What anybody may do follows from the record; `access.sqlite` beside it holds
Argon2id hashes, the SHA-256 of sessions' tokens, and who tried to log in when.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from study.access.attempts import Attempts
from study.access.credentials import CredentialFile
from study.access.passwords import MOST_CHARACTERS, check_password_strength
from study.access.roles import Standing, standings
from study.access.web_sessions import WebSessions
from study.errors import ConductError, UnknownName
from study.events import Role
from study.founding import Study
from study.record import Record

# Argon2 takes 64 MiB a time: more at once would let strangers fill the memory.
_hashing = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Staff:
    """Who is logged in, and as what."""

    staff_id: str
    role: Role

    @property
    def actor(self) -> str:
        """How the record names them."""
        return f"{self.role}:{self.staff_id}"


@dataclass(frozen=True)
class LogIn:
    """What came of an attempt to log in.

    Args:
        token: of the session that began; None where none did.
        wait_s: how long further attempts are refused unseen; 0.0 where they are not.
    """

    token: str | None
    wait_s: float = 0.0


class Hasher(Protocol):
    """What makes and checks password hashes; `argon2.PasswordHasher` is one."""

    def hash(self, password: str, /) -> str:
        """A salted hash that says how it was made."""

    def verify(self, password_hash: str, password: str, /) -> bool:
        """True where they go together; raises `VerificationError` where they do not."""


class Accounts:
    """The accounts of one study.

    Args:
        path: of `access.sqlite`; made where it is not there.
        record: says who is staff, and as what.
        hasher: Argon2id with its library's defaults (RFC 9106, low memory).
    """

    def __init__(self, path: Path, record: Record, hasher: Hasher | None = None) -> None:
        self._file = CredentialFile(path)
        self._record = record
        self._hasher: Hasher = hasher or PasswordHasher()
        self._sessions = WebSessions(self._file)
        self.attempts = Attempts(self._file)
        # Made now, so that the first stranger does not wait for two hashes where others wait for one.
        self._nobodys_hash = self._file.kept("nobody's hash", self._hash_nobody).decode()

    def staff(self) -> dict[str, Standing]:
        """Everybody who is staff now, by id."""
        return standings(self._record)

    def signing_key(self) -> bytes:
        """What this study's forms are signed with, 32 bytes."""
        return self._file.kept("signing key", lambda: secrets.token_bytes(32))

    def hashed(self, staff_id: str, password: str) -> str:
        """The hash of a password that is good enough for this account.

        Raises:
            OutOfRange: it is one that would be tried first.
        """
        check_password_strength(password, staff_id)
        return self._hash(password)

    def keep(self, staff_id: str, password_hash: str | None, now: datetime) -> None:
        """Keep a hash from `hashed`, or that an identity provider vouches; ends the account's sessions."""
        with self._file.writing() as connection:
            kept = (staff_id, password_hash, now.timestamp())
            connection.execute("INSERT OR REPLACE INTO credential VALUES (?, ?, ?)", kept)
            connection.execute("DELETE FROM session WHERE staff_id = ?", (staff_id,))
            connection.execute("DELETE FROM handover WHERE staff_id = ?", (staff_id,))

    def forget(self, staff_id: str) -> None:
        """Delete an account's hash and end its sessions."""
        with self._file.writing() as connection:
            for table in ("credential", "session", "handover"):
                connection.execute(f"DELETE FROM {table} WHERE staff_id = ?", (staff_id,))

    def is_vouched_for(self, staff_id: str) -> bool:
        """Whether an identity provider says who this is, so that no password opens the account."""
        with self._file.reading() as connection:
            asked = "SELECT password_hash FROM credential WHERE staff_id = ?"
            row = connection.execute(asked, (staff_id,)).fetchone()
        return row is not None and row["password_hash"] is None

    def log_in(self, staff_id: str, password: str, address: str, now: datetime) -> LogIn:
        """Begin a session, if the password is right and nobody tried too often.

        A name that is no account costs the same work, counts the same and is answered the same.

        Args:
            address: where the attempt comes from.
        """
        name = normal_id(staff_id)
        wait_s = self.attempts.begin(name, name in self.staff(), address, now)
        if wait_s > 0:
            return LogIn(None, wait_s)
        if not self.check_password(name, password):
            return LogIn(None)
        standing = self.staff().get(name)
        if standing is None:
            return LogIn(None)
        self.attempts.succeeded(name, address, now)
        return LogIn(self._sessions.begin(name, standing, now))

    def check_password(self, staff_id: str, password: str) -> bool:
        """Whether this is the account's password; one hash is computed whoever asks.

        Attempts are counted by `log_in`: nothing else may ask on a stranger's behalf.
        """
        with self._file.reading() as connection:
            asked = "SELECT password_hash FROM credential WHERE staff_id = ?"
            row = connection.execute(asked, (staff_id,)).fetchone()
        known = None if row is None else row["password_hash"]
        try:
            with _hashing:
                is_right = self._hasher.verify(known or self._nobodys_hash, password[: MOST_CHARACTERS + 1])
        except (VerificationError, InvalidHashError):
            return False
        return is_right and known is not None

    def begin_session(self, staff_id: str, now: datetime) -> str:
        """A session for somebody already known to be who they say; gives its token.

        Raises:
            UnknownName: no such account.
        """
        return self._sessions.begin(staff_id, self.standing(staff_id), now)

    def staff_of_session(self, token: str, now: datetime, is_use: bool = True) -> Staff | None:
        """Who holds this session; None where it has ended.

        It ends 12 h after it began, 30 min after its last use, by logging out, with a new password, and when
        the account's role is changed or the account removed.

        Args:
            is_use: False for what a page does by itself, so that a page left open does not keep it alive.
        """
        held = self._sessions.holder(token, now, is_use)
        if held is None:
            return None
        staff_id, since = held
        standing = self.staff().get(staff_id)
        return Staff(staff_id, standing.role) if standing is not None and standing.since == since else None

    def end_session(self, token: str) -> None:
        """Log out."""
        self._sessions.end(token)

    def issue_code(self, staff_id: str, now: datetime) -> str:
        """A code to begin a session with, good once and for a minute.

        Raises:
            UnknownName: no such account.
            ConductError: it has a password, and no identity provider speaks for it.
        """
        self.standing(staff_id)
        if not self.is_vouched_for(staff_id):
            raise ConductError(staff_id, "logs in with a password", "use the log-in page")
        return self._sessions.issue_code(staff_id, now)

    def redeem_code(self, code: str, address: str, now: datetime) -> str | None:
        """The token of the session that a code begins; None for one that is unknown, used or too old."""
        staff_id = self._sessions.redeem_code(code, now)
        is_good = staff_id is not None and staff_id in self.staff()
        self.attempts.note(staff_id if is_good else None, address, is_good, now)
        if staff_id is None or not is_good:
            return None
        return self.begin_session(staff_id, now)

    def standing(self, staff_id: str) -> Standing:
        """What somebody is.

        Raises:
            UnknownName: no such account.
        """
        return standing_of(staff_id, self.staff())

    def _hash(self, password: str) -> str:
        with _hashing:
            return self._hasher.hash(password)

    def _hash_nobody(self) -> bytes:
        return self._hash(secrets.token_hex(32)).encode()


def accounts_of(study: Study) -> Accounts:
    """The accounts of an opened study."""
    return Accounts(study.folder.root / "access.sqlite", study.record)


def normal_id(typed: str) -> str:
    """A staff id as it is kept: without spaces around it, in small letters."""
    return typed.strip().lower()


def standing_of(staff_id: str, staff: Mapping[str, Standing]) -> Standing:
    """What somebody is.

    Raises:
        UnknownName: no such account.
    """
    if staff_id not in staff:
        raise UnknownName("staff", f"{staff_id!r} has no account", "see isopath staff list")
    return staff[staff_id]
