"""What players did, line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from study.events import (
    History,
    PlaybackEvent,
    PlaybackLogged,
    PlaybackStopped,
    PlayerEntry,
    PlayerEntryKind,
    RecordedEvent,
    StopReason,
)

Row = dict[str, Any]


def playback_rows(history: History) -> Iterator[Row]:
    """The rows of `playback`.

    Args:
        history: one participant's events, in order.
    """
    for recorded in history:
        match recorded.event:
            case PlaybackLogged(player_id=player_id, entries=entries):
                for entry in entries:
                    yield _row(recorded) | _entry_columns(player_id, entry)
            case event if isinstance(event, PlaybackEvent):
                action = recorded.kind.removeprefix("Playback").lower()
                reason = str(event.reason) if isinstance(event, PlaybackStopped) else None
                yield _row(recorded) | {"action": action, "position_s": event.position_s, "reason": reason}


def _row(recorded: RecordedEvent) -> Row:
    nothing = dict.fromkeys(
        ("player_id", "player_line", "player_s", "volume", "rate", "valence", "arousal", "detail")
    )
    return {
        "participant_id": recorded.participant_id,
        "session_id": recorded.session_id,
        "sequence": recorded.sequence,
        "at": recorded.at,
        **nothing,
    }


def _entry_columns(player_id: str, entry: PlayerEntry) -> Row:
    kind, values = entry.kind, entry.values
    is_stop = kind is PlayerEntryKind.STOP
    valence, arousal = values if kind is PlayerEntryKind.RATING else (None, None)
    return {
        "player_id": player_id,
        "player_line": entry.sequence,
        "player_s": entry.at_ms / 1000,
        "action": str(kind),
        "position_s": entry.position_s,
        "reason": (entry.detail or str(StopReason.CHOSE_TO_STOP)) if is_stop else None,
        "volume": values[0] if kind is PlayerEntryKind.VOLUME else None,
        "rate": values[0] if kind is PlayerEntryKind.RATE else None,
        "valence": valence,
        "arousal": arousal,
        "detail": None if is_stop else entry.detail,
    }
