"""Personal links: one secret token a person, of which the record knows the hash alone."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from study.errors import ConductError
from study.events import History, LinkIssued, LinkRevoked
from study.founding import Study
from study.record import Draft, Reader, Record

TOKEN_BYTES = 16
"""128 bits, as 32 hex digits."""


def issue_link(study: Study, actor: str, participant_id: str, lasts: timedelta | None = None) -> str:
    """A new token for a participant; earlier ones go on opening until they are revoked.

    Args:
        lasts: how long it opens; None for no end.

    Returns:
        The token. It is shown once and stored nowhere.

    Raises:
        UnknownName: nobody of that id is enrolled.
    """
    token = secrets.token_hex(TOKEN_BYTES)
    expires_at = None if lasts is None else (study.record.clock() + lasts).isoformat()
    issued = LinkIssued(token_sha256(token), expires_at)
    study.act(actor, participant_id, lambda *_: [Draft(issued, participant_id)])
    return token


def revoke_links(study: Study, actor: str, participant_id: str, reason: str) -> int:
    """Close every open link of a participant; gives how many there were.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: no link is open.
    """

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        still_open = _open_hashes(history, study.record.clock())
        if not still_open:
            raise ConductError(participant_id, "has no open link", "issue one with isopath link")
        return [Draft(LinkRevoked(sha256, reason), participant_id) for sha256 in still_open]

    return len(study.act(actor, participant_id, decide))


def participant_of(study: Study, token: str) -> str | None:
    """Whose link this is; None for an unknown, expired or revoked one.

    Asked on every request, so whose token it is (which never changes) is remembered; whether the link is
    open is read from the record every time, so that one revoked elsewhere closes at once.
    """
    wanted = token_sha256(token)
    participant_id = _issued(study.record).whose(wanted)
    if participant_id is None:
        return None
    history = study.record.events(participant_id, kinds=[LinkIssued, LinkRevoked])
    return participant_id if wanted in _open_hashes(history, study.record.clock()) else None


class _Issued:
    """Whose every issued link is, read once; later ones are read as they come."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._whose: dict[str, str] = {}
        self._read_to = 0
        self._lock = threading.Lock()

    def whose(self, sha256: str) -> str | None:
        with self._lock:
            if sha256 not in self._whose:
                for issued in self._record.events(kinds=[LinkIssued], after=self._read_to):
                    self._read_to = issued.sequence
                    if isinstance(issued.event, LinkIssued) and issued.participant_id is not None:
                        self._whose[issued.event.token_sha256] = issued.participant_id
            return self._whose.get(sha256)


_known: WeakKeyDictionary[Record, _Issued] = WeakKeyDictionary()
_knowing = threading.Lock()


def _issued(record: Record) -> _Issued:
    with _knowing:
        if record not in _known:
            _known[record] = _Issued(record)
        return _known[record]


def token_sha256(token: str) -> str:
    """What the record keeps of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def _open_hashes(history: History, now: datetime) -> list[str]:
    revoked = {r.event.token_sha256 for r in history if isinstance(r.event, LinkRevoked)}
    return [
        r.event.token_sha256
        for r in history
        if isinstance(r.event, LinkIssued)
        and r.event.token_sha256 not in revoked
        and (r.event.expires_at is None or now < datetime.fromisoformat(r.event.expires_at))
    ]
