"""One source of sound and its log: how far it is known, and how the sound is set."""

from __future__ import annotations

from dataclasses import dataclass

from study.events import PlayerEntry, PlayerEntryKind

FASTEST = 1.1
"""Sound may advance this many seconds a second before it counts as running ahead of the clock."""

#: Kinds that start the sound, that say where it is, and that halt it.
STARTS = frozenset({PlayerEntryKind.PLAY, PlayerEntryKind.RESUME})
MOVES = STARTS | {
    PlayerEntryKind.POSITION,
    PlayerEntryKind.PAUSE,
    PlayerEntryKind.STALL,
    PlayerEntryKind.STOP,
    PlayerEntryKind.ENDED,
    PlayerEntryKind.CLOSED,
}
HALTS = MOVES - STARTS - {PlayerEntryKind.POSITION}


@dataclass
class Track:
    """One source of sound, and how far its log is known.

    Args:
        next_sequence: of the first entry that is not known yet.
        at_ms: of the last known entry.
        position_s: of the last known entry.
        ahead_s: how far the sound ran ahead of `FASTEST` times the clock.
        since_s: from where sound is running; None while it is not.
        has_begun: sound has advanced since it last started; a pause ends a stretch even without a jump.
        sounded_at_s: when it last ran, in seconds since 1970, for gaps between tracks.
    """

    next_sequence: int = 0
    at_ms: int = 0
    position_s: float = 0.0
    ahead_s: float = 0.0
    since_s: float | None = None
    has_begun: bool = False
    sounded_at_s: float = 0.0
    sounded_at_ms: int = 0
    is_hidden: bool = False
    volume: float = 1.0
    is_muted: bool = False
    made_at_s: float = float("inf")

    def ahead_after(self, entry: PlayerEntry) -> float:
        """How far the sound would be ahead of the clock after `entry`, in seconds."""
        if self.next_sequence == 0:
            return 0.0
        elapsed_s = (entry.at_ms - self.at_ms) / 1000
        return max(0.0, self.ahead_s + entry.position_s - self.position_s - FASTEST * elapsed_s)

    def note(self, entry: PlayerEntry) -> None:
        """The entry is known."""
        self.ahead_s = self.ahead_after(entry)
        self.next_sequence, self.at_ms, self.position_s = entry.sequence + 1, entry.at_ms, entry.position_s

    def set(self, entry: PlayerEntry) -> None:
        """From this entry on, the sound is heard or shown otherwise: volume, mute, hidden page."""
        match entry.kind:
            case PlayerEntryKind.VOLUME if entry.values:
                self.volume = entry.values[0]
            case PlayerEntryKind.MUTED | PlayerEntryKind.UNMUTED:
                self.is_muted = entry.kind is PlayerEntryKind.MUTED
            case PlayerEntryKind.HIDDEN | PlayerEntryKind.VISIBLE:
                self.is_hidden = entry.kind is PlayerEntryKind.HIDDEN

    @property
    def is_audible(self) -> bool:
        """Neither muted nor at volume zero."""
        return self.volume > 0.0 and not self.is_muted
