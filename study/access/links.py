"""Personal links: one secret token a person, of which the record knows the hash alone."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from study.errors import ConductError
from study.events import History, LinkIssued, LinkRevoked
from study.founding import Study
from study.record import Draft, Reader

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
    """Whose link this is; None for an unknown, expired or revoked one."""
    wanted = token_sha256(token)
    for recorded in study.record.events(kinds=[LinkIssued]):
        if isinstance(recorded.event, LinkIssued) and recorded.event.token_sha256 == wanted:
            participant_id = recorded.participant_id
            if participant_id is None:
                return None
            history = study.record.participant(participant_id)
            return participant_id if wanted in _open_hashes(history, study.record.clock()) else None
    return None


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
