"""What the player did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class StopReason(StrEnum):
    """Why the music was stopped before its end."""

    CHOSE_TO_STOP = "chose_to_stop"
    DISTRESS = "distress"
    TECHNICAL = "technical"


@dataclass(frozen=True)
class PlaybackStarted:
    """Sound began at `position_s` of the session."""

    position_s: float


@dataclass(frozen=True)
class PlaybackPaused:
    """Sound paused at `position_s`."""

    position_s: float


@dataclass(frozen=True)
class PlaybackResumed:
    """Sound went on from `position_s`."""

    position_s: float


@dataclass(frozen=True)
class PlaybackStopped:
    """Listening ended before the session's end."""

    position_s: float
    reason: StopReason


@dataclass(frozen=True)
class PlaybackEnded:
    """The session's end was heard."""

    position_s: float


class PlayerEntryKind(StrEnum):
    """What a line of the player's log says.

    The first eight move the sound: `play` and `resume` start it (`resume` after a
    stall), `position` tells where it is while it runs; the others end a stretch.
    """

    PLAY = "play"
    RESUME = "resume"
    POSITION = "position"
    PAUSE = "pause"
    STALL = "stall"
    STOP = "stop"
    ENDED = "ended"
    CLOSED = "closed"
    LOADED = "loaded"
    VOLUME = "volume"
    MUTED = "muted"
    UNMUTED = "unmuted"
    RATE = "rate"
    HIDDEN = "hidden"
    VISIBLE = "visible"
    DEVICE = "device"
    AUDIO_CONTEXT = "audio_context"
    WAKE_LOCK = "wake_lock"
    OFFLINE = "offline"
    ONLINE = "online"
    SEEK_UNDONE = "seek_undone"
    RATING = "rating"
    ERROR = "error"


@dataclass(frozen=True)
class PlayerEntry:
    """One line of the player's log.

    Args:
        sequence: from 0, without gaps within one player.
        at_ms: milliseconds since the player was made, by the browser's monotonic clock.
        position_s: of the sound, in session time.
        values: numbers that belong to it: volume 0 to 1, playback rate, or a
            rating's valence and arousal in [-1, 1].
        detail: a word that belongs to it: a reason, an audio context's state, an error's name.
    """

    sequence: int
    kind: PlayerEntryKind
    at_ms: int
    position_s: float
    values: tuple[float, ...] = ()
    detail: str | None = None


@dataclass(frozen=True)
class PlaybackLogged:
    """Lines of one player's log, in order.

    Args:
        player_id: made anew each time a page makes a player.
    """

    player_id: str
    entries: tuple[PlayerEntry, ...]
