"""What was heard of a session, from its playback events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from study.events import (
    PlaybackEnded,
    PlaybackEvent,
    PlaybackPaused,
    PlaybackResumed,
    PlaybackStarted,
    PlaybackStopped,
    RecordedEvent,
)


@dataclass(frozen=True)
class Listening:
    """What one session's playback events amount to.

    Args:
        intervals_s: heard stretches of session time, in the order heard.
        position_s: where the sound stands now; 0 before it starts.
        playing: sound is running.
        finished: stopped or ended.
        stop_reason: why it was stopped early, or None.
        pauses: how often it was paused.
    """

    intervals_s: tuple[tuple[float, float], ...] = ()
    position_s: float = 0.0
    playing: bool = False
    finished: bool = False
    stop_reason: str | None = None
    pauses: int = 0

    @property
    def heard_s(self) -> float:
        """Seconds of the session heard at least once."""
        return self.heard_within(0.0, float("inf"))

    def heard_within(self, start_s: float, end_s: float) -> float:
        """Seconds of [start_s, end_s) heard at least once."""
        total, reached = 0.0, start_s
        for low, high in sorted(self.intervals_s):
            onset_s, offset_s = max(low, reached), min(high, end_s)
            if offset_s > onset_s:
                total += offset_s - onset_s
                reached = offset_s
        return total


def listening_of(history: Iterable[RecordedEvent], session_id: str) -> Listening:
    """The state of one session's playback.

    Args:
        history: one participant's events, in order.
    """
    state = Listening()
    since: float | None = None
    for recorded in history:
        event = recorded.event
        if recorded.session_id != session_id or not isinstance(event, PlaybackEvent):
            continue
        intervals = state.intervals_s
        if since is not None and event.position_s > since:
            intervals = (*intervals, (since, event.position_s))
        playing = isinstance(event, (PlaybackStarted, PlaybackResumed))
        since = event.position_s if playing else None
        state = Listening(
            intervals,
            event.position_s,
            playing,
            isinstance(event, (PlaybackStopped, PlaybackEnded)),
            str(event.reason) if isinstance(event, PlaybackStopped) else None,
            state.pauses + isinstance(event, PlaybackPaused),
        )
    return state
