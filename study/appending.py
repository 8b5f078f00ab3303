"""How events become rows at the record's end: under which version, at what time, and whether at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Connection

from study.chain import went_back_s
from study.errors import RecordError, RecordMismatch
from study.events import ClockWentBack, ProtocolAmended, RecordedEvent
from study.frozen import require_open
from study.record_reader import Reader, Tip
from study.rows import Draft, insert_rows, new_rows

Clock = Callable[[], datetime]


def append_rows(
    connection: Connection, where: str, founding: str, clock: Clock, actor: str, drafts: Sequence[Draft]
) -> list[RecordedEvent]:
    """Append drafts, within a transaction that holds the record's head.

    Args:
        where: the record's name in messages.
        founding: SHA-256 of the version of the protocol that the study began with.

    Returns:
        The drafts' events; not the note of a clock that went back.

    Raises:
        ConductError: the record is frozen and one of them is a participant's data.
        RecordError: the clock shows a time before the study began.
        RecordMismatch: one names a version of the protocol that the record does not know.
    """
    reader = Reader(connection, where)
    tip = reader.tip()
    if tip.is_frozen:
        require_open(reader, [(draft.participant_id, draft.event) for draft in drafts])
    dated = _dated(clock, drafts)
    notes = [] if tip.at is None else _clock_notes(reader, where, tip.at, dated[0][1])
    under = _versions_of(reader, tip, founding, [draft for draft, _ in [*notes, *dated]])
    placed = [(draft, sha256, at) for (draft, at), sha256 in zip([*notes, *dated], under, strict=True)]
    rows = list(new_rows(tip.head, actor, placed))
    insert_rows(connection, rows)
    return [row.recorded for row in rows[len(notes) :]]


def _dated(clock: Clock, drafts: Sequence[Draft]) -> list[tuple[Draft, datetime]]:
    """A decision is one moment: within it no row is earlier than another, whatever the clock does."""
    dated: list[tuple[Draft, datetime]] = []
    for draft in drafts:
        at = clock().astimezone(UTC)
        dated.append((draft, max(at, dated[-1][1]) if dated else at))
    return dated


def _clock_notes(
    reader: Reader, where: str, previous_at: datetime, at: datetime
) -> list[tuple[Draft, datetime]]:
    """A clock that was set back is noted: people's data are taken all the same.

    Raises:
        RecordError: it shows a time before the study began, which nobody can have set on purpose.
    """
    back_s = went_back_s(at, previous_at)
    if back_s is None:
        return []
    began_at = reader.began_at()
    if at < began_at:
        raise RecordError(
            where,
            f"this machine's clock shows {at:%Y-%m-%d %H:%M} UTC, before the study began "
            f"({began_at:%Y-%m-%d %H:%M} UTC)",
            "set the clock and try again; nothing was written",
        )
    return [(Draft(ClockWentBack(previous_at.isoformat(), back_s)), at)]


def _versions_of(reader: Reader, tip: Tip, founding: str, drafts: Sequence[Draft]) -> list[str]:
    """The version of the protocol that each draft is under.

    Raises:
        RecordMismatch: one names a version that the record does not know.
    """
    versions = reader.versions() if tip.is_amended else [founding]
    theirs: dict[str, str] = {}
    found = []
    for draft in drafts:
        chosen = draft.protocol_sha256
        who = draft.participant_id
        if chosen is None and who is not None and len(versions) > 1:
            chosen = theirs.get(who) or reader.version_of(who)
        chosen = chosen or versions[-1]
        if chosen not in versions:
            problem = f"is to be recorded under protocol {chosen[:12]}, which this record does not know"
            raise RecordMismatch(type(draft.event).__name__, problem, "amend the protocol first")
        if who is not None:
            theirs.setdefault(who, chosen)
        if isinstance(draft.event, ProtocolAmended):
            versions.append(draft.event.protocol_sha256)
        found.append(chosen)
    return found
