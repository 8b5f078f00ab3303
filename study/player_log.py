"""The player's log: checked, recorded once, and for many people in one transaction."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from study.errors import ConductError, IsopathError, OutOfRange, UnknownName
from study.events import (
    Event,
    PlaybackLogged,
    PlayerEntry,
    PlayerEntryKind,
    StopReason,
    SupportCause,
    SupportOffered,
)
from study.founding import Study
from study.listening import ListeningFold
from study.playback_states import PlaybackStates, SessionState
from study.probes import answered_probe, passed_probes
from study.protocol import StudyProtocol
from study.record import Draft, Reader
from study.track import FASTEST, Track

MOST_ENTRIES = 200
"""Of one batch."""

_AHEAD_S = 2.0
_END_TOLERANCE_S = 1.0
_RESEND = "send the log again from the first line that is not acknowledged"
_HONEST = "send the player's lines as they were written"


@dataclass(frozen=True)
class PlaybackBatch:
    """Lines of one player's log as they arrive.

    Args:
        player_id: made anew each time a page makes a player.
        entries: consecutive; those that are recorded already are passed over.
    """

    participant_id: str
    session_id: str
    player_id: str
    entries: tuple[PlayerEntry, ...]


@dataclass(frozen=True)
class LogOutcome:
    """What became of a batch.

    Args:
        acknowledged: how many of this player's lines are on record: 0 to acknowledged - 1.
        refusal: why nothing of the batch was written; None where all of it is on record.
    """

    acknowledged: int
    refusal: IsopathError | None = None


class LogGap(ConductError):
    """Lines are missing between what is on record and what was sent."""


def log_playback(
    study: Study, actor: str, batches: Sequence[PlaybackBatch], states: PlaybackStates | None = None
) -> list[LogOutcome]:
    """Record lines of players' logs, those of many people in one transaction.

    A line is recorded once, however often it is sent. A stop makes the support page
    due in the same transaction; probes that listening passed by are recorded as missed.

    Args:
        states: kept between calls by whoever calls often; no two calls may share it at once.

    Returns:
        One outcome for each batch, in order; a refused batch leaves the others alone.

    Raises:
        StorageError, RecordError: nothing of any batch was written.
    """
    known = PlaybackStates() if states is None else states
    outcomes: list[LogOutcome] = []
    touched: dict[tuple[str, str], SessionState] = {}

    def decide(reader: Reader) -> Sequence[Draft]:
        known.bring_up_to_date(reader)
        now_s = study.record.clock().timestamp()
        drafts: list[Draft] = []
        for batch in batches:
            whose = (batch.participant_id, batch.session_id)
            session = touched.get(whose)
            try:
                person = known.person(
                    lambda history: study.protocol_of(history, reader), reader, batch.participant_id
                )
                session = session or person.session(batch.session_id).copy()
                events = _events_of(person.protocol, session, batch, now_s, person.is_over or known.is_frozen)
            except IsopathError as refusal:
                player = session.fold.tracks.get(batch.player_id) if session else None
                outcomes.append(LogOutcome(player.next_sequence if player else 0, refusal))
                continue
            touched[whose] = session
            drafts += [Draft(event, *whose) for event in events]
            outcomes.append(LogOutcome(session.fold.tracks[batch.player_id].next_sequence))
        return drafts

    appended = study.record.append(actor, decide)
    known.accept(touched, appended[-1].sequence if appended else known.sequence)
    return outcomes


def _events_of(
    protocol: StudyProtocol, session: SessionState, batch: PlaybackBatch, now_s: float, is_over: bool
) -> list[Event]:
    """What a batch adds to the record; taken into `session` as well."""
    fold = session.fold
    track = fold.tracks.get(batch.player_id, Track())
    _check_shape(batch)
    entries = tuple(entry for entry in batch.entries if entry.sequence >= track.next_sequence)
    if not entries:
        fold.tracks.setdefault(batch.player_id, track)
        return []
    if is_over or fold.rendered is None:
        problem = "is over" if is_over else f"has no sound of {batch.session_id} yet"
        raise ConductError(
            batch.participant_id, f"this part of the study {problem}", "send no more of this log"
        )
    if entries[0].sequence > track.next_sequence:
        problem = f"line {track.next_sequence} is missing: line {entries[0].sequence} came"
        raise LogGap(batch.player_id, problem, _RESEND)
    _check_lines(batch, entries, fold, now_s)
    stops = not fold.is_finished and any(entry.kind is PlayerEntryKind.STOP for entry in entries)
    fold.take_entries(batch.player_id, entries, now_s)
    missed = passed_probes(protocol, session.given, fold.position_s)
    session.given.update(probe for event in missed if (probe := answered_probe(event)))
    events: list[Event] = [*missed, PlaybackLogged(batch.player_id, entries)]
    if stops:
        offered = SupportOffered(SupportCause.STOPPED)
        fold.offer_support(offered.cause)
        events.append(offered)
    return events


def _check_shape(batch: PlaybackBatch) -> None:
    where = f"{batch.participant_id} {batch.session_id} {batch.player_id}"
    if not 1 <= len(batch.entries) <= MOST_ENTRIES:
        problem = f"{len(batch.entries)} lines in a batch"
        raise OutOfRange(where, problem, f"send 1 to {MOST_ENTRIES} at a time")
    if any(later.sequence != earlier.sequence + 1 for earlier, later in pairwise(batch.entries)):
        raise OutOfRange(where, "the lines of a batch are not consecutive", _HONEST)
    if batch.entries[0].sequence < 0:
        raise OutOfRange(where, f"line {batch.entries[0].sequence}", "count lines from 0")


def _check_lines(
    batch: PlaybackBatch, entries: Sequence[PlayerEntry], fold: ListeningFold, now_s: float
) -> None:
    """Refuse what no player could have written.

    The player's clock is held against the server's from the moment the sound was made,
    since a log may come late, but never from before its sound or from the future.
    """
    if fold.rendered is None:
        return
    duration_s, allowed_s = (
        fold.rendered.duration_s,
        FASTEST * max(0.0, now_s - fold.rendered_at_s) + _AHEAD_S,
    )
    track = fold.tracks.get(batch.player_id, Track())
    probe = Track(**vars(track))
    for entry in entries:
        where = f"{batch.participant_id} {batch.session_id} line {entry.sequence}"
        _check_values(where, entry, duration_s)
        if entry.at_ms < probe.at_ms:
            raise OutOfRange(where, f"{entry.at_ms} ms comes before {probe.at_ms} ms", _HONEST)
        if entry.at_ms / 1000 > allowed_s:
            raise OutOfRange(where, f"{entry.at_ms} ms lies in the future", _HONEST)
        begins_beyond = probe.next_sequence == 0 and entry.position_s > fold.position_s + _AHEAD_S
        if begins_beyond or probe.ahead_after(entry) > _AHEAD_S:
            problem = f"the sound cannot be at {entry.position_s:g} s: there is no seeking"
            raise OutOfRange(where, problem, _HONEST)
        probe.note(entry)


def _check_values(where: str, entry: PlayerEntry, duration_s: float) -> None:
    if not 0.0 <= entry.position_s <= duration_s + _END_TOLERANCE_S:
        raise OutOfRange(
            where, f"{entry.position_s:g} s lies outside the sound", f"write 0 to {duration_s:g} s"
        )
    if entry.kind is PlayerEntryKind.ENDED and entry.position_s < duration_s - _END_TOLERANCE_S:
        raise OutOfRange(
            where, f"the sound does not end at {entry.position_s:g} s", f"it lasts {duration_s:g} s"
        )
    if not all(math.isfinite(value) for value in entry.values):
        raise OutOfRange(where, "a value is not a number", "write finite numbers")
    low, high, count = {
        PlayerEntryKind.VOLUME: (0.0, 1.0, 1),
        PlayerEntryKind.RATE: (0.0, 16.0, 1),
        PlayerEntryKind.RATING: (-1.0, 1.0, 2),
    }.get(entry.kind, (-math.inf, math.inf, len(entry.values)))
    if len(entry.values) != count or not all(low <= value <= high for value in entry.values):
        values = ", ".join(f"{value:g}" for value in entry.values) or "none"
        remedy = f"write {count} from {low:g} to {high:g}"
        raise OutOfRange(where, f"{entry.kind} has the values {values}", remedy)
    if (
        entry.kind is PlayerEntryKind.STOP
        and entry.detail is not None
        and entry.detail not in set(StopReason)
    ):
        raise UnknownName(where, f"{entry.detail!r} is no reason to stop", f"write {', '.join(StopReason)}")
