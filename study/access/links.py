"""Personal links: one secret token a person, of which the record knows the hash alone."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from weakref import WeakKeyDictionary

from study.errors import ConductError
from study.events import History, LinkIssued, LinkRevoked, ParticipantImported
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
        ConductError: the person took part elsewhere, so that a link would lead nowhere.
    """
    token = secrets.token_hex(TOKEN_BYTES)
    expires_at = None if lasts is None else (study.record.clock() + lasts).isoformat()
    issued = LinkIssued(token_sha256(token), expires_at)

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        if any(recorded.kind == ParticipantImported.__name__ for recorded in history):
            problem = "took part elsewhere: nothing is asked of them here"
            raise ConductError(participant_id, problem, "make links for people who were enrolled here")
        return [Draft(issued, participant_id)]

    study.act(actor, participant_id, decide)
    return token


def revoke_links(study: Study, actor: str, participant_id: str, reason: str) -> int:
    """Close every open link of a participant; gives how many there were.

    Raises:
        UnknownName: nobody of that id is enrolled.
        ConductError: no link is open.
    """

    def decide(_: Reader, history: History) -> Sequence[Draft]:
        revoked = revocations(history, study.record.clock(), reason)
        if not revoked:
            raise ConductError(participant_id, "has no open link", "issue one with isopath link")
        return [Draft(event, participant_id) for event in revoked]

    return len(study.act(actor, participant_id, decide))


def revocations(history: History, now: datetime, reason: str) -> list[LinkRevoked]:
    """What closes every link of one participant that is open now.

    Args:
        history: the participant's events, in order.
    """
    return [LinkRevoked(sha256, reason) for sha256 in _open_hashes(history, now)]


def participant_of(study: Study, token: str) -> str | None:
    """Whose link this is; None for an unknown, expired or revoked one.

    Asked on every request, so links are remembered, and of the record only what is new is read: one
    revoked by another process closes at once.
    """
    return _issued(study.record).whose(token_sha256(token), study.record.clock())


class _Issued:
    """Every link that was issued, and whether it is open; read once, then only what is new."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._links: dict[str, tuple[str, datetime | None]] = {}
        self._read_to = 0
        self._lock = threading.Lock()

    def whose(self, sha256: str, now: datetime) -> str | None:
        with self._lock:
            self._look()
            participant_id, expires_at = self._links.get(sha256, (None, None))
        return participant_id if expires_at is None or now < expires_at else None

    def _look(self) -> None:
        for recorded in self._record.events(kinds=[LinkIssued, LinkRevoked], after=self._read_to):
            self._read_to = recorded.sequence
            match recorded.event:
                case LinkIssued(token_sha256=sha256, expires_at=expires_at) if recorded.participant_id:
                    end = None if expires_at is None else datetime.fromisoformat(expires_at)
                    self._links[sha256] = recorded.participant_id, end
                case LinkRevoked(token_sha256=sha256):
                    self._links.pop(sha256, None)


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
