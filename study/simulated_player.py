"""The log of a simulated participant's player: what a browser would have sent of one stretch."""

from __future__ import annotations

from dataclasses import dataclass

from study.events import PlayerEntry, PlayerEntryKind, StopReason
from study.listening import PROBE

PAUSE_S = 40.0
"""How long a simulated participant pauses."""


@dataclass(frozen=True)
class Manner:
    """What a simulated participant does while listening, in seconds of session time; None: they do not.

    Args:
        muted_s, hidden_s: from where to where the sound is muted, and the page hidden.
    """

    pause_at_s: float | None = None
    stop_at_s: float | None = None
    stop_reason: StopReason = StopReason.CHOSE_TO_STOP
    muted_s: tuple[float, float] | None = None
    hidden_s: tuple[float, float] | None = None


def stretch_log(from_s: float, until_s: float, ends: bool, manner: Manner) -> tuple[PlayerEntry, ...]:
    """A new player's log from `from_s` to a probe, to the session's end, or to a stop before it.

    The sound runs as fast as the clock.

    Args:
        until_s: the next probe or the session's end.
        ends: whether `until_s` is the session's end.
    """
    stop_s, last_s = manner.stop_at_s, until_s
    if stop_s is not None and stop_s <= until_s:
        last_s = max(stop_s, from_s)
    marks = [
        (at_s, kind)
        for span, kinds in (
            (manner.muted_s, (PlayerEntryKind.MUTED, PlayerEntryKind.UNMUTED)),
            (manner.hidden_s, (PlayerEntryKind.HIDDEN, PlayerEntryKind.VISIBLE)),
            (manner.pause_at_s and (manner.pause_at_s,), (PlayerEntryKind.PAUSE,)),
        )
        if span
        for at_s, kind in zip(span, kinds, strict=True)
        if from_s < at_s < last_s
    ]
    log = _Log(from_s)
    log.add(PlayerEntryKind.LOADED, from_s)
    # What was begun before this stretch and goes on in it is told by its new player first.
    for span, kind in (
        (manner.muted_s, PlayerEntryKind.MUTED),
        (manner.hidden_s, PlayerEntryKind.HIDDEN),
    ):
        if span and span[0] <= from_s < span[1]:
            log.add(kind, from_s)
    log.add(PlayerEntryKind.PLAY, from_s)
    for at_s, kind in sorted(marks):
        log.add(kind, at_s)
        if kind is PlayerEntryKind.PAUSE:
            log.rest(PAUSE_S)
            log.add(PlayerEntryKind.PLAY, at_s)
    if last_s < until_s or stop_s == until_s:
        log.add(PlayerEntryKind.STOP, last_s, str(manner.stop_reason))
    elif ends:
        log.add(PlayerEntryKind.ENDED, until_s)
    else:
        log.add(PlayerEntryKind.PAUSE, until_s, PROBE)
    return tuple(log.entries)


class _Log:
    def __init__(self, from_s: float) -> None:
        self.entries: list[PlayerEntry] = []
        self._from_s = from_s
        self._rested_s = 0.0

    def rest(self, seconds: float) -> None:
        """The sound stands still while the clock goes on."""
        self._rested_s += seconds

    def add(self, kind: PlayerEntryKind, at_s: float, detail: str | None = None) -> None:
        """A line at a place of the sound."""
        at_ms = round((at_s - self._from_s + self._rested_s) * 1000)
        self.entries.append(PlayerEntry(len(self.entries), kind, at_ms, at_s, detail=detail))
